import type { Pool } from 'pg';

/** What a test wants to be particular about a break; the rest is usual. Amounts in signed won. */
export type GivenBreak = {
  readonly provider?: string;
  readonly stage?: string;
  readonly on?: string;
  readonly kind?: string;
  readonly tid?: string | null;
  readonly cancelSeq?: number | null;
  readonly loadId?: number | null;
  readonly line?: number | null;
  readonly differenceWon?: bigint | null;
  readonly state?: 'open' | 'investigating' | 'resolved';
  readonly resolution?: string;
  readonly assignedTo?: string;
  readonly escalated?: boolean;
  readonly gone?: boolean;
  readonly ours?: Readonly<Record<string, unknown>> | null;
  readonly theirs?: Readonly<Record<string, unknown>> | null;
  readonly openedRun?: string;
};

/** Puts a break there as a run would have left it; returns its id. */
export async function givenBreak(pool: Pool, given: GivenBreak = {}): Promise<number> {
  const state = given.gone ? 'resolved' : (given.state ?? 'open');
  const resolution = state === 'resolved' ? (given.resolution ?? (given.gone ? 'matched_later' : 'written_off')) : null;
  const { rows } = await pool.query<{ id: string }>(
    `insert into break (provider, stage, business_on, kind, identity, provider_tid, cancel_seq, load_id, line_no,
       difference_won, effect_won, pass, ours, theirs, state, resolution, resolved_at, assigned_to, escalated_at,
       gone_at, opened_run)
     values ($1, $2, $3, $4, gen_random_uuid()::text, $5, $6, $7, $8, $9, 0, 'tid', $10, $11, $12, $13,
       case when $12 = 'resolved' then now() end, $14, case when $15 then now() end, case when $16 then now() end, $17)
     returning break_id::text as id`,
    [
      given.provider ?? 'ksnet',
      given.stage ?? 'transaction',
      given.on ?? '2026-11-20',
      given.kind ?? 'amount_differs',
      given.tid === undefined ? 'T1' : given.tid,
      given.cancelSeq === undefined ? 0 : given.cancelSeq,
      given.loadId ?? null,
      given.line === undefined ? 2 : given.line,
      given.differenceWon === undefined ? 1000n : given.differenceWon,
      given.ours === undefined ? { amountWon: 1000 } : given.ours,
      given.theirs === undefined ? { amountWon: 2000 } : given.theirs,
      state,
      resolution,
      given.assignedTo ?? null,
      given.escalated ?? false,
      given.gone ?? false,
      given.openedRun ?? 'reconcile:2026-11-20:1',
    ],
  );
  return Number(rows[0]?.id);
}

/** A loaded statement for breaks to stand in; returns its load. */
export async function givenStatement(
  pool: Pool,
  { provider = 'ksnet', stage = 'transaction', on = '2026-11-20', file = 'KSNET_TRX_M1_20261120.csv' } = {},
): Promise<number> {
  const { rows } = await pool.query<{ load_id: number }>(
    `with s as (
       insert into statement (provider, stage, business_on, file_name, version, sha256, bytes, archive_path, source,
         received_by)
       values ($1, $2, $3, $4, 1, repeat('ab', 32), 100, 'archive/' || $4, 'folder', 'test') returning statement_id
     ) insert into statement_load (statement_id) select statement_id from s returning load_id`,
    [provider, stage, on, file],
  );
  return rows[0]?.load_id ?? 0;
}
