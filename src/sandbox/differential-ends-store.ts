import type { Pool } from 'pg';
import { query } from '../platform/database/pool.ts';
import type { StandingClaim } from './differential-truth.ts';

/** Where all daily claims stand now. */
export async function standingClaims(pool: Pool): Promise<readonly StandingClaim[]> {
  return query<StandingClaim>(
    pool,
    `select provider, provider_tid as "providerTid", cancel_seq as "cancelSeq", status, status_reason as "reason",
            difference_won as "differenceWon", accepted_won as "acceptedWon"
       from claim_status where kind = 'D'`,
  );
}

/** What the ledger says that a provider still has to pay, with the opposite sign: all that was ever accepted. */
export async function receivables(pool: Pool): Promise<ReadonlyMap<string, bigint>> {
  const rows = await query<{ provider: string; won: bigint }>(
    pool,
    `select owner as provider, -balance_won as won from ledger_account where kind = 'refund_receivable'`,
  );
  return new Map(rows.map(({ provider, won }) => [provider, won]));
}

/** For which codes claims of a provider stand rejected and may be corrected. */
export async function rejectedFor(pool: Pool, provider: string): Promise<readonly string[]> {
  const rows = await query<{ reason: string }>(
    pool,
    `select distinct reason from claim where provider = $1 and kind = 'D' and state = 'R' order by 1`,
    [provider],
  );
  return rows.map(({ reason }) => reason);
}
