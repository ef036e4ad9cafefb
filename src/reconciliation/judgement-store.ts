import { escapeLiteral, type PoolClient } from 'pg';
import type { MatchingSpec } from '../providers/matching.ts';
import type { StageInputs } from './input-store.ts';
import { itemAsJson, type StageDay, stageSql } from './stage-sql.ts';

/**
 * Says of every pair whether it is matched, a timing difference (시차) or differs, and of every record left alone
 * whether it is missing, repeated, held or awaits a neighbouring day. Fills the temporary tables `judged` (pairs),
 * `lonely_ours`, `lonely_theirs` and `found` (the differences of the day as they are now).
 */
export async function judge(tx: PoolClient, day: StageDay, inputs: StageInputs, matching: MatchingSpec): Promise<void> {
  await tx.query('drop table if exists judged, lonely_ours, lonely_theirs, found');
  await tx.query(`${judgedPairs(day, matching)}; analyze judged`);
  await tx.query(lonelyOurs(day));
  await tx.query(lonelyTheirs(day, await daysElsewhere(tx, day, matching)));
  await tx.query(foundTable);
  await tx.query(differingPairs);
  await tx.query(lonelyRecords(day));
  await tx.query(repeatedLines(day));
  await tx.query(unreadableLines, [day.on.toString(), inputs.loadIds]);
  await tx.query(`
    update found f set identity = n.identity
    from (select id, coalesce(provider_tid, '') || '/' || coalesce(cancel_seq, 0) || '#'
            || row_number() over (partition by business_on, kind, provider_tid, cancel_seq order by load_id, line_no)
            as identity from found) n where n.id = f.id;
    analyze found`);
}

/** A capture or settlement names its own day, so its line may come in any file; a transaction belongs to its day's. */
function judgedPairs(day: StageDay, matching: MatchingSpec): string {
  const tolerance = matching.amountToleranceWon;
  const amountAgrees = `o.kind = t.kind and abs(o.amount_won - t.amount_won) <= ${tolerance}`;
  const money =
    day.stage === 'settlement'
      ? `case when ${amountAgrees} and o.fee_won <> t.fee_won then 'fee_differs' end,
         case when ${amountAgrees} and o.vat_won <> t.vat_won then 'vat_differs' end,
         case when t.net_won <> t.amount_won - t.fee_won - t.vat_won then 'net_differs' end`
      : 'null';
  return `
    create temp table judged on commit drop as
    select *, case when cardinality(kinds) > 0 then 'differs'
                   when days > 0 ${day.stage === 'transaction' ? 'or ours_on <> theirs_on' : ''} then 'timing'
                   else 'matched' end as outcome
    from (
      select p.pass, o.id as ours_id, t.id as theirs_id, o.business_on as ours_on, t.business_on as theirs_on,
        t.load_id, t.line_no, o.provider_tid, o.cancel_seq, o.held as was_held,
        abs(o.dated_on - t.dated_on) as days, ${itemAsJson('o')} as ours, ${itemAsJson('t')} as theirs,
        o.amount_won as ours_won, o.fee_won as ours_fee, o.vat_won as ours_vat,
        t.amount_won as theirs_won, t.fee_won as theirs_fee, t.vat_won as theirs_vat, t.net_won as theirs_net,
        array_remove(array[
          case when o.kind <> t.kind then 'status_differs' end,
          case when o.kind = t.kind and abs(o.amount_won - t.amount_won) > ${tolerance} then 'amount_differs' end,
          case when abs(o.dated_on - t.dated_on) > ${matching.timingDays} then 'date_differs' end,
          case t.result when 'R' then 'capture_rejected' when 'H' then 'capture_held' end,
          ${money}], null) as kinds
      from pair p join ours_item o on o.id = p.ours_id join theirs_item t on t.id = p.theirs_id
    ) compared`;
}

/**
 * Ours without a line. Near midnight a record waits for its neighbouring day: for the next until that is reconciled,
 * for the previous only if we have books of it that are not reconciled yet.
 */
function lonelyOurs(day: StageDay): string {
  return `
    create temp table lonely_ours on commit drop as
    select o.id, case when ${neighbourIsOpen(day, 'o.awaits_on')} then o.awaits_on end as awaits_on
    from ours_item o
    where o.from_day and not exists (select from pair where ours_id = o.id)
      and not exists (select from absorbed where ours_id = o.id)`;
}

function neighbourIsOpen(day: StageDay, column: string): string {
  const provider = escapeLiteral(day.provider);
  return `${column} is not null
    and not exists (select from reconciled_stage r where r.provider = ${provider}
      and r.stage = ${escapeLiteral(day.stage)} and r.business_on = ${column})
    and (${column} > date ${escapeLiteral(day.on.toString())} or exists (
      select from payment_total b where b.provider = ${provider} and b.traded_on = ${column}))`;
}

