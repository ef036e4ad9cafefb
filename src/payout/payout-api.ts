import type { Pool } from 'pg';
import { z } from 'zod';
import { Problem } from '../kernel/problem.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { day, flag, instant, reason, rowId, someOf, term, won } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { decideSettle, handOutcomes, proposeSettle } from './hand-settle-store.ts';
import { pageOfPayouts, showPayout } from './list-store.ts';
import { closePayoutBreak, pageOfPayoutBreaks, payoutBreakKinds } from './payout-break-store.ts';
import type { PayoutReconciliation } from './reconcile-workflow.ts';
import { cancelPayout, decidePayout, requestPayout, retryPayout } from './request-store.ts';
import { type PayoutState, transitions } from './states.ts';

export type PayoutApiPorts = {
  readonly pool: Pool;
  /** The bank that sends what is requested here. */
  readonly bank: string | undefined;
  /** The banks that this process reaches. */
  readonly banks: readonly { readonly id: string }[];
  readonly payoutReconciliation: Pick<PayoutReconciliation, 'begin'>;
  now(): Temporal.Instant;
};

const states = Object.keys(transitions) as [PayoutState, ...PayoutState[]];
const count = () => z.number().int();
const payout = z.object({
  id: rowId(),
  key: z.string(),
  kind: z.enum(['withdrawal', 'scheduled', 'direct']),
  merchantId: z.string(),
  amountWon: won(),
  bank: z.string(),
  bankCode: z.string(),
  last4: z.string(),
  holder: z.string(),
  state: z.enum(states),
  requestedBy: z.string(),
  requestedAt: instant(),
  messageNo: z.string().nullable(),
  messageOn: day().nullable(),
  sends: count(),
  asks: count(),
  /** The run that has it in its hands. */
  inHand: z.string().nullable(),
  nextAt: instant(),
  firstSentAt: instant().nullable(),
  finishedAt: instant().nullable(),
  resultCode: z.string().nullable(),
  resultReason: z.string().nullable(),
});
const shownPayout = payout.extend({
  events: z.array(
    z.object({
      at: instant(),
      who: z.string(),
      from: z.enum(states).nullable(),
      to: z.enum(states),
      what: z.string(),
      detail: z.record(z.string(), z.unknown()),
    }),
  ),
});
const payoutBreak = z.object({
  id: rowId(),
  bank: z.string(),
  on: day(),
  kind: z.enum(payoutBreakKinds),
  messageNo: z.string(),
  payoutId: rowId().nullable(),
  oursWon: won().nullable(),
  theirsWon: won().nullable(),
  openedAt: instant(),
  closedAt: instant().nullable(),
  closedBy: z.string().nullable(),
  note: z.string().nullable(),
});
const named = z.object({ id: rowId() });
const why = z.object({ reason: reason().optional() });

