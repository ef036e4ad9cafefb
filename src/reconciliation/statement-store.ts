import type { Pool, PoolClient } from 'pg';
import { parseDay } from '../kernel/business-day.ts';
import { check } from '../kernel/check.ts';
import { Problem, type ProblemDetails } from '../kernel/problem.ts';
import type { ArchivedBytes } from '../platform/archive.ts';
import { inTransaction, type Queryable, query } from '../platform/database/pool.ts';
import type { Stage } from '../providers/stage.ts';
import { findSight, type Sight, saveSight } from './sight-store.ts';
import type { StageDay } from './stage-sql.ts';
import type { RefusedBecause, Statement, StatementIdentity, StatementState } from './statement.ts';

export type StatementRow = {
  statement_id: bigint;
  provider: string;
  stage: Stage;
  business_on: string;
  file_name: string;
  version: number;
  sha256: string;
  bytes: bigint;
  archive_path: string;
  source: Statement['source'];
  received_at: Date;
  received_by: string;
  reason: string | null;
  state: StatementState;
  load_id: number | null;
  problem: RefusedBecause | null;
  lines: bigint | null;
  unreadable: number | null;
};

/** Where bytes came from and on whose word; `reason` is needed for, and only for, a file added by hand. */
export type Receipt = { readonly source: Statement['source']; readonly who: string; readonly reason?: string };

/**
 * Notes archived bytes as a version of a file: the first, or the next when they differ from what came last. The same
 * bytes again are the version that they already are; a provider that sends again what it sent last does not undo what a
 * person has brought meanwhile. Bytes of an older version that come back are a version of their own. The older version
 * counts until the newer one is imported, so that a correction which has to be refused takes nothing away.
 */
export async function registerStatement(
  pool: Pool,
  statement: StatementIdentity,
  kept: ArchivedBytes,
  receipt: Receipt,
): Promise<Registered> {
  return await inTransaction(pool, async (tx) => {
    await holdFile(tx, statement);
    return await registerVersion(tx, statement, kept, receipt);
  });
}

/**
 * Registers bytes of a source, and that they were seen there. False, and nothing is done, where another run has seen the
 * file otherwise since `before`: these bytes may be older than what it registered.
 */
export async function registerSeen(
  pool: Pool,
  statement: StatementIdentity,
  kept: ArchivedBytes,
  receipt: Receipt,
  { before, seen }: { readonly before: Sight | undefined; readonly seen: Omit<Sight, 'statementId'> },
): Promise<boolean> {
  return await inTransaction(pool, async (tx) => {
    await holdFile(tx, statement);
    const current = await findSight(tx, statement);
    const isAsBefore =
      current?.sourceName === before?.sourceName &&
      current?.file.bytes === before?.file.bytes &&
      current?.file.modifiedAtMs === before?.file.modifiedAtMs &&
      current?.statementId === before?.statementId;
    if (!isAsBefore) return false;
    const { statementId } = await registerVersion(tx, statement, kept, receipt);
    await saveSight(tx, statement, { ...seen, statementId });
    return true;
  });
}

type Registered = { readonly statementId: number; readonly version: number; readonly isNew: boolean };

async function holdFile(tx: PoolClient, { provider, stage, on, fileName }: StatementIdentity): Promise<void> {
  const name = [provider, stage, on.toString(), fileName].join('/');
  await query(tx, `select pg_advisory_xact_lock(hashtext('jeongsan:statement:' || $1))`, [name]);
}

async function registerVersion(
  tx: PoolClient,
  { provider, stage, on, fileName }: StatementIdentity,
  kept: ArchivedBytes,
  receipt: Receipt,
): Promise<Registered> {
  const identity = [provider, stage, on.toString(), fileName];
  const versions = await query<{ statement_id: bigint; version: number; sha256: string; by_hand: boolean }>(
    tx,
    `select statement_id, version, sha256, source = 'hand' as by_hand from statement
       where provider = $1 and stage = $2 and business_on = $3 and file_name = $4 order by version`,
    identity,
  );
  const newest = [versions.at(-1)];
  if (receipt.source !== 'hand') newest.push(versions.findLast(({ by_hand }) => !by_hand));
  const same = newest.find((each) => each?.sha256 === kept.sha256);
  if (same) return { statementId: Number(same.statement_id), version: same.version, isNew: false };
  const version = (versions.at(-1)?.version ?? 0) + 1;
  const [row] = await query<{ statement_id: bigint }>(
    tx,
    `insert into statement (provider, stage, business_on, file_name, version, sha256, bytes, archive_path, source,
         received_by, reason)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning statement_id`,
    [...identity, version, kept.sha256, kept.bytes, kept.path, receipt.source, receipt.who, receipt.reason ?? null],
  );
  check(row, 'an insert returns its row');
  return { statementId: Number(row.statement_id), version, isNew: true };
}

