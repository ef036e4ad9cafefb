import type { StatementRow } from '../providers/layout/layout.ts';
import { draw } from './draw.ts';
import { type Happening, plantedOn } from './event.ts';
import { amountOff, type SpecialLine, type StatementNotes, statementLines } from './statement-lines.ts';
import { type WorldDay, type WorldProvider, worldDay } from './world.ts';

type Row = StatementRow<'capture'>;

const accepted = { result: 'A', resultCode: '60' } as const;
const rejected = { result: 'R', resultCode: '61' } as const;
const held = { result: 'H', resultCode: '65' } as const;
const released = { result: 'L', resultCode: '66' } as const;

/** The lines of a provider's capture statement (매입 대사) of a day, with what is planted in them. */
export function captureLines(
  provider: WorldProvider,
  day: WorldDay,
  notes: StatementNotes,
  mid?: number,
): Generator<Row> {
  const writer = {
    stage: 'capture',
    by: 'capturedDay',
    row: (happening: Happening) => rowOf(provider, happening),
    special: (happening: Happening, row: Row) => special(day, happening, row),
    leavesOut: () => false,
    *further(): Generator<SpecialLine<Row>> {
      for (const happening of releasedOn(provider, day.no, mid)) {
        yield { row: { ...rowOf(provider, happening), ...released }, peculiar: 'released' };
      }
    },
  } as const;
  return statementLines(writer, provider, day, notes, mid);
}

/** Held captures (매입보류) that the provider lets go on this day, one or two days after it held them. */
export function* releasedOn(provider: WorldProvider, on: number, mid?: number): Generator<Happening> {
  for (let day = on - 2; day < on; day += 1) {
    for (const happening of plantedOn(provider, day, mid)) {
      const { payment, event } = happening;
      if (payment.plant?.kind !== 'released' || event.capturedDay === undefined) continue;
      const wanted = event.capturedDay + 1 + (payment.index % 2);
      if (Math.min(wanted, provider.world.lastDay) === on) yield happening;
    }
  }
}

function rowOf(provider: WorldProvider, { payment, event }: Happening): Row {
  return {
    ...accepted,
    kind: event.kind === 'A' ? 'A' : 'C',
    cancelSeq: event.seq,
    tradedOn: worldDay(provider, event.day).on,
    capturedOn: worldDay(provider, event.capturedDay ?? event.day).on,
    amountWon: BigInt(event.amountWon),
    providerTid: payment.providerTid,
    mid: payment.merchant.mid,
    approvalNo: payment.approvalNo,
    orderNo: payment.orderNo,
    acquirer: payment.card.acquirer,
    cardMerchantNo: payment.cardMerchantNo,
  };
}

function special(day: WorldDay, { payment, event }: Happening, row: Row): SpecialLine<Row> {
  switch (payment.plant?.kind) {
    case 'amount_differs': {
      const differenceWon = amountOff(draw(payment.index, day.no, 71));
      return {
        row: { ...row, amountWon: row.amountWon + BigInt(differenceWon) },
        kind: 'amount_differs',
        differenceWon,
      };
    }
    case 'capture_rejected':
      return { row: { ...row, ...rejected }, kind: 'capture_rejected', differenceWon: -event.amountWon };
    case 'capture_held':
      return { row: { ...row, ...held }, kind: 'capture_held', differenceWon: -event.amountWon };
    default:
      // Held today and released later: in the end no difference.
      return { row: { ...row, ...held } };
  }
}
