-- What small merchants may be charged at most, as dated facts: nothing is overwritten, a correction is a later row.

alter table import drop constraint import_kind_check;
alter table import add constraint import_kind_check
  check (kind in ('merchants', 'payments', 'deposits', 'contracts', 'terms', 'accounts',
                  'tiers', 'sub_merchants', 'card_bins', 'half_years', 'rates'));

-- 반기. A grade holds from the day its half-year starts until the next one does; of several rows of a half the last counts.
create table half_year (
  half_year_id bigint generated always as identity primary key,
  half         text collate "C" not null check (half ~ '^20[0-9]{2}H[12]$'),
  starts_on    date not null,
  source       text not null,
  import_id    bigint,
  recorded_by  text not null,
  recorded_at  timestamptz not null default clock_timestamp()
);
create index half_year_half on half_year (half, half_year_id);

-- The half-years with their last day, as they are known now.
create view half_year_period as
  select half, starts_on, lead(starts_on) over (order by starts_on) - 1 as ends_on
    from (select distinct on (half) half, starts_on from half_year order by half, half_year_id desc) latest;

insert into half_year (half, starts_on, source, recorded_by)
select half, starts_on, source, 'jeongsan'
  from (values
    ('2019H1', date '2019-01-31', '여신전문금융업감독규정: 매년 1월·7월 말일 적용'),
    ('2019H2', date '2019-07-31', '여신전문금융업감독규정: 매년 1월·7월 말일 적용'),
    ('2020H1', date '2020-01-31', '여신전문금융업감독규정: 매년 1월·7월 말일 적용'),
    ('2020H2', date '2020-07-31', '여신전문금융업감독규정: 매년 1월·7월 말일 적용'),
    ('2021H1', date '2021-01-31', '여신전문금융업감독규정: 매년 1월·7월 말일 적용'),
    ('2021H2', date '2021-07-31', '여신전문금융업감독규정: 매년 1월·7월 말일 적용'),
    ('2022H1', date '2022-01-31', '여신전문금융업감독규정: 매년 1월·7월 말일 적용'),
    ('2022H2', date '2022-07-31', '여신전문금융업감독규정: 매년 1월·7월 말일 적용'),
    ('2023H1', date '2023-01-31', '여신전문금융업감독규정: 매년 1월·7월 말일 적용'),
    ('2023H2', date '2023-07-31', '여신전문금융업감독규정: 매년 1월·7월 말일 적용'),
    ('2024H1', date '2024-01-31', '여신전문금융업감독규정: 매년 1월·7월 말일 적용'),
    ('2024H2', date '2024-08-14', '금융위원회: 2024년 하반기부터 2월·8월 14일 적용'),
    ('2025H1', date '2025-02-14', '금융위원회 2025년 상반기 우대수수료율 적용'),
    ('2025H2', date '2025-08-14', '금융위원회 2025년 하반기 우대수수료율 적용'),
    ('2026H1', date '2026-02-14', '금융위원회 2026년 상반기 우대수수료율 적용'),
    ('2026H2', date '2026-08-14', '금융위원회 2026년 하반기 우대수수료율 적용'),
    ('2027H1', date '2027-02-14', '금융위원회: 2024년 하반기부터 2월·8월 14일 적용')
  ) as known (half, starts_on, source);

