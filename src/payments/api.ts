import type { Pool } from 'pg';
import { importRoute } from '../imports/import-route.ts';
import type { Route } from '../platform/http/route.ts';
import { providers } from '../providers/registry.ts';
import { importPayments } from './import-payments.ts';

/** 결제. `POST /payments/imports`: approvals, cancels and captures, as they stream by. */
export function paymentRoutes({ pool }: { readonly pool: Pool }): Route[] {
  const known = providers.map((provider) => provider.id);
  return [
    importRoute({
      id: 'importPayments',
      path: '/payments/imports',
      tag: 'payments',
      summary: { ko: '승인·취소·매입 적재', en: 'Import approvals, cancels and captures' },
      pool,
      bring: (db, source, options) => importPayments(db, source, { ...options, providers: known }),
    }),
  ];
}
