import type { Pool } from 'pg';
import { z } from 'zod';
import { importRoute } from '../imports/import-route.ts';
import { isBusinessNo } from '../kernel/business-no.ts';
import { Problem } from '../kernel/problem.ts';
import { formatRate } from '../kernel/rate.ts';
import { pageOfFew } from '../platform/database/keyset.ts';
import { day, flag, instant, rowId, term } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { cardTypes } from './card-bin-records.ts';
import {
  importCardBins,
  importHalfYears,
  importPreferentialRates,
  importSubMerchants,
  importTiers,
} from './import-tiers.ts';
import { pageOfCardBins, pageOfSubMerchants } from './list-store.ts';
import { halfYears, merchantsOf, preferentialRates, tiersOf } from './tier-store.ts';

const businessNo = z.string().refine(isBusinessNo, 'a business number, ten digits');
const cardType = z.enum(cardTypes);
const recorded = { recordedBy: z.string(), recordedAt: instant() };

/** 영중소 등급, as it is shown: `holds` where nothing later was said. */
export const tierFact = z.object({
  half: z.string(),
  startsOn: day(),
  endsOn: day().nullable(),
  tier: z.number().int(),
  knownSince: instant(),
  recordedBy: z.string(),
  importId: rowId().nullable(),
  holds: z.boolean(),
});
const halfYear = z.object({
  half: z.string(),
  startsOn: day(),
  endsOn: day().nullable(),
  source: z.string(),
  ...recorded,
  holds: z.boolean(),
});
const rate = z.object({
  validFrom: day(),
  validTo: day().nullable(),
  tier: z.number().int(),
  cardType,
  rate: z.string(),
  ratePpm: z.number().int(),
  source: z.string(),
  ...recorded,
  holds: z.boolean(),
});
const subMerchant = z.object({
  id: rowId(),
  merchantId: z.string(),
  validFrom: day(),
  intermediaryNo: z.string().nullable(),
  openedOn: day(),
  closedOn: day().nullable(),
  ...recorded,
});
const cardBin = z.object({ id: rowId(), bin: z.string(), cardType, validFrom: day(), ...recorded });

/** 영중소 등급과 그 근거. Tiers, half-years, preferential rates, sub-merchants and card BINs: imported and shown. */
export function tierRoutes({ pool, now }: { readonly pool: Pool; now(): Temporal.Instant }): Route[] {
  const imports = (
    [
      ['importTiers', '/tiers/imports', '영중소 등급 적재', 'Import tiers of small merchants', importTiers],
      [
        'importHalfYears',
        '/half-years/imports',
        '반기 시작일 적재',
        'Import first days of half-years',
        importHalfYears,
      ],
      [
        'importPreferentialRates',
        '/preferential-rates/imports',
        '우대수수료율 적재',
        'Import preferential rates',
        importPreferentialRates,
      ],
      [
        'importSubMerchants',
        '/sub-merchants/imports',
        '하위가맹점 적재',
        'Import facts of sub-merchants',
        importSubMerchants,
      ],
      ['importCardBins', '/card-bins/imports', '카드 BIN 적재', 'Import card BINs', importCardBins],
    ] as const
  ).map(([id, path, ko, en, bring]) => importRoute({ id, path, tag: 'tiers', summary: { ko, en }, pool, bring }));
  const read = { tag: 'tiers', permission: 'read' } as const;
  return [
    ...imports,
    route({
      ...read,
      id: 'showTiers',
      path: '/tiers/{businessNo}',
      summary: {
        ko: '사업자의 반기별 등급, 언제부터 알았는지와 정정 전 값',
        en: 'Tiers of a business by half-year, known since when, and what was said before',
      },
      problems: ['not_found'],
      method: 'get',
      params: z.object({ businessNo }),
      query: z.object({ knownAt: instant().optional() }),
      answer: z.object({
        businessNo: z.string(),
        knownAt: instant(),
        merchants: z.array(z.object({ merchantId: z.string(), name: z.string() })),
        tiers: z.array(tierFact),
      }),
      async handle({ params, query, language }) {
        const knownAt = query.knownAt === undefined ? now() : Temporal.Instant.from(query.knownAt);
        const tiers = await tiersOf(pool, params.businessNo, knownAt);
        const merchants = await merchantsOf(pool, params.businessNo);
        if (tiers.length === 0 && merchants.length === 0) {
          throw new Problem('not_found', { what: language === 'ko' ? '사업자' : 'business', id: params.businessNo });
        }
        return { businessNo: params.businessNo, knownAt, merchants, tiers };
      },
    }),
    list({
      ...read,
      id: 'listHalfYears',
      path: '/half-years',
      summary: {
        ko: '반기의 시작일과 종료일',
        en: 'First and last days of half-years, with what was ever said of them',
      },
      filter: z.object({ holds: flag().optional() }),
      row: halfYear,
      sorts: ['half'],
      async page({ query }, request) {
        const rows = (await halfYears(pool)).filter(({ holds }) => query.holds === undefined || holds === query.holds);
        return pageOfFew(rows, request, (row) => `${row.half} ${row.recordedAt.toISOString()} ${row.startsOn}`);
      },
    }),
    list({
      ...read,
      id: 'listPreferentialRates',
      path: '/preferential-rates',
      summary: { ko: '우대수수료율과 적용 기간, 근거', en: 'Preferential rates, from when to when, and their sources' },
      filter: z.object({ on: day().optional() }),
      row: rate,
      sorts: ['validFrom'],
      async page({ query }, request) {
        const rows = await preferentialRates(pool, query.on ?? null);
        const page = pageOfFew(
          rows,
          request,
          (row) => `${row.validFrom} ${row.tier} ${row.cardType} ${row.recordedAt.toISOString()} ${row.ratePpm}`,
        );
        return {
          ...page,
          rows: page.rows.map((row) => ({ ...row, cardType: wordOf(row.cardType), rate: formatRate(row.ratePpm) })),
        };
      },
    }),
    list({
      ...read,
      id: 'listSubMerchants',
      path: '/sub-merchants',
      summary: { ko: '하위가맹점 정보', en: 'All that was said of sub-merchants' },
      filter: z.object({ merchant: term().optional() }),
      row: subMerchant,
      sorts: ['id'],
      page: ({ query }, request) => pageOfSubMerchants(pool, query, request),
    }),
    list({
      ...read,
      id: 'listCardBins',
      path: '/card-bins',
      summary: { ko: '카드 BIN', en: 'All that was said of card BINs' },
      filter: z.object({
        bin: z
          .string()
          .regex(/^\d{6}$/)
          .optional(),
      }),
      row: cardBin,
      sorts: ['id'],
      async page({ query }, request) {
        const page = await pageOfCardBins(pool, query, request);
        return { ...page, rows: page.rows.map((row) => ({ ...row, cardType: wordOf(row.cardType) })) };
      },
    }),
  ];
}

function wordOf(code: 'C' | 'K') {
  return cardTypes[code === 'C' ? 0 : 1];
}
