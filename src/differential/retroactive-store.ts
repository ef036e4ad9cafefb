import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { askApproval, decide } from '../approvals/store.ts';
import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Queryable, query } from '../platform/database/pool.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { lockShare, planForSets } from './candidate-store.ts';
import { supplyOf } from './price-store.ts';
import { bookRefunds } from './refund-store.ts';
import { computeRefunds, type RetroactiveLine, refundLines } from './retroactive-compute-store.ts';

/** 소급환급 제안. What is owed for a half-year; `waits`: a second person has to approve it; `nothing`: nothing is owed. */
export type RetroactiveProposal = {
  readonly half: string;
  readonly state: 'waits' | 'nothing' | 'posted';
  /** Null where nothing is owed. */
  readonly refundId: bigint | null;
  /** Of the approval: `retroactive:<refund_id>`. */
  readonly subject: string | null;
  readonly lines: readonly RetroactiveLine[];
};

const subjectOf = (refundId: bigint): string => `retroactive:${refundId}`;

/**
 * 소급환급 제안. Computes what merchants that opened in a half-year and turned out small are owed for it, keeps it as a
 * proposal and asks for a second person's word. The same again is the same proposal.
 * @throws Problem `retroactive_half_unknown`; `retroactive_posted`
 */
export async function proposeRefund(
  pool: Pool,
  asked: {
    readonly half: string;
    readonly by: string;
    readonly today: string;
    readonly providers: readonly DifferentialProvider[];
  },
): Promise<RetroactiveProposal> {
  const { half, by } = asked;
  return await inTransaction(pool, async (tx) => {
    await lockHalf(tx, half);
    await refusePosted(tx, half);
    const { lines, digest } = await compute(tx, half, asked.today, asked.providers);
    const total = totalOf(lines);
    if (total.claims === 0n) return { half, state: 'nothing', refundId: null, subject: null, lines };
    const [waiting] = await query<{ id: bigint }>(
      tx,
      `select refund_id as id from retroactive_refund r
        where half = $1 and digest = $2 and not exists (
          select from approval a where a.kind = 'retroactive_refund' and a.subject = 'retroactive:' || r.refund_id
             and a.decision = 'refused')
        order by refund_id desc limit 1`,
      [half, digest],
    );
    const refundId = waiting?.id ?? (await keepProposal(tx, { half, by, digest, total }));
    const subject = subjectOf(refundId);
    const detail = {
      half,
      claims: total.claims,
      merchants: total.merchants,
      differenceWon: total.differenceWon,
      digest,
    };
    const reason = `${half} ${total.differenceWon}`;
    await askApproval(tx, { kind: 'retroactive_refund', subject, detail, askedBy: by, reason });
    return { half, state: 'waits', refundId, subject, lines };
  });
}

/**
 * 소급환급 승인. Approves a proposal, computes it again and books it: claims with their results, and a refund for each
 * merchant. What no longer comes to the same is not booked. Approved again by the same person nothing happens.
 * @throws Problem `not_found`; `approval_four_eyes`; `approval_decided`; `retroactive_changed`; `retroactive_posted`;
 *   `retroactive_refused` where the ledger refuses a merchant
 */
export async function approveRefund(
  pool: Pool,
  asked: {
    readonly refundId: bigint;
    readonly by: string;
    readonly today: string;
    readonly providers: readonly DifferentialProvider[];
  },
): Promise<RetroactiveProposal> {
  const { refundId, by } = asked;
  return await inTransaction(pool, async (tx) => {
    const [refund] = await query<Refund>(
      tx,
      `select half, digest, difference_won as "differenceWon", posted_by as "postedBy"
         from retroactive_refund where refund_id = $1 for update`,
      [refundId],
    );
    if (refund === undefined) throw new Problem('not_found', { what: 'retroactive refund', id: String(refundId) });
    const { half } = refund;
    const subject = subjectOf(refundId);
    await lockHalf(tx, half);
    await decide(tx, { kind: 'retroactive_refund', subject, decidedBy: by, decision: 'approved' });
    if (refund.postedBy !== null)
      return { half, state: 'posted', refundId, subject, lines: await postedLines(tx, refundId) };
    await refusePosted(tx, half);
    // What a batch is claiming of these sales is seen here, and what is refunded here by the batches that come.
    for (const { id } of asked.providers) await lockShare(tx, id, { part: 0, parts: 1 });
    const { lines, digest } = await compute(tx, half, asked.today, asked.providers);
    if (digest !== refund.digest) {
      const nowWon = totalOf(lines).differenceWon;
      throw new Problem('retroactive_changed', { refund: String(refundId), proposedWon: refund.differenceWon, nowWon });
    }
    await post(tx, asked);
    await tx.query('update retroactive_refund set posted_at = clock_timestamp(), posted_by = $2 where refund_id = $1', [
      refundId,
      by,
    ]);
    return { half, state: 'posted', refundId, subject, lines };
  });
}

type Refund = {
  readonly half: string;
  readonly digest: string;
  readonly differenceWon: bigint;
  readonly postedBy: string | null;
};

/** Two people at one half-year wait for each other. */
async function lockHalf(tx: PoolClient, half: string): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtext($1))', [`jeongsan:retroactive:${half}`]);
}

async function refusePosted(tx: PoolClient, half: string): Promise<void> {
  const [posted] = await query<{ refund: bigint; by: string }>(
    tx,
    `select refund_id as refund, posted_by as by from retroactive_refund where half = $1 and posted_at is not null`,
    [half],
  );
  if (posted !== undefined)
    throw new Problem('retroactive_posted', { half, refund: String(posted.refund), by: posted.by });
}

