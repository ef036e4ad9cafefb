import type { Pool } from 'pg';
import { z } from 'zod';
import { seoul } from '../kernel/business-day.ts';
import { Problem } from '../kernel/problem.ts';
import { day, flag, instant, reason, term, won } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { type AccountKind, accountKinds, parseAccount } from './accounts.ts';
import {
  type Adjustment,
  approveAdjustment,
  pageOfAdjustments,
  proposeAdjustment,
  proposeReversal,
  refuseAdjustment,
} from './adjustment-store.ts';
import { pageOfAccounts, pageOfMovements, sumStatement } from './statement-page-store.ts';
import { type StatementPeriod, trialBalance } from './statement-store.ts';
import { type Deviation, verifyLedger } from './verify-store.ts';

export type LedgerApiPorts = { readonly pool: Pool; now(): Temporal.Instant };

/** Deviations that are named; all are counted. */
const deviationsShown = 1000;
const linesMost = 100;

const kinds = Object.keys(accountKinds) as [AccountKind, ...AccountKind[]];
const statementOf = z.object({ account: term() });
const period = z.object({
  /** The first day of the last day's month if not given. */
  from: day().optional(),
  /** Today if not given. */
  to: day().optional(),
});
const movement = z.object({
  postedOn: day(),
  postedAt: instant(),
  event: z.string(),
  kind: z.string(),
  reason: z.string().nullable(),
  counter: z.array(z.string()),
  amountWon: won(),
  balanceWon: won(),
});
const ledgerLine = z.object({
  account: term(),
  amountWon: won().refine((amount) => amount !== 0, 'not 0'),
});
const adjustment = z.object({
  event: z.string(),
  lines: z.array(ledgerLine),
  reverses: z.string().nullable(),
  askedBy: z.string(),
  askedAt: instant(),
  reason: z.string(),
  decidedBy: z.string().nullable(),
  decidedAt: instant().nullable(),
  decision: z.enum(['approved', 'refused']).nullable(),
  note: z.string().nullable(),
});
const named = z.object({ event: term() });
const proposed = z.object({ event: z.string() });

