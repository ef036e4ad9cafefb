-- 원장. Double entry in won, append-only. Credits are positive and debits negative, so that every entry sums to 0;
-- what we owe a merchant is a credit, what somebody owes us a debit.

-- 계정과목. An account is named `kind:owner` (`wallet:M00001`, `receivable:ksnet`) or, for the house's own, `kind`.
create table ledger_chart (
  kind    text collate "C" primary key,
  owner   text not null check (owner in ('merchant', 'provider', 'house')),
  -- credit: never below 0; debit: never above 0; any: either. Accounts of `any` are hot: their balance is spread.
  side    text not null check (side in ('credit', 'debit', 'any')),
  name_ko text not null,
  name_en text not null
);
insert into ledger_chart (kind, owner, side, name_ko, name_en) values
  ('wallet',     'merchant', 'credit', '가맹점 지갑',     'merchant wallet'),
  ('held',       'merchant', 'credit', '지급보류금',      'held for the merchant'),
  ('debt',       'merchant', 'debit',  '가맹점 미수금',   'owed by the merchant'),
  ('in_flight',  'merchant', 'credit', '지급 진행금',     'payouts in flight'),
  ('receivable', 'provider', 'any',    '원천사 미수금',   'receivable from the provider'),
  ('fee',        'house',    'any',    '수수료 수익',     'fees earned'),
  ('vat',        'house',    'any',    '부가세 예수금',   'VAT collected'),
  ('rounding',   'house',    'any',    '단수 차액',       'rounding'),
  ('bank',       'house',    'any',    '지급 계좌',       'bank account for payouts'),
  ('suspense',   'house',    'any',    '가수금',          'suspense');

-- 전표. `event` is the business event that it books, so that the same event books once.
create table ledger_entry (
  event     text collate "C" primary key,
  entry_id  bigint generated always as identity unique,
  kind      text not null,              -- settlement, payout_locked, payout_paid, payout_released, hold, adjustment, …
  posted_on date not null,              -- business day
  posted_at timestamptz not null default clock_timestamp(),
  posted_by text not null,              -- a run, or a person
  reason    text,
  reverses  text collate "C" unique references ledger_entry,
  posted_in xid8 not null default pg_current_xact_id()
);

-- 분개. Hot: a partition a day, in the order of an account's statement.
create table ledger_line (
  posted_on  date not null,
  account    text collate "C" not null,
  entry_id   bigint not null,
  line_no    smallint not null,
  amount_won bigint not null check (amount_won <> 0),
  primary key (posted_on, account, entry_id, line_no)
) partition by range (posted_on);

-- What an account holds: the sum of its lines, kept by the trigger below and by nothing else. Accounts that may have any
-- sign have several rows, one of which a transaction takes, so that a hot account does not serialise the world.
create table ledger_balance (
  account     text collate "C" not null,
  shard       smallint not null,
  side        text not null,
  balance_won bigint not null,
  primary key (account, shard),
  constraint ledger_balance_side check (
    side = 'any' or (side = 'credit' and balance_won >= 0) or (side = 'debit' and balance_won <= 0))
) with (fillfactor = 50);

create function keep_ledger() returns trigger language plpgsql as $$
declare
  faulty text;
begin
  select string_agg(entry_id::text, ', ') into faulty
    from (select entry_id from added group by entry_id having sum(amount_won) <> 0 limit 5) unbalanced;
  if faulty is not null then
    raise exception 'ledger entries do not balance: %', faulty using errcode = 'check_violation', constraint = 'ledger_entry_balances';
  end if;
  -- Lines come with their entry, in its transaction and on its day: nothing is added to an entry of the past.
  select string_agg(distinct a.entry_id::text, ', ') into faulty
    from added a left join ledger_entry e on e.entry_id = a.entry_id and e.posted_on = a.posted_on
     and e.posted_in = pg_current_xact_id()
   where e.entry_id is null;
  if faulty is not null then
    raise exception 'lines of ledger entries that were not posted with them: %', faulty
      using errcode = 'check_violation', constraint = 'ledger_line_entry';
  end if;
  select string_agg(distinct a.account, ', ') into faulty
    from (select distinct account from added) a
    left join ledger_chart c on c.kind = split_part(a.account, ':', 1)
     and (c.owner = 'house') = (position(':' in a.account) = 0) and right(a.account, 1) <> ':'
   where c.kind is null;
  if faulty is not null then
    raise exception 'accounts that the chart does not know: %', faulty
      using errcode = 'check_violation', constraint = 'ledger_line_account';
  end if;
  insert into ledger_balance (account, shard, side, balance_won)
  select a.account, case c.side when 'any' then pg_backend_pid() % 8 else 0 end, c.side, 0
    from (select distinct account from added) a join ledger_chart c on c.kind = split_part(a.account, ':', 1)
   where not exists (select from ledger_balance b where b.account = a.account
                        and b.shard = case c.side when 'any' then pg_backend_pid() % 8 else 0 end)
   order by a.account
  on conflict (account, shard) do nothing;
  -- Locked in order, so that two postings onto the same accounts wait for one another instead of dead-locking.
  with change as materialized (
    select a.account, case c.side when 'any' then pg_backend_pid() % 8 else 0 end as shard, a.won
      from (select account, sum(amount_won)::bigint as won from added group by account) a
      join ledger_chart c on c.kind = split_part(a.account, ':', 1)
  ), locked as materialized (
    select b.account, b.shard from ledger_balance b join change using (account, shard) order by b.account, b.shard for update of b
  )
  update ledger_balance b set balance_won = b.balance_won + c.won
    from change c join locked using (account, shard)
   where b.account = c.account and b.shard = c.shard;
  return null;
end
$$;

create function refuse_balance_change() returns trigger language plpgsql as $$
begin
  raise exception 'balances follow from the lines of the ledger alone' using errcode = 'restrict_violation';
end
$$;

create trigger ledger_line_kept after insert on ledger_line
  referencing new table as added for each statement execute function keep_ledger();
create trigger ledger_line_append_only before update or delete or truncate on ledger_line
  for each statement execute function refuse_change();
create trigger ledger_entry_append_only before update or delete or truncate on ledger_entry
  for each statement execute function refuse_change();
create trigger ledger_balance_kept before insert or update or delete or truncate on ledger_balance
  for each statement when (pg_trigger_depth() = 0) execute function refuse_balance_change();

-- Makes the leaf of a day. What is true of the whole table has to hold for who writes to the leaf alone, too.
create function ensure_ledger_leaf(day date) returns text language plpgsql as $$
declare
  leaf text := 'ledger_line_' || to_char(day, 'YYYYMMDD');
begin
  if to_regclass(leaf) is not null then
    return leaf;
  end if;
  perform pg_advisory_xact_lock(hashtext('jeongsan:leaf:ledger_line'));
  if to_regclass(leaf) is null then
    execute format('create table %I (like ledger_line including defaults including constraints)', leaf);
    execute format('create trigger ledger_line_kept after insert on %I
                      referencing new table as added for each statement execute function keep_ledger()', leaf);
    execute format('create trigger ledger_line_append_only before update or delete or truncate on %I
                      for each statement execute function refuse_change()', leaf);
    execute format('alter table ledger_line attach partition %I for values from (%L) to (%L)', leaf, day, day + 1);
  end if;
  return leaf;
end
$$;

create view ledger_account as
  select account, split_part(account, ':', 1) as kind, nullif(split_part(account, ':', 2), '') as owner,
         sum(balance_won)::bigint as balance_won
    from ledger_balance group by account;
