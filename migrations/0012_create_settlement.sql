-- 정산. What was captured becomes settlement items and wallet credit, in one flow, slot after slot.

-- Captures that came in and that no slot has taken yet. Written with the import that brought them, in its transaction:
-- finding what is new never looks at history.
create table capture_arrival (
  import_id   bigint not null,
  provider    text collate "C" not null,
  captured_on date not null,
  captures    bigint not null,
  taken_by    text,                       -- the run that settles them
  primary key (import_id, provider, captured_on)
);
create index capture_arrival_waiting on capture_arrival (import_id) where taken_by is null;
create index capture_arrival_taken on capture_arrival (taken_by) where taken_by is not null;
insert into capture_arrival (import_id, provider, captured_on, captures)
  select import_id, provider, captured_on, sum(captures) from capture_total group by 1, 2, 3;
-- Captures lie in the order of their imports: a few bytes per 128 pages find those of one.
create index capture_import on capture using brin (import_id) with (pages_per_range = 16, autosummarize = on);

-- 정산 회차. One row a slot, whatever became of it.
create table settlement_cycle (
  slot         timestamptz primary key,
  run_id       text not null,              -- settle:2026-11-20T12:05+09:00
  state        text not null check (state in ('running', 'settled', 'failed', 'skipped')),
  started_by   text not null,
  started_at   timestamptz not null default clock_timestamp(),
  credited_at  timestamptz,                -- the last wallet was credited
  finished_at  timestamptz,
  makes_up     timestamptz,                -- the first of the missed slots that this one made up for
  parts        smallint not null default 0, -- a slot of very many captures is settled in parts, each in a transaction
  done_parts   smallint[] not null default '{}',
  parts_done   smallint generated always as (cardinality(done_parts)) stored,
  captures     bigint not null default 0,  -- newly arrived
  items        bigint not null default 0,
  merchants    bigint not null default 0,
  set_aside    bigint not null default 0,
  waiting      bigint not null default 0,  -- not due yet
  gross_won    bigint not null default 0,
  fee_won      bigint not null default 0,
  vat_won      bigint not null default 0,
  net_won      bigint not null default 0,
  credited_won bigint not null default 0,  -- the wallets' change
  reason       text
);
create unique index settlement_cycle_running on settlement_cycle ((true)) where state = 'running';

-- 정산 내역. What a slot did for a merchant: net = gross − fee − VAT = wallet + held − debt repaid (offset) + new debt's …
-- in full: net_won = wallet_won + held_won + offset_won − carried_won.
create table settlement (
  settled_on  date not null,               -- the slot's day in Seoul
  slot        timestamptz not null,
  merchant_id text collate "C" not null,
  part        smallint not null,           -- a slot of very many captures is settled in parts, by merchant
  items       int not null,
  gross_won   bigint not null,
  fee_won     bigint not null,
  vat_won     bigint not null,
  net_won     bigint not null,
  offset_won  bigint not null check (offset_won >= 0),   -- 상계: repaid of the merchant's debt
  carried_won bigint not null check (carried_won >= 0),  -- 이월: became the merchant's debt
  held_won    bigint not null,                           -- went to (or was clawed back from) what is held
  wallet_won  bigint not null,                           -- the wallet's change
  check (net_won = gross_won - fee_won - vat_won),
  check (net_won = wallet_won + held_won + offset_won - carried_won),
  primary key (settled_on, merchant_id, slot, part)
) partition by range (settled_on);

