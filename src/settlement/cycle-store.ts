import { Problem } from '../kernel/problem.ts';
import { arrivalsOf, giveBackArrivals, takeArrivals } from '../payments/arrival-store.ts';
import { type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import type { Part } from './part.ts';
import { formatSlot, nextSlot } from './slot.ts';
import { capturesOf, instant, itemsOf } from './stage-store.ts';

/** 정산 회차. What became of a slot. */
export type CycleState = 'running' | 'settled' | 'failed' | 'skipped';
/** Why a slot was left out: another one was still running, or a later one had been settled before. */
export type SkippedBecause = 'another_running' | 'slot_passed';

/** What a slot settled. Captures are those that newly came in; `creditedWon` is the wallets' change. */
export type SettledCounts = {
  readonly captures: bigint;
  readonly items: bigint;
  readonly merchants: bigint;
  readonly setAside: bigint;
  readonly waiting: bigint;
  readonly grossWon: bigint;
  readonly feeWon: bigint;
  readonly vatWon: bigint;
  readonly netWon: bigint;
  readonly creditedWon: bigint;
};

export type CycleResult = SettledCounts & {
  readonly state: 'settled' | 'skipped';
  readonly reason: string | null;
};

/** The run whose cycle is still marked as running, if there is one. */
export async function runningCycle(db: Queryable): Promise<string | undefined> {
  const [row] = await query<{ run_id: string }>(db, `select run_id from settlement_cycle where state = 'running'`);
  return row?.run_id;
}

/**
 * Opens the cycle of a slot, or notes why it is left out. `ended` is a run that ended without closing its cycle: it is
 * closed as failed first. Of two that open at the same time the index lets one. `closed`: the slot was run before.
 */
export async function openCycle(
  tx: PoolClient,
  cycle: {
    readonly slot: Temporal.Instant;
    readonly runId: string;
    readonly who: string;
    readonly makesUp?: string | undefined;
    readonly ended?: string | undefined;
  },
): Promise<'running' | 'closed' | SkippedBecause> {
  if (cycle.ended !== undefined) await failCycle(tx, cycle.ended, 'run_ended');
  const slot = cycle.slot.toString();
  if ((await cycleResult(tx, cycle.slot)) !== undefined) return 'closed';
  // In this order: a later one that ends in between is seen by the second look.
  const running = await runningCycle(tx);
  const [later] = await query(tx, `select from settlement_cycle where state = 'settled' and slot > $1 limit 1`, [slot]);
  if (later === undefined && running === undefined) {
    const { rowCount } = await tx.query(
      `insert into settlement_cycle (slot, run_id, state, started_by, makes_up)
       values ($1, $2, 'running', $3, $4) on conflict do nothing`,
      [slot, cycle.runId, cycle.who, cycle.makesUp ?? null],
    );
    if (rowCount === 1) return 'running';
  }
  const because = later === undefined ? 'another_running' : 'slot_passed';
  const { rowCount } = await tx.query(
    `insert into settlement_cycle (slot, run_id, state, started_by, makes_up, finished_at, reason)
     values ($1, $2, 'skipped', $3, $4, clock_timestamp(), $5) on conflict (slot) do nothing returning slot`,
    [slot, cycle.runId, cycle.who, cycle.makesUp ?? null, because],
  );
  // Whoever opened this very slot meanwhile has it.
  return rowCount === 1 ? because : 'closed';
}

/**
 * Takes what came in, and divides it with what is due again into parts of about so many; returns how many parts.
 * @throws Problem `settlement_cycle_over` where the cycle was closed meanwhile: nobody would settle what it takes
 */
export async function takeCaptures(
  tx: PoolClient,
  slot: Temporal.Instant,
  runId: string,
  capturesPerPart: number,
): Promise<number> {
  if (!(await isRunning(tx, runId))) throw new Problem('settlement_cycle_over', { slot: formatSlot(slot) });
  const captures = await takeArrivals(tx, runId);
  const [due] = await query<{ due: bigint }>(tx, 'select count(*) as due from unsettled_capture where due_at <= $1', [
    slot.toString(),
  ]);
  const parts = partsOf(Number(captures + (due?.due ?? 0n)), capturesPerPart);
  await tx.query(`update settlement_cycle set captures = $2, parts = $3 where run_id = $1 and state = 'running'`, [
    runId,
    captures,
    parts,
  ]);
  return parts;
}

/** So many parts of a slot are settled at the same time. */
export const lanes = 2;
/** Below this a second connection gains nothing. */
const worthDividing = 20_000;

function partsOf(captures: number, capturesPerPart: number): number {
  if (captures <= Math.min(worthDividing, capturesPerPart)) return 1;
  return lanes * Math.ceil(captures / (lanes * capturesPerPart));
}

/** The leaves that the items of a slot go into. Each is made in a transaction of its own, so that no lock outlives it. */
export async function makeItemLeaves(db: Queryable, slot: Temporal.Instant, runId: string): Promise<number> {
  const leaves = await query<{ provider: string; captured_on: string }>(
    db,
    `select provider, captured_on from capture_arrival where taken_by = $1
     union select provider, captured_on from unsettled_capture where due_at <= $2 order by 1, 2`,
    [runId, slot.toString()],
  );
  for (const { provider, captured_on: on } of leaves) {
    await db.query(`select ensure_leaf('settlement_item', $1, $2)`, [provider, on]);
  }
  return leaves.length;
}

export async function makeSettlementLeaf(db: Queryable, settledOn: string): Promise<void> {
  await db.query('select ensure_settlement_leaf($1)', [settledOn]);
}

/**
 * True while the cycle of a run is running; keeps anybody else from closing it before this transaction ends. Parts share
 * that lock, so that they can be settled at the same time.
 */
export async function isRunning(tx: PoolClient, runId: string): Promise<boolean> {
  await tx.query('select pg_advisory_xact_lock_shared(hashtext($1))', [cycleLock(runId)]);
  const rows = await query(tx, `select from settlement_cycle where run_id = $1 and state = 'running'`, [runId]);
  return rows.length === 1;
}

const cycleLock = (runId: string): string => `jeongsan:cycle:${runId}`;

/** Adds what a part booked, and that it is done. */
export async function addToCycle(
  tx: PoolClient,
  { runId, part }: Part,
  { setAside, waiting }: { readonly setAside: bigint; readonly waiting: bigint },
): Promise<void> {
  await tx.query(
    `update settlement_cycle c
        set done_parts = done_parts || $2::smallint, items = c.items + b.items, merchants = c.merchants + b.merchants,
            set_aside = c.set_aside + $3, waiting = c.waiting + $4, gross_won = c.gross_won + b.gross_won,
            fee_won = c.fee_won + b.fee_won, vat_won = c.vat_won + b.vat_won,
            net_won = c.net_won + b.gross_won - b.fee_won - b.vat_won, credited_won = c.credited_won + b.wallet_won,
            credited_at = case when b.items > 0 then clock_timestamp() else c.credited_at end
       from (select coalesce(sum(items), 0)::bigint as items, coalesce(sum(merchants), 0)::bigint as merchants,
                    coalesce(sum(gross_won), 0)::bigint as gross_won, coalesce(sum(fee_won), 0)::bigint as fee_won,
                    coalesce(sum(vat_won), 0)::bigint as vat_won, coalesce(sum(wallet_won), 0)::bigint as wallet_won
               from booked) b
      where c.run_id = $1 and c.state = 'running'`,
    [runId, part, setAside, waiting],
  );
}

/** Closes a cycle that went through. `reason`: what did not, although all was credited. */
export async function finishCycle(tx: PoolClient, runId: string, reason: string | null): Promise<void> {
  await tx.query(
    `update settlement_cycle set state = 'settled', finished_at = clock_timestamp(),
            credited_at = coalesce(credited_at, clock_timestamp()), reason = $2
      where run_id = $1 and state = 'running'`,
    [runId, reason],
  );
}

/**
 * Closes a cycle that did not go through, once. Nothing is lost: where no part was settled, what it took is given back;
 * else the captures of the other parts wait for the next slot.
 */
export async function failCycle(tx: PoolClient, runId: string, reason: string): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtext($1))', [cycleLock(runId)]);
  const [failed] = await query<{ slot: Date; parts: number; parts_done: number }>(
    tx,
    `update settlement_cycle set state = 'failed', finished_at = clock_timestamp(), reason = $2
      where run_id = $1 and state = 'running' returning slot, parts, parts_done`,
    [runId, reason],
  );
  if (failed === undefined) return;
  if (failed.parts_done === 0) return giveBackArrivals(tx, runId);
  if (failed.parts_done === failed.parts) return;
  const slot = failed.slot.toTemporalInstant();
  const arrivals = await arrivalsOf(tx, runId);
  // Who dismisses one of them is not passed: it would be neither waiting nor seen to be dismissed, and come back.
  await tx.query('lock table dismissed_capture in share mode');
  await tx.query(
    `insert into unsettled_capture (provider, captured_on, provider_tid, cancel_seq, traded_on, mid, merchant_id,
       amount_won, due_at)
     select provider, captured_on, provider_tid, cancel_seq, traded_on, mid, merchant_id, amount_won,
            ${instant(nextSlot(slot))} from (${capturesOf(arrivals)}) c
      where not exists (select from (${itemsOf(arrivals)}) i where i.provider = c.provider and i.captured_on = c.captured_on
                           and i.provider_tid = c.provider_tid and i.cancel_seq = c.cancel_seq)
        and not exists (select from dismissed_capture d where d.provider = c.provider and d.captured_on = c.captured_on
                           and d.provider_tid = c.provider_tid and d.cancel_seq = c.cancel_seq)
     on conflict do nothing`,
  );
}

/** What a slot came to; undefined where it never ran. */
export async function cycleResult(
  db: Queryable,
  slot: Temporal.Instant,
): Promise<(SettledCounts & { state: CycleState; reason: string | null }) | undefined> {
  const [row] = await query<SettledCounts & { state: CycleState; reason: string | null }>(
    db,
    `select state, reason, captures, items, merchants, set_aside as "setAside", waiting, gross_won as "grossWon",
            fee_won as "feeWon", vat_won as "vatWon", net_won as "netWon", credited_won as "creditedWon"
       from settlement_cycle where slot = $1`,
    [slot.toString()],
  );
  return row;
}
