import { escapeLiteral, type PoolClient } from 'pg';
import type { MatchingSpec } from '../providers/matching.ts';
import { dayLiterals, type StageInputs } from './input-store.ts';
import { itemAsJson, itemColumns, type StageDay, stageSql } from './stage-sql.ts';

/**
 * Takes back the pairings that new inputs contradict: those of this day's lines that are no longer current, those
 * within the day (they are found again), and those whose record has meanwhile a line on its own day. Records of other
 * days that lose a line of this day are open items again, so that its current lines find them, and a difference that
 * still stands stays the same break. Returns the other days that must be computed anew.
 */
export async function takeBackPairings(tx: PoolClient, day: StageDay, inputs: StageInputs): Promise<string[]> {
  const lines = `${stageSql[day.stage].linesTable}`;
  const loads = inputs.loadIds.length === 0 ? 'null' : inputs.loadIds.join(', ');
  const { rows } = await tx.query<{ ours_on: string; theirs_on: string }>(
    `with dropped as (
       delete from pairing q where provider = $1 and stage = $2 and (
         (theirs_on = $3 and (ours_on = $3 or load_id <> all($4)))
         or (ours_on = $3 and theirs_on <> $3 and not was_held and exists (
           select from ${lines} t where t.provider = $1 and t.statement_on = $3 and t.load_id in (${loads})
             and t.provider_tid = q.provider_tid and t.cancel_seq = q.cancel_seq)))
       returning *
     ), freed as (
       insert into open_item (provider, stage, side, business_on, provider_tid, cancel_seq, ${itemColumns}, held)
       select $1, $2, 'ours', ours_on, provider_tid, cancel_seq, (ours ->> 'kind')::"char",
         (ours ->> 'amountWon')::bigint, (ours ->> 'feeWon')::bigint, (ours ->> 'vatWon')::bigint,
         (ours ->> 'netWon')::bigint, (ours ->> 'datedOn')::date, (ours ->> 'tradedOn')::date, ours ->> 'mid',
         ours ->> 'approvalNo', ours ->> 'orderNo', ours ->> 'acquirer', ours ->> 'cardMerchantNo', ours ->> 'cardNo',
         was_held
       from dropped where ours_on <> $3
       -- A capture that a line of this day holds back is open beside its pairing.
       on conflict (provider, stage, side, business_on, provider_tid, cancel_seq, load_id, line_no) do update
         set held = excluded.held, break_id = null
     )
     select distinct ours_on::text, theirs_on::text from dropped where ours_on <> theirs_on`,
    [day.provider, day.stage, day.on.toString(), inputs.loadIds],
  );
  return [...new Set(rows.flatMap((row) => [row.ours_on, row.theirs_on]))].filter((on) => on !== day.on.toString());
}

/**
 * Notes the pairs that were not plainly equal, and closes what older days had open of them. A resolution that a person
 * gave stays, as do its reason and its moment; the trail says besides what has ended the difference since.
 */
