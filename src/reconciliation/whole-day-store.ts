import { escapeLiteral, type PoolClient } from 'pg';
import type { MatchingSpec } from '../providers/matching.ts';
import type { StageInputs } from './input-store.ts';
import { leafName, type StageDay, stageSql } from './stage-sql.ts';

/**
 * What one batch of the join may take: a hash table that the processor's cache holds. One table for the whole day is
 * slower by a quarter, though it spares the temporary files: every look-up then waits for memory, and what is left
 * unmatched in it is gathered by one process alone instead of one batch each.
 */
const batchMemory = '8MB';
/** What sorting and grouping the few that are left, or all lines in the worst case, may take. */
const sortMemory = '256MB';

/**
 * The heavy part of a day, done by the set: one parallel hash join of our leaf with their leaf that keeps only what
 * is not plainly equal, in the temporary table `whole_day (ours_at, theirs_at)` of row addresses. Lines that repeat a
 * key stand in `repeated_line (at)` and nowhere else. Nothing permanent is written.
 */
export async function joinWholeDay(
  tx: PoolClient,
  day: StageDay,
  inputs: StageInputs,
  matching: MatchingSpec,
): Promise<void> {
  await tx.query(`
    drop table if exists whole_day, repeated_line;
    set local work_mem = '${batchMemory}';
    set local hash_mem_multiplier = 1;
    set local jit = off;
    set local parallel_tuple_cost = 0;
    set local parallel_setup_cost = 0;
    set local min_parallel_table_scan_size = '8MB';
    set local enable_mergejoin = off;
    set local enable_nestloop = off;
    set local enable_indexscan = off;
    set local enable_bitmapscan = off`);
  await tx.query(wholeDayJoin(day, inputs, matching));
  await tx.query(`
    reset hash_mem_multiplier;
    set local work_mem = '${sortMemory}';
    analyze whole_day`);
  for (const among of ['lonely lines', 'suspects', 'every line'] as const) {
    await findRepeatedLines(tx, day, inputs, among);
    if (await countsAddUp(tx, inputs)) break;
  }
  await tx.query(`
    delete from whole_day w using repeated_line r where w.theirs_at = r.at;
    reset enable_mergejoin;
    reset enable_nestloop;
    reset enable_indexscan;
    reset enable_bitmapscan`);
}

function wholeDayJoin(day: StageDay, inputs: StageInputs, matching: MatchingSpec): string {
  const sql = stageSql[day.stage];
  const differs = sql.differs
    .replaceAll(':tolerance', matching.amountToleranceWon.toString())
    .replaceAll(':day', `date ${escapeLiteral(day.on.toString())}`);
  const mids = inputs.mids === null ? '' : `where mid in (${inputs.mids.map(escapeLiteral).join(', ') || 'null'})`;
  return `
    create temp table whole_day on commit drop as
    select o.at as ours_at, t.at as theirs_at
    from (select ctid as at, provider_tid, cancel_seq, ${sql.oursCompared.join(', ')}
          from ${leafName(sql.oursTable, day.provider, day.on)} ${mids}) o
    full join (select ctid as at, provider_tid, cancel_seq, ${sql.theirsCompared.join(', ')}
          from ${leafName(sql.linesTable, day.provider, day.on)} where load_id in (${loadList(inputs)})) t
      on t.provider_tid = o.provider_tid and t.cancel_seq = o.cancel_seq
    where o.at is null or t.at is null or ${differs}`;
}

/** The loads as constants: the planner may then skip the test of every row against a subquery. */
function loadList(inputs: StageInputs): string {
  return inputs.loadIds.length === 0 ? 'null' : inputs.loadIds.join(', ');
}

/**
 * Where a line that repeats a key is looked for, cheapest first: among the lines that found no record; among the keys
 * that were suspected while loading; and, for the same key in two files of the day, among all.
 */
type Among = 'lonely lines' | 'suspects' | 'every line';

/** Keeps the first line of a key and sets the later ones aside. */
async function findRepeatedLines(tx: PoolClient, day: StageDay, inputs: StageInputs, among: Among): Promise<void> {
  const leaf = leafName(stageSql[day.stage].linesTable, day.provider, day.on);
  const loads = loadList(inputs);
  const ofKeys = (keys: string) =>
    `(${keys}) k join ${leaf} t on t.provider_tid = k.provider_tid and t.cancel_seq = k.cancel_seq`;
  const lines: Record<Among, string> = {
    'lonely lines': `whole_day w join ${leaf} t on t.ctid = w.theirs_at and w.ours_at is null`,
    suspects: ofKeys(`select distinct provider_tid, cancel_seq from statement_suspect where load_id in (${loads})`),
    'every line': ofKeys(
      `select provider_tid, cancel_seq from ${leaf} where load_id in (${loads})
       group by provider_tid, cancel_seq having count(*) > 1`,
    ),
  };
  const released = day.stage === 'capture' ? `and t.result <> 'L'` : '';
  const nested = among === 'lonely lines' ? 'on' : 'off';
  await tx.query(`
    drop table if exists repeated_line;
    set local enable_nestloop = ${nested};
    create temp table repeated_line on commit drop as
    select at from (
      select t.ctid as at, row_number() over (partition by t.provider_tid, t.cancel_seq
                                              order by s.file_name, t.line_no) as nth
      from ${lines[among]}
      join statement s on s.load_id = t.load_id
      where t.load_id in (${loads}) and t.provider_tid <> '' ${released}
    ) numbered where nth > 1;
    analyze repeated_line`);
}

/**
 * Every line joins at most one record of ours, because ours are unique. So the lines that found a record must be as
 * many as the records that found a line, but for the repeated ones; if not, some repetition was overlooked.
 */
async function countsAddUp(tx: PoolClient, inputs: StageInputs): Promise<boolean> {
  const { rows } = await tx.query<{ lonely_ours: bigint; lonely_theirs: bigint; repeated: bigint }>(
    `select count(*) filter (where theirs_at is null) as lonely_ours,
            count(*) filter (where ours_at is null) as lonely_theirs,
            (select count(*) from repeated_line r
             where not exists (select from whole_day w where w.theirs_at = r.at and w.ours_at is null)) as repeated
     from whole_day`,
  );
  const { lonely_ours, lonely_theirs, repeated } = rows[0] as (typeof rows)[number];
  return inputs.lines - lonely_theirs - repeated === inputs.ours - lonely_ours;
}
