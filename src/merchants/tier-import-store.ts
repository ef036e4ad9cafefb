import type { PoolClient } from 'pg';

type By = { readonly who: string; readonly importId: bigint };

/**
 * Refuses tiers of half-years that nobody knows, of businesses that no merchant is, and for days that are not the
 * half-year's: a tier holds for all of it, and never for another one's days.
 */
export async function refuseImpossibleTiers(client: PoolClient): Promise<void> {
  await client.query(
    `with period as materialized (
       select * from half_year_period
     ), wrong as (
       select line_no, line.business_no, line.half, valid_from, valid_to, starts_on, ends_on,
              period.half is null as half_unknown, merchant.business_no is null as business_unknown
         from (select line_no, content ->> 'businessNo' as business_no, content ->> 'half' as half,
                      (kept ->> 'validFrom')::date as valid_from, (kept ->> 'validTo')::date as valid_to
                 from staged_record) line
         left join period on period.half = line.half
         left join (select distinct business_no from merchant) merchant on merchant.business_no = line.business_no
        where period.half is null or merchant.business_no is null or valid_from <> starts_on
           or (valid_to is not null and valid_to is distinct from ends_on)
     ), stray as (
       select *, case when valid_from <> starts_on then 'validFrom' else 'validTo' end as field,
              case when valid_from <> starts_on then valid_from else valid_to end as day
         from wrong
     )
     insert into refused (line_no, code, detail)
     select line_no,
            case when half_unknown then 'import_half_unknown'
                 when business_unknown then 'import_business_unknown'
                 when other <> half then 'import_half_overlaps'
                 when field = 'validTo' and ends_on is null then 'import_half_open'
                 else 'import_half_days' end,
            jsonb_strip_nulls(jsonb_build_object(
              'half', half, 'businessNo', business_no, 'field', field, 'value', day, 'validTo', valid_to,
              'from', starts_on, 'to', coalesce(ends_on::text, '…'), 'other', other))::text
       from stray
       left join lateral (
         select period.half as other from period
          where day between period.starts_on and coalesce(period.ends_on, 'infinity')) reached on true`,
  );
}

/**
 * Refuses half-years whose start does not lie between those of their neighbours, and those that would leave one out:
 * a tier of the one before would then hold for the days of the missing one. A refused line no longer stands beside the
 * others, so they are looked at again until all that is left agrees.
 */
export async function refuseHalvesOutOfOrder(client: PoolClient): Promise<void> {
  const sql = `
    with line as (
      select distinct on (content ->> 'half') line_no, content ->> 'half' as half,
             (content ->> 'startsOn')::date as starts_on
        from staged_record where line_no not in (select line_no from refused)
       order by content ->> 'half', line_no
    ), numbered as (
      select line_no, half, starts_on, left(half, 4)::int * 2 + right(half, 1)::int as number
        from (select * from line
              union all
              select null, half, starts_on from half_year_period
               where half not in (select half from line)) every
    ), beside as (
      select *, lag(number) over by_half as number_before, lag(half) over by_half as half_before,
             lag(starts_on) over by_half as starts_before, lead(number) over by_half as number_after,
             lead(half) over by_half as half_after, lead(starts_on) over by_half as starts_after
        from numbered window by_half as (order by number)
    ), wrong as (
      select *, number_before < number - 1 as gap_before, number_after > number + 1 as gap_after,
             starts_before >= starts_on as too_early, starts_after <= starts_on as too_late
        from beside
    )
    insert into refused (line_no, code, detail)
    select line_no, case when too_early or too_late then 'import_half_order' else 'import_half_gap' end,
           jsonb_strip_nulls(jsonb_build_object(
             'half', half, 'startsOn', starts_on,
             'other', case when too_early then half_before when too_late then half_after end,
             'otherStartsOn', case when too_early then starts_before when too_late then starts_after end,
             'missing', case when gap_before then (number - 2) / 2 || 'H' || number % 2 + 1
                             when gap_after then number / 2 || 'H' || number % 2 + 1 end))::text
      from wrong
     where line_no is not null and (too_early or too_late or gap_before or gap_after)
     order by line_no limit 1`;
  for (;;) {
    const { rowCount } = await client.query(sql);
    if (rowCount === 0) return;
  }
}

