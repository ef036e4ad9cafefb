import type { Pool, PoolClient } from 'pg';
import { type ListedClaim, listedColumns, readingByLeaf } from './list-store.ts';

/** 신청 건의 전 과정. A claim with all that it came from and all that became of it. Instants are `Date`s. */
export type ShownClaim = ListedClaim & {
  readonly acquirer: string;
  readonly finalNo: string;
  readonly intermediaryNo: string | null;
  readonly rule: string | null;
  readonly originalWon: bigint;
  /** Theirs, as first accepted. */
  readonly supplyWon: bigint | null;
  readonly vatWon: bigint | null;
  readonly answerId: bigint | null;
  readonly charged: { readonly feeWon: bigint; readonly vatWon: bigint } | null;
  /** First six and last four digits. */
  readonly cardNo: string | null;
  /** What the rate in force on the original's day goes back to, as it is known now. */
  readonly rate: { readonly ratePpm: number; readonly validFrom: string; readonly source: string } | null;
  /** What is known now of the business's tier for the half-year of the original's day. */
  readonly graded: {
    readonly half: string;
    readonly tier: number;
    readonly knownSince: Date;
    readonly recordedBy: string;
  } | null;
  readonly file: ShownFile | null;
  readonly way: readonly WayPoint[];
  readonly refunds: readonly ShownRefund[];
};

export type ShownFile = {
  readonly fileId: bigint;
  readonly fileName: string;
  readonly mid: string;
  readonly state: string;
  readonly lines: bigint;
  readonly amountWon: bigint;
  readonly differenceWon: bigint;
  readonly bytes: bigint;
  readonly sha256: string;
  readonly writtenAt: Date;
  readonly sentAt: Date | null;
  readonly foundThere: boolean | null;
  readonly deadlineAt: Date | null;
  readonly reason: string | null;
};

/** Something that became of a claim; what is null says nothing of it. */
export type WayPoint = {
  readonly at: Date;
  readonly what: string;
  readonly by: string | null;
  readonly file: string | null;
  readonly sha256: string | null;
  readonly line: number | null;
  /** A namespaced code or the name of a reason. */
  readonly code: string | null;
  readonly beforeWon: bigint | null;
  readonly afterWon: bigint | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
};

/** 환급 내역. What an answer did for the claim's merchant: all its claims in that answer together. */
export type ShownRefund = {
  readonly event: string;
  readonly bookedOn: string;
  readonly claims: number;
  readonly refundWon: bigint;
  readonly clawbackWon: bigint;
  readonly offsetWon: bigint;
  readonly carriedWon: bigint;
  readonly heldWon: bigint;
  readonly walletWon: bigint;
};

export const fileColumns = `f.file_id as "fileId", f.file_name as "fileName", f.mid, f.state, f.lines, f.amount_won as "amountWon",
  f.difference_won as "differenceWon", f.bytes, f.sha256, f.written_at as "writtenAt", f.sent_at as "sentAt",
  f.found_there as "foundThere", f.deadline_at as "deadlineAt", f.reason`;

type ClaimRow = Omit<ShownClaim, 'charged' | 'cardNo' | 'rate' | 'graded' | 'file' | 'way' | 'refunds'>;

/** The claims of a transaction: of the approval and of its cancels, by channel and the order of their cancels. */
export async function claimsOf(pool: Pool, providerTid: string): Promise<readonly ShownClaim[]> {
  return readingByLeaf(pool, async (client) => {
    const { rows } = await client.query<ClaimRow>(
      `select ${listedColumns}, acquirer, final_no as "finalNo", intermediary_no as "intermediaryNo", rule,
              original_won as "originalWon", supply_won as "supplyWon", vat_won as "vatWon", answer_id as "answerId"
         from claim_status where provider_tid = $1 order by channel, kind, cancel_seq, traded_on`,
      [providerTid],
    );
    const shown: ShownClaim[] = [];
    for (const claim of rows) shown.push({ ...claim, ...(await partsOf(client, claim)) });
    return shown;
  });
}

type Parts = Pick<ShownClaim, 'charged' | 'cardNo' | 'rate' | 'graded' | 'file' | 'way' | 'refunds'>;

async function partsOf(client: PoolClient, claim: ClaimRow): Promise<Parts> {
  const one = async <T extends object>(sql: string, values: unknown[]): Promise<T | null> =>
    (await client.query<T>(sql, values)).rows[0] ?? null;
  const { channel, providerTid, cancelSeq } = claim;
  const payment = await one<{ cardNo: string }>(
    `select card_no as "cardNo" from payment
      where provider = $1 and traded_on = $2 and provider_tid = $3 and cancel_seq = $4`,
    [channel, claim.tradedOn, providerTid, cancelSeq],
  );
  return {
    charged: await one(
      `select fee_won as "feeWon", vat_won as "vatWon" from capture
        where provider = $1 and captured_on = $2 and provider_tid = $3 and cancel_seq = $4`,
      [channel, claim.capturedOn, providerTid, cancelSeq],
    ),
    cardNo: payment?.cardNo ?? null,
    rate: await one(
      `select rate_ppm as "ratePpm", valid_from as "validFrom", source from preferential_rate
        where tier = $1 and card_type = $2::"char" and valid_from <= $3
        order by valid_from desc, rate_id desc limit 1`,
      [claim.tier, claim.cardType, claim.originalOn],
    ),
    graded: await one(
      // A retroactive refund is by the first half-year in which the business was graded so.
      `select half, tier, known_since as "knownSince", recorded_by as "recordedBy"
         from merchant_tier join half_year_period using (half)
        where business_no = $1 and $2::date <= coalesce(ends_on, 'infinity') and ($3 = 'R' or $2::date >= starts_on)
        order by $3 = 'R' and tier <> $4, starts_on, tier_id desc limit 1`,
      [claim.finalNo, claim.originalOn, claim.kind, claim.tier],
    ),
    file: await one(`select ${fileColumns} from claim_file f where file_id = $1`, [claim.fileId]),
    way: await wayOf(client, claim),
    refunds: await refundsOf(client, claim),
  };
}

