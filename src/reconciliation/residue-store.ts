import { escapeLiteral, type PoolClient } from 'pg';
import type { MatchingColumn, MatchingSpec, ResiduePass } from '../providers/matching.ts';
import { dayLiterals, type StageInputs } from './input-store.ts';
import { itemColumns, leafName, type StageDay, stageSql } from './stage-sql.ts';

/**
 * Lays out what the first pass left, and the open items of other days, as two small temporary tables `ours_item` and
 * `theirs_item`, and the pairs in `pair (ours_id, theirs_id, pass)`. `from_day` tells the day's own from older items.
 */
export async function layOutResidue(
  tx: PoolClient,
  day: StageDay,
  inputs: StageInputs,
  matching: MatchingSpec,
): Promise<void> {
  await createItemTables(tx);
  const traded = `select o.traded_on from whole_day w join ${leafOfOurs(day)} o on o.ctid = w.ours_at`;
  await tx.query(dayItemsOfOurs(day, matching, await dayLiterals(tx, day, traded)));
  await tx.query(dayItemsOfTheirs(day, matching));
  await tx.query(
    `insert into ours_item (from_day, at, business_on, provider_tid, cancel_seq, ${itemColumns}, held, awaits_on, break_id)
     select false, null, business_on, provider_tid, cancel_seq, ${itemColumns}, held, null, break_id
     from open_item where provider = $1 and stage = $2 and side = 'ours' and business_on <> $3`,
    [day.provider, day.stage, day.on.toString()],
  );
  await tx.query(
    `insert into theirs_item (from_day, at, business_on, load_id, line_no, result, provider_tid, cancel_seq,
       ${itemColumns}, repeated, awaits_on, break_id)
     select false, null, business_on, load_id, line_no, result, provider_tid, cancel_seq, ${itemColumns}, false, null, break_id
     from open_item where provider = $1 and stage = $2 and side = 'theirs' and business_on <> $3`,
    [day.provider, day.stage, day.on.toString()],
  );
  await tx.query('analyze ours_item; analyze theirs_item');
  await tx.query(
    `insert into pair (ours_id, theirs_id, pass)
     select distinct on (o.id) o.id, t.id, $1 from whole_day w join ours_item o on o.at = w.ours_at
     join theirs_item t on t.at = w.theirs_at order by o.id, t.result in ('R', 'H'), t.load_id, t.line_no`,
    [matching.passes[0].id],
  );
  if (day.stage === 'capture') await preferReleases(tx);
  await absorbUnreadable(tx, inputs);
}

/**
 * A capture that was held or rejected on its day and whose release is already here, beside it or because the later day
 * was reconciled first: the release is its line, and the hold has had its effect.
 */
async function preferReleases(tx: PoolClient): Promise<void> {
  await tx.query(`
    delete from theirs_item h using whole_day w, ours_item o, pair p, theirs_item l
     where h.at = w.theirs_at and o.at = w.ours_at and p.ours_id = o.id and l.id = p.theirs_id
       and h.result in ('R', 'H') and l.result = 'L';
    create temp table released on commit drop as
    select o.id as ours_id, h.id as held_id, min(l.id) as released_id
    from pair p join ours_item o on o.id = p.ours_id join theirs_item h on h.id = p.theirs_id
    join theirs_item l on not l.from_day and l.result in ('A', 'L') and l.provider_tid = o.provider_tid
      and l.cancel_seq = o.cancel_seq
    where h.result in ('R', 'H') and h.from_day
    group by o.id, h.id`);
  await tx.query(`
    update pair p set theirs_id = r.released_id, pass = 'tid-across-days' from released r where p.ours_id = r.ours_id;
    update ours_item o set held = true from released r where o.id = r.ours_id;
    delete from theirs_item t using released r where t.id = r.held_id;
    drop table released`);
}

async function createItemTables(tx: PoolClient): Promise<void> {
  const columns = `
    at tid, from_day boolean not null, business_on date not null, provider_tid text collate "C" not null,
    cancel_seq smallint not null, kind "char" not null, amount_won bigint not null, fee_won bigint not null,
    vat_won bigint not null, net_won bigint not null, dated_on date not null, traded_on date not null,
    mid text collate "C" not null, approval_no text collate "C" not null, order_no text collate "C" not null,
    acquirer text collate "C" not null, card_merchant_no text collate "C" not null, card_no text collate "C" not null,
    awaits_on date, break_id bigint`;
  // Small sets are hashed. A merge join of these numbered rows made PostgreSQL 18.4 look up a collation 0 and fail.
  await tx.query(`
    set local enable_mergejoin = off;
    drop table if exists ours_item, theirs_item, pair, absorbed;
    create temp table ours_item (id int generated always as identity, held boolean not null, ${columns}) on commit drop;
    create temp table theirs_item (id int generated always as identity, load_id int not null, line_no int not null,
      result "char" not null, repeated boolean not null, ${columns}) on commit drop;
    create temp table pair (ours_id int primary key, theirs_id int not null unique, pass text not null) on commit drop;
    create temp table absorbed (ours_id int primary key, load_id int not null, line_no int not null) on commit drop`);
}

