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

/**
 * Days since `from` of which a provider's registrations have a file, and none that waits for a person's word. A day without a
 * file is left alone: what it would have asked for is asked for by the next day, as things stand then.
 */
export async function registeredDays(
  pool: Pool,
  provider: string,
  from: Temporal.PlainDate,
): Promise<readonly string[]> {
  const rows = await query<{ on: string }>(
    pool,
    `select on_day as "on" from claim_file where provider = $1 and kind = 'registration' and on_day >= $2
      group by on_day having not bool_or(state = 'failed') order by on_day`,
    [provider, from.toString()],
  );
  return rows.map(({ on }) => on);
}
