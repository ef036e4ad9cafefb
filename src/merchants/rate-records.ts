import type { DatedRecord } from '../imports/dated-store.ts';
import type { NamedFields } from '../imports/named-fields.ts';
import type { RecordColumns } from '../imports/record.ts';
import { formatRate, parseRate } from '../kernel/rate.ts';
import { cardTypeCodes, cardTypes } from './card-bin-records.ts';

/**
 * What no preferential rate is above: any merchant at all may be charged 2.3% at most (여신전문금융업법 시행령), and the
 * highest preferential rate so far is 1.6%. `15%` in place of `1.5%` would claim nothing, and nobody would notice.
 */
const likelyMostPpm = 30_000;

/** 우대수수료율. The columns of a file of preferential rates: see docs/tiers.md. */
export const rateColumns: RecordColumns = {
  names: ['validFrom', 'tier', 'cardType', 'rate', 'source'],
  numbers: new Set(['tier']),
};

export function readPreferentialRate(fields: NamedFields): DatedRecord {
  const validFrom = fields.day('validFrom').toString();
  const tier = fields.whole('tier', { min: 0, max: 3 });
  const cardType = fields.choice('cardType', cardTypes);
  const ratePpm = parseRate(fields.raw('rate')) ?? fields.refuse('rate', 'import_rate');
  if (ratePpm > likelyMostPpm) fields.refuse('rate', 'import_rate_unlikely', { most: formatRate(likelyMostPpm) });
  return {
    identity: [validFrom, String(tier), cardType],
    content: {
      validFrom,
      tier,
      cardType: cardTypeCodes[cardType],
      rate: ratePpm,
      source: fields.text('source', { max: 200 }),
    },
  };
}