export async function notePairings(tx: PoolClient, day: StageDay, runId: string): Promise<void> {
  // A capture that a line held back has that line's pairing until the line comes that releases it.
  await tx.query(
    `delete from pairing q using judged j where q.provider = $1 and q.stage = $2 and j.was_held and q.ours_on = j.ours_on
       and q.provider_tid = j.provider_tid and q.cancel_seq = j.cancel_seq`,
    [day.provider, day.stage],
  );
  await tx.query(
    `insert into pairing (provider, stage, ours_on, provider_tid, cancel_seq, theirs_on, load_id, line_no, pass,
       outcome, was_held, ours, theirs, ours_won, theirs_won, run_id)
     select $1, $2, ours_on, provider_tid, cancel_seq, theirs_on, load_id, line_no, pass, outcome, was_held, ours,
       theirs, ours_won, theirs_won, $3
     from judged where pass <> 'tid' or outcome = 'timing' or ours_on <> theirs_on`,
    [day.provider, day.stage, runId],
  );
  await tx.query(
    `with consumed as materialized (
       select o.break_id from pair p join ours_item o on o.id = p.ours_id where not o.from_day and o.break_id is not null
       union select t.break_id from pair p join theirs_item t on t.id = p.theirs_id
       where not t.from_day and t.break_id is not null
     ), held as materialized (
       select b.break_id, b.state from break b join consumed c on c.break_id = b.break_id
        where b.gone_at is null order by b.break_id for update of b
     ), closed as (
       update break b set state = 'resolved', resolution = coalesce(b.resolution, 'matched_later'),
         resolved_at = coalesce(b.resolved_at, now()), gone_at = now()
       from held h where b.break_id = h.break_id
       returning b.break_id, h.state as from_state
     )
     insert into break_event (break_id, who, action, from_state, to_state, note)
     select break_id, 'jeongsan', 'gone', from_state, 'resolved', 'matched_later in ' || $1 from closed`,
    [runId],
  );
  // Items opened since the last ANALYZE are taken for few, and a nested loop over them is quadratic.
  await tx.query('set local enable_nestloop = off');
  await tx.query(
    `delete from open_item i using ours_item o, pair p where p.ours_id = o.id and not o.from_day
       and i.provider = $1 and i.stage = $2 and i.side = 'ours' and i.business_on = o.business_on
       and i.provider_tid = o.provider_tid and i.cancel_seq = o.cancel_seq`,
    [day.provider, day.stage],
  );
  await tx.query(
    `delete from open_item i using theirs_item t, pair p where p.theirs_id = t.id and not t.from_day
       and i.provider = $1 and i.stage = $2 and i.side = 'theirs' and i.business_on = t.business_on
       and i.load_id = t.load_id and i.line_no = t.line_no`,
    [day.provider, day.stage],
  );
  await tx.query('reset enable_nestloop');
}

/**
 * Brings the standing breaks of the day in line with what was found: opens what is new, closes what is gone, updates
 * what changed, leaves the rest as people left it. Computing a day twice therefore changes nothing.
 */
export async function bringBreaksInLine(
  tx: PoolClient,
  day: StageDay,
  inputs: StageInputs,
  runId: string,
): Promise<void> {
  await tx.query(`
    drop table if exists standing;
    create temp table standing on commit drop as
    select b.* from break b
    where b.provider = ${escapeLiteral(day.provider)} and b.stage = ${escapeLiteral(day.stage)}
      and b.business_on = ${escapeLiteral(day.on.toString())} and b.gone_at is null
      and not exists (select from pairing q where q.load_id = b.load_id and q.line_no = b.line_no
                        and q.ours_on <> q.theirs_on);
    analyze standing`);
  await holdTouched(tx);
  await tx.query(
    `with closed as (
       update break b set state = 'resolved', gone_at = now(), resolved_at = coalesce(b.resolved_at, now()),
         resolution = coalesce(b.resolution, s.ended_by)
       from (select *, case when load_id <> all($1) then 'superseded' else 'matched_later' end as ended_by
             from standing) s
       where b.break_id = s.break_id and not exists (
         select from found f where f.business_on = s.business_on and f.kind = s.kind and f.identity = s.identity)
       returning b.break_id, s.state as from_state, s.ended_by
     )
     insert into break_event (break_id, who, action, from_state, to_state, note)
     select break_id, 'jeongsan', 'gone', from_state, 'resolved', ended_by || ' in ' || $2 from closed`,
    [inputs.loadIds, runId],
  );
  // Who resolved it agreed to another amount: a difference of a new size is open again.
  await tx.query(
    `with differing as (
       select s.break_id, s.state as from_state, s.difference_won as before, f.*,
         case when (f.difference_won, f.effect_won) is distinct from (s.difference_won, s.effect_won)
              and s.state = 'resolved' then 'open' else s.state end as to_state
       from standing s join found f using (business_on, kind, identity)
       where (f.load_id, f.line_no, f.ours, f.theirs, f.difference_won, f.effect_won)
         is distinct from (s.load_id, s.line_no, s.ours, s.theirs, s.difference_won, s.effect_won)
     ), changed as (
       update break b set load_id = d.load_id, line_no = d.line_no, ours = d.ours, theirs = d.theirs, pass = d.pass,
         difference_won = d.difference_won, effect_won = d.effect_won, state = d.to_state,
         resolution = case d.to_state when 'resolved' then b.resolution end,
         resolved_at = case d.to_state when 'resolved' then b.resolved_at end
       from differing d where b.break_id = d.break_id
       returning b.break_id, d.from_state, d.to_state, d.before, d.difference_won as after
     )
     insert into break_event (break_id, who, action, from_state, to_state, note)
     select break_id, 'jeongsan', 'changed', from_state, to_state,
       coalesce(before::text, '?') || ' → ' || coalesce(after::text, '?') || ' won in ' || $1 from changed`,
    [runId],
  );
  await openBreaks(
    tx,
    day,
    `select f.* from found f where not exists (select from standing s
       where s.business_on = f.business_on and s.kind = f.kind and s.identity = f.identity)`,
    runId,
  );
}

