import { changeControl, ensureControl } from '../payout/control-store.ts';
import { type Pool, type PoolClient, query } from '../platform/database/pool.ts';
import { ofQueue, pause, resume } from './pause-store.ts';
import type { ChangedBy } from './schedule-store.ts';

/**
 * 큐 중지. Sends nothing new through a bank; what was sent is still asked about. A bank that somebody had paused otherwise goes
 * over by nobody's clock: the pause has no end. @throws Problem `not_found`
 */
export async function pauseQueue(
  pool: Pool,
  bank: string,
  request: { readonly by: ChangedBy; readonly until?: Temporal.Instant | undefined; readonly now: Temporal.Instant },
): Promise<void> {
  await ensureControl(pool, bank);
  const { actor, reason } = request.by;
  await pause(pool, ofQueue(bank), {
    ...request,
    isEndless: (tx) => isPaused(tx, bank),
    also: (tx) => changeControl(tx, bank, { paused: true }, { who: actor.who, reason }),
  });
}

/** Nobody pauses it or lets it go until the transaction ends. */
async function isPaused(tx: PoolClient, bank: string): Promise<boolean> {
  const [control] = await query<{ paused: boolean }>(tx, 'select paused from bank_control where bank = $1 for update', [
    bank,
  ]);
  return control?.paused === true;
}

/** 재개. @throws Problem `not_paused` */
export async function unpauseQueue(pool: Pool, bank: string, by: ChangedBy): Promise<void> {
  const { actor, reason } = by;
  await resume(pool, ofQueue(bank), {
    by,
    also: (tx) => changeControl(tx, bank, { paused: false }, { who: actor.who, reason }),
  });
}

/** A pause that had an end goes over by itself. */
export async function resumeQueue(tx: PoolClient, bank: string): Promise<void> {
  await changeControl(tx, bank, { paused: false }, { who: 'system:scheduler', reason: 'until' });
}
