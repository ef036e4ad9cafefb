import type { Pool } from 'pg';
import { keysetPage } from '../platform/database/keyset.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import type { ClaimStatus } from './claim-words.ts';
import { batchIdOf, leavesOf, readingByLeaf } from './list-store.ts';
import { fileColumns, type ShownFile } from './show-store.ts';

/** 작업 하나. A provider's job for a day with its files, answers, and where its claims stand. */
export type ShownBatch = {
  readonly batchId: bigint;
  readonly provider: string;
  readonly claimedOn: string;
  readonly runId: string;
  readonly state: string;
  readonly openedBy: string;
  readonly openedAt: Date;
  readonly selectedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly candidates: bigint;
  readonly claims: bigint;
  readonly held: bigint;
  readonly ineligible: bigint;
  readonly notOvercharged: bigint;
  readonly differenceWon: bigint;
  readonly reason: string | null;
  readonly files: readonly ShownFile[];
  readonly answers: readonly ShownAnswer[];
  readonly standing: readonly Standing[];
  /** Captures that it looked at first and that cannot be judged yet. */
  readonly unjudged: readonly { readonly reason: string; readonly count: bigint }[];
  /** Open ones, of its answers. */
  readonly breaks: readonly { readonly kind: string; readonly count: bigint }[];
};

export type ShownAnswer = {
  readonly answerId: bigint;
  readonly stage: string;
  readonly version: number;
  readonly fileName: string;
  readonly sha256: string;
  readonly state: string;
  readonly receivedAt: Date;
  readonly appliedAt: Date | null;
  readonly lines: bigint | null;
  readonly accepted: bigint | null;
  readonly rejected: bigint | null;
  readonly repeated: bigint | null;
  readonly setAside: bigint | null;
  readonly differenceWon: bigint | null;
};

/** Where so many claims stand, and what they come to. */
export type Standing = {
  readonly status: ClaimStatus;
  readonly reason: string | null;
  readonly claims: bigint;
  readonly differenceWon: bigint;
  readonly acceptedWon: bigint;
};

type BatchRow = Omit<ShownBatch, 'files' | 'answers' | 'standing' | 'unjudged' | 'breaks'>;

const batchColumns = `batch_id as "batchId", provider, claimed_on as "claimedOn", run_id as "runId", state, opened_by as "openedBy",
  opened_at as "openedAt", selected_at as "selectedAt", finished_at as "finishedAt", candidates, claims, held,
  ineligible, not_overcharged as "notOvercharged", difference_won as "differenceWon", reason`;

export type BatchFilter = {
  readonly on?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly provider?: readonly string[] | undefined;
  readonly state?: readonly string[] | undefined;
};

/** A page of the batches. @throws Problem `cursor_invalid` */
export async function pageOfBatches(
  db: Queryable,
  { on, from, to, provider, state }: BatchFilter,
  request: PageRequest<'id'>,
): Promise<Page<BatchRow>> {
  return keysetPage<BatchRow>(
    db,
    [{ sql: 'batch_id', type: 'bigint' }],
    request,
    [on ?? null, from ?? null, to ?? null, provider ?? null, state ?? null],
    ({ key, after, order, limit }) =>
      `select ${batchColumns}, ${key} from differential_batch
        where ($1::date is null or claimed_on = $1) and ($2::date is null or claimed_on >= $2)
          and ($3::date is null or claimed_on <= $3) and ($4::text[] is null or provider = any ($4))
          and ($5::text[] is null or state = any ($5)) and ${after} order by ${order} limit ${limit}`,
  );
}

/** The batch of this number, run (`differential:welcome:2026-11-20`) or file; undefined where there is none. */
export async function batchNamed(pool: Pool, name: string): Promise<ShownBatch | undefined> {
  const [batch] = await query<BatchRow>(pool, `select ${batchColumns} from differential_batch where batch_id = $1`, [
    (await batchIdOf(pool, name)) ?? null,
  ]);
  if (batch === undefined) return undefined;
  const { batchId } = batch;
  return {
    ...batch,
    files: await query<ShownFile>(
      pool,
      `select ${fileColumns} from claim_file f where batch_id = $1 order by mid, file_id`,
      [batchId],
    ),
    answers: await query<ShownAnswer>(
      pool,
      `select answer_id as "answerId", stage, version, a.file_name as "fileName", a.sha256, a.state,
              received_at as "receivedAt", applied_at as "appliedAt", a.lines, accepted, rejected, repeated,
              set_aside as "setAside", a.difference_won as "differenceWon"
         from answer_file a join claim_file f using (file_id) where f.batch_id = $1
        order by f.mid, stage = 'answer', version`,
      [batchId],
    ),
    standing: await standingOf(pool, batchId),
    unjudged: await query(
      pool,
      'select reason, count(*) as count from differential_waiting where batch_id = $1 group by reason order by reason',
      [batchId],
    ),
    breaks: await query(
      pool,
      `select b.kind, count(*) as count
         from claim_break b join answer_file a using (answer_id) join claim_file f using (file_id)
        where f.batch_id = $1 and closed_at is null group by b.kind order by b.kind`,
      [batchId],
    ),
  };
}

/** Where the claims of a batch stand; only the leaves that hold any are read. */
async function standingOf(pool: Pool, batchId: bigint): Promise<Standing[]> {
  const { channels, days } = await leavesOf(pool, batchId);
  return readingByLeaf(pool, async (client) => {
    const { rows } = await client.query<Standing>(
      `select status, status_reason as reason, count(*) as claims,
              coalesce(sum(difference_won), 0)::bigint as "differenceWon",
              coalesce(sum(accepted_won), 0)::bigint as "acceptedWon"
         from claim_status
        where batch_id = $1 and channel = any ($2::text[]) and traded_on = any ($3::date[])
        group by status, status_reason
        order by array_position(array['paid', 'clawed_back', 'rejected', 'held', 'waiting'], status), status_reason`,
      [batchId, channels, days],
    );
    return rows;
  });
}