/** 원장. `/ledger`: its check, statements of accounts, what accounts hold, and adjustments by two people. */
export function ledgerRoutes({ pool, now }: LedgerApiPorts): Route[] {
  const common = { tag: 'ledger' } as const;
  const today = () => now().toZonedDateTimeISO(seoul).toPlainDate();
  const periodOf = (account: string, { from, to }: z.output<typeof period>): StatementPeriod => {
    if (!parseAccount(account)) throw new Problem('ledger_account_unknown', { account });
    const last = to === undefined ? today() : Temporal.PlainDate.from(to);
    const first = from === undefined ? last.with({ day: 1 }) : Temporal.PlainDate.from(from);
    if (Temporal.PlainDate.compare(first, last) > 0) throw new Problem('usage', { reason: `from ${first} to ${last}` });
    return { account, from: first.toString(), to: last.toString() };
  };
  return [
    route({
      ...common,
      id: 'verifyLedger',
      path: '/ledger/verification',
      summary: { ko: '원장 검증', en: 'Recompute everything from the lines' },
      permission: 'read',
      method: 'get',
      answer: z.object({
        clean: z.boolean(),
        entries: z.number().int(),
        lines: z.number().int(),
        accounts: z.number().int(),
        deviations: z.number().int(),
        /** The first thousand. Digits: what is wrong may be of any size. */
        named: z.array(
          z.object({
            kind: z.string(),
            subject: z.string(),
            expectedWon: z.string().nullable(),
            foundWon: z.string().nullable(),
          }),
        ),
      }),
      async handle() {
        const found: Deviation[] = [];
        const counts = await verifyLedger(pool, async (page) => {
          found.push(...page.slice(0, deviationsShown - found.length));
        });
        const digits = (amount: bigint | null): string | null => (amount === null ? null : String(amount));
        const told = found.map(({ expectedWon, foundWon, ...each }) => ({
          ...each,
          expectedWon: digits(expectedWon),
          foundWon: digits(foundWon),
        }));
        return { clean: counts.deviations === 0, ...counts, named: told };
      },
    }),
    route({
      ...common,
      id: 'showTrialBalance',
      path: '/ledger/trial-balance',
      summary: { ko: '시산표', en: 'What the accounts of each kind hold; the sum of all is 0' },
      permission: 'read',
      method: 'get',
      answer: z.object({
        kinds: z.array(z.object({ kind: z.string(), accounts: z.number().int(), balanceWon: won() })),
        totalWon: won(),
      }),
      async handle() {
        const rows = await trialBalance(pool);
        return { kinds: rows, totalWon: rows.reduce((sum, { balanceWon }) => sum + balanceWon, 0n) };
      },
    }),
    list({
      ...common,
      id: 'listAccounts',
      path: '/ledger/accounts',
      summary: { ko: '계정과 잔액', en: 'Accounts and what they hold' },
      permission: 'read',
      filter: z.object({ kind: z.enum(kinds).optional(), empty: flag().optional() }),
      row: z.object({ account: z.string(), kind: z.string(), balanceWon: won() }),
      sorts: ['account'],
      page: ({ query }, request) => pageOfAccounts(pool, query, request),
    }),
    list({
      ...common,
      id: 'listMovements',
      path: '/ledger/accounts/{account}/movements',
      summary: { ko: '계정 명세', en: 'What moved on an account (this month if not told otherwise)' },
      permission: 'read',
      problems: ['ledger_account_unknown', 'usage'],
      params: statementOf,
      filter: period,
      row: movement,
      sorts: ['postedOn'],
      page: async ({ params, query }, request) => pageOfMovements(pool, periodOf(params.account, query), request),
    }),
    route({
      ...common,
      id: 'sumStatement',
      path: '/ledger/accounts/{account}/sum',
      summary: { ko: '계정 명세의 합계', en: 'What an account held before and after, and what moved in and out' },
      permission: 'read',
      problems: ['ledger_account_unknown', 'usage'],
      method: 'get',
      params: statementOf,
      query: period,
      answer: z.object({
        account: z.string(),
        from: day(),
        to: day(),
        openingWon: won(),
        inWon: won(),
        outWon: won(),
        closingWon: won(),
        movementCount: z.number().int(),
      }),
      async handle({ params, query }) {
        const of = periodOf(params.account, query);
        return { ...of, ...(await sumStatement(pool, of)) };
      },
    }),
    list({
      ...common,
      id: 'listAdjustments',
      path: '/ledger/adjustments',
      summary: { ko: '수기 조정 목록 (기본: 대기)', en: 'Adjustments that wait for a second person, or all' },
      permission: 'read',
      filter: z.object({ decided: flag().optional() }),
      row: adjustment,
      sorts: ['id'],
      descendingFirst: true,
      async page({ query }, request) {
        const page = await pageOfAdjustments(pool, query, request);
        return { ...page, rows: page.rows.map(adjustmentRow) };
      },
    }),
    route({
      ...common,
      id: 'proposeAdjustment',
      path: '/ledger/adjustments',
      summary: { ko: '수기 조정 요청', en: 'Propose lines that sum to 0: credits positive, debits negative' },
      permission: 'propose',
      problems: ['adjustment_unbalanced', 'adjustment_in_flight', 'ledger_account_unknown'],
      method: 'post',
      body: z.object({
        lines: z.array(z.strictObject(ledgerLine.shape)).min(2).max(linesMost),
        reason: reason(),
      }),
      answer: proposed,
      status: 201,
      subject: () => 'adjustment',
      async handle({ actor, body }) {
        const lines = body.lines.map(({ account, amountWon }) => ({ account, amountWon: BigInt(amountWon) }));
        return { event: await proposeAdjustment(pool, lines, { who: actor.who, why: body.reason }) };
      },
    }),
    route({
      ...common,
      id: 'proposeReversal',
      path: '/ledger/reversals',
      summary: { ko: '역분개 요청', en: 'Propose to take back what an event booked' },
      permission: 'propose',
      problems: ['ledger_event_unknown', 'adjustment_in_flight', 'approval_decided'],
      method: 'post',
      body: z.object({ event: term(), reason: reason() }),
      answer: proposed,
      status: 201,
      subject: ({ body }) => `reversal of ${body.event}`,
      handle: async ({ actor, body }) => ({
        event: await proposeReversal(pool, body.event, { who: actor.who, why: body.reason }),
      }),
    }),
    route({
      ...common,
      id: 'approveAdjustment',
      path: '/ledger/adjustments/{event}/approve',
      summary: { ko: '수기 조정 승인과 기장', en: 'Approve and book; never by who proposed' },
      permission: 'approve',
      problems: [
        'approval_four_eyes',
        'approval_decided',
        'approver_needed',
        'ledger_insufficient',
        'ledger_account_unknown',
        'ledger_event_differs',
        'ledger_event_unknown',
      ],
      method: 'post',
      params: named,
      body: z.object({ reason: reason().optional() }),
      answer: proposed,
      async handle({ actor, params: { event }, body }) {
        const note = body.reason === undefined ? {} : { note: body.reason };
        await approveAdjustment(pool, event, { by: actor.who, postedOn: today().toString(), ...note });
        return { event };
      },
    }),
    route({
      ...common,
      id: 'refuseAdjustment',
      path: '/ledger/adjustments/{event}/refuse',
      summary: { ko: '수기 조정 거절', en: 'Refuse: it is never booked' },
      permission: 'approve',
      problems: ['approval_four_eyes', 'approval_decided', 'approver_needed'],
      method: 'post',
      params: named,
      body: z.object({ reason: reason() }),
      answer: proposed,
      async handle({ actor, params: { event }, body }) {
        await refuseAdjustment(pool, event, { who: actor.who, why: body.reason });
        return { event };
      },
    }),
  ];
}

function adjustmentRow({ event, lines, reverses, approval }: Adjustment) {
  const { askedBy, askedAt, reason: asked, decidedBy, decidedAt, decision, note } = approval;
  return { event, lines, reverses, askedBy, askedAt, reason: asked, decidedBy, decidedAt, decision, note };
}
