import type { Pool, PoolClient } from 'pg';
import { check } from '../kernel/check.ts';
import type { ClaimStatus } from './claim-words.ts';

/** Which claims are meant; every field narrows. Days are days of trade (거래일), `YYYY-MM-DD`, both included. */
export type ClaimFilter = {
  readonly from?: string;
  readonly to?: string;
  readonly providers?: readonly string[];
  readonly statuses?: readonly ClaimStatus[];
  /** A name (`not_registered`) or a namespaced code (`welcome:09`). */
  readonly reason?: string;
  readonly merchantId?: string;
  readonly tiers?: readonly number[];
  readonly batch?: BatchLeaves;
};

/** A batch, and the leaves that hold all its claims. */
export type BatchLeaves = {
  readonly batchId: bigint;
  readonly channels: readonly string[];
  readonly days: readonly string[];
};

/** 신청 건. A claim with where it stands. Won are signed; what is null is not known (yet). */
export type ListedClaim = {
  readonly provider: string;
  readonly channel: string;
  readonly tradedOn: string;
  readonly providerTid: string;
  readonly cancelSeq: number;
  /** D daily, R retroactive. */
  readonly kind: string;
  /** A approval, C full cancel, P partial cancel. */
  readonly type: string;
  readonly merchantId: string;
  readonly mid: string;
  readonly orderNo: string;
  readonly tier: number;
  readonly cardType: string | null;
  readonly ratePpm: number | null;
  readonly attempt: number;
  readonly capturedOn: string;
  readonly originalOn: string;
  readonly batchId: bigint | null;
  readonly fileId: bigint | null;
  readonly fileName: string | null;
  readonly amountWon: bigint;
  readonly chargedWon: bigint;
  readonly preferentialWon: bigint | null;
  /** Ours. */
  readonly differenceWon: bigint | null;
  /** Theirs, as it holds now. */
  readonly acceptedWon: bigint | null;
  readonly payOn: string | null;
  readonly status: ClaimStatus;
  readonly reason: string | null;
};

/** How many claims a filter takes in, and what they come to. */
export type ClaimTotals = { readonly count: bigint; readonly differenceWon: bigint; readonly acceptedWon: bigint };

/** The columns of a `ListedClaim`, of the view `claim_status`. */
export const listedColumns = `provider, channel, traded_on as "tradedOn", provider_tid as "providerTid", cancel_seq as "cancelSeq", kind,
  type, merchant_id as "merchantId", mid, order_no as "orderNo", tier, card_type as "cardType", rate_ppm as "ratePpm",
  attempt, captured_on as "capturedOn", original_on as "originalOn", batch_id as "batchId", file_id as "fileId",
  file_name as "fileName", amount_won as "amountWon", charged_won as "chargedWon", preferential_won as "preferentialWon",
  difference_won as "differenceWon", accepted_won as "acceptedWon", pay_on as "payOn", status, status_reason as reason`;

/**
 * Compares `claim_status` with `claimValues`. A parameter that is null folds away when the statement is planned, and days
 * then leave all other leaves alone.
 */
export const claimCondition = `($1::date is null or traded_on >= $1::date) and ($2::date is null or traded_on <= $2::date)
  and ($3::text[] is null or provider = any ($3::text[])) and ($4::text[] is null or status = any ($4::text[]))
  and ($5::text is null or status_reason = $5::text) and ($6::text is null or merchant_id = $6::text)
  and ($7::smallint[] is null or tier = any ($7::smallint[])) and ($8::bigint is null or batch_id = $8::bigint)
  and ($9::text[] is null or channel = any ($9::text[])) and ($10::date[] is null or traded_on = any ($10::date[]))`;

export function claimValues({
  from,
  to,
  providers,
  statuses,
  reason,
  merchantId,
  tiers,
  batch,
}: ClaimFilter): unknown[] {
  return [from, to, providers, statuses, reason, merchantId, tiers, batch?.batchId, batch?.channels, batch?.days].map(
    (value) => value ?? null,
  );
}

/** What a transaction that reads claims begins with: joined leaf by leaf with their results, a day is all that it holds. */
export const readByLeaf = 'begin read only; set local enable_partitionwise_join = on; set local jit = off';

/** Rows fetched at a time: enough to keep both sides busy, little enough to hold. */
const batchRows = 2000;

/** Claims by `filter` in the order of their trade. Millions of them pass through in constant memory. */
export async function* listClaims(
  pool: Pool,
  filter: ClaimFilter,
  { limit }: { readonly limit?: number } = {},
): AsyncGenerator<readonly ListedClaim[]> {
  const most = limit === undefined ? '' : `limit ${BigInt(limit)}`;
  const client = await pool.connect();
  let lost: Error | undefined;
  const onError = (error: Error): void => {
    lost = error;
  };
  client.on('error', onError);
  try {
    await client.query(readByLeaf);
    await client.query(
      `declare listed no scroll cursor for
         select ${listedColumns} from claim_status where ${claimCondition}
          order by traded_on, channel, provider_tid, cancel_seq, kind ${most}`,
      claimValues(filter),
    );
    yield* fetchAll(client);
  } finally {
    // Nothing was written. A reader who stops early ends here too.
    await client.query('rollback').catch(onError);
    client.off('error', onError);
    client.release(lost);
  }
}

async function* fetchAll(client: PoolClient): AsyncGenerator<readonly ListedClaim[]> {
  for (;;) {
    const { rows } = await client.query<ListedClaim>(`fetch ${batchRows} from listed`);
    if (rows.length > 0) yield rows;
    if (rows.length < batchRows) return;
  }
}

/** What a filter takes in; amounts that are not known count as nothing. */
export async function sumClaims(pool: Pool, filter: ClaimFilter): Promise<ClaimTotals> {
  const [totals] = await readingByLeaf(pool, async (client) => {
    const { rows } = await client.query<ClaimTotals>(
      `select count(*) as count, coalesce(sum(difference_won), 0)::bigint as "differenceWon",
              coalesce(sum(accepted_won), 0)::bigint as "acceptedWon"
         from claim_status where ${claimCondition}`,
      claimValues(filter),
    );
    return rows;
  });
  check(totals, 'a sum has a row');
  return totals;
}

/** Runs queries that join claims with their results leaf by leaf. */
export async function readingByLeaf<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query(readByLeaf);
    return await work(client);
  } finally {
    await client.query('rollback').catch(() => {});
    client.release();
  }
}

/** The number of the batch of this number, run (`differential:welcome:2026-11-20`) or file; undefined where there is none. */
export async function batchIdOf(pool: Pool, name: string): Promise<bigint | undefined> {
  const { rows } = await pool.query<{ batchId: bigint }>(
    `select batch_id as "batchId" from differential_batch
      where batch_id::text = $1 or run_id = $1 or 'differential:' || provider || ':' || claimed_on = $1
         or batch_id in (select f.batch_id from claim_file f left join answer_file a using (file_id)
                          where f.file_name = $1 or a.file_name = $1)
      order by batch_id limit 1`,
    [name],
  );
  return rows[0]?.batchId;
}

/** Where the claims of a batch lie. */
export async function leavesOf(pool: Pool, batchId: bigint): Promise<BatchLeaves> {
  const { rows } = await pool.query<BatchLeaves>(
    `select coalesce(array_agg(distinct channel), '{}') as channels, coalesce(array_agg(distinct traded_on), '{}') as days
       from differential_day where batch_id = $1`,
    [batchId],
  );
  return { channels: [], days: [], ...rows[0], batchId };
}