/**
 * Keeps the breaks that are about to be closed or changed from people until the end, and takes over what they did to them
 * since they were looked at: it would be undone.
 */
async function holdTouched(tx: PoolClient): Promise<void> {
  await tx.query(`
    with touched as materialized (
      select b.break_id, b.state from standing s join break b using (break_id)
        left join found f on f.business_on = s.business_on and f.kind = s.kind and f.identity = s.identity
       where f.kind is null or (f.load_id, f.line_no, f.ours, f.theirs, f.difference_won, f.effect_won)
         is distinct from (s.load_id, s.line_no, s.ours, s.theirs, s.difference_won, s.effect_won)
       order by b.break_id for update of b
    )
    update standing s set state = t.state from touched t where t.break_id = s.break_id and t.state <> s.state`);
}

/** Opens a break for each row of `source`, a query with the columns of `found`. */
async function openBreaks(tx: PoolClient, day: StageDay, source: string, runId: string): Promise<void> {
  await tx.query(
    `with opened as (
       insert into break (provider, stage, business_on, kind, identity, provider_tid, cancel_seq, ours_on, load_id,
         line_no, difference_won, effect_won, pass, ours, theirs, opened_run)
       select $1, $2, business_on, kind, identity, provider_tid, cancel_seq, ours_on, load_id, line_no, difference_won,
         effect_won, pass, ours, theirs, $3 from (${source}) f
       order by business_on, kind, identity
       returning break_id
     )
     insert into break_event (break_id, who, action, from_state, to_state, note)
     select break_id, 'jeongsan', 'opened', null, 'open', $3 from opened`,
    [day.provider, day.stage, runId],
  );
}

/**
 * Replaces the day's open items by what is unmatched now, each with the break that stands for it. A line whose record
 * stands on another day is among them: that record may have come after its day was reconciled, and then still needs it.
 * So is a capture that is held back, until a line releases it; where a later day's file holds it, it stays as it is.
 */
export async function replaceOpenItems(tx: PoolClient, day: StageDay): Promise<void> {
  const key = [day.provider, day.stage, day.on.toString()];
  await tx.query(
    `delete from open_item x where provider = $1 and stage = $2 and business_on = $3 and not (side = 'ours' and held
       and not exists (select from ours_item i where i.from_day and i.provider_tid = x.provider_tid
                         and i.cancel_seq = x.cancel_seq)
       and exists (select from pairing q where q.provider = $1 and q.stage = $2 and q.ours_on = $3
                     and q.provider_tid = x.provider_tid and q.cancel_seq = x.cancel_seq))`,
    key,
  );
  const standing = (kinds: string) =>
    `b.provider = $1 and b.stage = $2 and b.business_on = $3 and b.gone_at is null and b.kind in (${kinds})`;
  await tx.query(
    `insert into open_item (provider, stage, side, business_on, provider_tid, cancel_seq, ${itemColumns}, held,
       awaits_on, break_id)
     select $1, $2, 'ours', $3, i.provider_tid, i.cancel_seq, ${prefixed('i')}, i.held, l.awaits_on, b.break_id
     from lonely_ours l join ours_item i using (id)
     left join break b on ${standing(`'missing_at_provider'`)}
       and b.provider_tid = i.provider_tid and b.cancel_seq = i.cancel_seq
     union all
     select $1, $2, 'ours', i.business_on, i.provider_tid, i.cancel_seq, ${prefixed('i')}, true, null, b.break_id
     from pair p join ours_item i on i.id = p.ours_id join theirs_item t on t.id = p.theirs_id
     join break b on b.provider = $1 and b.stage = $2 and b.business_on = t.business_on and b.gone_at is null
       and b.kind in ('capture_rejected', 'capture_held')
       and b.provider_tid = i.provider_tid and b.cancel_seq = i.cancel_seq
     where t.result in ('R', 'H')`,
    key,
  );
  await tx.query(
    `insert into open_item (provider, stage, side, business_on, load_id, line_no, result, provider_tid, cancel_seq,
       ${itemColumns}, held, awaits_on, break_id)
     select $1, $2, 'theirs', $3, i.load_id, i.line_no, i.result, i.provider_tid, i.cancel_seq, ${prefixed('i')},
       false, l.awaits_on, b.break_id
     from lonely_theirs l join theirs_item i using (id)
     left join break b on ${standing(`'missing_here', 'duplicate'`)} and b.load_id = i.load_id and b.line_no = i.line_no`,
    key,
  );
}

