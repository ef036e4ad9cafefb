-- Our side: what merchants sold, cancelled and captured. Amounts are signed won: approvals positive, cancels negative.

create table import (
  import_id    bigint generated always as identity primary key,
  kind         text not null check (kind in ('merchants', 'payments', 'deposits')),
  file_name    text not null,
  imported_by  text not null,
  started_at   timestamptz not null default now(),
  finished_at  timestamptz,
  rows_added   bigint not null default 0,
  rows_same    bigint not null default 0,
  rows_refused bigint not null default 0
);

-- A record that was refused: where it stood and why. The rest of its file went in.
create table import_refusal (
  import_id bigint not null references import,
  line_no   bigint not null,
  code      text not null,
  detail    jsonb not null,
  primary key (import_id, line_no)
);

create table merchant (
  merchant_id text collate "C" primary key,
  name        text not null,
  business_no text not null check (business_no ~ '^[0-9]{10}$'),
  import_id   bigint not null references import
);

-- Hot: partitioned by provider, then by business day. Kind: A approval, C cancel, P partial cancel.
create table payment (
  provider         text collate "C" not null,
  traded_on        date not null,
  provider_tid     text collate "C" not null,
  cancel_seq       smallint not null check (cancel_seq >= 0),
  kind             "char" not null check (kind in ('A', 'C', 'P')),
  amount_won       bigint not null,
  traded_at        timestamptz not null,
  mid              text collate "C" not null,
  merchant_id      text collate "C" not null,
  order_no         text collate "C" not null,
  approval_no      text collate "C" not null,
  acquirer         text collate "C" not null,
  issuer           text collate "C" not null,
  card_merchant_no text collate "C" not null,
  card_no          text collate "C" not null,
  instalments      smallint not null,
  import_id        bigint not null,
  primary key (provider, traded_on, provider_tid, cancel_seq),
  check ((kind = 'A') = (amount_won > 0) and (kind = 'A') = (cancel_seq = 0) and amount_won <> 0),
  check (card_no !~ '[0-9]{7,}')  -- never a full card number: BIN and last four at most
) partition by list (provider);

-- Hot: what we captured (매입), with the fee and VAT we expect the provider to keep. Kind: A approval, C any cancel.
create table capture (
  provider     text collate "C" not null,
  captured_on  date not null,
  provider_tid text collate "C" not null,
  cancel_seq   smallint not null check (cancel_seq >= 0),
  kind         "char" not null check (kind in ('A', 'C')),
  amount_won   bigint not null,
  fee_won      bigint not null,
  vat_won      bigint not null,
  traded_on    date not null,
  mid          text collate "C" not null,
  import_id    bigint not null,
  primary key (provider, captured_on, provider_tid, cancel_seq),
  check ((kind = 'A') = (amount_won > 0) and (kind = 'A') = (cancel_seq = 0) and amount_won <> 0)
) partition by list (provider);

-- Control totals of what an import added, so that a day's sums never need the rows again.
create table payment_total (
  provider      text collate "C" not null,
  traded_on     date not null,
  mid           text collate "C" not null,
  import_id     bigint not null references import,
  payments      bigint not null,
  approved_won  bigint not null,
  cancelled_won bigint not null,
  primary key (provider, traded_on, mid, import_id)
);

create table capture_total (
  provider     text collate "C" not null,
  captured_on  date not null,
  traded_on    date not null,
  mid          text collate "C" not null,
  import_id    bigint not null references import,
  captures     bigint not null,
  captured_won bigint not null,
  fee_won      bigint not null,
  vat_won      bigint not null,
  primary key (provider, captured_on, traded_on, mid, import_id)
);
create index capture_total_traded_on on capture_total (provider, traded_on);

-- 입금. What the bank says a provider paid in, one row per bank reference.
create table deposit (
  provider     text collate "C" not null,
  deposited_on date not null,
  bank_ref     text collate "C" not null,
  amount_won   bigint not null check (amount_won <> 0),
  import_id    bigint not null references import,
  primary key (provider, bank_ref)
);
create index deposit_day on deposit (provider, deposited_on);

-- Makes the leaf of a hot table for a provider and a day, with both as column defaults, so that a COPY into the
-- leaf need not carry them. Safe between processes; returns the leaf's name.
create function ensure_leaf(hot_table text, provider_id text, day date) returns text
language plpgsql as $$
declare
  branch   text := hot_table || '_' || replace(provider_id, '-', '_');
  leaf     text := branch || '_' || to_char(day, 'YYYYMMDD');
  day_name text := case hot_table when 'payment' then 'traded_on' when 'capture' then 'captured_on' else 'statement_on' end;
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
