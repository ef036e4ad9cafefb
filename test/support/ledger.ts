import { type Deviation, verifyLedger } from '../../src/ledger/verify-store.ts';
import type { Pool } from '../../src/platform/database/pool.ts';

/** Everything that the ledger's own check finds. */
export async function deviationsOf(pool: Pool): Promise<Deviation[]> {
  const found: Deviation[] = [];
  await verifyLedger(pool, async (page) => {
    found.push(...page);
  });
  return found;
}
