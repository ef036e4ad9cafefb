import type { Pool, PoolClient } from 'pg';
import { beginning } from '../platform/database/acting.ts';
import type { ImportName, StagedTable } from './staged-table.ts';

/** A record that is already there on a day further away than this is not noticed: see docs/import.md. */
const neighbourDays = 7;

const column = (name: string): string => `"${name}"`;
const columnList = (names: readonly string[], alias?: string): string =>
  names.map((name) => (alias === undefined ? column(name) : `${alias}.${column(name)}`)).join(', ');
const differ = (name: string, a: string, b: string): string => `${a}.${column(name)} <> ${b}.${column(name)}`;
const same = (names: readonly string[], a: string, b: string): string =>
  names.map((name) => `${a}.${column(name)} = ${b}.${column(name)}`).join(' and ');

/** The file's names of the fields in which two records of the same identity differ; null if in none. */
function differing(table: StagedTable, a: string, b: string): string {
  const content = table.columns.filter(({ name }) => !table.identity.includes(name));
  const names = content.map(({ name }) => name);
  const fields = content.map(({ name, field }) => `case when ${differ(name, a, b)} then '${field}' end`);
  // Told apart first: nearly all are the same, and putting the names together costs more than all the comparing.
  return `case when not (${same(names, a, b)}) then concat_ws(', ', ${fields.join(', ')}) end`;
}

/** Makes the temporary tables of one import. They are the connection's own and go when it closes. */
export async function createStaging(client: PoolClient, tables: readonly StagedTable[]): Promise<void> {
  // All joins here are of whole sets by equal keys. The planner takes several keys together for far more selective
  // than they are, and a loop within a loop over a million rows never ends.
  // The memory of temporary tables is given once: a connection that settled a slot before has its own, and keeps it.
  await client.query(`
    set work_mem = '256MB'; set jit = off; set enable_nestloop = off;
    do $$ begin set temp_buffers = '64MB'; exception when invalid_parameter_value then null; end $$`);
  for (const table of tables) {
    const columns = table.columns.map(
      ({ name, type }) => `${column(name)} ${type}${type === 'text' ? ' collate "C"' : ''} not null`,
    );
    await client.query(`
      create temporary table staged_${table.name} (line_no bigint not null, ${columns.join(', ')});
      create temporary table judged_${table.name} (
        line_no bigint not null, fields text, import_id bigint, first_line bigint)`);
  }
  await client.query(
    'create temporary table refused (line_no bigint not null, code text not null, detail text not null)',
  );
}

/** The COPY of a table's records. */
export function copyRecords(table: StagedTable): string {
  const names = table.columns.map(({ name }) => name);
  return `copy staged_${table.name} (line_no, ${columnList(names)}) from stdin (format binary)`;
}

/** The COPY of the lines that hold no record. */
export const copyRefusals = 'copy refused (line_no, code, detail) from stdin (format binary)';

/** The partitions of a hot table that the staged records belong to: none if the table is not one. */
export type TableDays = readonly { readonly provider: string; readonly day: string }[];

/** Which partitions the staged records belong to. Without the statistics taken here the joins to come go wrong. */
export async function stagedDays(client: PoolClient, table: StagedTable): Promise<TableDays> {
  await client.query(`analyze staged_${table.name}`);
  if (table.day === undefined) return [];
  const { rows } = await client.query<{ provider: string; day: string }>(
    `select provider, day::text
       from (select distinct provider, ${column(table.day)} as day from staged_${table.name}) leaf order by 1, 2`,
  );
  return rows;
}

/** Makes partitions that are not there yet, each in a transaction of its own, so that no lock outlives its making. */
export async function ensureLeaves(client: PoolClient, table: StagedTable, days: TableDays): Promise<void> {
  for (const { provider, day } of days) {
    await client.query('select ensure_leaf($1, $2, $3::date)', [table.name, provider, day]);
  }
}

/** One import of a kind at a time: what another one adds is then either there when this one looks, or not at all. */
export async function beginImport(
  client: PoolClient,
  opened: {
    readonly kind: ImportName;
    readonly fileName: string;
    readonly who: string;
    readonly startedAt: Date;
  },
): Promise<bigint> {
  await client.query(beginning());
  await client.query('select pg_advisory_xact_lock(hashtext($1))', [`jeongsan:import:${opened.kind}`]);
  const { rows } = await client.query<{ import_id: string }>(
    'insert into import (kind, file_name, imported_by, started_at) values ($1, $2, $3, $4) returning import_id',
    [opened.kind, opened.fileName, opened.who, opened.startedAt],
  );
  return BigInt(rows[0]?.import_id ?? 0);
}

/** Which staged records are already there, on their own day or one near it, and in what they differ. */
export async function judgeAgainstTable(client: PoolClient, table: StagedTable, days: TableDays): Promise<number> {
  const values: unknown[] = [];
  let near = '';
  if (table.day !== undefined) {
    const day = column(table.day);
    // Named here, the days and providers let the planner leave every other partition alone.
    values.push([...new Set(days.map(({ provider }) => provider))], daysAround(days));
    near = `and t.provider = any($1) and t.${day} = any($2::date[])
            and t.${day} between s.${day} - ${neighbourDays} and s.${day} + ${neighbourDays}`;
  }
  const { rowCount } = await client.query(
    `insert into judged_${table.name} (line_no, fields, import_id)
     select distinct on (s.line_no) s.line_no, ${differing(table, 's', 't')}, t.import_id
       from staged_${table.name} s join ${table.name} t on ${same(table.identity, 's', 't')} ${near}
      order by s.line_no`,
    values,
  );
  return rowCount ?? 0;
}