function prefixed(alias: string): string {
  return itemColumns.replace(/\w+/g, (column) => `${alias}.${column}`);
}

/**
 * Records that waited for a neighbouring day become breaks of their own day once that day is reconciled and brought no
 * counterpart, or has not come for as long as an unmatched record may be left.
 */
export async function endWaiting(tx: PoolClient, day: StageDay, matching: MatchingSpec, runId: string): Promise<void> {
  const sql = stageSql[day.stage];
  const provider = escapeLiteral(day.provider);
  await tx.query(`
    drop table if exists ended;
    create temp table ended on commit drop as
    select i.*, case when i.side = 'ours' then 'missing_at_provider' else 'missing_here' end as break_kind
    from open_item i
    where i.provider = ${provider} and i.stage = ${escapeLiteral(day.stage)} and i.awaits_on is not null and (
      i.awaits_on < date ${escapeLiteral(day.on.toString())} - ${2 * matching.escalateAfterBusinessDays}
      or exists (select from reconciled_stage r where r.provider = i.provider and r.stage = i.stage
                   and r.business_on = i.awaits_on))`);
  const days = await dayLiterals(tx, day, `select awaits_on from ended where side = 'theirs'`);
  await tx.query(`
    update ended e set break_kind = 'duplicate' from ${sql.oursTable} o
    where e.side = 'theirs' and o.provider = ${provider} and o.${sql.oursDay} in (${days})
      and o.${sql.oursDay} = e.awaits_on and o.provider_tid = e.provider_tid and o.cancel_seq = e.cancel_seq`);
  const record = itemAsJson('ended');
  await openBreaks(
    tx,
    day,
    `select business_on, break_kind as kind,
       provider_tid || '/' || cancel_seq || '#' || row_number() over
         (partition by business_on, break_kind, provider_tid, cancel_seq order by load_id, line_no) + (
           select count(*) from break b where b.provider = ended.provider and b.stage = ended.stage
             and b.business_on = ended.business_on and b.kind = break_kind and b.gone_at is null
             and b.provider_tid = ended.provider_tid and b.cancel_seq = ended.cancel_seq) as identity,
       provider_tid, cancel_seq, case when side = 'ours' then business_on end as ours_on,
       case when side = 'theirs' then load_id end as load_id, case when side = 'theirs' then line_no end as line_no,
       case when side = 'ours' then -amount_won else amount_won end as difference_won,
       case when side = 'ours' then -amount_won else ${sql.theirsEffect} end as effect_won, null as pass,
       case when side = 'ours' then ${record} end as ours, case when side = 'theirs' then ${record} end as theirs
     from ended`,
    runId,
  );
  await tx.query(
    `update open_item i set awaits_on = null, break_id = b.break_id
     from ended e join break b on b.provider = e.provider and b.stage = e.stage and b.business_on = e.business_on
       and b.kind = e.break_kind and b.gone_at is null and b.provider_tid = e.provider_tid
       and b.cancel_seq = e.cancel_seq and (e.side = 'ours' or (b.load_id = e.load_id and b.line_no = e.line_no))
     where i.provider = e.provider and i.stage = e.stage and i.side = e.side and i.business_on = e.business_on
       and i.provider_tid = e.provider_tid and i.cancel_seq = e.cancel_seq and i.load_id = e.load_id
       and i.line_no = e.line_no`,
  );
}
