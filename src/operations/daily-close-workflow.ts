import { z } from 'zod';
import { closeFinding, openFinding } from '../findings/store.ts';
import { type Deviation, verifyLedger } from '../ledger/verify-store.ts';
import type { Pool } from '../platform/database/pool.ts';
import type { Durable } from '../platform/durable/durable.ts';
import { runId, step, transaction } from '../platform/durable/step.ts';
import { closeDay, wasClosed } from './daily-close-store.ts';
import { type Job, type JobCall, registerJob } from './job.ts';

/** So many deviations stand in the finding; `ledger verify` shows all. */
const shownMost = 20;
const deviates = 'ledger_deviates';
const tries = { attempts: 5, firstWaitMs: 500 };

/**
 * 일 마감. Computes the whole ledger again, and keeps the trial balance of the day before the slot with what that found and
 * with the head of the audit trail: whoever changes either afterwards differs from what was kept.
 */
export function dailyCloseJob({ durable, pool }: { readonly durable: Durable; readonly pool: Pool }): Job {
  const parameters = z.strictObject({ daysBack: z.number().int().min(0).max(31).default(1) });
  const dayOf = (call: JobCall<z.output<typeof parameters>>) =>
    call.on.subtract({ days: call.parameters.daysBack }).toString();
  const job: Parameters<typeof registerJob<z.output<typeof parameters>>>[1] = {
    name: 'daily-close',
    words: { ko: '일 마감', en: 'daily close' },
    parameters,
    wasDone: (_, call, since) => wasClosed(pool, dayOf(call), since),
  };
  return registerJob(durable, job, async (call) => {
    const on = dayOf(call);
    const found = await step('verify the ledger', () => verify(pool), { retries: tries });
    return await transaction('close', async (tx) => {
      const closed = await closeDay(tx, { on, runId: runId(), ...found });
      if (closed.verdict === 'balanced') await closeFinding(tx, { kind: deviates, subject: 'ledger', by: runId() });
      else {
        const detail = { on, ...found, debitWon: closed.debitWon, creditWon: closed.creditWon };
        await openFinding(tx, { kind: deviates, subject: 'ledger', audience: 'operations', detail });
      }
      return { on, verdict: closed.verdict, accounts: closed.accounts };
    });
  });
}

async function verify(pool: Pool) {
  const shown: Deviation[] = [];
  const counts = await verifyLedger(pool, async (page) => {
    shown.push(...page.slice(0, shownMost - shown.length));
  });
  return {
    entries: `${counts.entries}`,
    lines: `${counts.lines}`,
    deviations: counts.deviations,
    shown: shown.map(({ kind, subject }) => `${kind} ${subject}`),
  };
}
