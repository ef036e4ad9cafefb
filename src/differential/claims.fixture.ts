import type { Pool } from 'pg';
import { query } from '../platform/database/pool.ts';

/** A claim as a test says it: what it leaves out is nothing out of the ordinary. */
export type PlantedClaim = {
  readonly tid: string;
  readonly seq?: number;
  readonly kind?: 'D' | 'R';
  readonly provider?: string;
  readonly channel?: string;
  readonly on?: string;
  readonly capturedOn?: string;
  readonly originalOn?: string;
  readonly type?: 'A' | 'C' | 'P';
  readonly state?: 'P' | 'H' | 'R' | 'X' | 'Q';
  readonly reason?: string;
  readonly merchantId?: string;
  readonly tier?: number;
  readonly cardType?: 'C' | 'K' | null;
  readonly ratePpm?: number;
  readonly rule?: 'R' | 'M';
  readonly attempt?: number;
  readonly amountWon?: bigint;
  readonly originalWon?: bigint;
  readonly chargedWon?: bigint;
  readonly preferentialWon?: bigint;
  readonly fileId?: bigint | null;
  readonly batchId?: bigint | null;
  /** Theirs, VAT included: the claim was accepted with it. */
  readonly accepted?: {
    readonly won: bigint;
    readonly supplyWon?: bigint;
    readonly answerId?: bigint;
    readonly line?: number;
  };
};

/** Puts a claim, and its result where it has one, into the tables: what selecting and applying would leave. */
export async function plantClaim(pool: Pool, claim: PlantedClaim): Promise<void> {
  const { tid, seq = 0, kind = 'D', provider = 'welcome', channel = 'welcome-online', on = '2026-11-20' } = claim;
  const { state = 'P', cardType = 'C', ratePpm = 4000, accepted } = claim;
  const amountWon = claim.amountWon ?? 10_000n;
  const chargedWon = claim.chargedWon ?? 220n;
  const preferentialWon = claim.preferentialWon ?? 44n;
  const priced = cardType !== null;
  await query(pool, 'select ensure_claim_leaf($1, $2)', [channel, on]);
  await query(
    pool,
    `insert into claim (channel, traded_on, provider_tid, cancel_seq, kind, state, type, card_type, rule, tier, attempt,
                        rate_ppm, captured_on, original_on, batch_id, file_id, amount_won, original_won, charged_won,
                        preferential_won, difference_won, provider, merchant_id, mid, acquirer, order_no, final_no, reason)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
             'MID1', '신한카드', $24, '1234567891', $25)`,
    [
      channel,
      on,
      tid,
      seq,
      kind,
      state,
      claim.type ?? (seq === 0 ? 'A' : 'C'),
      cardType,
      priced ? (claim.rule ?? 'R') : null,
      claim.tier ?? 0,
      claim.attempt ?? 1,
      priced ? ratePpm : null,
      claim.capturedOn ?? on,
      claim.originalOn ?? on,
      claim.batchId ?? null,
      claim.fileId ?? null,
      amountWon,
      claim.originalWon ?? (amountWon < 0n ? -amountWon : amountWon),
      chargedWon,
      priced ? preferentialWon : null,
      priced ? chargedWon - preferentialWon : null,
      provider,
      claim.merchantId ?? 'M1',
      `ORD-${tid}`,
      claim.reason ?? null,
    ],
  );
  if (accepted === undefined) return;
  const supplyWon = accepted.supplyWon ?? (accepted.won * 10n) / 11n;
  await query(
    pool,
    `insert into claim_result (channel, traded_on, provider_tid, cancel_seq, kind, tier, card_type, pay_on, line_no,
                               answer_id, difference_won, supply_won, vat_won)
     values ($1, $2, $3, $4, $5, $6, $7, '2026-11-26', $8, $9, $10, $11, $12)`,
    [
      channel,
      on,
      tid,
      seq,
      kind,
      claim.tier ?? 0,
      cardType,
      accepted.line ?? 3,
      accepted.answerId ?? null,
      accepted.won,
      supplyWon,
      accepted.won - supplyWon,
    ],
  );
}

/** Puts a batch with its one file into the tables; returns their numbers. */
export async function plantFile(
  pool: Pool,
  file: {
    readonly provider?: string;
    readonly on?: string;
    readonly state?: 'written' | 'sent' | 'answered' | 'expired' | 'failed';
  } = {},
): Promise<{ readonly batchId: bigint; readonly fileId: bigint; readonly fileName: string }> {
  const { provider = 'welcome', on = '2026-11-20', state = 'answered' } = file;
  const fileName = `daff_${provider}_${on.replaceAll('-', '')}_req`;
  const [batch] = await query<{ batch_id: bigint }>(
    pool,
    `insert into differential_batch (provider, claimed_on, run_id, state, opened_by, selected_at, candidates, claims)
     values ($1, $2, $3, 'waiting', 'kim', clock_timestamp(), 10, 4) returning batch_id`,
    [provider, on, `differential:${provider}:${on}`],
  );
  const batchId = batch?.batch_id ?? 0n;
  const [row] = await query<{ file_id: bigint }>(
    pool,
    `insert into claim_file (batch_id, provider, kind, on_day, mid, file_name, state, lines, amount_won, difference_won,
                             bytes, sha256, archive_path, sending_at, sent_at, deadline_at)
     values ($1, $2, 'claims', $3, '', $4, $5, 4, 40000, 704, 1400, $6, 'ab/cd', $7, $7, '2026-11-26T18:00:00+09:00')
     returning file_id`,
    [batchId, provider, on, fileName, state, 'a1'.repeat(32), state === 'written' ? null : '2026-11-21T00:30:07+09:00'],
  );
  return { batchId, fileId: row?.file_id ?? 0n, fileName };
}

/** Puts an applied answer to a file into the tables; returns its number. */
export async function plantAnswer(
  pool: Pool,
  fileId: bigint,
  answer: { readonly stage?: 'validation' | 'answer'; readonly version?: number; readonly fileName?: string } = {},
): Promise<bigint> {
  const { stage = 'answer', version = 1, fileName = 'daff_welcome_20261120_res' } = answer;
  const [row] = await query<{ answer_id: bigint }>(
    pool,
    `insert into answer_file (file_id, stage, version, file_name, sha256, bytes, archive_path, received_at, state,
                              applied_at, lines, accepted, rejected, repeated, set_aside, difference_won)
     values ($1, $2, $3, $4, $5, 1400, 'ef/01', '2026-11-23T09:10:00+09:00', 'applied', '2026-11-23T09:10:02+09:00',
             4, 2, 1, 0, 1, 352) returning answer_id`,
    [fileId, stage, version, fileName, (version % 10).toString().repeat(64)],
  );
  return row?.answer_id ?? 0n;
}
