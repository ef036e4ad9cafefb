import type { Pool } from 'pg';
import { z } from 'zod';
import { Problem } from '../kernel/problem.ts';
import { day, someOf, term, won } from '../platform/http/fields.ts';
import { type Route, route } from '../platform/http/route.ts';
import { providers } from '../providers/registry.ts';
import { findPayments } from './payment-store.ts';

const providerIds = providers.map((provider) => provider.id) as [string, ...string[]];
const standing = z.object({
  provider: z.string(),
  tradedOn: day(),
  providerTid: z.string(),
  cancelSeq: z.number().int(),
  kind: z.string(),
  amountWon: won(),
  mid: z.string(),
  /** `matched`, `timing`, `awaiting`, `not_reconciled`, or kinds of break. */
  verdict: z.string(),
  capture: z.object({ state: z.string(), on: day().nullable(), resultCode: z.string().nullable() }),
  settlement: z.object({
    state: z.string(),
    feeWon: won().nullable(),
    vatWon: won().nullable(),
    netWon: won().nullable(),
    payInOn: day().nullable(),
    kinds: z.string().nullable(),
  }),
});

/** 건별 대사 현황. `/payments/{tid}`: what every stage says of a payment and its cancels. */
export function paymentStandingRoutes({ pool }: { readonly pool: Pool }): Route[] {
  return [
    route({
      id: 'showPayment',
      path: '/payments/{tid}',
      tag: 'payments',
      summary: { ko: '건별 대사 현황', en: 'What every stage says of a payment and its cancels' },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      params: z.object({ tid: term() }),
      query: z.object({ provider: someOf(providerIds) }),
      answer: z.object({ payments: z.array(standing) }),
      async handle({ params: { tid }, query }) {
        const payments = await findPayments(pool, { providerTid: tid, providers: query.provider ?? providerIds });
        if (payments.length === 0) throw new Problem('not_found', { what: 'payment', id: tid });
        return { payments };
      },
    }),
  ];
}