/** The other days on which a lonely line may have its record: those near by, and those that the lines name, nearest first. */
async function daysElsewhere(tx: PoolClient, day: StageDay, matching: MatchingSpec): Promise<string> {
  const { rows } = await tx.query<{ day: string }>(
    `select d::date::text as day from (
       select dated_on as d from theirs_item i where from_day and not repeated
         and not exists (select from pair where theirs_id = i.id)
       union all select generate_series($1::date - $2::int, $1::date + $2::int, interval '1 day')
     ) days where d <> $1::date group by d::date order by abs(d::date - $1::date), d::date limit 60`,
    [day.on.toString(), matching.timingDays],
  );
  return rows.map((row) => escapeLiteral(row.day)).join(', ');
}

/** Theirs without a record. One of ours that stands on another day, consumed there, makes the line a repetition. */
function lonelyTheirs(day: StageDay, days: string): string {
  const sql = stageSql[day.stage];
  const provider = escapeLiteral(day.provider);
  return `
    create temp table lonely_theirs on commit drop as
    select t.id, e.day is not null and e.reconciled as elsewhere,
      case when e.day is not null and not e.reconciled then e.day
           when e.day is null and ${neighbourIsOpen(day, 't.awaits_on')} then t.awaits_on end as awaits_on
    from theirs_item t
    left join lateral (
      select o.${sql.oursDay} as day, exists (select from reconciled_stage r where r.provider = ${provider}
        and r.stage = ${escapeLiteral(day.stage)} and r.business_on = o.${sql.oursDay}) as reconciled
      from ${sql.oursTable} o
      where o.provider = ${provider} and o.${sql.oursDay} in (${days || 'null'})
        and o.provider_tid = t.provider_tid and o.cancel_seq = t.cancel_seq
      order by abs(o.${sql.oursDay} - t.dated_on) limit 1
    ) e on true
    where t.from_day and not t.repeated and not exists (select from pair where theirs_id = t.id)`;
}

const foundTable = `
  create temp table found (
    id int generated always as identity, identity text collate "C", business_on date not null, kind text not null,
    provider_tid text collate "C", cancel_seq smallint, ours_on date, load_id int, line_no int, difference_won bigint,
    effect_won bigint not null, pass text, ours jsonb, theirs jsonb
  ) on commit drop`;

const foundColumns = `business_on, kind, provider_tid, cancel_seq, ours_on, load_id, line_no, difference_won, effect_won,
  pass, ours, theirs`;

/** A pair may differ in more than one field; fee and VAT are judged only where the amount agrees. */
const differingPairs = `
  insert into found (${foundColumns})
  select theirs_on, k.kind, provider_tid, cancel_seq, ours_on, load_id, line_no, d.difference_won,
    case when ours_on = theirs_on and k.kind in ('status_differs', 'amount_differs', 'net_differs')
         then d.difference_won else 0 end,
    pass, ours, theirs
  from judged, unnest(kinds) as k (kind), lateral (select case k.kind
      when 'status_differs' then theirs_won - ours_won
      when 'amount_differs' then theirs_won - ours_won
      when 'fee_differs' then theirs_fee - ours_fee
      when 'vat_differs' then theirs_vat - ours_vat
      when 'net_differs' then theirs_net - (theirs_won - theirs_fee - theirs_vat)
      when 'date_differs' then 0
      else -ours_won end as difference_won) d`;

function lonelyRecords(day: StageDay): string {
  return `
    insert into found (${foundColumns})
    select o.business_on, 'missing_at_provider', o.provider_tid, o.cancel_seq, o.business_on, null, null,
      -o.amount_won, -o.amount_won, null, ${itemAsJson('o')}, null
    from lonely_ours l join ours_item o using (id) where l.awaits_on is null and not o.held
    union all
    select t.business_on, case when l.elsewhere then 'duplicate' else 'missing_here' end, t.provider_tid, t.cancel_seq,
      null, t.load_id, t.line_no, t.amount_won, ${stageSql[day.stage].theirsEffect}, null, null, ${itemAsJson('t')}
    from lonely_theirs l join theirs_item t using (id) where l.awaits_on is null`;
}

function repeatedLines(day: StageDay): string {
  return `
    insert into found (${foundColumns})
    select t.business_on, 'duplicate', t.provider_tid, t.cancel_seq, null, t.load_id, t.line_no, t.amount_won,
      ${stageSql[day.stage].theirsEffect}, null, null, ${itemAsJson('t')}
    from theirs_item t where t.repeated`;
}

/** What an unreadable line was worth is unknown; its record of ours, if it is known, is what theirs lack so far. */
const unreadableLines = `
  insert into found (${foundColumns})
  select $1::date, 'unreadable', u.provider_tid, u.cancel_seq, case when o.id is not null then $1::date end,
    u.load_id, u.line_no, null, coalesce(-o.amount_won, 0), null, case when o.id is not null then ${itemAsJson('o')} end,
    jsonb_build_object('field', u.field, 'problem', u.problem, 'byteFrom', u.byte_from, 'byteTo', u.byte_to,
      'raw', encode(u.raw, 'hex'))
  from statement_unreadable u
  left join absorbed a on a.load_id = u.load_id and a.line_no = u.line_no
  left join ours_item o on o.id = a.ours_id
  where u.load_id = any($2)`;
