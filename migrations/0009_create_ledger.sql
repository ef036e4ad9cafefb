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
  reverses  text collate "C",           -- the event whose entry this one takes back
  posted_in xid8 not null default pg_current_xact_id()
);
create unique index ledger_entry_reverses on ledger_entry (reverses) where reverses is not null;

-- Instead of a foreign key, which would ask about every entry that reverses nothing, too.
create function require_reversed() returns trigger language plpgsql as $$
begin
  if not exists (select from ledger_entry where event = new.reverses) then
    raise exception 'event % was never booked', new.reverses
      using errcode = 'check_violation', constraint = 'ledger_entry_reversed';
  end if;
  return new;
end
$$;
create trigger ledger_entry_reversed before insert on ledger_entry
  for each row when (new.reverses is not null) execute function require_reversed();

-- 분개. Hot: a partition a day, in the order of an account's statement.
create table ledger_line (
  posted_on  date not null,
  account    text collate "C" not null,
  entry_id   bigint not null,
  line_no    smallint not null,
  amount_won bigint not null check (amount_won <> 0),
  primary key (posted_on, account, entry_id, line_no)
) partition by range (posted_on);
-- Entries come in the order of their numbers: a few bytes per 16 pages find the lines of one.
create index ledger_line_entry on ledger_line using brin (entry_id) with (pages_per_range = 16, autosummarize = on);

-- What an account holds: the sum of its lines, kept by the trigger below and by nothing else. Accounts that may have any
-- sign have several rows, one of which a transaction takes, so that a hot account does not serialise the world.
create table ledger_balance (
  account     text collate "C" not null,
  shard       smallint not null,
  side        text not null constraint ledger_account_known check (side in ('credit', 'debit', 'any')),
  balance_won bigint not null,
  primary key (account, shard),
  constraint ledger_balance_side check (
    case side when 'credit' then balance_won >= 0 when 'debit' then balance_won <= 0 else true end)
) with (fillfactor = 50);

-- As sum(), in 64 bits throughout: exact, or an error. Made for every posting, and several times as fast.
create aggregate sum_won(bigint) (sfunc = int8pl, stype = bigint, combinefunc = int8pl, parallel = safe);

-- Its plans are kept for the session, whatever number of lines they were made for. So accounts are looked up by their index
-- and entries are compared by grouping: the cost grows with the lines alone, neither with their square nor with the ledger.
create function keep_ledger() returns trigger language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  faulty    bigint;
  imbalance bigint;
  accounts  text[];
  amounts   bigint[];
  -- Of an account of any sign, the row that this connection adds to; the others have one row, 0.
  own       smallint := pg_backend_pid() % 8 + 1;
begin
  -- Lines come with their entry, in its transaction and on its day: nothing is added to an entry of the past.
  select entry_id, sum_won(won) into faulty, imbalance
    from (select entry_id, posted_on, amount_won as won, false as posted from added
          union all
          select entry_id, posted_on, 0, true from ledger_entry
           where entry_id between (select min(entry_id) from added) and (select max(entry_id) from added)
             and posted_in = pg_current_xact_id()) line
   group by entry_id, posted_on having sum_won(won) <> 0 or not bool_or(posted)
   order by sum_won(won) = 0, entry_id limit 1;
  if imbalance <> 0 then
    raise exception 'ledger entry % does not balance: %', faulty, imbalance
      using errcode = 'check_violation', constraint = 'ledger_entry_balances';
  elsif faulty is not null then
    raise exception 'lines of ledger entry % were not posted with it', faulty
      using errcode = 'check_violation', constraint = 'ledger_line_entry';
  end if;
  select array_agg(account order by account), array_agg(won order by account) into accounts, amounts
    from (select account, sum_won(amount_won) as won from added group by account) change;
  -- All rows that are missing are made before any other is locked, and both in the order of the accounts: two postings
  -- onto the same accounts wait for one another instead of dead-locking.
  if cardinality(accounts)
     > (select count(*) from ledger_balance where account = any (accounts) and shard in (0, own)) then
    insert into ledger_balance (account, shard, side, balance_won)
    select a.account, case c.side when 'any' then own else 0 end, coalesce(c.side, 'unknown'), 0
      from unnest(accounts) as a (account)
      left join ledger_chart c on c.kind = split_part(a.account, ':', 1)
       and (c.owner = 'house') = (position(':' in a.account) = 0) and right(a.account, 1) <> ':'
     where not exists (select from ledger_balance b where b.account = a.account and b.shard in (0, own))
     order by a.account
    on conflict (account, shard) do nothing;
  end if;
  -- Of the ways to join that are left to the planner, each takes the accounts in their order, and so locks them.
  with change as materialized (
    select account, won from unnest(accounts, amounts) as a (account, won) order by account collate "C"
  )
  update ledger_balance b set balance_won = b.balance_won + c.won
    from change c
   where b.account = c.account and b.shard in (0, own);
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
  -- Not to_regclass: it may remember that there was none before the lock was waited for.
  if not exists (select from pg_class where relname = leaf and relnamespace = (select relnamespace from pg_class where oid = 'ledger_line'::regclass)) then
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
  select account, split_part(account, ':', 1) as kind, nullif(substr(account, strpos(account, ':') + 1), account) as owner,
         sum(balance_won)::bigint as balance_won
    from ledger_balance group by account;

-- Books one event, in one round trip; false where it was booked before with the same lines.
create function post_ledger_entry(
  event_name text, entry_kind text, on_day date, by_whom text, why text, of_event text, accounts text[], amounts bigint[]
) returns boolean language plpgsql as $$
declare
  booked bigint;
begin
  perform ensure_ledger_leaf(on_day);
  insert into ledger_entry (event, kind, posted_on, posted_by, reason, reverses)
  values (event_name, entry_kind, on_day, by_whom, why, of_event)
  on conflict (event) do nothing returning entry_id into booked;
  if booked is not null then
    insert into ledger_line (posted_on, account, entry_id, line_no, amount_won)
    select on_day, account, booked, n, won from unnest(accounts, amounts) with ordinality as line (account, won, n);
    return true;
  end if;
  if exists (
    (select l.account, l.amount_won from ledger_entry e join ledger_line l using (posted_on, entry_id) where e.event = event_name
     except all select * from unnest(accounts, amounts))
    union all
    (select * from unnest(accounts, amounts) except all
     select l.account, l.amount_won from ledger_entry e join ledger_line l using (posted_on, entry_id) where e.event = event_name)
  ) then
    raise exception 'event % was booked before with other lines', event_name
      using errcode = 'check_violation', constraint = 'ledger_event_differs';
  end if;
  return false;
end
$$;

-- Numbers of manual adjustments.
create sequence ledger_adjustment_no;
