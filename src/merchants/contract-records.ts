import type { DatedRecord } from '../imports/dated-store.ts';
import type { NamedFields } from '../imports/named-fields.ts';
import type { RecordColumns } from '../imports/record.ts';
import { vatPolicies } from '../kernel/fee.ts';
import { methods } from '../kernel/method.ts';
import { parseRate } from '../kernel/rate.ts';
import { roundings } from '../kernel/rounding.ts';

/** Which volume chooses the tier: what was settled gross in the month before, or in this month so far. */
export const tierVolumes = ['previous_month', 'month_to_date'] as const;
/** Whether a cancel gives the fee back. */
export const cancelFees = ['returned', 'kept'] as const;

/** No single fee is higher. */
const feeRange = { min: 0n, max: 1_000_000_000n };
/** A volume beyond what bigint sums of won could reach in a month. */
const volumeMost = 10n ** 17n;

/** 수수료 계약. The columns of a contracts file: see docs/terms.md. */
export const contractColumns: RecordColumns = {
  names: [
    'merchantId',
    'method',
    'validFrom',
    'validTo',
    'rate',
    'fixedWon',
    'minFeeWon',
    'maxFeeWon',
    'rounding',
    'vat',
    'tierVolume',
    'tiers',
    'cancelFee',
  ],
  numbers: new Set(['fixedWon', 'minFeeWon', 'maxFeeWon']),
};

export function readContract(fields: NamedFields): DatedRecord {
  const merchantId = fields.text('merchantId', { ours: true });
  const method = fields.choice('method', methods);
  const validFrom = fields.day('validFrom');
  const validTo = fields.optional('validTo', (name) => fields.day(name));
  if (validTo !== null && Temporal.PlainDate.compare(validTo, validFrom) < 0) {
    fields.refuse('validTo', 'import_below', { other: 'validFrom' });
  }
  const ratePpm = parseRate(fields.raw('rate')) ?? fields.refuse('rate', 'import_rate');
  const won = (name: string) => fields.optional(name, () => fields.won(name, feeRange));
  const [fixed, least, most] = [won('fixedWon') ?? 0n, won('minFeeWon'), won('maxFeeWon')];
  if (least !== null && most !== null && most < least) {
    fields.refuse('maxFeeWon', 'import_below', { other: 'minFeeWon' });
  }
  return {
    identity: [merchantId, method, validFrom.toString()],
    content: {
      merchantId,
      method,
      validFrom: validFrom.toString(),
      validTo: validTo?.toString() ?? null,
      rate: ratePpm,
      fixedWon: fixed.toString(),
      minFeeWon: least?.toString() ?? null,
      maxFeeWon: most?.toString() ?? null,
      rounding: fields.choice('rounding', roundings),
      vat: fields.choice('vat', vatPolicies),
      ...readTiers(fields),
      cancelFee: fields.choice('cancelFee', cancelFees),
    },
  };
}

/** `10000000:1.05%;50000000:0.95%`: the rate from each volume on; the volumes rise. */
function readTiers(fields: NamedFields): { tierVolume: string | null; tiers: (readonly [string, number])[] } {
  const volume = fields.optional('tierVolume', () => fields.choice('tierVolume', tierVolumes));
  if (fields.isEmpty('tiers')) {
    return volume === null
      ? { tierVolume: null, tiers: [] }
      : fields.refuse('tiers', 'import_field_missing', { other: 'tierVolume' });
  }
  if (volume === null) fields.refuse('tierVolume', 'import_field_missing', { other: 'tiers' });
  let below = 0n;
  const tiers = fields
    .raw('tiers')
    .split(';')
    .map((text) => {
      const match = /^([1-9]\d{0,17}):(.+)$/.exec(text);
      const from = BigInt(match?.[1] ?? 0);
      const ratePpm = parseRate(match?.[2] ?? '');
      if (ratePpm === undefined || from <= below || from > volumeMost) return fields.refuse('tiers', 'import_tiers');
      below = from;
      return [from.toString(), ratePpm] as const;
    });
  return { tierVolume: volume, tiers };
}
