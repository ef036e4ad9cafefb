import { setTimeout as wait } from 'node:timers/promises';
import { DBOS } from '@dbos-inc/dbos-sdk';
import { actingNow } from '../database/acting.ts';
import type { Pool } from '../database/pool.ts';
import { tapLog } from '../log-tap.ts';
import { readLines, type SaidLine } from './run-log-line.ts';
import { openSpill } from './run-log-spill.ts';
import { keepRunLog } from './run-log-store.ts';

/** How long a line waits for others, in ms, and how many are written at once. */
const batchMs = 200;
const batchLines = 500;
/** In memory while the database is away; what is more is lost to the history, though not to the log itself. */
const pendingMost = 5_000;
/** Of one run in one process. Warnings and errors are heard a while longer than what is merely told. */
const linesMost = { info: 2_000, all: 3_000 };
/** Runs whose lines are counted. */
const runsCounted = 2_000;
const backOffMs = 2_000;
/** SQLSTATEs of what is wrong with the lines themselves, or with a table that is not there. */
const neverTaken = /^(2[123]|42)/;
const infoLevel = 30;
const warnLevel = 40;

export type RunLog = {
  /** What is waiting is written, for so long at most; from then on nothing is heard. */
  close(timeoutMs: number): Promise<void>;
};

type Capture = { add(said: SaidLine): void };

let capturing: Capture | undefined;
let deaf = false;

/**
 * 실행 기록. Keeps what the log of this process says inside runs: noted in memory as it is said, written in batches. It
 * costs a run nothing but that note, and never fails one: what cannot be kept is dropped, and said to be.
 * What a process leaves behind that dies by its own error is put in `spillFolder`, for the next one to keep.
 */
export function startRunLog(pool: Pool, executorId: string, spillFolder: string | undefined): RunLog {
  const pending: SaidLine[] = [];
  const counts = new Map<string, number>();
  const stopping = new AbortController();
  let rung: (() => void) | undefined;

  const count = (runId: string): number => {
    const lines = (counts.get(runId) ?? 0) + 1;
    counts.set(runId, lines);
    // The oldest of them is the first: a map keeps the order in which its keys came.
    if (counts.size > runsCounted) counts.delete(counts.keys().next().value as string);
    return lines;
  };
  const add = (said: SaidLine): void => {
    if (pending.length >= pendingMost) return;
    const lines = count(said.runId);
    const most = said.level < warnLevel ? linesMost.info : linesMost.all;
    if (lines > most) return;
    pending.push(lines === most ? { ...said, kind: 'cut' } : said);
    if (pending.length >= batchLines || said.level > warnLevel) rung?.();
  };
  const untap = tapLog((line, level) => {
    const runId = DBOS.workflowID;
    if (runId === undefined || level < infoLevel || deaf) return;
    add({ runId, step: DBOS.stepID ?? null, level, line, kind: 'line' });
  });
  capturing = { add };
  const spill = openSpill(spillFolder, executorId, () => pending);

  /** Lines stay in `pending` until they are written: only one batch is on its way at a time. */
  const writeBatch = async (): Promise<boolean> => {
    const batch = pending.slice(0, batchLines);
    if (batch.length === 0) return true;
    try {
      await keepRunLog(pool, readLines(batch, executorId));
    } catch (error) {
      // A line that the database will never take goes with its batch, so that others are not kept waiting for ever.
      if (!neverTaken.test((error as { code?: string }).code ?? '')) return false;
    }
    pending.splice(0, batch.length);
    return true;
  };
  const loop = async (): Promise<void> => {
    await spill.keepWhatWasLeft(pool).catch(() => {});
    while (!stopping.signal.aborted) {
      await nextRing(stopping.signal, (ring) => {
        rung = ring;
      });
      while (pending.length > 0 && !stopping.signal.aborted) {
        if (!(await writeBatch())) await wait(backOffMs, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  };
  const ended = loop();
  return {
    async close(timeoutMs) {
      untap();
      capturing = undefined;
      stopping.abort();
      const rest = async (): Promise<void> => {
        await ended;
        while (pending.length > 0 && (await writeBatch()));
      };
      await Promise.race([rest(), wait(timeoutMs, undefined, { ref: false })]);
      spill.close();
    },
  };
}

/** A while, or less where somebody rings. */
async function nextRing(stop: AbortSignal, give: (ring: () => void) => void): Promise<void> {
  const timer = new AbortController();
  give(() => timer.abort());
  await wait(batchMs, undefined, { signal: AbortSignal.any([stop, timer.signal]), ref: false }).catch(() => {});
}

/**
 * A step is tried again: kept with its run, which counts them. Outside a run nothing is noted. `step` is its number,
 * where it is not the one that is running here.
 */
export function noteRetry(attempt: number, error: unknown, step = DBOS.stepID ?? null): void {
  const runId = DBOS.workflowID;
  if (runId === undefined) return;
  const reason = error instanceof Error ? error.message : String(error);
  const line = JSON.stringify({ time: new Date().toISOString(), msg: reason, attempt });
  capturing?.add({ runId, step, level: warnLevel, line, kind: 'retry' });
}

/** Somebody acts on a run: kept with it, where it is a person's act and not one of the product itself. */
export function noteAct(runId: string, what: 'begun' | 'cancelled' | 'restarted'): void {
  const actor = DBOS.isWithinWorkflow() ? undefined : actingNow();
  if (actor === undefined) return;
  const line = JSON.stringify({ time: new Date().toISOString(), msg: what, ...actor });
  capturing?.add({ runId, step: null, level: infoLevel, line, kind: 'act' });
}

/** Says something in the log that is kept in another way. */
export function unheard(say: () => void): void {
  deaf = true;
  try {
    say();
  } finally {
    deaf = false;
  }
}
