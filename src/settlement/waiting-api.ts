import type { Pool } from 'pg';
import { z } from 'zod';
import { anyWonToJson } from '../kernel/money.ts';
import { day, flag, instant, rowId, someOf, term, won } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { providers } from '../providers/registry.ts';
import { merchantBalance } from './balance-store.ts';
import { anyWon } from './settlement-schemas.ts';
import { formatSlot } from './slot.ts';
import { unsettledText } from './unsettled-rows.ts';
import { pageOfUnsettled, unsettledTotals } from './unsettled-store.ts';
import { unsettledReasons } from './words.ts';

const count = () => z.number().int();
const providerIds = providers.map((provider) => provider.id) as [string, ...string[]];

const unsettled = z.object({
  provider: z.string(),
  capturedOn: day(),
  providerTid: z.string(),
  cancelSeq: count(),
  tradedOn: day(),
  mid: z.string(),
  merchantId: z.string().nullable(),
  amountWon: anyWon(),
  dueAt: instant(),
  since: instant(),
  attempts: count(),
  /** Null: it is merely not due. */
  reason: z.string().nullable(),
  text: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()).nullable(),
});
const waiting = { captures: count(), amountWon: anyWon() };
/** 미정산과 잔액. Captures that wait to be settled, and what a merchant has with us. */
export function waitingRoutes({ pool, now }: { readonly pool: Pool; now(): Temporal.Instant }): Route[] {
  const common = { tag: 'settlement', permission: 'read' } as const;
  return [
    list({
      ...common,
      id: 'listUnsettled',
      path: '/settlement/unsettled',
      summary: { ko: '미정산 매입', en: 'Captures that wait: set aside for a reason, or not due yet' },
      filter: z.object({
        merchant: term().optional(),
        provider: someOf(providerIds),
        reason: z.enum(unsettledReasons as [string, ...string[]]).optional(),
        setAside: flag().optional(),
      }),
      row: unsettled,
      sorts: ['capture'],
      async page({ query, language }, request) {
        const page = await pageOfUnsettled(pool, query, request);
        const rows = page.rows.map((found) => ({
          ...found,
          amountWon: anyWonToJson(found.amountWon),
          text: unsettledText(found, language),
        }));
        return { ...page, rows };
      },
    }),
    route({
      ...common,
      id: 'sumUnsettled',
      path: '/settlement/unsettled/sum',
      summary: { ko: '사유별 미정산 합계', en: 'What waits, by reason' },
      method: 'get',
      query: z.object({ merchant: term().optional() }),
      answer: z.object({
        reasons: z.array(z.object({ reason: z.string().nullable(), ...waiting, nextDueAt: instant() })),
      }),
      async handle({ query }) {
        const totals = await unsettledTotals(pool, query.merchant);
        return { reasons: totals.map((each) => ({ ...each, amountWon: anyWonToJson(each.amountWon) })) };
      },
    }),
    route({
      ...common,
      id: 'showMerchantBalance',
      path: '/merchants/{id}/balance',
      tag: 'merchants',
      summary: { ko: '가맹점 잔액', en: 'Wallet, held, debt, in flight, and what is settled when' },
      problems: ['not_found'],
      method: 'get',
      params: z.object({ id: term() }),
      answer: z.object({
        merchantId: z.string(),
        name: z.string(),
        walletWon: won(),
        heldWon: won(),
        owedWon: won(),
        inFlightWon: won(),
        terms: z.string().nullable(),
        nextSlot: z.string(),
        waiting: z.array(z.object({ dueAt: instant().nullable(), reason: z.string().nullable(), ...waiting })),
        holds: z.array(z.object({ id: rowId(), amountWon: won().nullable(), reason: z.string() })),
      }),
      async handle({ params, language }) {
        const { next, waiting: waits, holds, ...rest } = await merchantBalance(pool, params.id, now(), language);
        return {
          ...rest,
          nextSlot: formatSlot(next),
          waiting: waits.map((each) => ({ ...each, amountWon: anyWonToJson(each.amountWon) })),
          holds: holds.map(({ id, amountWon, reason }) => ({ id, amountWon, reason })),
        };
      },
    }),
  ];
}
