import type { PoolClient } from 'pg';
import { query } from '../platform/database/pool.ts';
import type { Part } from './part.ts';
import { nextSlot } from './slot.ts';
import { instant } from './stage-store.ts';

/** Attempts are counted no further than this: what is set aside for months stays set aside. */
const attemptsMax = 30_000;

/** Of whom a reason kept captures back for so long that a person was told, and keeps them back no longer. */
export type Relieved = { readonly owner: string; readonly reason: string };

/**
 * Brings the waiting captures in line with what became of them: settled ones wait no longer, those not due wait until
 * they are, and those with a reason are tried again in the next slot, which counts anew for each reason. What people were told
 * of and is as it was is left alone: its time is past, which is all that the next slot asks, and however many they are no
 * slot writes them. Returns what people need no longer care about.
 */
export async function keepUnsettled(tx: PoolClient, part: Part): Promise<Relieved[]> {
  const key = 'provider, captured_on, provider_tid, cancel_seq';
  await tx.query(`
    create temp table unsettled on commit drop as
    select j.*, d.detail, u.provider is not null as is_known
      from judged j
     cross join lateral (select case when j.reason is not null then jsonb_strip_nulls(jsonb_build_object(
       'provider', j.provider, 'providerTid', j.provider_tid, 'cancelSeq', j.cancel_seq, 'merchant', j.merchant_id,
       'mid', j.mid, 'method', j.method, 'tradedOn', j.traded_on, 'amountWon', j.amount_won, 'cause', j.cause))
       end as detail) d
      left join unsettled_capture u on j.again and u.provider = j.provider and u.captured_on = j.captured_on
       and u.provider_tid = j.provider_tid and u.cancel_seq = j.cancel_seq and u.attempts >= ${part.findingAfter}
       and u.reason = j.reason and u.merchant_id is not distinct from j.merchant_id and u.detail = d.detail
     where j.reason is not null or not j.is_due;
    analyze unsettled (reason, is_known)`);
  const freed = await query<Relieved>(
    tx,
    `select distinct coalesce(u.merchant_id, u.mid) as owner, u.reason
       from unsettled_capture u join judged j using (${key})
      where j.again and u.attempts >= $1 and u.reason is distinct from j.reason order by 1, 2`,
    [part.findingAfter],
  );
  await tx.query(`
    delete from unsettled_capture u using judged j
     where j.again and j.reason is null and j.is_due and u.provider = j.provider and u.captured_on = j.captured_on
       and u.provider_tid = j.provider_tid and u.cancel_seq = j.cancel_seq`);
  await tx.query(`
    insert into unsettled_capture as u (${key}, traded_on, mid, merchant_id, amount_won, due_at, attempts, reason, detail)
    select ${key}, traded_on, mid, merchant_id, amount_won,
           case when reason is null then due_at
                when reason = 'original_unsettled' then greatest(due_at, ${instant(nextSlot(part.slot))})
                else ${instant(nextSlot(part.slot))} end,
           case when reason is null or reason = 'original_unsettled' then 0 else 1 end, reason, detail
      from unsettled where not is_known
     order by ${key}
    on conflict (${key}) do update set merchant_id = excluded.merchant_id, due_at = excluded.due_at,
      attempts = case when excluded.attempts = 0 or u.reason is distinct from excluded.reason then excluded.attempts
                      else least(u.attempts + 1, ${attemptsMax}) end,
      reason = excluded.reason, detail = excluded.detail`);
  return freed.length === 0 ? [] : await noLongerStuck(tx, freed, part.findingAfter);
}

/** Of those that were freed of something, who has nothing else that people were told of for the same reason. */
export async function noLongerStuck(
  tx: PoolClient,
  freed: readonly Relieved[],
  findingAfter: number,
): Promise<Relieved[]> {
  return await query<Relieved>(
    tx,
    `select owner, reason from unnest($1::text[], $2::text[]) f (owner, reason)
      where not exists (select from unsettled_capture u where u.merchant_id = f.owner collate "C"
                           and u.reason = f.reason and u.attempts >= $3)
        and not exists (select from unsettled_capture u where u.merchant_id is null and u.mid = f.owner collate "C"
                           and u.reason = f.reason and u.attempts >= $3)`,
    [freed.map(({ owner }) => owner), freed.map(({ reason }) => reason), findingAfter],
  );
}

/** What people are told of together: the captures of a merchant that one reason has kept back for so many slots. */
export type StuckCaptures = {
  readonly merchantId: string | null;
  readonly mid: string;
  readonly reason: string;
  readonly captures: bigint;
  readonly amountWon: bigint;
  /** The first of them. */
  readonly provider: string;
  readonly capturedOn: string;
  readonly providerTid: string;
  readonly cancelSeq: number;
};

/** What this part has set aside for the `findingAfter`-th time. */
export async function stuckCaptures(tx: PoolClient, { findingAfter }: Part): Promise<StuckCaptures[]> {
  // What cannot be settled may be more than a bigint holds, all together.
  const stuck = await query<Omit<StuckCaptures, 'amountWon'> & { amountWon: string }>(
    tx,
    `select u.merchant_id as "merchantId", min(u.mid) as mid, u.reason, count(*) as captures,
            sum(u.amount_won)::text as "amountWon", min(u.provider) as provider,
            min(u.captured_on) as "capturedOn", min(u.provider_tid) as "providerTid", min(u.cancel_seq) as "cancelSeq"
       from unsettled_capture u join unsettled j using (provider, captured_on, provider_tid, cancel_seq)
      where j.reason is not null and not j.is_known and u.attempts = $1
      group by u.merchant_id, case when u.merchant_id is null then u.mid end, u.reason
      order by 1, 2, 3`,
    [findingAfter],
  );
  return stuck.map((each) => ({ ...each, amountWon: BigInt(each.amountWon) }));
}

/** How many captures this part has set aside, and how many are not due. */
export async function countUnsettled(tx: PoolClient): Promise<{ setAside: bigint; waiting: bigint }> {
  const [counts] = await query<{ setAside: bigint; waiting: bigint }>(
    tx,
    `select count(*) filter (where reason is not null) as "setAside",
            count(*) filter (where reason is null and not is_due) as waiting from unsettled`,
  );
  return { setAside: counts?.setAside ?? 0n, waiting: counts?.waiting ?? 0n };
}
