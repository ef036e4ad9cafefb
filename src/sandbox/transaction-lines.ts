import type { StatementRow } from '../providers/layout/layout.ts';
import { draw } from './draw.ts';
import { type Happening, plantedOn } from './event.ts';
import { clock, providerTidOf } from './payment.ts';
import { amountOff, type SpecialLine, type StatementNotes, statementLines } from './statement-lines.ts';
import type { WorldDay, WorldProvider } from './world.ts';

type Row = StatementRow<'transaction'>;

/** Indices of transaction ids that no payment has: the ids of weak matches. */
const unknownFrom = 90_000_000;

/** Seconds since midnight from which timing plants (시차) stand. */
const lateFrom = 85_800;

/** The lines of a provider's transaction statement (거래 대사) of a day, with what is planted in them. */
export function transactionLines(
  provider: WorldProvider,
  day: WorldDay,
  notes: StatementNotes,
  mid?: number,
): Generator<Row> {
  const writer = {
    stage: 'transaction',
    by: 'day',
    row: (happening: Happening) => rowOf(happening, day.on),
    special: (happening: Happening, row: Row) => special(provider, day, happening, row),
    leavesOut: () => false,
    further: () => drifted(provider, day, mid),
  } as const;
  return statementLines(writer, provider, day, notes, mid);
}

function rowOf({ payment, event }: Happening, on: string): Row {
  return {
    kind: event.kind,
    cancelSeq: event.seq,
    instalments: payment.instalments,
    tradedOn: on,
    amountWon: BigInt(event.amountWon),
    tradedTime: clock(event.seconds),
    providerTid: payment.providerTid,
    mid: payment.merchant.mid,
    approvalNo: payment.approvalNo,
    orderNo: payment.orderNo,
    acquirer: payment.card.acquirer,
    cardMerchantNo: payment.cardMerchantNo,
    cardNo: payment.cardNo,
  };
}

function special(provider: WorldProvider, day: WorldDay, { payment, event }: Happening, row: Row): SpecialLine<Row> {
  const chance = draw(payment.index, day.no, 70);
  switch (payment.plant?.kind) {
    case 'amount_differs': {
      const differenceWon = amountOff(chance);
      return {
        row: { ...row, amountWon: row.amountWon + BigInt(differenceWon) },
        kind: 'amount_differs',
        differenceWon,
      };
    }
    case 'status_differs': {
      const cancelled: Row = { ...row, kind: 'C', amountWon: -row.amountWon };
      return { row: cancelled, kind: 'status_differs', differenceWon: -2 * event.amountWon };
    }
    case 'date_differs': {
      const tradedOn = Temporal.PlainDate.from(day.on).subtract({ days: 3 }).toString();
      return { row: { ...row, tradedOn }, kind: 'date_differs' };
    }
    case 'weak_by_approval':
    case 'weak_by_order': {
      const providerTid = providerTidOf(provider, payment.day, unknownFrom + payment.index, payment.seconds);
      const garbled = String(90_000_000 + (chance % 9_999_999));
      const approvalNo = payment.plant.kind === 'weak_by_order' ? garbled : row.approvalNo;
      return { row: { ...row, providerTid, approvalNo }, peculiar: 'weak' };
    }
    default:
      // Timing: the line stands in the neighbouring day's statement.
      return { row: undefined };
  }
}

/** Lines around midnight that the provider dates, and files, on the neighbouring day (시차). */
function* drifted(provider: WorldProvider, on: WorldDay, mid: number | undefined): Generator<SpecialLine<Row>> {
  for (let day = on.no - 1; day <= on.no + 1; day += 1) {
    for (const happening of plantedOn(provider, day, mid)) {
      const kind = happening.payment.plant?.kind;
      const shift = kind === 'timing_late' ? 1 : kind === 'timing_early' ? -1 : 0;
      if (shift === 0 || happening.event.day + shift !== on.no) continue;
      const seconds = happening.event.seconds - shift * lateFrom;
      yield { row: rowOf({ ...happening, event: { ...happening.event, seconds } }, on.on), kind: 'timing' };
    }
  }
}
