import type { DatedRecord } from '../imports/dated-store.ts';
import type { NamedFields } from '../imports/named-fields.ts';
import type { RecordColumns } from '../imports/record.ts';
import { isBusinessNo } from '../kernel/business-no.ts';
import { readHalf } from './half-year-records.ts';

/** 영중소 등급. The columns of a tiers file: see docs/tiers.md. */
export const tierColumns: RecordColumns = {
  names: ['businessNo', 'half', 'validFrom', 'validTo', 'tier'],
  numbers: new Set(['tier']),
};

/** Reads a tier; its days, where they are said, are held against the half-year's by the import. */
export function readTier(fields: NamedFields): DatedRecord {
  const businessNo = fields.raw('businessNo');
  if (!isBusinessNo(businessNo)) fields.refuse('businessNo', 'import_business_no');
  const half = readHalf(fields);
  const validFrom = fields.optional('validFrom', (name) => fields.day(name));
  const validTo = fields.optional('validTo', (name) => fields.day(name));
  if (validFrom !== null && validTo !== null && Temporal.PlainDate.compare(validTo, validFrom) < 0) {
    fields.refuse('validTo', 'import_below', { other: 'validFrom' });
  }
  return {
    identity: [businessNo, half],
    content: { businessNo, half, tier: fields.whole('tier', { min: 0, max: 4 }) },
    // The half-year says the same: no part of what a line says of a business.
    kept: {
      ...(validFrom === null ? {} : { validFrom: validFrom.toString() }),
      ...(validTo === null ? {} : { validTo: validTo.toString() }),
    },
  };
}
