import { setTimeout as wait } from 'node:timers/promises';
import type { Pool } from 'pg';
import { Problem } from '../kernel/problem.ts';
import { type KeptRunLogLine, listRunLog } from '../platform/durable/run-log-store.ts';
import { findRuns, listRuns, listSteps, type Run, type RunStep } from '../platform/durable/runs.ts';
import { isOver } from './run-json.ts';

/** What happens in a run while it is followed. `id` names the place: whoever comes back with it hears what came after. */
export type RunEvent = { readonly id: string } & (
  | { readonly event: 'state'; readonly run: Run }
  | { readonly event: 'part'; readonly run: Run }
  | { readonly event: 'step'; readonly step: RunStep }
  | { readonly event: 'log'; readonly line: KeptRunLogLine }
);

/** How far somebody has heard: the last line of the log, and the last step. */
type Place = { readonly line: bigint; readonly step: number };

const pollMs = 400;
const linesMost = 500;
/** Lines that other processes wrote may become visible after ones with higher numbers: so far back is looked again. */
const lookBack = 200n;
/** After the end a last look, since the log is written a moment later than it is said. */
const lastLookMs = 600;
const partsMost = 1_000;

/**
 * 실시간 보기. How a run stands, then each step that ends, each part that changes and each line that is said, until the
 * run is over or `signal` says so. With `lastId` steps and lines that were heard before are left out; how the run and
 * its parts stand is told anew.
 * @throws Problem `not_found`
 */
export async function* followRun(
  pool: Pool,
  id: string,
  { lastId, signal }: { readonly lastId?: string | undefined; readonly signal: AbortSignal },
): AsyncGenerator<RunEvent> {
  const begun = readPlace(lastId);
  let { line, step } = begun;
  const heard = new Set<bigint>();
  const states = new Map<string, string>();
  const place = () => `${line}-${step}`;
  for (let isLast = false; !signal.aborted; ) {
    const [known] = await findRuns(pool, 'where r.workflow_uuid = $1', [id]);
    if (known === undefined) throw new Problem('not_found', { what: 'run', id });
    if (states.get(id) !== known.state) {
      states.set(id, known.state);
      if (!isOver(known.state)) yield { id: place(), event: 'state', run: known };
    }
    for (const ended of await listSteps(pool, id)) {
      if (ended.number <= step) continue;
      step = ended.number;
      yield { id: place(), event: 'step', step: ended };
    }
    for (const part of await listRuns(pool, { parentId: id, limit: partsMost })) {
      if (states.get(part.id) === part.state) continue;
      states.set(part.id, part.state);
      yield { id: place(), event: 'part', run: part };
    }
    const floor = line - lookBack > begun.line ? line - lookBack : begun.line;
    for (const said of await listRunLog(pool, { runId: id, parts: true, after: floor, limit: linesMost })) {
      if (heard.has(said.id)) continue;
      heard.add(said.id);
      if (said.id > line) line = said.id;
      yield { id: place(), event: 'log', line: said };
    }
    for (const old of heard) if (old < line - lookBack) heard.delete(old);
    if (isLast) return yield { id: place(), event: 'state', run: known };
    isLast = isOver(known.state);
    await wait(isLast ? lastLookMs : pollMs, undefined, { signal }).catch(() => {});
  }
}

/** What is no place is the beginning. */
function readPlace(text: string | undefined): Place {
  const [, line, step] = /^(\d{1,18})-(-?\d{1,9})$/.exec(text ?? '') ?? [];
  return line === undefined || step === undefined ? { line: 0n, step: -1 } : { line: BigInt(line), step: Number(step) };
}
