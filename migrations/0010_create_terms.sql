-- What we agreed with merchants, as dated facts: nothing is overwritten, a correction is a later row of the same day.

alter table import drop constraint import_kind_check;
alter table import add constraint import_kind_check
  check (kind in ('merchants', 'payments', 'deposits', 'contracts', 'terms', 'accounts'));

-- 임시 공휴일. Changes to the gazette's holidays, the last one of a day being valid.
create table calendar_override (
  override_id bigint generated always as identity primary key,
  day         date not null,
  closed      boolean not null,        -- true: a holiday; false: a business day after all
  name        text not null,
  recorded_by text not null,
  reason      text not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index calendar_override_day on calendar_override (day, override_id);

-- 수수료 계약. In force from `valid_from` until `valid_to` (its last day) or the next contract of the merchant and method.
create table fee_contract (
  contract_id   bigint generated always as identity primary key,
  merchant_id   text collate "C" not null,
  method        text not null check (method in ('card_online', 'card_offline')),
  valid_from    date not null,
  valid_to      date,
  rate_ppm      int not null check (rate_ppm between 0 and 1000000),
  fixed_won     bigint not null default 0 check (fixed_won between 0 and 1000000000),
  min_fee_won   bigint check (min_fee_won between 0 and 1000000000),
  max_fee_won   bigint check (max_fee_won between 0 and 1000000000),
  rounding      text not null check (rounding in ('floor', 'half_up', 'half_even')),
  -- added: VAT comes on top of the fee; included: the fee holds it and is split; none: exempt.
  vat           text not null check (vat in ('added', 'included', 'none')),
  -- Which volume chooses the tier, where there are tiers.
  tier_volume   text check (tier_volume in ('previous_month', 'month_to_date')),
  -- Whether a cancel gives the fee back.
  cancel_fee    text not null check (cancel_fee in ('returned', 'kept')),
  import_id     bigint,                -- the file it came with
  recorded_by   text not null,
  recorded_at   timestamptz not null default clock_timestamp(),
  check (valid_to is null or valid_to >= valid_from),
  check (max_fee_won >= min_fee_won)
);
create index fee_contract_merchant on fee_contract (merchant_id, method, valid_from, contract_id);

-- The rate from a volume on; below the lowest the contract's own rate applies.
create table fee_contract_tier (
  contract_id bigint not null references fee_contract,
  from_won    bigint not null check (from_won > 0),
  rate_ppm    int not null check (rate_ppm between 0 and 1000000),
  primary key (contract_id, from_won)
);

-- 정산 조건. Cycle: M5 (every 5 minutes), D+2 (business days), W:MON (weekly), MD:15 (monthly).
create table settlement_terms (
  terms_id       bigint generated always as identity primary key,
  merchant_id    text collate "C" not null,
  valid_from     date not null,
  cycle          text not null check (cycle ~ '^(M([1-9]|[1-5][0-9]|60)|D\+([0-9]|[1-5][0-9]|60)|W:(MON|TUE|WED|THU|FRI|SAT|SUN)|MD:([1-9]|[12][0-9]|3[01]))$'),
  roll           text not null check (roll in ('forward', 'backward', 'none')),
  due_time       time not null default '00:00',   -- of days; minutes have none
  -- 지급대행: on_request, scheduled (at payout_time); 실시간: direct
  payout         text not null check (payout in ('on_request', 'scheduled', 'direct')),
  payout_time    time,
  min_payout_won bigint not null default 1 check (min_payout_won > 0),
  import_id      bigint,
  recorded_by    text not null,
  recorded_at    timestamptz not null default clock_timestamp(),
  check ((payout = 'scheduled') = (payout_time is not null))
);
create index settlement_terms_merchant on settlement_terms (merchant_id, valid_from, terms_id);

-- 지급 계좌. The number is sealed; its fingerprint tells whether two are the same, its last digits are for people.
create table bank_account (
  account_id  bigint generated always as identity primary key,
  merchant_id text collate "C" not null,
  valid_from  date not null,
  bank_code   text not null check (bank_code ~ '^[0-9]{3}$'),
  sealed      bytea not null,
  key_id      text not null,
  fingerprint bytea not null,
  last4       text not null,
  holder      text not null,
  import_id   bigint,
  recorded_by text not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index bank_account_merchant on bank_account (merchant_id, valid_from, account_id);

create trigger calendar_override_append_only before update or delete or truncate on calendar_override
  for each statement execute function refuse_change();
create trigger fee_contract_append_only before update or delete or truncate on fee_contract
  for each statement execute function refuse_change();
create trigger fee_contract_tier_append_only before update or delete or truncate on fee_contract_tier
  for each statement execute function refuse_change();
create trigger settlement_terms_append_only before update or delete or truncate on settlement_terms
  for each statement execute function refuse_change();
create trigger bank_account_append_only before update or delete or truncate on bank_account
  for each statement execute function refuse_change();

-- 수수료. The twin of chargeFee (src/kernel/fee.ts) for whole sets, in whole numbers only:
--   … cross join lateral charge_fee(amount_won, rate_ppm, …) as charged
-- A set in the FROM clause is what the planner can put in place of the call: no function is then called at all.
-- The amount is cut at a million before it is multiplied, so that no product leaves bigint. Rounding adds, before a
-- division by an even d, d/2 (half up) or d/2 − 1 and one more where the quotient is odd (half even); by 11 there is
-- no exact half, so both add 5.
create function charge_fee(
  amount_won bigint, rate_ppm int, fixed_won bigint, min_fee_won bigint, max_fee_won bigint, rounding text, vat text
) returns table (fee_won bigint, vat_won bigint, rule text)
language sql immutable parallel safe rows 1 as $$
  select case when amount_won > 0 then taxed.fee when amount_won < 0 then - taxed.fee else 0 end,
         case when amount_won > 0 then taxed.vat when amount_won < 0 then - taxed.vat else 0 end,
         taxed.rule
    from (select case when vat = 'included'
                   then (charged.won * 10 + case when rounding = 'floor' then 0 else 5 end) / 11
                   else charged.won end as fee,
                 case vat
                   when 'added' then
                     (charged.won + case rounding when 'floor' then 0 when 'half_up' then 5
                                                  when 'half_even' then 4 + (charged.won / 10 & 1) end) / 10
                   when 'included' then
                     charged.won - (charged.won * 10 + case when rounding = 'floor' then 0 else 5 end) / 11
                   when 'none' then 0
                 end as vat,
                 charged.rule
            from (select least(greatest(raw.won, min_fee_won), max_fee_won) as won,
                         case when greatest(raw.won, min_fee_won) > max_fee_won then 'maximum'
                              when raw.won < min_fee_won then 'minimum'
                              else 'rate' end as rule
                    from (select abs(amount_won) / 1000000 * rate_ppm
                                 + (abs(amount_won) % 1000000 * rate_ppm
                                    + case rounding when 'floor' then 0 when 'half_up' then 500000
                                        when 'half_even' then
                                          499999 + (abs(amount_won) / 1000000 * rate_ppm
                                                    + abs(amount_won) % 1000000 * rate_ppm / 1000000 & 1)
                                      end) / 1000000
                                 + fixed_won as won) as raw) as charged) as taxed
$$;
