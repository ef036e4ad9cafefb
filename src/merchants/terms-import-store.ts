import type { PoolClient } from 'pg';

type By = { readonly who: string; readonly importId: bigint };

/** Digits that may be an account number in the wrong column are not repeated. */
const shownId = `case when length(regexp_replace(content ->> 'merchantId', '\\D', '', 'g')) >= 7
                      then regexp_replace(content ->> 'merchantId', '\\d', '*', 'g')
                      else content ->> 'merchantId' end`;

/** Refuses what is said of merchants that are not there. */
export async function refuseUnknownMerchants(
  client: PoolClient,
  { confidential = false }: { readonly confidential?: boolean } = {},
): Promise<void> {
  await client.query(
    `insert into refused (line_no, code, detail)
     select line_no, 'import_merchant_unknown',
            jsonb_build_object('merchantId', ${confidential ? shownId : `content ->> 'merchantId'`})::text
       from staged_record
      where not exists (select from merchant where merchant_id = content ->> 'merchantId')`,
  );
}

/** Adds contracts that differ from the last word on their merchant, method and day, with their tiers. */
export async function addContracts(client: PoolClient, { who, importId }: By): Promise<number> {
  const { rows } = await client.query<{ added: bigint }>(
    `with staged as (
       select line_no, said.*
         from staged_record
        cross join lateral jsonb_to_record(content) as said (
          "merchantId" text, method text, "validFrom" date, "validTo" date, rate int, "fixedWon" bigint,
          "minFeeWon" bigint, "maxFeeWon" bigint, rounding text, vat text, "tierVolume" text, tiers jsonb,
          "cancelFee" text)
     ), latest as (
       select distinct on (merchant_id, method, valid_from) *
         from fee_contract order by merchant_id, method, valid_from, contract_id desc
     ), known as (
       select latest.*, coalesce(tiers, '[]') as tiers
         from latest
         left join (select contract_id,
                           jsonb_agg(jsonb_build_array(from_won::text, rate_ppm) order by from_won) as tiers
                      from fee_contract_tier group by contract_id) as tier using (contract_id)
     ), news as (
       select staged.*
         from staged
         left join known on known.merchant_id = "merchantId" and known.method = staged.method
                        and known.valid_from = "validFrom"
        where known.contract_id is null
           or ("validTo", rate, "fixedWon", "minFeeWon", "maxFeeWon", staged.rounding, staged.vat, "tierVolume",
               staged.tiers, "cancelFee")
              is distinct from
              (valid_to, rate_ppm, fixed_won, min_fee_won, max_fee_won, known.rounding, known.vat, tier_volume,
               known.tiers, cancel_fee)
     ), added as (
       insert into fee_contract (merchant_id, method, valid_from, valid_to, rate_ppm, fixed_won, min_fee_won,
                                 max_fee_won, rounding, vat, tier_volume, cancel_fee, import_id, recorded_by)
       select "merchantId", method, "validFrom", "validTo", rate, "fixedWon", "minFeeWon", "maxFeeWon", rounding, vat,
              "tierVolume", "cancelFee", $1, $2
         from news order by line_no
       returning contract_id, merchant_id, method, valid_from
     ), with_tiers as (
       insert into fee_contract_tier (contract_id, from_won, rate_ppm)
       select contract_id, (tier ->> 0)::bigint, (tier ->> 1)::int
         from added
         join news on merchant_id = "merchantId" and added.method = news.method and valid_from = "validFrom"
        cross join lateral jsonb_array_elements(tiers) as tier
     )
     select count(*) as added from added`,
    [importId, who],
  );
  return Number(rows[0]?.added ?? 0);
}

/** Adds terms that differ from the last word on their merchant and day. */
export async function addTerms(client: PoolClient, { who, importId }: By): Promise<number> {
  const { rowCount } = await client.query(
    `with latest as (
       select distinct on (merchant_id, valid_from) *
         from settlement_terms order by merchant_id, valid_from, terms_id desc
     )
     insert into settlement_terms (merchant_id, valid_from, cycle, roll, due_time, payout, payout_time, min_payout_won,
                                   import_id, recorded_by)
     select "merchantId", "validFrom", said.cycle, said.roll, "dueTime", said.payout, "payoutTime", "minPayoutWon", $1, $2
       from staged_record
      cross join lateral jsonb_to_record(content) as said (
        "merchantId" text, "validFrom" date, cycle text, roll text, "dueTime" time, payout text, "payoutTime" time,
        "minPayoutWon" bigint)
       left join latest on merchant_id = "merchantId" and valid_from = "validFrom"
      where terms_id is null
         or (said.cycle, said.roll, "dueTime", said.payout, "payoutTime", "minPayoutWon")
            is distinct from
            (latest.cycle, latest.roll, due_time, latest.payout, payout_time, min_payout_won)
      order by line_no`,
    [importId, who],
  );
  return rowCount ?? 0;
}

/** Adds accounts that differ from the last word on their merchant and day; numbers and holders are compared by fingerprint. */
export async function addAccounts(client: PoolClient, { who, importId }: By): Promise<number> {
  const { rowCount } = await client.query(
    `with latest as (
       select distinct on (merchant_id, valid_from) *
         from bank_account order by merchant_id, valid_from, account_id desc
     )
     insert into bank_account (merchant_id, valid_from, bank_code, sealed, key_id, fingerprint, last4, holder,
                               holder_sealed, holder_fingerprint, import_id, recorded_by)
     select "merchantId", "validFrom", "bankCode", decode(kept ->> 'sealed', 'hex'), kept ->> 'keyId',
            decode("accountNo", 'hex'), kept ->> 'last4', kept ->> 'holder', decode(kept ->> 'holderSealed', 'hex'),
            decode(said.holder, 'hex'), $1, $2
       from staged_record
      cross join lateral jsonb_to_record(content) as said (
        "merchantId" text, "validFrom" date, "bankCode" text, "accountNo" text, holder text)
       left join latest on merchant_id = "merchantId" and valid_from = "validFrom"
      where account_id is null
         or ("bankCode", decode("accountNo", 'hex'), decode(said.holder, 'hex'))
            is distinct from (bank_code, fingerprint, holder_fingerprint)
      order by line_no`,
    [importId, who],
  );
  return rowCount ?? 0;
}