-- 우대수수료율. In force from `valid_from` until the next row of its tier and card type.
create table preferential_rate (
  rate_id     bigint generated always as identity primary key,
  valid_from  date not null,
  tier        smallint not null check (tier between 0 and 3),  -- 영세, 중소1, 중소2, 중소3
  card_type   "char" not null check (card_type in ('C', 'K')), -- credit, check (체크)
  rate_ppm    int not null check (rate_ppm between 0 and 1000000),
  source      text not null,
  import_id   bigint,
  recorded_by text not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index preferential_rate_tier on preferential_rate (tier, card_type, valid_from, rate_id);

-- The rates with the days on which each is in force, as they are known now.
create view preferential_rate_period as
  select tier, card_type, rate_ppm, valid_from,
         lead(valid_from) over (partition by tier, card_type order by valid_from) - 1 as valid_to
    from (select distinct on (tier, card_type, valid_from) tier, card_type, valid_from, rate_ppm
            from preferential_rate order by tier, card_type, valid_from, rate_id desc) latest;

insert into preferential_rate (valid_from, tier, card_type, rate_ppm, source, recorded_by)
select valid_from, tier, card_type, rate_ppm, source, 'jeongsan'
  from (values
    (date '2019-01-31', '금융위원회 2019-01-31 적용 우대수수료율', 8000, 5000, 13000, 10000, 14000, 11000, 16000, 13000),
    (date '2022-01-31', '금융위원회 2022-01-31 적용 우대수수료율', 5000, 2500, 11000, 8500, 12500, 10000, 15000, 12500),
    (date '2025-02-14', '금융위원회 2025-02-14 적용 우대수수료율', 4000, 1500, 10000, 7500, 11500, 9000, 14500, 11500)
  ) as known (valid_from, source, credit0, check0, credit1, check1, credit2, check2, credit3, check3)
 cross join lateral (values
    (0, 'C', credit0), (0, 'K', check0), (1, 'C', credit1), (1, 'K', check1),
    (2, 'C', credit2), (2, 'K', check2), (3, 'C', credit3), (3, 'K', check3)
  ) as rate (tier, card_type, rate_ppm);

-- 영중소 등급. For which half-year, and since when it is known: the last row of a business and half counts, and what was
-- known on an earlier day are the rows up to then. Tier 4 (일반) is not small.
create table merchant_tier (
  tier_id     bigint generated always as identity primary key,
  business_no text collate "C" not null check (business_no ~ '^[0-9]{10}$'),
  half        text collate "C" not null check (half ~ '^20[0-9]{2}H[12]$'),
  tier        smallint not null check (tier between 0 and 4),
  import_id   bigint,
  recorded_by text not null,
  known_since timestamptz not null default clock_timestamp()
);
create index merchant_tier_business on merchant_tier (business_no, half, tier_id);

-- 하위가맹점. Through which intermediary business a merchant sells, and when it opened.
create table sub_merchant (
  sub_merchant_id bigint generated always as identity primary key,
  merchant_id     text collate "C" not null,
  valid_from      date not null,
  intermediary_no text collate "C" check (intermediary_no ~ '^[0-9]{10}$'),  -- 중간하위사업자; null: none
  opened_on       date not null,
  closed_on       date check (closed_on >= opened_on),
  import_id       bigint,
  recorded_by     text not null,
  recorded_at     timestamptz not null default clock_timestamp()
);
create index sub_merchant_merchant on sub_merchant (merchant_id, valid_from, sub_merchant_id);

-- 카드 BIN. Whether a card is credit or check: the first six digits are all of a card number that we keep.
create table card_bin (
  card_bin_id bigint generated always as identity primary key,
  bin         text collate "C" not null check (bin ~ '^[0-9]{6}$'),
  card_type   "char" not null check (card_type in ('C', 'K')),
  valid_from  date not null,
  import_id   bigint,
  recorded_by text not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index card_bin_bin on card_bin (bin, valid_from, card_bin_id);

create trigger half_year_append_only before update or delete or truncate on half_year
  for each statement execute function refuse_change();
create trigger preferential_rate_append_only before update or delete or truncate on preferential_rate
  for each statement execute function refuse_change();
create trigger merchant_tier_append_only before update or delete or truncate on merchant_tier
  for each statement execute function refuse_change();
create trigger sub_merchant_append_only before update or delete or truncate on sub_merchant
  for each statement execute function refuse_change();
create trigger card_bin_append_only before update or delete or truncate on card_bin
  for each statement execute function refuse_change();
