import { happeningsOn } from './event.ts';
import { feeOf } from './fee.ts';
import { clock } from './payment.ts';
import type { RecordCounts } from './tally.ts';
import { type WorldDay, type WorldProvider, worldDay } from './world.ts';

/** The columns of `payments.csv`; those that a record does not use stay empty. */
export const recordColumns =
  'record,provider,providerTid,cancelSeq,tradedAt,capturedOn,amountWon,feeWon,vatWon,mid,merchantId,orderNo,approvalNo,acquirer,issuer,cardMerchantNo,cardNo,instalments';

const recordNames = { A: 'approval', C: 'cancel', P: 'partial_cancel' } as const;

/** Our side of a provider's day as lines of `payments.csv`: payments (approvals and cancels), then captures. */
export function* ourRecords(provider: WorldProvider, day: WorldDay, counts: RecordCounts): Generator<string> {
  for (const { payment, event } of happeningsOn(provider, day.no, 'day')) {
    if (payment.plant?.kind === 'missing_here') continue;
    if (event.kind === 'A') counts.approvals += 1;
    else counts.cancels += 1;
    yield `${recordNames[event.kind]},${provider.id},${payment.providerTid},${event.seq},${day.on}T${clock(event.seconds)}+09:00,,${event.amountWon},,,${payment.merchant.mid},${payment.merchant.merchantId},${payment.orderNo},${payment.approvalNo},${payment.card.acquirer},${payment.card.issuer},${payment.cardMerchantNo},${payment.cardNo},${payment.instalments}\n`;
  }
  for (const happening of happeningsOn(provider, day.no, 'capturedDay')) {
    const { payment, event } = happening;
    if (payment.plant?.kind === 'missing_here') continue;
    counts.captures += 1;
    const { feeWon, vatWon } = feeOf(happening);
    const tradedAt = `${worldDay(provider, event.day).on}T${clock(event.seconds)}+09:00`;
    yield `capture,${provider.id},${payment.providerTid},${event.seq},${tradedAt},${day.on},${event.amountWon},${feeWon},${vatWon},${payment.merchant.mid},,,,,,,,\n`;
  }
}
