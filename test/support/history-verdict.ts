import { verifyLedger } from '../../src/ledger/verify-store.ts';
import type { Cipher } from '../../src/platform/cipher.ts';
import type { TestDatabase } from './database.ts';
import { violations } from './invariants.ts';
import { openLivedHistory } from './lived-history.ts';
import type { RandomHistory } from './random-history.ts';

/** Lives through a history to its end; what it broke, each with the number of the invariant. */
export async function brokenBy(
  db: Pick<TestDatabase, 'url' | 'pool'>,
  cipher: Cipher,
  history: RandomHistory,
): Promise<string[]> {
  const lived = await openLivedHistory(db, cipher, history);
  try {
    for (const step of history.steps) await lived.live(step);
    await lived.finish();
    const broken = await violations(db.pool, await lived.truth());
    const [expected, settled] = [lived.expectedItems(), await lived.settledItems()];
    const differing = [...new Set(expected).symmetricDifference(new Set(settled))];
    await verifyLedger(db.pool, async (page) => {
      for (const { kind, subject } of page) broken.push(`2: ${kind} ${subject}`);
    });
    return [...broken, ...differing.map((key) => `3: ${key} is ${settled.includes(key) ? '' : 'not '}settled`)];
  } finally {
    await lived.close();
  }
}