/** Ours that the first pass left, but for those that a line of another day has consumed already. */
function dayItemsOfOurs(day: StageDay, matching: MatchingSpec, tradedDays: string): string {
  const sql = stageSql[day.stage];
  const on = `date ${escapeLiteral(day.on.toString())}`;
  const provider = escapeLiteral(day.provider);
  const awaits =
    day.stage === 'transaction'
      ? midnightNeighbour(`(o.traded_at at time zone 'Asia/Seoul')::time`, on, matching.midnightMinutes)
      : 'null::date';
  const held =
    day.stage === 'settlement'
      ? `exists (select from break b where b.provider = ${provider} and b.stage = 'capture' and b.ours_on = ${on}
           and b.gone_at is null and b.kind in ('capture_rejected', 'capture_held')
           and b.provider_tid = o.provider_tid and b.cancel_seq = o.cancel_seq)`
      : 'false';
  return `
    insert into ours_item (from_day, at, business_on, provider_tid, cancel_seq, ${itemColumns}, held, awaits_on)
    select true, o.ctid, ${on}, o.provider_tid, o.cancel_seq, ${sql.oursItem}, ${held}, ${awaits}
    from (select distinct ours_at from whole_day where ours_at is not null) w
    join ${leafOfOurs(day)} o on o.ctid = w.ours_at
    ${sql.oursJoin.replace(':provider', provider).replace(':tradedDays', tradedDays)}
    where not exists (select from pairing q where q.provider = ${provider} and q.stage = ${escapeLiteral(day.stage)}
      and q.ours_on = ${on} and q.provider_tid = o.provider_tid and q.cancel_seq = o.cancel_seq)`;
}

/** Theirs that the first pass left, with the repeated ones; not those consumed by a record of ours of another day. */
function dayItemsOfTheirs(day: StageDay, matching: MatchingSpec): string {
  const sql = stageSql[day.stage];
  const on = `date ${escapeLiteral(day.on.toString())}`;
  const awaits =
    day.stage === 'transaction' ? midnightNeighbour('t.traded_time', on, matching.midnightMinutes) : 'null::date';
  return `
    insert into theirs_item (from_day, at, business_on, load_id, line_no, result, provider_tid, cancel_seq,
      ${itemColumns}, repeated, awaits_on)
    select true, t.ctid, ${on}, t.load_id, t.line_no, ${day.stage === 'capture' ? 't.result' : `'A'`}, t.provider_tid,
      t.cancel_seq, ${sql.theirsItem}, w.repeated, ${awaits}
    from (select distinct w.theirs_at, false as repeated from whole_day w where w.theirs_at is not null
            and not exists (${consumedElsewhere(day)})
          union all select at, true from repeated_line) w
    join ${leafName(sql.linesTable, day.provider, day.on)} t on t.ctid = w.theirs_at
    where not exists (select from pairing q where q.load_id = t.load_id and q.line_no = t.line_no)
      ${day.stage === 'capture' ? `and not (t.result in ('R', 'H') and exists (${releasedSince(day)}))` : ''}`;
}

/** A hold of a capture of an earlier day, of which a later line has become its line since: the hold has had its effect. */
function releasedSince({ provider, stage, on }: StageDay): string {
  // Each day by name: the key is then looked up, where a range of days would be read through for every hold.
  const days = Array.from({ length: 15 }, (_, n) => `t.captured_on + ${n - 7}`).join(', ');
  return `select from pairing q where q.provider = ${escapeLiteral(provider)} and q.stage = ${escapeLiteral(stage)}
    and q.was_held and q.ours_on in (${days}) and q.provider_tid = t.provider_tid
    and q.cancel_seq = t.cancel_seq and q.theirs_on > date ${escapeLiteral(on.toString())}`;
}

/**
 * A pair of the day whose record has been consumed by a line of another day since: a capture held today and released
 * later. Today's line has had its effect, and is left out with its record.
 */
