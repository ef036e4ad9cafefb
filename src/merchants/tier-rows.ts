import type { Language } from '../kernel/problem.ts';
import { formatRate } from '../kernel/rate.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { formatTable } from '../platform/terminal.ts';
import { cardTypes } from './card-bin-records.ts';
import type { HalfYearRow, RateRow, SubMerchantRow, TierRow } from './tier-store.ts';
import { cardTypeText, tierText } from './tier-text.ts';

const titles = {
  half: { ko: '반기', en: 'Half' },
  from: { ko: '적용 시작', en: 'From' },
  to: { ko: '종료', en: 'To' },
  tier: { ko: '등급', en: 'Tier' },
  card: { ko: '카드', en: 'Card' },
  rate: { ko: '요율', en: 'Rate' },
  since: { ko: '알게 된 때', en: 'Known since' },
  by: { ko: '적재자', en: 'By' },
  import: { ko: '적재', en: 'Import' },
  source: { ko: '근거', en: 'Source' },
  intermediary: { ko: '중간하위사업자', en: 'Intermediary' },
  opened: { ko: '개업일', en: 'Opened' },
  closed: { ko: '폐업일', en: 'Closed' },
} as const;

const columnsOf = (names: readonly (keyof typeof titles)[], language: Language) => [
  { title: '' },
  ...names.map((name) =>
    name === 'rate' || name === 'import'
      ? { title: titles[name][language], align: 'right' as const }
      : { title: titles[name][language] },
  ),
];
/** ● is what holds; what was once said instead stands above it without. */
const mark = (holds: boolean): string => (holds ? '●' : '');
const at = (when: Date): string => formatSeoulTime(when.toTemporalInstant());

export function tiersTable(rows: readonly TierRow[], language: Language): string {
  return formatTable(
    columnsOf(['half', 'from', 'to', 'tier', 'since', 'by', 'import'], language),
    rows.map((row) => [
      mark(row.holds),
      row.half,
      row.startsOn,
      row.endsOn ?? '',
      tierText(row.tier, language),
      at(row.knownSince),
      row.recordedBy,
      row.importId === null ? '' : String(row.importId),
    ]),
  );
}

export function tierToJson({ importId, knownSince, ...row }: TierRow): object {
  return { ...row, knownSince: knownSince.toISOString(), importId: importId === null ? null : Number(importId) };
}

export function halfYearsTable(rows: readonly HalfYearRow[], language: Language): string {
  return formatTable(
    columnsOf(['half', 'from', 'to', 'source', 'since', 'by'], language),
    rows.map((row) => [
      mark(row.holds),
      row.half,
      row.startsOn,
      row.endsOn ?? '',
      row.source,
      at(row.recordedAt),
      row.recordedBy,
    ]),
  );
}

export function halfYearToJson({ recordedAt, ...row }: HalfYearRow): object {
  return { ...row, recordedAt: recordedAt.toISOString() };
}

export function ratesTable(rows: readonly RateRow[], language: Language): string {
  return formatTable(
    columnsOf(['from', 'to', 'tier', 'card', 'rate', 'source', 'since', 'by'], language),
    rows.map((row) => [
      mark(row.holds),
      row.validFrom,
      row.validTo ?? '',
      tierText(row.tier, language),
      cardTypeText(row.cardType, language),
      formatRate(row.ratePpm),
      row.source,
      at(row.recordedAt),
      row.recordedBy,
    ]),
  );
}

export function rateToJson({ recordedAt, cardType, ...row }: RateRow): object {
  return {
    ...row,
    cardType: cardTypes[cardType === 'C' ? 0 : 1],
    rate: formatRate(row.ratePpm),
    recordedAt: recordedAt.toISOString(),
  };
}

export function subMerchantTable(
  rows: readonly SubMerchantRow[],
  inForce: ReadonlySet<SubMerchantRow>,
  language: Language,
): string {
  return formatTable(
    columnsOf(['from', 'intermediary', 'opened', 'closed'], language),
    rows.map((row) => [
      mark(inForce.has(row)),
      row.validFrom,
      row.intermediaryNo ?? '',
      row.openedOn,
      row.closedOn ?? '',
    ]),
  );
}