/** 지급. `/payouts`: requested, decided, cancelled, tried again and settled by hand; `/payout-breaks`: what the bank's list says otherwise. */
export function payoutRoutes({ pool, bank, banks, payoutReconciliation, now }: PayoutApiPorts): Route[] {
  const act = { tag: 'payouts', method: 'post', params: named, answer: shownPayout } as const;
  const shown = (id: number | bigint) => showPayout(pool, BigInt(id));
  const rules = () => {
    if (bank === undefined) throw new Problem('not_found', { what: 'bank', id: 'JEONGSAN_BANK_…' });
    return { bank, now: now() };
  };
  const decided = (name: 'approve' | 'refuse', decision: 'approved' | 'refused', ko: string, en: string) =>
    route({
      ...act,
      id: `${name}Payout`,
      path: `/payouts/{id}/${name}`,
      summary: { ko, en },
      permission: 'approve',
      problems: ['not_found', 'approval_four_eyes', 'approval_decided', 'approver_needed'],
      body: why,
      async handle({ actor, params: { id }, body }) {
        const note = body.reason === undefined ? {} : { note: body.reason };
        await decidePayout(pool, BigInt(id), { who: actor.who, decision, ...note }, now());
        return shown(id);
      },
    });
  const settled = (name: 'approve' | 'refuse', decision: 'approved' | 'refused', ko: string, en: string) =>
    route({
      ...act,
      id: `${name}PayoutSettlement`,
      path: `/payouts/{id}/settlement/${name}`,
      summary: { ko, en },
      permission: 'approve',
      problems: [
        'not_found',
        'approval_four_eyes',
        'approval_decided',
        'approver_needed',
        'payout_not_settleable',
        'payout_in_hand',
      ],
      body: why,
      async handle({ actor, params: { id }, body }) {
        const note = body.reason === undefined ? {} : { note: body.reason };
        await decideSettle(pool, BigInt(id), { who: actor.who, decision, ...note }, now());
        return shown(id);
      },
    });
  return [
    list({
      id: 'listPayouts',
      path: '/payouts',
      tag: 'payouts',
      summary: { ko: '지급 목록', en: 'Payouts' },
      permission: 'read',
      filter: z.object({
        merchant: term().optional(),
        state: someOf(states),
        on: day().optional(),
        bank: term().optional(),
      }),
      row: payout,
      sorts: ['id'],
      descendingFirst: true,
      page: ({ query }, request) => pageOfPayouts(pool, query, request),
    }),
    route({
      id: 'requestPayout',
      path: '/payouts',
      tag: 'payouts',
      summary: { ko: '출금 요청', en: 'Withdraw from a wallet; the same key again is the same payout' },
      permission: 'propose',
      problems: [
        'not_found',
        'payout_amount_refused',
        'payout_key_reused',
        'payout_account_missing',
        'payout_below_minimum',
        'payout_balance_short',
        'hold_stands',
      ],
      method: 'post',
      body: z.object({
        merchant: term(),
        amountWon: won(),
        /** What makes the request safe to repeat. Keys of what is paid by itself name its slot or its day. */
        key: term().refine((text) => text.trim() !== '' && !/^(direct|scheduled):/.test(text), 'a key of one’s own'),
      }),
      answer: shownPayout,
      status: 201,
      subject: ({ body }) => `payout to ${body.merchant}`,
      async handle({ actor, body }) {
        const wanted = { merchantId: body.merchant, amountWon: BigInt(body.amountWon), key: body.key, who: actor.who };
        return shown((await requestPayout(pool, wanted, rules())).id);
      },
    }),
    route({
      id: 'showPayout',
      path: '/payouts/{id}',
      tag: 'payouts',
      summary: { ko: '지급 상세와 이력', en: 'One payout with its trail' },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      params: named,
      answer: shownPayout,
      handle: ({ params }) => shown(params.id),
    }),
    decided('approve', 'approved', '지급 승인', 'The second person agrees'),
    decided('refuse', 'refused', '지급 승인 거절', 'The second person refuses; the money is back in the wallet'),
    route({
      ...act,
      id: 'cancelPayout',
      path: '/payouts/{id}/cancel',
      summary: { ko: '지급 취소', en: 'Cancel before it was sent' },
      permission: 'act',
      problems: ['not_found', 'payout_not_cancellable'],
      body: why,
      async handle({ actor, params: { id }, body }) {
        await cancelPayout(pool, BigInt(id), { who: actor.who, ...(body.reason ? { why: body.reason } : {}) }, now());
        return shown(id);
      },
    }),
    route({
      ...act,
      id: 'retryPayout',
      path: '/payouts/{id}/retry',
      summary: { ko: '지급 재시도', en: 'Try at once; what was rejected is requested anew' },
      permission: 'act',
      problems: [
        'not_found',
        'payout_not_retryable',
        'payout_account_missing',
        'payout_below_minimum',
        'payout_balance_short',
        'hold_stands',
      ],
      body: z.object({}),
      async handle({ actor, params: { id } }) {
        return shown((await retryPayout(pool, BigInt(id), actor.who, rules())).id);
      },
    }),
    route({
      ...act,
      id: 'proposePayoutSettlement',
      path: '/payouts/{id}/settlement',
      summary: { ko: '수기 확정 요청', en: "Propose what became of it in the bank's stead, with the evidence" },
      permission: 'propose',
      problems: ['not_found', 'payout_not_settleable', 'payout_in_hand', 'approval_waits'],
      body: z.object({ as: z.enum(handOutcomes), reason: reason() }),
      status: 201,
      async handle({ actor, params: { id }, body }) {
        await proposeSettle(pool, BigInt(id), { ...body, who: actor.who });
        return shown(id);
      },
    }),
    settled('approve', 'approved', '수기 확정 승인', 'The second person agrees: it ends as proposed'),
    settled('refuse', 'refused', '수기 확정 거절', 'The second person refuses: the bank goes on being asked'),
    route({
      id: 'startPayoutReconciliation',
      path: '/payout-reconciliations',
      tag: 'payouts',
      summary: { ko: '지급 대사 실행', en: "Compare our payouts with the bank's transfer list of a day" },
      permission: 'run',
      problems: ['not_found'],
      method: 'post',
      body: z.object({ on: day(), bank: term().optional() }),
      answer: z.object({ runs: z.array(z.object({ bank: z.string(), on: day(), run: z.string() })) }),
      status: 202,
      subject: ({ body }) => `payouts ${body.bank ?? ''} ${body.on}`,
      async handle({ actor, body }) {
        const chosen = body.bank === undefined ? banks.map(({ id }) => id) : [body.bank];
        const runs = [];
        for (const each of chosen) {
          const request = { bank: each, on: body.on, who: actor.who };
          const { id } = await payoutReconciliation.begin(request);
          runs.push({ bank: each, on: body.on, run: id });
        }
        return { runs };
      },
    }),
    list({
      id: 'listPayoutBreaks',
      path: '/payout-breaks',
      tag: 'payouts',
      summary: {
        ko: '지급 불일치 (기본: 미종결)',
        en: "What differs from the bank's list; what stands unless told otherwise",
      },
      permission: 'read',
      filter: z.object({ bank: term().optional(), on: day().optional(), closed: flag().optional() }),
      row: payoutBreak,
      sorts: ['id'],
      descendingFirst: true,
      page: ({ query }, request) => pageOfPayoutBreaks(pool, query, request),
    }),
    route({
      id: 'closePayoutBreak',
      path: '/payout-breaks/{id}/close',
      tag: 'payouts',
      summary: { ko: '지급 불일치 종결', en: 'Close a break that has been dealt with' },
      permission: 'act',
      problems: ['not_found'],
      method: 'post',
      params: named,
      body: z.object({ reason: reason() }),
      answer: payoutBreak,
      handle: ({ actor, params, body }) =>
        inTransaction(pool, (tx) => closePayoutBreak(tx, params.id, { by: actor.who, note: body.reason })),
    }),
  ];
}
