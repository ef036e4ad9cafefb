import { inTransactionOnce, type Pool, type PoolClient } from '../platform/database/pool.ts';

/** Rows that are held at a time. */
const pageRows = 5000;

/** Reads the ledger as it stood at one moment, however long the reading takes. */
export function atOneMoment<T>(pool: Pool, read: (tx: PoolClient) => Promise<T>): Promise<T> {
  return inTransactionOnce(pool, async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only');
    return read(tx);
  });
}

/** The rows of a query page by page, so that little of them is held. The transaction holds the cursor. */
export async function* pagesOf<Row extends object>(
  tx: PoolClient,
  sql: string,
  values: readonly unknown[] = [],
): AsyncGenerator<readonly Row[]> {
  await tx.query(`declare ledger_page no scroll cursor for ${sql}`, [...values]);
  for (;;) {
    const { rows } = await tx.query<Row>(`fetch ${pageRows} from ledger_page`);
    if (rows.length > 0) yield rows;
    if (rows.length < pageRows) break;
  }
  await tx.query('close ledger_page');
}
