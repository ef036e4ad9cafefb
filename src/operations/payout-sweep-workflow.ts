import { z } from 'zod';
import { closeFinding, openFinding } from '../findings/store.ts';
import type { Durable } from '../platform/durable/durable.ts';
import { step, transaction } from '../platform/durable/step.ts';
import { type Job, registerJob } from './job.ts';
import { neglectedPayouts } from './payout-sweep-store.ts';

export type PayoutSweepPorts = {
  readonly durable: Durable;
  /** The banks that this process reaches. */
  readonly banks: readonly { readonly id: string }[];
  readonly dispatcher: { wake(bank: string): void };
};

/**
 * 지급 점검. Payouts are taken by every node within fractions of a second, without a schedule; what this one governs is
 * whether any are: paused or switched off, nothing new is paid out. Its slots look whether what is due is taken at all, and
 * tell people where it is not although the bank has room.
 */
export function payoutSweepJob({ durable, banks, dispatcher }: PayoutSweepPorts): Job {
  const parameters = z.strictObject({ afterMinutes: z.number().int().min(1).max(1440).default(5) });
  const job = { name: 'payout-dispatch', words: { ko: '지급', en: 'payouts' }, parameters };
  return registerJob(durable, job, async (call) => {
    const ids = banks.map(({ id }) => id);
    const woken = await step('wake', async () => {
      for (const id of ids) dispatcher.wake(id);
      return ids.length;
    });
    const { afterMinutes } = call.parameters;
    const neglected = await transaction('look', async (tx) => {
      const found = await neglectedPayouts(tx, { banks: ids, afterMinutes });
      for (const bank of ids) {
        const one = found.find((each) => each.bank === bank);
        if (one === undefined) await closeFinding(tx, { kind, subject: bank, by: 'system:scheduler' });
        else await openFinding(tx, { kind, subject: bank, audience: 'operations', detail: { ...one } });
      }
      return found.reduce((sum, { payouts }) => sum + payouts, 0);
    });
    return { banks: woken, neglected };
  });
}

const kind = 'payouts_neglected';
