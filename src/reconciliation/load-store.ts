import type { Pool, PoolClient } from 'pg';
import { parseDay } from '../kernel/business-day.ts';
import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Queryable, query } from '../platform/database/pool.ts';
import { type Stage, stageColumns } from '../providers/stage.ts';
import type { StageDay } from './stage-sql.ts';
import type { StatementState } from './statement.ts';

/** What a load found, as it is kept with it: counts and signed sums over the readable lines. */
export type LoadResult = {
  readonly statementId: number;
  readonly loadId: number;
  readonly lines: bigint;
  readonly amountWon: bigint;
  readonly feeWon: bigint;
  readonly vatWon: bigint;
  readonly netWon: bigint;
  /** The signed sum by the file's own control totals. */
  readonly declaredWon: bigint;
  readonly unreadable: number;
};

/** Rows of findings in one insert: enough to be quick, few enough to stay small. */
const findingsAtOnce = 5_000;

/** Begins a try at loading a statement, after removing what earlier tries that never finished left behind. */
export async function beginLoad(pool: Pool, statementId: number, day: StageDay): Promise<number> {
  const dead = await query<{ load_id: number }>(
    pool,
    'select load_id from statement_load where statement_id = $1 and finished_at is null',
    [statementId],
  );
  for (const { load_id } of dead) await inTransaction(pool, (tx) => removeLoad(tx, load_id, day));
  const [row] = await query<{ load_id: number }>(
    pool,
    'insert into statement_load (statement_id) values ($1) returning load_id',
    [statementId],
  );
  check(row, 'an insert returns its row');
  return row.load_id;
}

/**
 * Removes a load that no statement points to: lines, findings and the load itself. One that finishes at the same moment
 * stays: whoever comes first to its row decides, and `finishLoad` refuses to finish a load that is gone.
 */
export async function removeLoad(tx: PoolClient, loadId: number, day: StageDay): Promise<void> {
  const [load] = await query<{ finished: boolean }>(
    tx,
    'select finished_at is not null as finished from statement_load where load_id = $1 for update',
    [loadId],
  );
  // Where somebody else removed it meanwhile, lines may have come after.
  if (load?.finished) return;
  const leaf = await ensureLeaf(tx, `${day.stage}_line`, day);
  await query(tx, `delete from ${leaf} where load_id = $1`, [loadId]);
  for (const findings of ['statement_suspect', 'statement_unreadable', 'statement_pay_in']) {
    await query(tx, `delete from ${findings} where load_id = $1`, [loadId]);
  }
  await query(tx, 'delete from statement_load where load_id = $1', [loadId]);
}

/** The leaf of a hot table for a provider and a day, made where it is missing; quoted. */
export async function ensureLeaf(
  db: Queryable,
  hotTable: string,
  { provider, on }: Pick<StageDay, 'provider' | 'on'>,
): Promise<string> {
  const [row] = await query<{ leaf: string }>(db, 'select quote_ident(ensure_leaf($1, $2, $3)) as leaf', [
    hotTable,
    provider,
    on.toString(),
  ]);
  check(row, 'a function returns its value');
  return row.leaf;
}

