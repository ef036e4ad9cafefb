import type { PoolClient } from 'pg';
import { wonToJson } from '../kernel/money.ts';
import type { Refusal } from './record.ts';
import { createStaging } from './store.ts';

/** 일자별 기록. What says which fact a record is, for people too; what it says, by the file's names; what goes with it. */
export type DatedRecord = {
  readonly identity: readonly string[];
  readonly content: Readonly<Record<string, DatedValue>>;
  /** Kept with it, but no part of what it says: two records may differ in this alone and say the same. */
  readonly kept?: Readonly<Record<string, string>>;
};
type DatedValue = string | number | null | readonly (readonly (string | number)[])[];

export type LineOf<T> = { readonly lineNo: number; readonly of: T };

/**
 * Makes the temporary tables of an import of dated facts: `staged_record` and `refused`. They are the connection's own
 * and go when it closes.
 */
export async function createDatedStaging(client: PoolClient): Promise<void> {
  await createStaging(client, []);
  await client.query(
    `create temporary table staged_record (
       line_no bigint not null, identity text collate "C" not null, content jsonb not null, kept jsonb not null)`,
  );
}

export async function stageRecords(client: PoolClient, records: readonly LineOf<DatedRecord>[]): Promise<void> {
  const sql = `insert into staged_record
    select line_no, identity, content::jsonb, kept::jsonb
      from unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) as record (line_no, identity, content, kept)`;
  await client.query(sql, [
    records.map(({ lineNo }) => lineNo),
    records.map(({ of }) => of.identity.join(' ')),
    records.map(({ of }) => JSON.stringify(of.content)),
    records.map(({ of }) => JSON.stringify(of.kept ?? {})),
  ]);
}

export async function stageRefusals(client: PoolClient, refusals: readonly LineOf<Refusal>[]): Promise<void> {
  await client.query('insert into refused select * from unnest($1::bigint[], $2::text[], $3::text[])', [
    refusals.map(({ lineNo }) => lineNo),
    refusals.map(({ of }) => of.code),
    refusals.map(({ of }) =>
      JSON.stringify(of.details, (_, value) => (typeof value === 'bigint' ? wonToJson(value) : value)),
    ),
  ]);
}

/**
 * Takes lines that repeat an earlier line of the file out of `staged_record`; which of two that differ counts nobody
 * can say, so the later one is refused. Returns how many said the same.
 */
export async function settleRepeated(client: PoolClient): Promise<number> {
  await client.query('analyze staged_record');
  const { rows } = await client.query<{ same: bigint }>(
    `with repeated as (
       select * from (
         select line_no, identity, content,
                first_value(line_no) over same_identity as first_line,
                first_value(content) over same_identity as first_content
           from staged_record window same_identity as (partition by identity order by line_no)) each
        where line_no > first_line
     ), gone as (
       delete from staged_record where line_no in (select line_no from repeated)
     ), differing as (
       insert into refused (line_no, code, detail)
       select line_no, 'import_differs_in_file', jsonb_build_object(
                'identity', identity, 'firstLine', first_line,
                'fields', (select string_agg(key, ', ' order by key) from jsonb_each(content) now
                            where first_content -> key is distinct from value))::text
         from repeated where content <> first_content
     )
     select count(*) as same from repeated where content = first_content`,
  );
  return Number(rows[0]?.same ?? 0);
}

/** Takes refused lines out of `staged_record`. */
export async function dropRefused(client: PoolClient): Promise<void> {
  await client.query('delete from staged_record where line_no in (select line_no from refused)');
  await client.query('analyze staged_record');
}
