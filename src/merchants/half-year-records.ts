import type { DatedRecord } from '../imports/dated-store.ts';
import type { NamedFields } from '../imports/named-fields.ts';
import type { RecordColumns } from '../imports/record.ts';

/** 반기. The columns of a half-years file: see docs/tiers.md. */
export const halfYearColumns: RecordColumns = { names: ['half', 'startsOn', 'source'], numbers: new Set() };

export function readHalfYear(fields: NamedFields): DatedRecord {
  const half = readHalf(fields);
  const startsOn = fields.day('startsOn').toString();
  return { identity: [half], content: { half, startsOn, source: fields.text('source', { max: 200 }) } };
}

/** The field `half`: `2026H2`. Throws `import_half`. */
export function readHalf(fields: NamedFields): string {
  const half = fields.raw('half');
  return /^20\d{2}H[12]$/.test(half) ? half : fields.refuse('half', 'import_half');
}