/** What `toStatement` reads, of `statement s left join statement_load l`. */
export const statementColumns = `s.statement_id, s.provider, s.stage, s.business_on, s.file_name, s.version, s.sha256, s.bytes,
  s.archive_path, s.source, s.received_at, s.received_by, s.reason, s.state, s.load_id, s.problem, l.lines, l.unreadable`;

/** One version of a file. @throws Problem `not_found` */
export async function findStatement(db: Queryable, statementId: number): Promise<Statement> {
  const [row] = await query<StatementRow>(
    db,
    `select ${statementColumns} from statement s left join statement_load l using (load_id) where s.statement_id = $1`,
    [statementId],
  );
  if (!row) throw new Problem('not_found', { what: 'statement', id: statementId });
  return toStatement(row);
}

/** The newest version of each file of a stage of a day. */
export async function newestStatements(db: Queryable, { provider, stage, on }: StageDay): Promise<Statement[]> {
  const rows = await query<StatementRow>(
    db,
    `select distinct on (s.file_name) ${statementColumns}
     from statement s left join statement_load l using (load_id)
     where s.provider = $1 and s.stage = $2 and s.business_on = $3 order by s.file_name, s.version desc`,
    [provider, stage, on.toString()],
  );
  return rows.map(toStatement);
}

/**
 * The statements that still have to be loaded: of each file the newest that was neither imported nor refused, unless a
 * later version is already in.
 */
export async function statementsToLoad(db: Queryable, { provider, stage, on }: StageDay): Promise<number[]> {
  const rows = await query<{ statement_id: bigint }>(
    db,
    `select statement_id from (
       select distinct on (file_name) file_name, statement_id, state from statement
       where provider = $1 and stage = $2 and business_on = $3 and state in ('archived', 'imported')
       order by file_name, version desc
     ) newest where state = 'archived' order by file_name`,
    [provider, stage, on.toString()],
  );
  return rows.map((row) => Number(row.statement_id));
}

/** The loads that count for a stage of a day, each with its file. */
export type CurrentLoad = {
  readonly statementId: number;
  readonly loadId: number;
  readonly fileName: string;
  readonly version: number;
};

export async function findCurrentLoads(db: Queryable, { provider, stage, on }: StageDay): Promise<CurrentLoad[]> {
  const rows = await query<{ statement_id: bigint; load_id: number; file_name: string; version: number }>(
    db,
    `select statement_id, load_id, file_name, version from statement
     where provider = $1 and stage = $2 and business_on = $3 and state = 'imported' order by file_name`,
    [provider, stage, on.toString()],
  );
  return rows.map((row) => ({
    statementId: Number(row.statement_id),
    loadId: row.load_id,
    fileName: row.file_name,
    version: row.version,
  }));
}

/** The MIDs that our own records of a day name, from their control totals. */
export async function midsOfOurs(db: Queryable, { provider, stage, on }: StageDay): Promise<string[]> {
  const [table, day, count] =
    stage === 'transaction' ? ['payment_total', 'traded_on', 'payments'] : ['capture_total', 'captured_on', 'captures'];
  const rows = await query<{ mid: string }>(
    db,
    `select distinct mid from ${table} where provider = $1 and ${day} = $2 and ${count} > 0 order by mid`,
    [provider, on.toString()],
  );
  return rows.map((row) => row.mid);
}

/** Ends a statement whose file as a whole cannot be read. Versions before it are left as they are. */
export async function refuseStatement(
  tx: PoolClient,
  statementId: number,
  { code, details }: RefusedBecause,
): Promise<void> {
  await query(
    tx,
    `update statement set state = 'refused', problem = $2 where statement_id = $1 and state = 'archived'`,
    [statementId, JSON.stringify({ code, details: plain(details) })],
  );
}

/** JSON has no bigint: as text nothing of it is lost. */
function plain(details: ProblemDetails): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : value]),
  );
}

export function toStatement(row: StatementRow): Statement {
  const on = parseDay(row.business_on);
  check(on, `the database holds a day that does not exist: ${row.business_on}`);
  return {
    statementId: Number(row.statement_id),
    provider: row.provider,
    stage: row.stage,
    on,
    fileName: row.file_name,
    version: row.version,
    sha256: row.sha256,
    bytes: Number(row.bytes),
    archivePath: row.archive_path,
    source: row.source,
    receivedAt: row.received_at,
    receivedBy: row.received_by,
    reason: row.reason,
    state: row.state,
    loadId: row.load_id,
    problem: row.problem,
    lines: row.lines,
    unreadable: row.unreadable,
  };
}