function daysAround(days: TableDays): string[] {
  const around = new Set<string>();
  for (const text of new Set(days.map(({ day }) => day))) {
    const day = Temporal.PlainDate.from(text);
    for (let shift = -neighbourDays; shift <= neighbourDays; shift += 1)
      around.add(day.add({ days: shift }).toString());
  }
  return [...around];
}

/** Which staged records repeat an earlier line of the same file, and in what they differ from it. */
export async function judgeWithinFile(client: PoolClient, table: StagedTable): Promise<number> {
  const identity = columnList(table.identity);
  const repeated = await client.query(
    `create temporary table repeated_${table.name} as
     select ${identity} from staged_${table.name} group by ${identity} having count(*) > 1`,
  );
  if (repeated.rowCount === 0) return 0;
  await client.query(`analyze repeated_${table.name}`);
  const { rowCount } = await client.query(
    `insert into judged_${table.name} (line_no, fields, first_line)
     select (s).line_no, ${differing(table, '(s)', '(f)')}, (f).line_no
       from (select s, first_value(s) over (partition by ${columnList(table.identity, 's')} order by s.line_no) as f
               from staged_${table.name} s join repeated_${table.name} r on ${same(table.identity, 's', 'r')}) repeated
      where (s).line_no > (f).line_no
        and not exists (select from judged_${table.name} j where j.line_no = (s).line_no)`,
  );
  return rowCount ?? 0;
}

/** Turns every judged record that differs into a refusal; what is left of the judged was there already. */
export async function refuseDiffering(client: PoolClient, table: StagedTable): Promise<number> {
  await client.query(`analyze judged_${table.name}`);
  const { rowCount } = await client.query(
    `insert into refused (line_no, code, detail)
     select j.line_no, case when j.first_line is null then 'import_differs' else 'import_differs_in_file' end,
            jsonb_strip_nulls(jsonb_build_object(
              'identity', concat_ws(' ', ${columnList(table.identity, 's')}), 'fields', j.fields,
              'importId', j.import_id, 'firstLine', j.first_line))::text
       from judged_${table.name} j join staged_${table.name} s using (line_no)
      where j.fields is not null`,
  );
  return rowCount ?? 0;
}

/** Adds what was not judged, and its control totals. Returns how many records were added. */
export async function addRecords(
  client: PoolClient,
  table: StagedTable,
  importId: bigint,
  count: { readonly staged: number; readonly judged: number },
): Promise<number> {
  if (count.staged === count.judged) return 0;
  const names = columnList(table.columns.map(({ name }) => name));
  const added =
    count.judged > 0
      ? `(select * from staged_${table.name} s
         where not exists (select from judged_${table.name} j where j.line_no = s.line_no))`
      : `staged_${table.name}`;
  const { rowCount } = await client.query(
    `insert into ${table.name} (${names}, import_id) select ${names}, $1 from ${added} added`,
    [importId],
  );
  if (table.totals !== undefined && rowCount !== 0) {
    await client.query(table.totals.replace('{added}', `${added} added`), [importId]);
  }
  return rowCount ?? 0;
}

/** Keeps the refusals and the counts, and makes the import last. */
export async function finishImport(
  client: PoolClient,
  importId: bigint,
  counts: { readonly added: number; readonly same: number; readonly refused: number },
): Promise<void> {
  await client.query(
    `insert into import_refusal (import_id, line_no, code, detail)
     select $1, line_no, code, detail::jsonb from refused`,
    [importId],
  );
  await client.query(
    `update import set finished_at = clock_timestamp(), rows_added = $2, rows_same = $3, rows_refused = $4
      where import_id = $1 and finished_at is null`,
    [importId, counts.added, counts.same, counts.refused],
  );
  await client.query('commit');
}

/** How many lines were refused as they were scanned. */
export async function countRefused(client: PoolClient): Promise<number> {
  const { rows } = await client.query<{ count: string }>('select count(*) from refused');
  return Number(rows[0]?.count ?? 0);
}

/** A line of an import that was refused. */
export type KeptRefusal = {
  readonly line: number;
  readonly code: string;
  readonly detail: Record<string, string | number>;
};

/** The first refusals of an import, by line. */
export async function firstRefusals(
  database: Pool | PoolClient,
  importId: bigint,
  limit: number,
): Promise<KeptRefusal[]> {
  const { rows } = await database.query<{ line_no: string; code: string; detail: KeptRefusal['detail'] }>(
    'select line_no, code, detail from import_refusal where import_id = $1 order by line_no limit $2',
    [importId, limit],
  );
  return rows.map((row) => ({ line: Number(row.line_no), code: row.code, detail: row.detail }));
}
