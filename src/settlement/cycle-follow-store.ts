import { setTimeout as wait } from 'node:timers/promises';
import type { Pool } from '../platform/database/pool.ts';
import { type ListedCycle, listCycles } from './cycle-list-store.ts';
import { formatSlot, parseSlot } from './slot.ts';

/** A slot as it stands at a moment; `id` names that, so that whoever comes back with it hears what came after. */
export type CycleEvent = { readonly id: string; readonly event: 'cycle'; readonly cycle: ListedCycle };

const pollMs = 400;
/** Looked at again each time: a day's slots at most, of which one runs. */
const slotsMost = 288;

/**
 * 회차 실시간 보기. The latest slot as it stands, then each one that begins, comes on by a part, or ends, for as long as
 * somebody listens. With `lastId` what was heard before is left out, and what happened since is told.
 */
export async function* followCycles(
  pool: Pool,
  { lastId, signal }: { readonly lastId?: string | undefined; readonly signal: AbortSignal },
): AsyncGenerator<CycleEvent> {
  const heard = new Map<number, string>();
  const place = readPlace(lastId);
  if (place !== undefined) heard.set(place.slotMs, place.id);
  while (!signal.aborted) {
    const latest = Math.max(...heard.keys());
    // A slot that runs ends after later ones were skipped: what is older than those that were heard of never changes.
    const since = heard.size === 0 ? undefined : Math.min(...heard.keys());
    const found = await listCycles(pool, { limit: since === undefined ? 1 : slotsMost });
    for (const cycle of found.reverse()) {
      const slotMs = cycle.slot.getTime();
      if (since !== undefined && slotMs < since) continue;
      const id = placeOf(cycle);
      if (heard.get(slotMs) === id) continue;
      heard.set(slotMs, id);
      yield { id, event: 'cycle', cycle };
    }
    const running = found.filter(({ state }) => state === 'running').map(({ slot }) => slot.getTime());
    const kept = Math.min(latest, ...running);
    for (const slotMs of heard.keys()) if (slotMs < kept) heard.delete(slotMs);
    await wait(pollMs, undefined, { signal }).catch(() => {});
  }
}

/** `2026-11-20T12:05+09:00/running/1` */
function placeOf({ slot, state, partsDone }: ListedCycle): string {
  return `${formatSlot(Temporal.Instant.fromEpochMilliseconds(slot.getTime()))}/${state}/${partsDone}`;
}

/** What is no place is the beginning. */
function readPlace(text: string | undefined): { readonly slotMs: number; readonly id: string } | undefined {
  const slot = parseSlot(text?.split('/')[0] ?? '');
  return slot === undefined || text === undefined ? undefined : { slotMs: slot.epochMilliseconds, id: text };
}
