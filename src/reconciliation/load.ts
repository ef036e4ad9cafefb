import type { Pool } from 'pg';
import { compactDay } from '../kernel/business-day.ts';
import { check } from '../kernel/check.ts';
import type { Archive } from '../platform/archive.ts';
import { CopyLanes } from '../platform/copy-lanes.ts';
import { inTransaction } from '../platform/database/pool.ts';
import type { StatementFacts } from '../providers/layout/facts.ts';
import {
  copyBinaryHeader,
  copyBinaryTrailer,
  expectedRows,
  readStatement,
  type StatementReader,
} from '../providers/layout/read.ts';
import { statementSpec } from './collect.ts';
import {
  addFindings,
  beginLoad,
  copyStatement,
  ensureLeaf,
  findLoad,
  type LoadResult,
  removeLoad,
} from './load-store.ts';
import type { Statement } from './statement.ts';
import { readStatementName } from './statement-name.ts';
import { findStatement } from './statement-store.ts';

/** From this size on a second connection is worth having. */
const secondLaneBytes = 8 * 1024 * 1024;

/**
 * 적재. Reads the archived bytes of a statement into its hot table: bytes → reader → COPY BINARY, over two connections
 * for a large file, in constant memory. Nothing of it is visible before `finishLoad`. Every try is a load of its own, so
 * it may be repeated and may die anywhere: the next try removes what a dead one left.
 * A statement that is in already gives the facts of the load that counts.
 * @throws Problem `statement_…` when the file as a whole cannot be read (see the reader); `archive_damaged`; whatever
 * PostgreSQL or a lost connection throws, after which it may be tried again
 */
export async function loadStatement(input: {
  readonly pool: Pool;
  readonly archive: Archive;
  readonly statementId: number;
  /** Told how many lines have been read so far. */
  readonly onRows?: ((rows: number) => void) | undefined;
}): Promise<LoadResult> {
  const { pool, archive, statementId, onRows } = input;
  const statement = await findStatement(pool, statementId);
  if (statement.loadId !== null) return await findLoad(pool, statement.loadId);
  const loadId = await beginLoad(pool, statementId, statement);
  try {
    const facts = await copyLines({ pool, archive, statement, loadId, onRows });
    await inTransaction(pool, (tx) => addFindings(tx, { loadId, statementId }, facts));
    const { amountWon, feeWon, vatWon, netWon, declaredWon } = facts;
    return {
      statementId,
      loadId,
      lines: BigInt(facts.lines),
      amountWon,
      feeWon,
      vatWon,
      netWon,
      declaredWon,
      unreadable: facts.unreadable.length,
    };
  } catch (error) {
    // Only a courtesy: where the database is away, the next try does it.
    await inTransaction(pool, (tx) => removeLoad(tx, loadId, statement)).catch(() => {});
    throw error;
  }
}

async function copyLines(input: {
  readonly pool: Pool;
  readonly archive: Archive;
  readonly statement: Statement;
  readonly loadId: number;
  readonly onRows: ((rows: number) => void) | undefined;
}): Promise<StatementFacts> {
  const { pool, archive, statement, loadId, onRows } = input;
  const leaf = await ensureLeaf(pool, `${statement.stage}_line`, statement);
  const lanes = await CopyLanes.open(pool, statement.bytes < secondLaneBytes ? 1 : 2, {
    sql: copyStatement(leaf, statement.stage),
    header: copyBinaryHeader,
    trailer: copyBinaryTrailer,
  });
  try {
    const reader = readerOf(statement, loadId, (block) => lanes.write(block, () => reader.release(block)));
    for await (const chunk of archive.read(statement)) {
      reader.push(chunk);
      await lanes.room();
      onRows?.(reader.rows());
    }
    const facts = reader.end();
    await lanes.end();
    return facts;
  } catch (error) {
    await lanes.abort(error as Error);
    throw error;
  }
}

/** The reader of a statement, whose blocks go to `sink`. */
export function readerOf(statement: Statement, loadId: number, sink: (block: Buffer) => void): StatementReader {
  const { provider, stage, on, fileName, bytes } = statement;
  const spec = statementSpec(provider, stage);
  const named = readStatementName(spec.fileName, fileName);
  check(named?.day === compactDay(on), `${fileName} was registered for ${on}`);
  const mid = named.mid === undefined ? {} : { mid: named.mid };
  const expected = { provider, stage, on, fileName, ...mid };
  return readStatement(spec.layout, stage, expected, { loadId, sink, expectedRows: expectedRows(spec.layout, bytes) });
}