-- 정산 건. Hot. The key is the capture's: nothing is ever settled twice. Holds the working of its amounts.
create table settlement_item (
  provider     text collate "C" not null,
  captured_on  date not null,
  provider_tid text collate "C" not null,
  cancel_seq   smallint not null,
  merchant_id  text collate "C" not null,
  slot         timestamptz not null,
  part         smallint not null,
  amount_won   bigint not null check (amount_won <> 0 and abs(amount_won) <= 10000000000000),
  contract_id  bigint not null,
  rate_ppm     int not null,
  -- How the fee came about: rate, minimum, maximum; of a cancel also remainder (what was left of the original's), kept.
  rule         text not null check (rule in ('rate', 'minimum', 'maximum', 'remainder', 'kept')),
  fee_won      bigint not null,
  vat_won      bigint not null,
  primary key (provider, captured_on, provider_tid, cancel_seq)
) partition by list (provider);
-- Items lie in the order of their slots: a few bytes per 16 pages find those of one.
create index settlement_item_slot on settlement_item using brin (slot) with (pages_per_range = 16, autosummarize = on);

-- Captures that are not settled yet: not due, or set aside with a reason. Small.
create table unsettled_capture (
  provider     text collate "C" not null,
  captured_on  date not null,
  provider_tid text collate "C" not null,
  cancel_seq   smallint not null,
  traded_on    date not null,
  mid          text collate "C" not null,
  merchant_id  text collate "C",            -- null: not known
  amount_won   bigint not null,
  due_at       timestamptz not null,
  since        timestamptz not null default clock_timestamp(),
  attempts     smallint not null default 0, -- slots that set it aside, until a person was told
  reason       text,                        -- null: merely not due; else a Problem's code
  detail       jsonb,
  primary key (provider, captured_on, provider_tid, cancel_seq)
);
create index unsettled_capture_due on unsettled_capture (due_at);
create index unsettled_capture_tid on unsettled_capture (provider, provider_tid);
create index unsettled_capture_merchant on unsettled_capture (merchant_id);

-- What a merchant with tiers has sold in a month, so that choosing its rate never looks at the month's settlements. Of
-- merchants that have a contract with tiers alone; a month that is not here yet is summed up when it is first asked for.
create table settlement_volume (
  month       date not null,               -- its first day
  merchant_id text collate "C" not null,
  gross_won   bigint not null,
  primary key (month, merchant_id)
);

-- 지급보류. What a merchant would be credited is held instead, until the hold is released.
create table settlement_hold (
  hold_id     bigint generated always as identity primary key,
  merchant_id text collate "C" not null,
  amount_won  bigint check (amount_won > 0),   -- of the wallet, at once; null: all that is in it and comes
  reason      text not null,
  placed_by   text not null,
  placed_at   timestamptz not null default clock_timestamp(),
  released_by text,
  released_at timestamptz,
  release_reason text,
  check ((released_at is null) = (released_by is null) and (released_at is null) = (release_reason is null))
);
create index settlement_hold_standing on settlement_hold (merchant_id) where released_at is null;

create trigger settlement_append_only before update or delete or truncate on settlement
  for each statement execute function refuse_change();
create trigger settlement_item_append_only before update or delete or truncate on settlement_item
  for each statement execute function refuse_change();

create or replace function ensure_leaf(hot_table text, provider_id text, day date) returns text
language plpgsql as $$
declare
  branch   text := hot_table || '_' || replace(provider_id, '-', '_');
  leaf     text := branch || '_' || to_char(day, 'YYYYMMDD');
  day_name text := case hot_table when 'payment' then 'traded_on' when 'capture' then 'captured_on'
                                  when 'settlement_item' then 'captured_on' else 'statement_on' end;
begin
  if to_regclass(leaf) is not null then
    return leaf;
  end if;
  perform pg_advisory_xact_lock(hashtext('jeongsan:leaf:' || branch));
  if to_regclass(branch) is null then
    -- Attached rather than created in place: that way readers of the other partitions need not stop.
    execute format('create table %I (like %I including defaults including constraints) partition by range (%I)',
                   branch, hot_table, day_name);
    execute format('alter table %I attach partition %I for values in (%L)', hot_table, branch, provider_id);
  end if;
  if to_regclass(leaf) is null then
    execute format('create table %I (like %I including defaults including constraints)', leaf, branch);
    execute format('alter table %I alter column provider set default %L, alter column %I set default %L',
                   leaf, provider_id, day_name, day);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', branch, leaf, day, day + 1);
  end if;
  return leaf;
end
$$;

create function ensure_settlement_leaf(day date) returns text language plpgsql as $$
declare
  leaf text := 'settlement_' || to_char(day, 'YYYYMMDD');
begin
  if to_regclass(leaf) is not null then
    return leaf;
  end if;
  perform pg_advisory_xact_lock(hashtext('jeongsan:leaf:settlement'));
  if to_regclass(leaf) is null then
    execute format('create table %I (like settlement including defaults including constraints)', leaf);
    execute format('alter table settlement attach partition %I for values from (%L) to (%L)', leaf, day, day + 1);
  end if;
  return leaf;
end
$$;
