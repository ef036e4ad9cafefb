import type { Pool } from 'pg';
import { z } from 'zod';
import { Problem } from '../kernel/problem.ts';
import { instant, reason, term, won } from '../platform/http/fields.ts';
import { type Route, route } from '../platform/http/route.ts';
import { changeOrPropose, decideLimit } from './bank-limit-store.ts';
import { type BankControl, ensureControl, listControls } from './control-store.ts';

export type BankRoutePorts = {
  readonly pool: Pool;
  /** Every bank that there is, whoever reaches it. */
  readonly bankIds: readonly string[];
};

const transfersMost = 10_000;
const approvalMost = 999_999_999_999_999;

const bank = z.object({
  bank: z.string(),
  /** Transfers at the same time, over all processes. */
  transferLimit: z.number().int(),
  paused: z.boolean(),
  /** Above this a second person approves. */
  approvalOverWon: won(),
  failures: z.number().int(),
  openUntil: instant().nullable(),
  changedBy: z.string(),
  changedAt: instant(),
  reason: z.string(),
  inHand: z.number().int(),
  waiting: z.number().int(),
});
const named = z.object({ bank: term() });

/** 은행. `/banks`: how payouts go through each, and what an operator changes about it while they run. */
export function bankRoutes({ pool, bankIds }: BankRoutePorts): Route[] {
  const common = { tag: 'banks' } as const;
  const all = async () => {
    for (const id of bankIds) await ensureControl(pool, id);
    return (await listControls(pool)).map(bankRow);
  };
  const one = async (id: string) => {
    const found = (await all()).find((each) => each.bank === id);
    if (found === undefined) throw new Problem('not_found', { what: 'bank', id });
    return found;
  };
  const decided = (name: 'approve' | 'refuse', decision: 'approved' | 'refused', ko: string, en: string) =>
    route({
      ...common,
      id: `${name}BankLimit`,
      path: `/banks/{bank}/limit/${name}`,
      summary: { ko, en },
      permission: 'approve',
      problems: ['not_found', 'approval_four_eyes', 'approval_decided', 'approver_needed'],
      method: 'post',
      params: named,
      body: z.object({ reason: reason().optional() }),
      answer: bank,
      async handle({ actor, params, body }) {
        const note = body.reason === undefined ? {} : { note: body.reason };
        await decideLimit(pool, params.bank, { who: actor.who, decision, ...note });
        return one(params.bank);
      },
    });
  return [
    route({
      ...common,
      id: 'listBanks',
      path: '/banks',
      summary: { ko: '은행 현황', en: 'Limits, what is in hand and what waits, bank by bank' },
      permission: 'read',
      method: 'get',
      answer: z.object({ banks: z.array(bank) }),
      handle: async () => ({ banks: await all() }),
    }),
    route({
      ...common,
      id: 'changeBank',
      path: '/banks/{bank}',
      summary: {
        ko: '은행 설정 변경',
        en: 'Change what is given; heeded by all processes at once. A higher limit waits for a second person',
      },
      permission: 'configure',
      problems: ['not_found', 'usage', 'approval_waits'],
      method: 'patch',
      params: named,
      body: z.object({
        transferLimit: z.number().int().min(0).max(transfersMost).optional(),
        paused: z.boolean().optional(),
        approvalOverWon: won().min(0).max(approvalMost).optional(),
        reason: reason(),
      }),
      answer: bank.extend({
        /** The approval that the higher limit waits for. */
        waits: z.string().nullable(),
      }),
      async handle({ actor, params, body: { transferLimit, paused, approvalOverWon, reason: why } }) {
        const change = {
          ...(transferLimit === undefined ? {} : { transferLimit }),
          ...(paused === undefined ? {} : { paused }),
          ...(approvalOverWon === undefined ? {} : { approvalOverWon: BigInt(approvalOverWon) }),
        };
        if (Object.keys(change).length === 0) {
          throw new Problem('usage', { reason: 'transferLimit | paused | approvalOverWon' });
        }
        await one(params.bank);
        const waits = await changeOrPropose(pool, params.bank, change, { who: actor.who, reason: why });
        return { ...(await one(params.bank)), waits: waits ?? null };
      },
    }),
    decided('approve', 'approved', '승인 기준 상향 승인', 'The second person agrees that the limit is raised'),
    decided('refuse', 'refused', '승인 기준 상향 거절', 'The second person refuses'),
  ];
}

function bankRow({ openUntil, ...control }: BankControl) {
  return { ...control, openUntil: openUntil ?? null };
}
