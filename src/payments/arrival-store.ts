import { type PoolClient, type Queryable, query } from '../platform/database/pool.ts';

/** Captures of one import, provider and capture day that came in together. */
export type Arrival = { readonly importId: bigint; readonly provider: string; readonly capturedOn: string };

/** Takes every capture that came in and that no run has taken; returns how many captures they are. */
export async function takeArrivals(tx: PoolClient, runId: string): Promise<bigint> {
  const [taken] = await query<{ captures: bigint }>(
    tx,
    `with taken as (update capture_arrival set taken_by = $1 where taken_by is null returning captures)
     select coalesce(sum(captures), 0)::bigint as captures from taken`,
    [runId],
  );
  return taken?.captures ?? 0n;
}

/** What a run has taken, in the order in which it came in. */
export async function arrivalsOf(db: Queryable, runId: string): Promise<Arrival[]> {
  return await query<Arrival>(
    db,
    `select import_id as "importId", provider, captured_on as "capturedOn"
       from capture_arrival where taken_by = $1 order by import_id, provider, captured_on`,
    [runId],
  );
}

/** Gives back what a run took and did not settle any of: the next run takes it. */
export async function giveBackArrivals(tx: PoolClient, runId: string): Promise<void> {
  await tx.query('update capture_arrival set taken_by = null where taken_by = $1', [runId]);
}