function consumedElsewhere(day: StageDay): string {
  return `select from ${leafOfOurs(day)} o join pairing q on q.provider_tid = o.provider_tid and q.cancel_seq = o.cancel_seq
    where o.ctid = w.ours_at and q.was_held and q.provider = ${escapeLiteral(day.provider)}
      and q.stage = ${escapeLiteral(day.stage)} and q.ours_on = date ${escapeLiteral(day.on.toString())}`;
}

function leafOfOurs({ provider, stage, on }: StageDay): string {
  return leafName(stageSql[stage].oursTable, provider, on);
}

/** The neighbouring day that a record this near to midnight may stand in, or null. */
function midnightNeighbour(time: string, on: string, minutes: number): string {
  if (minutes === 0) return 'null::date';
  const width = `interval '${minutes} minutes'`;
  return `case when ${time} < time '00:00' + ${width} then ${on} - 1
    when ${time} >= time '24:00' - ${width} then ${on} + 1 end`;
}

/** A record whose line came, but cannot be read, is not missing: it is part of the unreadable line's break. */
async function absorbUnreadable(tx: PoolClient, inputs: StageInputs): Promise<void> {
  await tx.query(
    `insert into absorbed (ours_id, load_id, line_no)
     select distinct on (o.id) o.id, u.load_id, u.line_no
     from statement_unreadable u join ours_item o on o.provider_tid = u.provider_tid and o.cancel_seq = u.cancel_seq
     where u.load_id = any($1) and o.from_day and not exists (select from pair where ours_id = o.id)
     order by o.id, u.load_id, u.line_no`,
    [inputs.loadIds],
  );
}

const columnOf: Record<MatchingColumn, string> = {
  providerTid: 'provider_tid',
  cancelSeq: 'cancel_seq',
  kind: 'kind',
  amountWon: 'amount_won',
  tradedOn: 'traded_on',
  approvalNo: 'approval_no',
  orderNo: 'order_no',
  acquirer: 'acquirer',
  cardMerchantNo: 'card_merchant_no',
  cardNo: 'card_no',
  mid: 'mid',
};
const mayBeBlank: ReadonlySet<MatchingColumn> = new Set(['cancelSeq', 'kind', 'amountWon', 'tradedOn']);

/** Runs the weaker passes, strongest first; each record is consumed at most once, by the keys of `pair`. */
export async function pairResidue(tx: PoolClient, matching: MatchingSpec): Promise<void> {
  const [, ...weaker] = matching.passes as readonly [unknown, ...ResiduePass[]];
  // What earlier passes leave is hard to estimate, and a nested loop over it is quadratic.
  await tx.query('set local enable_nestloop = off');
  for (const pass of weaker) {
    if (pass.tieBreak !== undefined) await tx.query(residuePass(pass, [...pass.key, ...pass.tieBreak]));
    await tx.query(residuePass(pass, pass.key));
  }
  await tx.query('reset enable_nestloop; analyze pair; analyze absorbed');
}

/**
 * Records that share a key are paired in a fixed order: the n-th of ours with the n-th of theirs. The keys that both
 * sides have are numbered first, and only their records are put in order, by that number: a key that a whole day shares
 * then costs one short sort of each side, and one that the other side lacks costs no sort at all.
 */
function residuePass(pass: ResiduePass, key: readonly MatchingColumn[]): string {
  const columns = key.map((column) => columnOf[column]);
  if (!pass.acrossDays) columns.push('business_on');
  const columnList = columns.join(', ');
  const present = key
    .filter((column) => !mayBeBlank.has(column))
    .map((column) => `${columnOf[column]} <> ''`)
    .join(' and ');
  const numbered = (side: 'ours' | 'theirs', order: string) => `
    select i.id, k.key_no, row_number() over (partition by k.key_no order by ${order}) as nth
    from ${side}_left i join shared_key k using (${columnList})`;
  return `
    with ours_left as materialized (
      select * from ours_item i where ${present} and not exists (select from pair where ours_id = i.id)
        and not exists (select from absorbed where ours_id = i.id)
    ), theirs_left as materialized (
      select * from theirs_item i where ${present} and not repeated
        and not exists (select from pair where theirs_id = i.id)
    ), shared_key as materialized (
      select ${columnList}, row_number() over () as key_no
      from (select distinct ${columnList} from ours_left) o
      join (select distinct ${columnList} from theirs_left) t using (${columnList})
    )
    insert into pair (ours_id, theirs_id, pass)
    select o.id, t.id, ${escapeLiteral(pass.id)}
    from (${numbered('ours', 'i.business_on, i.provider_tid, i.cancel_seq')}) o
    join (${numbered('theirs', 'i.business_on, i.load_id, i.line_no')}) t using (key_no, nth)`;
}
