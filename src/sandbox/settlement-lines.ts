import type { StatementRow } from '../providers/layout/layout.ts';
import { releasedOn } from './capture-lines.ts';
import { draw } from './draw.ts';
import type { Happening } from './event.ts';
import { type Fee, feeOf } from './fee.ts';
import type { Plant } from './plant.ts';
import { amountOff, type SpecialLine, type StatementNotes, statementLines } from './statement-lines.ts';
import { type WorldDay, type WorldProvider, worldDay } from './world.ts';

type Row = StatementRow<'settlement'>;

/** Captures with these plants were not accepted on their day, so there is nothing to settle yet. */
const unsettled: ReadonlySet<string> = new Set(['capture_rejected', 'capture_held', 'released']);

/** The lines of a provider's settlement statement (정산 대사) of a day, with what is planted in them. */
export function settlementLines(
  provider: WorldProvider,
  day: WorldDay,
  payInOn: string,
  notes: StatementNotes,
  mid?: number,
): Generator<Row> {
  const writer = {
    stage: 'settlement',
    by: 'capturedDay',
    row: (happening: Happening) => rowOf(provider, happening, payInOn),
    special: (happening: Happening, row: Row) => special(provider, day, happening, row),
    leavesOut: (plant: Plant) => unsettled.has(plant.kind),
    *further(): Generator<SpecialLine<Row>> {
      for (const happening of releasedOn(provider, day.no, mid)) yield { row: rowOf(provider, happening, payInOn) };
    },
  } as const;
  return statementLines(writer, provider, day, notes, mid);
}

function rowOf(
  provider: WorldProvider,
  happening: Happening,
  payInOn: string,
  amountWon = happening.event.amountWon,
): Row {
  const { payment, event } = happening;
  const { feeWon, vatWon } = feeOf(happening, amountWon);
  return {
    kind: event.kind === 'A' ? 'A' : 'C',
    cancelSeq: event.seq,
    tradedOn: worldDay(provider, event.day).on,
    capturedOn: worldDay(provider, event.capturedDay ?? event.day).on,
    payInOn,
    amountWon: BigInt(amountWon),
    feeWon: BigInt(feeWon),
    vatWon: BigInt(vatWon),
    netWon: BigInt(amountWon - feeWon - vatWon),
    providerTid: payment.providerTid,
    mid: payment.merchant.mid,
    approvalNo: payment.approvalNo,
    orderNo: payment.orderNo,
    acquirer: payment.card.acquirer,
    cardMerchantNo: payment.cardMerchantNo,
  };
}

/** The row with another fee or VAT, and the net that follows from them. */
function withFee(row: Row, { feeWon, vatWon }: Fee): Row {
  return { ...row, feeWon: BigInt(feeWon), vatWon: BigInt(vatWon), netWon: row.amountWon - BigInt(feeWon + vatWon) };
}

function special(provider: WorldProvider, day: WorldDay, happening: Happening, row: Row): SpecialLine<Row> {
  const { payment, event } = happening;
  const chance = draw(payment.index, day.no, 72);
  const fee = feeOf(happening);
  // Away from zero, so that what is kept of an approval never turns into what is given back.
  const off = Math.sign(event.amountWon) * (1 + (chance % 40));
  switch (payment.plant?.kind) {
    case 'amount_differs': {
      const differenceWon = amountOff(chance);
      const changed = rowOf(provider, happening, row.payInOn, event.amountWon + differenceWon);
      return { row: changed, kind: 'amount_differs', differenceWon };
    }
    case 'fee_differs':
      return { row: withFee(row, { ...fee, feeWon: fee.feeWon + off }), kind: 'fee_differs', differenceWon: off };
    case 'vat_differs':
      return { row: withFee(row, { ...fee, vatWon: fee.vatWon + off }), kind: 'vat_differs', differenceWon: off };
    default: {
      const differenceWon = chance & 1 ? off : -off;
      return { row: { ...row, netWon: row.netWon + BigInt(differenceWon) }, kind: 'net_differs', differenceWon };
    }
  }
}
