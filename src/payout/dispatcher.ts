import { setTimeout as wait } from 'node:timers/promises';
import { seoul } from '../kernel/business-day.ts';
import { ensureLedgerDay } from '../ledger/store.ts';
import type { Pool } from '../platform/database/pool.ts';
import type { Log } from '../platform/durable/engine-log.ts';
import { statesOfRuns } from '../platform/durable/runs.ts';
import { keepHeapSmall } from '../platform/memory.ts';
import type { Bank } from './bank-port.ts';
import { type Carried, claimPayouts, forgetFarTimes, oldClaims, releaseLeft, waitForOpening } from './claim-store.ts';
import { ensureControl } from './control-store.ts';
import { opensAt } from './opening-hours.ts';

/** 이체 배정. Takes due payouts and begins their runs, as many as the banks' limits leave room for. */
export type Dispatcher = {
  start(): Promise<void>;
  /** Claims nothing more. What is in flight ends, or is parked for the next process, when the engine is shut down. */
  stop(): Promise<void>;
  /** When nothing is in flight here and nothing is due; what waits for a later time is not waited for. */
  idle(): Promise<void>;
  /** Looks at once. */
  wake(bank: string): void;
  began(bank: string, run: string): void;
  /** The bank has given its word: it has room for the next one while this run notes it. */
  heard(bank: string, run: string): void;
  ended(bank: string, run: string): void;
};

export type DispatcherPorts = {
  readonly pool: Pool;
  readonly log: Log;
  readonly banks: readonly Bank[];
  now(): Temporal.Instant;
  begin(payout: Carried): Promise<void>;
};

/** How often is looked for what others requested, freed or left. The end of a run here is known at once. */
const pollMs = 200;
/** Claims that have lain long, and times set by a clock that was ahead. */
const sweepEveryMs = 2_000;

export function createDispatcher(ports: DispatcherPorts): Dispatcher {
  const stopping = new AbortController();
  const lanes = new Map(ports.banks.map((bank) => [bank.id, createLane(ports, bank, stopping.signal)]));
  let loops: Promise<void>[] = [];
  return {
    async start() {
      keepHeapSmall();
      for (const bank of ports.banks) await ensureControl(ports.pool, bank.id);
      loops = [...lanes.values()].map((lane) => lane.run());
    },
    async stop() {
      stopping.abort();
      for (const lane of lanes.values()) lane.wake();
      await Promise.all(loops);
    },
    async idle() {
      await Promise.all([...lanes.values()].map((lane) => lane.idle()));
    },
    wake: (bank) => lanes.get(bank)?.wake(),
    began: (bank, run) => lanes.get(bank)?.began(run),
    heard: (bank, run) => lanes.get(bank)?.heard(run),
    ended: (bank, run) => lanes.get(bank)?.ended(run),
  };
}

/** What is done for one bank: a loop of its own, so that a bank that hangs keeps no other waiting. */
function createLane(ports: DispatcherPorts, bank: Bank, stopping: AbortSignal) {
  const { pool, log, now } = ports;
  const inHand = new Set<string>();
  const heard = new Set<string>();
  let woken = false;
  let ring = () => {};
  let rounds = 0;
  let waiting: { readonly after: number; readonly resolve: () => void }[] = [];
  let sweptAt = Number.NEGATIVE_INFINITY;

  const begin = async (payout: Carried) => {
    const { run } = payout;
    inHand.add(run);
    try {
      await ports.begin(payout);
    } catch (error) {
      // The claim stands: whoever sweeps lets go of it.
      inHand.delete(run);
      log.warn({ run, reason: (error as Error).message }, 'a payout could not be begun');
    }
  };
  const claim = async (): Promise<number> => {
    const at = now();
    const opening = opensAt(bank.closed, at);
    if (opening !== undefined) {
      const parked = await waitForOpening(pool, bank.id, at, opening);
      if (parked > 0) log.info({ bank: bank.id, payouts: parked, opening: opening.toString() }, 'the bank is closed');
      return 0;
    }
    const claimed = await claimPayouts(pool, bank.id, at, [...heard]);
    await Promise.all(claimed.map(begin));
    return claimed.length;
  };
  const sweep = async () => {
    if (performance.now() - sweptAt < sweepEveryMs) return;
    sweptAt = performance.now();
    await ensureLedgerDay(pool, now().toZonedDateTimeISO(seoul).toPlainDate().toString());
    await forgetFarTimes(pool, bank.id, now());
    const old = (await oldClaims(pool, bank.id)).filter((run) => !inHand.has(run));
    const states = await statesOfRuns(pool, old);
    for (const run of old) {
      const state = states.get(run);
      // Never begun, or ended without letting go: the payout's own state tells the next run where to go on.
      if (state !== 'running' && state !== 'waiting') await releaseLeft(pool, run, bank);
    }
  };
  const round = async () => {
    rounds += 1;
    await sweep();
    const claimed = await claim();
    if (claimed > 0 || inHand.size > 0) return;
    for (const { resolve } of waiting.filter(({ after }) => after < rounds)) resolve();
    waiting = waiting.filter(({ after }) => after >= rounds);
  };
  const rest = async () => {
    if (!woken) {
      const timer = new AbortController();
      const rung = new Promise<void>((resolve) => {
        ring = resolve;
      });
      await Promise.race([rung, wait(pollMs, undefined, { signal: timer.signal }).catch(() => {})]);
      timer.abort();
    }
    woken = false;
  };
  const wake = () => {
    woken = true;
    ring();
  };

  return {
    async run() {
      while (!stopping.aborted) {
        await round().catch((error: Error) => {
          log.warn({ bank: bank.id, reason: error.message }, 'payouts could not be looked for');
        });
        await rest();
      }
    },
    wake,
    idle: () =>
      new Promise<void>((resolve) => {
        waiting.push({ after: rounds, resolve });
        wake();
      }),
    began: (run: string) => void inHand.add(run),
    heard(run: string) {
      heard.add(run);
      wake();
    },
    ended(run: string) {
      inHand.delete(run);
      heard.delete(run);
      wake();
    },
  };
}
