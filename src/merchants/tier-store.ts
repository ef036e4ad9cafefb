import type { Pool, PoolClient } from 'pg';

type Queryable = Pool | PoolClient;

/** 영중소 등급. What was said of a business for a half-year, once; `holds` where nothing later was. */
export type TierRow = {
  readonly half: string;
  /** Days `YYYY-MM-DD` as they are known now; `endsOn` is null for the last half-year that is known. */
  readonly startsOn: string;
  readonly endsOn: string | null;
  readonly tier: number;
  readonly knownSince: Date;
  readonly recordedBy: string;
  readonly importId: bigint | null;
  readonly holds: boolean;
};

/** All that was said of a business up to an instant, by half-year, what was said first first. */
export async function tiersOf(db: Queryable, businessNo: string, knownAt: Temporal.Instant): Promise<TierRow[]> {
  const { rows } = await db.query<TierRow>(
    `select half, starts_on::text as "startsOn", ends_on::text as "endsOn", tier, known_since as "knownSince",
            recorded_by as "recordedBy", import_id as "importId",
            tier_id = max(tier_id) over (partition by half) as holds
       from merchant_tier join half_year_period using (half)
      where business_no = $1 and known_since <= $2
      order by starts_on, tier_id`,
    [businessNo, knownAt.toString()],
  );
  return rows;
}

/** The merchants of a business, by ID. */
export async function merchantsOf(
  db: Queryable,
  businessNo: string,
): Promise<{ readonly merchantId: string; readonly name: string }[]> {
  const { rows } = await db.query<{ merchantId: string; name: string }>(
    'select merchant_id as "merchantId", name from merchant where business_no = $1 order by merchant_id',
    [businessNo],
  );
  return rows;
}

/** 반기. What was said of its start, once. */
export type HalfYearRow = {
  readonly half: string;
  readonly startsOn: string;
  /** The last day; null for a row that no longer holds, and for the last half-year that is known. */
  readonly endsOn: string | null;
  readonly source: string;
  readonly recordedBy: string;
  readonly recordedAt: Date;
  readonly holds: boolean;
};

/** All half-years with what was ever said of them. */
export async function halfYears(db: Queryable): Promise<HalfYearRow[]> {
  const { rows } = await db.query<HalfYearRow>(
    `select half, row.starts_on::text as "startsOn", case when holds then ends_on end::text as "endsOn", source,
            recorded_by as "recordedBy", recorded_at as "recordedAt", holds
       from (select *, half_year_id = max(half_year_id) over (partition by half) as holds from half_year) row
       join half_year_period using (half)
      order by half, half_year_id`,
  );
  return rows;
}

/** 우대수수료율. What was said of the rate from a day on, once. */
export type RateRow = {
  readonly validFrom: string;
  /** The last day; null for a row that no longer holds, and where no later rate is known. */
  readonly validTo: string | null;
  readonly tier: number;
  /** `C` credit, `K` check. */
  readonly cardType: 'C' | 'K';
  readonly ratePpm: number;
  readonly source: string;
  readonly recordedBy: string;
  readonly recordedAt: Date;
  readonly holds: boolean;
};

/** All preferential rates with what was ever said of them; with `on` those in force on that day. */
export async function preferentialRates(db: Queryable, on: string | null): Promise<RateRow[]> {
  const { rows } = await db.query<RateRow>(
    `select row.valid_from::text as "validFrom", case when holds then valid_to end::text as "validTo", row.tier,
            row.card_type as "cardType", row.rate_ppm as "ratePpm", source, recorded_by as "recordedBy",
            recorded_at as "recordedAt", holds
       from (select *, rate_id = max(rate_id) over (partition by tier, card_type, valid_from) as holds
               from preferential_rate) row
       join preferential_rate_period period
         on period.tier = row.tier and period.card_type = row.card_type and period.valid_from = row.valid_from
      where $1::date is null or (holds and $1::date between row.valid_from and coalesce(valid_to, 'infinity'))
      order by row.valid_from, row.tier, row.card_type, rate_id`,
    [on],
  );
  return rows;
}

/** 하위가맹점. A dated fact about a merchant, the oldest first. */
export type SubMerchantRow = {
  readonly validFrom: string;
  readonly intermediaryNo: string | null;
  readonly openedOn: string;
  readonly closedOn: string | null;
};

/** All that was said of a merchant as a sub-merchant; a later row of the same day corrects the one before. */
export async function subMerchantOf(db: Queryable, merchantId: string): Promise<SubMerchantRow[]> {
  const { rows } = await db.query<SubMerchantRow>(
    `select valid_from::text as "validFrom", intermediary_no as "intermediaryNo", opened_on::text as "openedOn",
            closed_on::text as "closedOn"
       from sub_merchant where merchant_id = $1 order by valid_from, sub_merchant_id`,
    [merchantId],
  );
  return rows;
}
