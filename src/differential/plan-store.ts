import type { PoolClient } from 'pg';
import { closeFinding, openFinding } from '../findings/store.ts';
import { check } from '../kernel/check.ts';
import { query } from '../platform/database/pool.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { alone } from './apply-lines-store.ts';
import { batchOf, markSelected, type SelectedCounts, type SelectionBatch, selectedCounts } from './batch-store.ts';
import { lanes, lockShare, planForSets } from './candidate-store.ts';
import { releaseClaims } from './release-store.ts';
import { selectionOf } from './selection-store.ts';

/** Below this a second connection gains nothing. */
const worthDividing = 20_000;

/**
 * Says which days' captures the batch looks at, draws the numbers of its files and makes the leaves that its claims go
 * into; returns in how many parts they are selected. Planned again it is as it was.
 */
export async function planSelection(
  tx: PoolClient,
  batchId: bigint,
  provider: DifferentialProvider,
  capturesPerPart: number,
): Promise<number> {
  const batch = await batchOf(tx, batchId);
  if (batch.parts !== null) return batch.parts;
  await noteInputs(tx, batch, provider);
  await noteDays(tx, batchId, provider);
  await drawFileNumbers(tx, batchId, provider);
  const [planned] = await query<{ parts: number }>(
    tx,
    `update differential_batch b
        set parts = case when captures <= least($3::int, $4::int) then 1
                         else $5::int * ceil(captures / ($5::int * $4::numeric))::int end
       from (select (select sum(captures) from differential_input where batch_id = $1)
                    + (select count(*) from differential_waiting where channel = any ($2)) as captures) found
      where batch_id = $1 returning b.parts`,
    [batchId, provider.channels, worthDividing, capturesPerPart, lanes],
  );
  check(planned, `no batch ${batchId}`);
  return planned.parts;
}

/**
 * The batch's own day, and of the days before those that were looked at and of which more has come in since; for some
 * time also all since when more is known of who is small, as a cancel is of a sale of any half-year. A day that no batch
 * looked at waits for its own. Both are counted, since what was written before a batch may be committed after it.
 */
async function noteInputs(tx: PoolClient, { batchId, claimedOn }: SelectionBatch, provider: DifferentialProvider) {
  const { lookBackDays, tooOldDays } = provider.differential.calendar;
  await tx.query(
    `with now_known as (
       select (select count(*) from merchant_tier) + (select count(*) from half_year)
              + (select count(*) from preferential_rate) as facts
     ), now_there as (
       select provider as channel, captured_on, sum(captures) as captures
         from capture_total where provider = any ($2) and captured_on between $3::date - $5::int and $3::date group by 1, 2
     ), looked_at as (
       select channel, captured_on, max(captures) as captures, max(facts) as facts
         from differential_input
        where channel = any ($2) and captured_on between $3::date - $5::int and $3::date group by 1, 2
     )
     insert into differential_input (channel, captured_on, captures, facts, batch_id)
     select channel, $3::date, coalesce(captures, 0), facts, $1::bigint
       from now_known cross join unnest($2::text[]) own (channel)
       left join (select * from now_there where captured_on = $3::date) today using (channel)
     union all
     select channel, captured_on, n.captures, k.facts, $1::bigint
       from now_known k cross join now_there n join looked_at l using (channel, captured_on)
      where captured_on < $3::date and (n.captures > l.captures or (k.facts > l.facts and captured_on >= $3::date - $4::int))
     on conflict do nothing`,
    [batchId, provider.channels, claimedOn, lookBackDays, tooOldDays],
  );
}

/** On which days the captures of the batch were traded, and a leaf for the claims of each. */
async function noteDays(tx: PoolClient, batchId: bigint, provider: DifferentialProvider): Promise<void> {
  await tx.query(
    `insert into differential_day (batch_id, channel, traded_on)
     select $1::bigint, channel, traded_on
       from (select channel, traded_on
               from differential_input i join capture_total t on t.provider = channel and t.captured_on = i.captured_on
              where batch_id = $1
             union
             select channel, traded_on from differential_waiting where channel = any ($2)) d`,
    [batchId, provider.channels],
  );
  await makeClaimLeaves(tx, batchId);
}

/** The leaves that claims of the batch go into. */
async function makeClaimLeaves(tx: PoolClient, batchId: bigint): Promise<void> {
  await tx.query(
    `select ensure_claim_leaf(channel, traded_on)
       from (select * from differential_day where batch_id = $1 order by channel, traded_on) d`,
    [batchId],
  );
}

