import type { Pool } from 'pg';
import { queueResend } from '../differential/resend-store.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { differentialProviderOf } from '../providers/differential-registry.ts';
import { rejectedFor } from './differential-ends-store.ts';

/**
 * 재신청 담당. Sends again whatever a provider rejected and says may be corrected, as a person would at the end of a day;
 * what may not go again stays. Returns how many go with the next file.
 */
export async function resendRejected(pool: Pool, id: string, by: string, on: string): Promise<number> {
  const provider = differentialProviderOf(id);
  let count = 0;
  for (const reason of await rejectedFor(pool, id)) {
    const act = { by, because: 'corrected', on };
    const resent = await inTransaction(pool, (tx) => queueResend(tx, provider, { reason }, act));
    count += resent.filter(({ refused }) => refused === null).length;
  }
  return count;
}
