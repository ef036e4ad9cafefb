import type { Pool } from 'pg';
import { z } from 'zod';
import { importRoute } from '../imports/import-route.ts';
import { day, flag, instant, rowId, someOf, won } from '../platform/http/fields.ts';
import { list, type Route } from '../platform/http/route.ts';
import { providers } from '../providers/registry.ts';
import { importDeposits } from './deposit-import.ts';
import { pageOfDepositChecks, pageOfDeposits } from './deposit-list-store.ts';

const providerIds = providers.map((provider) => provider.id) as [string, ...string[]];
const filter = {
  on: day().optional(),
  from: day().optional(),
  to: day().optional(),
  provider: someOf(providerIds),
};

/** 입금. `/deposits`: what providers paid in; `/deposit-checks`: whether it is what their statements promise. */
export function depositRoutes({ pool }: { readonly pool: Pool }): Route[] {
  return [
    importRoute({
      id: 'importDeposits',
      path: '/deposits/imports',
      tag: 'deposits',
      summary: { ko: '원천사 입금 적재', en: 'Import deposits from providers' },
      pool,
      bring: (db, source, options) => importDeposits(db, source, { ...options, providers: providerIds }),
    }),
    list({
      id: 'listDeposits',
      path: '/deposits',
      tag: 'deposits',
      summary: { ko: '원천사 입금 목록', en: 'Deposits from providers' },
      permission: 'read',
      filter: z.object(filter),
      row: z.object({
        provider: z.string(),
        depositedOn: day(),
        bankRef: z.string(),
        amountWon: won(),
        importId: rowId(),
      }),
      sorts: ['on'],
      descendingFirst: true,
      page: ({ query }, request) => pageOfDeposits(pool, query, request),
    }),
    list({
      id: 'listDepositChecks',
      path: '/deposit-checks',
      tag: 'deposits',
      summary: { ko: '입금 대사 결과', en: 'What statements promise for a pay-in day, and what came' },
      permission: 'read',
      filter: z.object({ ...filter, differs: flag().optional() }),
      row: z.object({
        provider: z.string(),
        payInOn: day(),
        expectedWon: won(),
        depositedWon: won(),
        differenceWon: won(),
        deposits: z.number().int(),
        run: z.string(),
        checkedAt: instant(),
      }),
      sorts: ['on'],
      descendingFirst: true,
      page: ({ query }, request) => pageOfDepositChecks(pool, query, request),
    }),
  ];
}