/** `copy leaf (load_id, line_no, …)`: the columns in the order in which the reader writes them. */
export function copyStatement(leaf: string, stage: Stage): string {
  const columns = Object.keys(stageColumns[stage]).map((name) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`));
  return `copy ${leaf} (load_id, line_no, ${columns.join(', ')}) from stdin (format binary)`;
}

export type Findings = {
  readonly suspects: readonly { readonly lineNo: number; readonly providerTid: string; readonly cancelSeq: number }[];
  readonly unreadable: readonly {
    readonly lineNo: number;
    readonly byteFrom: number;
    readonly byteTo: number;
    readonly field: string;
    readonly problem: string;
    readonly raw: Uint8Array;
    readonly providerTid?: string | undefined;
    readonly cancelSeq?: number | undefined;
  }[];
  readonly payIn: readonly {
    readonly payInOn: string;
    readonly lines: bigint | number;
    readonly amountWon: bigint;
    readonly feeWon: bigint;
    readonly vatWon: bigint;
    readonly netWon: bigint;
  }[];
};

/**
 * Keeps what the reader found beside the lines themselves.
 * @throws Problem `statement_load_overtaken` when another run removed the load while its lines were copied
 */
export async function addFindings(
  tx: PoolClient,
  { loadId, statementId }: { readonly loadId: number; readonly statementId: number },
  findings: Findings,
): Promise<void> {
  const [there] = await query(tx, 'select 1 from statement_load where load_id = $1 for key share', [loadId]);
  if (!there) throw new Problem('statement_load_overtaken', { statementId, loadId });
  const { suspects, unreadable, payIn } = findings;
  for (let from = 0; from < suspects.length; from += findingsAtOnce) {
    const some = suspects.slice(from, from + findingsAtOnce);
    await query(
      tx,
      `insert into statement_suspect (load_id, line_no, provider_tid, cancel_seq)
       select $1, * from unnest($2::int[], $3::text[], $4::smallint[])`,
      [loadId, some.map((s) => s.lineNo), some.map((s) => s.providerTid), some.map((s) => s.cancelSeq)],
    );
  }
  if (unreadable.length > 0) {
    await query(
      tx,
      `insert into statement_unreadable (load_id, line_no, byte_from, byte_to, field, problem, raw, provider_tid,
         cancel_seq)
       select $1, * from unnest($2::int[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bytea[], $8::text[],
         $9::smallint[])`,
      [
        loadId,
        unreadable.map((u) => u.lineNo),
        unreadable.map((u) => u.byteFrom),
        unreadable.map((u) => u.byteTo),
        unreadable.map((u) => u.field),
        unreadable.map((u) => u.problem),
        unreadable.map((u) => Buffer.from(u.raw)),
        unreadable.map((u) => u.providerTid ?? null),
        unreadable.map((u) => u.cancelSeq ?? null),
      ],
    );
  }
  if (payIn.length > 0) {
    await query(
      tx,
      `insert into statement_pay_in (load_id, pay_in_on, lines, amount_won, fee_won, vat_won, net_won)
       select $1, * from unnest($2::date[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])`,
      [
        loadId,
        payIn.map((p) => p.payInOn),
        payIn.map((p) => p.lines),
        payIn.map((p) => p.amountWon),
        payIn.map((p) => p.feeWon),
        payIn.map((p) => p.vatWon),
        payIn.map((p) => p.netWon),
      ],
    );
  }
}

/** Whether any of these statements has a load under way that may still be the one that counts. */
export async function areLoading(db: Queryable, statements: readonly number[]): Promise<boolean> {
  const rows = await query(
    db,
    `select from statement s join statement_load l using (statement_id)
      where s.statement_id = any ($1) and s.state = 'archived' and l.finished_at is null limit 1`,
    [statements],
  );
  return rows.length > 0;
}

/** The facts of a finished load. */
export async function findLoad(db: Queryable, loadId: number): Promise<LoadResult> {
  const [row] = await query<{
    statement_id: bigint;
    lines: bigint;
    amount_won: bigint;
    fee_won: bigint;
    vat_won: bigint;
    net_won: bigint;
    declared_won: bigint;
    unreadable: number;
  }>(
    db,
    `select statement_id, lines, amount_won, fee_won, vat_won, net_won, declared_won, unreadable
     from statement_load where load_id = $1 and finished_at is not null`,
    [loadId],
  );
  check(row, `load ${loadId} has not finished`);
  return {
    statementId: Number(row.statement_id),
    loadId,
    lines: row.lines,
    amountWon: row.amount_won,
    feeWon: row.fee_won,
    vatWon: row.vat_won,
    netWon: row.net_won,
    declaredWon: row.declared_won,
    unreadable: row.unreadable,
  };
}

type VersionRow = {
  statement_id: bigint;
  state: StatementState;
  provider: string;
  stage: Stage;
  business_on: string;
};

/**
 * Makes the lines of a load count, in the caller's transaction: from here on the statement points to them, and the
 * version that counted before is superseded. Where a later version already counts, they are removed instead.
 * Safe to repeat. @throws Problem `statement_load_overtaken` when somebody else removed the load meanwhile
 */
export async function finishLoad(tx: PoolClient, result: LoadResult): Promise<void> {
  const { statementId, loadId } = result;
  const versions = await query<VersionRow>(
    tx,
    `select s.statement_id, s.state, s.provider, s.stage, s.business_on
     from statement own join statement s using (provider, stage, business_on, file_name)
     where own.statement_id = $1 order by s.version for update of s`,
    [statementId],
  );
  const own = versions.find((version) => Number(version.statement_id) === statementId);
  check(own, `statement ${statementId} is gone`);
  if (own.state !== 'archived') {
    // Done before; or another run was first with the same bytes or with a later version, so that these lines never count.
    const on = parseDay(own.business_on);
    check(on, `the database holds a day that does not exist: ${own.business_on}`);
    return await removeLoad(tx, loadId, { provider: own.provider, stage: own.stage, on });
  }
  const [finished] = await query(
    tx,
    `update statement_load set finished_at = now(), lines = $2, amount_won = $3, fee_won = $4, vat_won = $5,
       net_won = $6, declared_won = $7, unreadable = $8
     where load_id = $1 and finished_at is null returning load_id`,
    [
      loadId,
      result.lines,
      result.amountWon,
      result.feeWon,
      result.vatWon,
      result.netWon,
      result.declaredWon,
      result.unreadable,
    ],
  );
  if (!finished) throw new Problem('statement_load_overtaken', { statementId, loadId });
  await query(
    tx,
    `update statement set state = 'imported', load_id = $2 where statement_id = $1 and state = 'archived'`,
    [statementId, loadId],
  );
  const earlier = versions.slice(0, versions.indexOf(own)).map((version) => version.statement_id);
  await query(
    tx,
    `update statement set state = 'superseded' where statement_id = any($1) and state in ('archived', 'imported')`,
    [earlier],
  );
}