/** Computes the refunds as `refund_claim`, and the digest of all of them. */
async function compute(
  tx: PoolClient,
  half: string,
  today: string,
  providers: readonly DifferentialProvider[],
): Promise<{ readonly lines: readonly RetroactiveLine[]; readonly digest: string }> {
  await planForSets(tx);
  await computeRefunds(tx, { half, today, providers });
  const rows = await query<{ sum: string }>(
    tx,
    `select encode(sha256(convert_to(string_agg(concat_ws(' ', provider_tid, cancel_seq, traded_on, amount_won, charged_won,
                     rate_ppm, difference_won), E'\\n' order by traded_on, provider_tid, cancel_seq), 'UTF8')), 'hex')
              || ' ' || channel || ' ' || merchant_id as sum
       from refund_claim group by channel, merchant_id order by channel, merchant_id`,
  );
  const digest = createHash('sha256')
    .update(rows.map(({ sum }) => sum).join('\n'))
    .digest('hex');
  return { lines: await refundLines(tx), digest };
}

function totalOf(lines: readonly RetroactiveLine[]): { claims: bigint; merchants: bigint; differenceWon: bigint } {
  return {
    claims: lines.reduce((sum, line) => sum + line.claims, 0n),
    merchants: BigInt(new Set(lines.map(({ merchantId }) => merchantId)).size),
    differenceWon: lines.reduce((sum, line) => sum + line.differenceWon, 0n),
  };
}

async function keepProposal(
  tx: PoolClient,
  of: {
    readonly half: string;
    readonly by: string;
    readonly digest: string;
    readonly total: ReturnType<typeof totalOf>;
  },
): Promise<bigint> {
  const [row] = await query<{ id: bigint }>(
    tx,
    `insert into retroactive_refund (half, proposed_by, claims, merchants, difference_won, digest)
     values ($1, $2, $3, $4, $5, $6) returning refund_id as id`,
    [of.half, of.by, of.total.claims, of.total.merchants, of.total.differenceWon, of.digest],
  );
  check(row, 'an insert returns its row');
  return row.id;
}

/** Books what `refund_claim` holds: claims that are paid at once, and the refunds of each provider's merchants. */
async function post(
  tx: PoolClient,
  {
    refundId,
    by,
    today,
    providers,
  }: {
    readonly refundId: bigint;
    readonly by: string;
    readonly today: string;
    readonly providers: readonly DifferentialProvider[];
  },
): Promise<void> {
  await tx.query(`
    select ensure_claim_leaf(channel, traded_on)
      from (select distinct channel, traded_on from refund_claim order by 1, 2) d`);
  await tx.query(`
    insert into claim (channel, traded_on, provider_tid, cancel_seq, kind, state, type, card_type, rule, tier, rate_ppm, captured_on,
      original_on, amount_won, original_won, charged_won, preferential_won, difference_won, provider, merchant_id, mid, acquirer,
      order_no, final_no, intermediary_no)
    select channel, traded_on, provider_tid, cancel_seq, 'R', 'P', type, card_type, rule, tier, rate_ppm, captured_on, original_on,
           amount_won, original_won, charged_won, preferential_won, difference_won, provider, merchant_id, mid, acquirer, order_no,
           final_no, intermediary_no
      from refund_claim order by channel, traded_on, provider_tid, cancel_seq`);
  for (const provider of providers) await bookProvider(tx, provider, { refundId, by, today });
}

async function bookProvider(
  tx: PoolClient,
  { id, differential: { rounding } }: DifferentialProvider,
  { refundId, by, today }: { readonly refundId: bigint; readonly by: string; readonly today: string },
): Promise<void> {
  await tx.query(
    `insert into claim_result (channel, traded_on, provider_tid, cancel_seq, kind, tier, card_type, difference_won, supply_won, vat_won)
     select channel, traded_on, provider_tid, cancel_seq, 'R', tier, card_type, difference_won, supply_won,
            difference_won - supply_won
       from (select *, ${supplyOf('difference_won', rounding)} as supply_won
               from refund_claim where provider = $1) c
      order by channel, traded_on, provider_tid, cancel_seq`,
    [id],
  );
  await tx.query(`
    create temp table retroactive_due on commit drop as
    select provider, merchant_id, difference_won from refund_claim where provider = '${id}'`);
  const { refused } = await bookRefunds(tx, {
    from: 'retroactive_due',
    eventPrefix: `retroactive:${refundId}:${id}:`,
    kind: 'retroactive',
    answerId: null,
    postedOn: today,
    postedBy: by,
  });
  for (const [merchant, failure] of refused) {
    throw new Problem('retroactive_refused', { refund: String(refundId), merchant, reason: failure.code });
  }
  await tx.query('drop table retroactive_due');
}

/** What a posted refund came to, from what it booked. */
async function postedLines(db: Queryable, refundId: bigint): Promise<RetroactiveLine[]> {
  return await query<RetroactiveLine>(
    db,
    `select provider, merchant_id as "merchantId", claims::bigint as claims, refund_won as "refundWon",
            clawback_won as "clawbackWon", refund_won + clawback_won as "differenceWon"
       from claim_refund where event like 'retroactive:' || $1 || ':%' order by provider, merchant_id`,
    [refundId],
  );
}
