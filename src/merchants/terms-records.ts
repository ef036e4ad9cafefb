import type { DatedRecord } from '../imports/dated-store.ts';
import type { NamedFields } from '../imports/named-fields.ts';
import type { RecordColumns } from '../imports/record.ts';
import { parseCycle, rolls } from './cycle.ts';

/** 지급 방법. On request or scheduled from the wallet (지급대행), or straight to the account (실시간). */
export const payoutWays = ['on_request', 'scheduled', 'direct'] as const;

const minPayoutRange = { min: 1n, max: 10_000_000_000_000n };

/** 정산 조건. The columns of a terms file: see docs/terms.md. */
export const termsColumns: RecordColumns = {
  names: ['merchantId', 'validFrom', 'cycle', 'roll', 'dueTime', 'payout', 'payoutTime', 'minPayoutWon'],
  numbers: new Set(['minPayoutWon']),
};

export function readTerms(fields: NamedFields): DatedRecord {
  const merchantId = fields.text('merchantId', { ours: true });
  const validFrom = fields.day('validFrom').toString();
  const cycle = fields.raw('cycle');
  const parsed = parseCycle(cycle) ?? fields.refuse('cycle', 'import_cycle');
  const roll = fields.choice('roll', rolls);
  if (parsed.kind === 'minutes' && !fields.isEmpty('dueTime')) fields.refuse('dueTime', 'import_field_unused');
  const payout = fields.choice('payout', payoutWays);
  if (payout !== 'scheduled' && !fields.isEmpty('payoutTime')) fields.refuse('payoutTime', 'import_field_unused');
  if (payout === 'scheduled' && fields.isEmpty('payoutTime')) {
    fields.refuse('payoutTime', 'import_field_missing', { other: 'payout' });
  }
  return {
    identity: [merchantId, validFrom],
    content: {
      merchantId,
      validFrom,
      cycle,
      roll,
      dueTime: fields.optional('dueTime', (name) => fields.time(name)) ?? '00:00',
      payout,
      payoutTime: fields.optional('payoutTime', (name) => fields.time(name)),
      minPayoutWon: (fields.optional('minPayoutWon', (name) => fields.won(name, minPayoutRange)) ?? 1n).toString(),
    },
  };
}
