import { type Queryable, query } from '../platform/database/pool.ts';
import type { SourceFile } from '../platform/source.ts';
import type { StageDay } from './stage-sql.ts';
import type { StatementIdentity } from './statement.ts';

/** A file as it was last seen in its source, and what its bytes became. */
export type Sight = {
  readonly sourceName: string;
  readonly file: SourceFile;
  readonly firstSeenAtMs: number;
  readonly statementId: number | null;
};

/** A file of a day as it was last seen. */
export async function findSight(db: Queryable, { fileName, ...day }: StatementIdentity): Promise<Sight | undefined> {
  return (await findSights(db, day, fileName)).get(fileName);
}

/** The files of a day as they were last seen, or one of them. */
export async function findSights(
  db: Queryable,
  { provider, stage, on }: StageDay,
  fileName: string | null = null,
): Promise<Map<string, Sight>> {
  const rows = await query<{
    file_name: string;
    source_name: string;
    bytes: bigint;
    modified_at_ms: bigint;
    first_seen_at: Date;
    statement_id: bigint | null;
  }>(
    db,
    `select file_name, source_name, bytes, modified_at_ms, first_seen_at, statement_id from statement_sight
     where provider = $1 and stage = $2 and business_on = $3 and ($4::text is null or file_name = $4)`,
    [provider, stage, on.toString(), fileName],
  );
  return new Map(
    rows.map((row) => [
      row.file_name,
      {
        sourceName: row.source_name,
        file: { name: row.file_name, bytes: Number(row.bytes), modifiedAtMs: Number(row.modified_at_ms) },
        firstSeenAtMs: row.first_seen_at.getTime(),
        statementId: row.statement_id === null ? null : Number(row.statement_id),
      },
    ]),
  );
}

export async function saveSight(db: Queryable, { provider, stage, on }: StageDay, sight: Sight): Promise<void> {
  await query(
    db,
    `insert into statement_sight (provider, stage, business_on, file_name, source_name, bytes, modified_at_ms,
       first_seen_at, statement_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (provider, stage, business_on, file_name) do update set source_name = excluded.source_name,
       bytes = excluded.bytes, modified_at_ms = excluded.modified_at_ms, first_seen_at = excluded.first_seen_at,
       statement_id = excluded.statement_id`,
    [
      provider,
      stage,
      on.toString(),
      sight.file.name,
      sight.sourceName,
      sight.file.bytes,
      sight.file.modifiedAtMs,
      new Date(sight.firstSeenAtMs),
      sight.statementId,
    ],
  );
}