/** All that was noted of a claim, in the order in which it was. */
async function wayOf(client: PoolClient, claim: ClaimRow): Promise<WayPoint[]> {
  const key = 'channel = $1 and traded_on = $2 and provider_tid = $3 and cancel_seq = $4';
  const { rows } = await client.query<WayPoint>(
    `select at, what, by, file, sha256, line, code, before_won as "beforeWon", after_won as "afterWon", detail from (
       select selected_at as at, 'selected' as what, opened_by as by, run_id as file, null::text as sha256,
              null::int as line, null::text as code, null::bigint as before_won, null::bigint as after_won,
              null::jsonb as detail
         from differential_batch where batch_id = $6 and selected_at is not null
       union all
       select written_at, 'written', null, file_name, sha256, null, null, null, null, null
         from claim_file where file_id = $7
       union all
       select sent_at, case when found_there then 'found_there' else 'sent' end, null, file_name, null, null, null,
              null, null, null
         from claim_file where file_id = $7 and sent_at is not null
       union all
       select a.applied_at, 'accepted', null, a.file_name, a.sha256, r.line_no, null, null, r.difference_won, null
         from claim_result r join answer_file a using (answer_id) where ${key} and kind = $5::"char"
       union all
       select posted_at, 'posted', posted_by, 'retroactive:' || refund_id, null, null, null, null, r.difference_won, null
         from claim_result r join half_year_period on $8 between starts_on and coalesce(ends_on, 'infinity')
         join retroactive_refund using (half)
        where ${key} and kind = $5::"char" and kind = 'R' and posted_at is not null
       union all
       select rejected_at, 'rejected', null, a.file_name, a.sha256, r.line_no, r.code, null, null,
              jsonb_build_object('attempt', attempt, 'final', final)
         from claim_rejection r join answer_file a using (answer_id) where ${key} and kind = $5::"char"
       union all
       select revised_at, 'revised', null, a.file_name, a.sha256, v.line_no, v.code, before_won, after_won,
              case when not v.accepted then jsonb_build_object('accepted', false) end
         from claim_revision v join answer_file a using (answer_id) where ${key} and kind = $5::"char"
       union all
       select at, event, by, null, null, null, reason, null, null, detail
         from claim_event
        where ${key} and kind = $5::"char"
          -- What an answer says is told by the answer.
          and not (event in ('rejected', 'revised') and strpos(coalesce(reason, ''), ':') > 0)
       union all
       select opened_at, 'break_opened', null, a.file_name, null, b.line_no, b.kind, ours_won, theirs_won, b.detail
         from claim_break b left join answer_file a using (answer_id) where ${key} and claim_kind = $5::"char"
       union all
       select closed_at, 'break_closed', closed_by, null, null, null, kind, null, null,
              jsonb_build_object('resolution', resolution)
         from claim_break where ${key} and claim_kind = $5::"char" and closed_at is not null
     ) way
      -- Clocks may differ, but nothing is sent before it is written.
      order by greatest(at, case when what in ('sent', 'found_there') then
                                   (select written_at from claim_file where file_id = $7) end),
               array_position(array['selected', 'written', 'sent', 'found_there'], what) nulls last, what`,
    [
      claim.channel,
      claim.tradedOn,
      claim.providerTid,
      claim.cancelSeq,
      claim.kind,
      claim.batchId,
      claim.fileId,
      claim.originalOn,
    ],
  );
  return rows;
}

/** What the answers that accepted or revised the claim, or its retroactive refund, did for its merchant. */
async function refundsOf(client: PoolClient, claim: ClaimRow): Promise<ShownRefund[]> {
  const { rows } = await client.query<ShownRefund>(
    `select event, booked_on as "bookedOn", claims, refund_won as "refundWon", clawback_won as "clawbackWon",
            offset_won as "offsetWon", carried_won as "carriedWon", held_won as "heldWon", wallet_won as "walletWon"
       from claim_refund
      where merchant_id = $6
        and (($5 = 'R' and provider = $8 and split_part(event, ':', 2) = (
                select refund_id::text from retroactive_refund join half_year_period using (half)
                 where posted_at is not null and $9 between starts_on and coalesce(ends_on, 'infinity'))
              and answer_id is null)
          or answer_id in (select $7::bigint
                          union select answer_id from claim_revision
                           where channel = $1 and traded_on = $2 and provider_tid = $3 and cancel_seq = $4
                             and kind = $5::"char"))
      order by booked_on, event`,
    [
      claim.channel,
      claim.tradedOn,
      claim.providerTid,
      claim.cancelSeq,
      claim.kind,
      claim.merchantId,
      claim.answerId,
      claim.provider,
      claim.originalOn,
    ],
  );
  return rows;
}