/** Lets the planner know what has just been written, before it is written to a file and answered. */
async function analyzeClaims(tx: PoolClient, batchId: bigint): Promise<void> {
  const leaves = await query<{ leaf: string }>(
    tx,
    `select tableoid::regclass::text as leaf from differential_day d
      cross join lateral (select tableoid from claim c where c.channel = d.channel and c.traded_on = d.traded_on limit 1) c
      where batch_id = $1 order by 1`,
    [batchId],
  );
  await tx.query('set local default_statistics_target = 10');
  for (const { leaf } of leaves) await tx.query(`analyze ${leaf}`);
}

/**
 * The numbers of the files that the batch may fill: one, or one for each MID of its captures and of the claims that wait
 * to go with it.
 */
async function drawFileNumbers(tx: PoolClient, batchId: bigint, provider: DifferentialProvider): Promise<void> {
  const number = `nextval(pg_get_serial_sequence('claim_file', 'file_id'))`;
  if (!provider.differential.claims.perMid) {
    await tx.query(
      `insert into differential_file_number (batch_id, mid, file_id)
       select $1::bigint, '', ${number} where not exists (select from differential_file_number where batch_id = $1)`,
      [batchId],
    );
    return;
  }
  await tx.query(
    `insert into differential_file_number (batch_id, mid, file_id)
     select $1::bigint, mid, ${number}
       from (select mid from differential_input i
               join capture_total t on t.provider = channel and t.captured_on = i.captured_on where batch_id = $1
             union
             select mid from differential_waiting where channel = any ($2)
             union
             select mid from claim where provider = $3 and state in ('H', 'Q')
             except
             select mid from differential_file_number where batch_id = $1) m
      order by mid`,
    [batchId, provider.channels, provider.id],
  );
}

/**
 * After all parts: takes in held claims whose reason is gone and those queued to be sent again, marks the batch as
 * selected and returns what its parts came to. Closed again it does nothing.
 */
export async function closeSelection(
  tx: PoolClient,
  batchId: bigint,
  provider: DifferentialProvider,
): Promise<SelectedCounts> {
  await lockShare(tx, provider.id, { part: 0, parts: 1 });
  const [open] = await query(
    tx,
    `select from differential_batch where batch_id = $1 and selected_at is null for update`,
    [batchId],
  );
  if (open !== undefined) {
    // What answers say of claims that are to go again is heard first.
    await alone(tx, provider);
    const batch = await batchOf(tx, batchId);
    await planForSets(tx);
    await drawFileNumbers(tx, batchId, provider);
    for (const channel of provider.channels) {
      await releaseClaims(tx, selectionOf({ ...batch, provider, channel, part: 0, parts: 1 }));
    }
    await tellPeople(tx, batchId, provider, batch.claimedOn);
    await analyzeClaims(tx, batchId);
    await markSelected(tx, batchId);
  }
  return await selectedCounts(tx, batchId);
}

/** What is too old to be claimed, and what has waited for too long, is for a person. */
async function tellPeople(tx: PoolClient, batchId: bigint, provider: DifferentialProvider, on: string): Promise<void> {
  const [old] = await query<{ claims: bigint; differenceWon: bigint }>(
    tx,
    `select count(*) as claims, coalesce(sum(difference_won), 0)::bigint as "differenceWon"
       from claim where provider = $1 and state = 'H' and reason = 'too_old' and batch_id = $2`,
    [provider.id, batchId],
  );
  if (old !== undefined && old.claims > 0n) {
    const subject = `${provider.id}:${on}`;
    await openFinding(tx, { kind: 'differential_too_old', subject, audience: 'in_charge', detail: old });
  }
  const [waiting] = await query<{ captures: bigint; since: string | null; reasons: string[] | null }>(
    tx,
    `select count(*) as captures, min(captured_on)::text as since, array_agg(distinct reason order by reason) as reasons
       from differential_waiting where channel = any ($1) and captured_on < $2::date - $3::int`,
    [provider.channels, on, provider.differential.calendar.lookBackDays],
  );
  const finding = { kind: 'differential_waiting', subject: provider.id } as const;
  if (waiting !== undefined && waiting.captures > 0n) {
    await openFinding(tx, { ...finding, audience: 'in_charge', detail: waiting });
  } else {
    await closeFinding(tx, { ...finding, by: `batch ${batchId}` });
  }
}
