import { type Pool, query } from '../platform/database/pool.ts';

/** Runs of a provider's days since `from` that failed, none of whose files waits for a person's word. */
export async function failedDays(pool: Pool, provider: string, from: Temporal.PlainDate): Promise<readonly string[]> {
  const rows = await query<{ run: string }>(
    pool,
    `select b.run_id as run from differential_batch b
      where b.provider = $1 and b.claimed_on >= $2 and b.state = 'failed'
        and not exists (select from claim_file f where f.batch_id = b.batch_id and f.state = 'failed')
      order by b.claimed_on`,
    [provider, from.toString()],
  );
  return rows.map(({ run }) => run);
}