/** Adds tiers that differ from the last word on their business and half-year; all are known from one moment on. */
export async function addTiers(client: PoolClient, { who, importId }: By): Promise<number> {
  const { rowCount } = await client.query(
    `with latest as (
       select distinct on (business_no, half) *
         from merchant_tier where half in (select content ->> 'half' from staged_record)
        order by business_no, half, tier_id desc
     )
     insert into merchant_tier (business_no, half, tier, import_id, recorded_by, known_since)
     select "businessNo", said.half, said.tier, $1, $2, date_trunc('milliseconds', statement_timestamp())
       from staged_record
      cross join lateral jsonb_to_record(content) as said ("businessNo" text, half text, tier smallint)
       left join latest on business_no = "businessNo" and latest.half = said.half
      where latest.tier is distinct from said.tier
      order by line_no`,
    [importId, who],
  );
  return rowCount ?? 0;
}

/** Adds half-years that differ from the last word on them. */
export async function addHalfYears(client: PoolClient, { who, importId }: By): Promise<number> {
  const { rowCount } = await client.query(
    `with latest as (
       select distinct on (half) * from half_year order by half, half_year_id desc
     )
     insert into half_year (half, starts_on, source, import_id, recorded_by)
     select said.half, "startsOn", said.source, $1, $2
       from staged_record
      cross join lateral jsonb_to_record(content) as said (half text, "startsOn" date, source text)
       left join latest on latest.half = said.half
      where ("startsOn", said.source) is distinct from (starts_on, latest.source)
      order by line_no`,
    [importId, who],
  );
  return rowCount ?? 0;
}

/** Adds rates that differ from the last word on their tier, card type and first day. */
export async function addPreferentialRates(client: PoolClient, { who, importId }: By): Promise<number> {
  const { rowCount } = await client.query(
    `with latest as (
       select distinct on (tier, card_type, valid_from) *
         from preferential_rate order by tier, card_type, valid_from, rate_id desc
     )
     insert into preferential_rate (valid_from, tier, card_type, rate_ppm, source, import_id, recorded_by)
     select "validFrom", said.tier, "cardType", rate, said.source, $1, $2
       from staged_record
      cross join lateral jsonb_to_record(content) as said (
        "validFrom" date, tier smallint, "cardType" "char", rate int, source text)
       left join latest on latest.tier = said.tier and card_type = "cardType" and valid_from = "validFrom"
      where (rate, said.source) is distinct from (rate_ppm, latest.source)
      order by line_no`,
    [importId, who],
  );
  return rowCount ?? 0;
}

/** Adds facts that differ from the last word on their merchant and first day. */
export async function addSubMerchants(client: PoolClient, { who, importId }: By): Promise<number> {
  const { rowCount } = await client.query(
    `with latest as (
       select distinct on (merchant_id, valid_from) *
         from sub_merchant order by merchant_id, valid_from, sub_merchant_id desc
     )
     insert into sub_merchant (merchant_id, valid_from, intermediary_no, opened_on, closed_on, import_id, recorded_by)
     select "merchantId", "validFrom", "intermediaryNo", "openedOn", "closedOn", $1, $2
       from staged_record
      cross join lateral jsonb_to_record(content) as said (
        "merchantId" text, "validFrom" date, "intermediaryNo" text, "openedOn" date, "closedOn" date)
       left join latest on merchant_id = "merchantId" and valid_from = "validFrom"
      where ("intermediaryNo", "openedOn", "closedOn") is distinct from (intermediary_no, opened_on, closed_on)
      order by line_no`,
    [importId, who],
  );
  return rowCount ?? 0;
}

/** Adds BINs that differ from the last word on them and their first day. */
export async function addCardBins(client: PoolClient, { who, importId }: By): Promise<number> {
  const { rowCount } = await client.query(
    `with latest as (
       select distinct on (bin, valid_from) * from card_bin order by bin, valid_from, card_bin_id desc
     )
     insert into card_bin (bin, card_type, valid_from, import_id, recorded_by)
     select said.bin, "cardType", "validFrom", $1, $2
       from staged_record
      cross join lateral jsonb_to_record(content) as said (bin text, "cardType" "char", "validFrom" date)
       left join latest on latest.bin = said.bin and valid_from = "validFrom"
      where "cardType" is distinct from card_type
      order by line_no`,
    [importId, who],
  );
  return rowCount ?? 0;
}
