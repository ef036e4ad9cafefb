import type { PoolClient } from 'pg';

/**
 * What the rows themselves may cause: values out of range, broken constraints, exceptions that triggers raise. Anything
 * else, a lost connection or a wrong statement, would fail for every row alike.
 */
const rowsFault = /^(22|23|P0)/;

/** 격리. What a part of the set failed with, in the database's words. */
export type Failure = { readonly code: string; readonly message: string };

/** More culprits than this are no culprits: something is wrong with the work itself. */
const culpritsMax = 1000;

/** Runs `work` so that its failure leaves nothing behind, if the rows may have caused it; any other is thrown. */
export async function tryWithout(tx: PoolClient, work: () => Promise<unknown>): Promise<Failure | undefined> {
  await tx.query('savepoint attempt');
  try {
    await work();
  } catch (error) {
    const failure = databaseFailure(error);
    if (failure === undefined || !rowsFault.test(failure.code)) throw error;
    await tx.query('rollback to savepoint attempt; release savepoint attempt');
    return failure;
  }
  await tx.query('release savepoint attempt');
  return undefined;
}

/**
 * Works on the members `from` to `to` as one set and, only where that fails, on its halves, down to the culprits, which
 * are returned with what they failed with. Free when nothing fails: one savepoint.
 */
export async function inHalves(
  tx: PoolClient,
  range: { readonly from: number; readonly to: number },
  work: (from: number, to: number) => Promise<void>,
): Promise<Map<number, Failure>> {
  const culprits = new Map<number, Failure>();
  const attempt = async (from: number, to: number): Promise<void> => {
    if (from > to) return;
    const failure = await tryWithout(tx, () => work(from, to));
    if (failure === undefined) return;
    if (from === to) {
      culprits.set(from, failure);
      if (culprits.size > culpritsMax) {
        throw new Error(`more than ${culpritsMax} members fail, the last with ${failure.code}: ${failure.message}`);
      }
      return;
    }
    const middle = Math.floor((from + to) / 2);
    await attempt(from, middle);
    await attempt(middle + 1, to);
  };
  await attempt(range.from, range.to);
  return culprits;
}

/** What the database said, also where a store has made a refusal of it. */
function databaseFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return { code, message: error.message };
  return databaseFailure(error.cause);
}
