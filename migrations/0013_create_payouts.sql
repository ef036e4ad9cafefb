-- 지급. Money that leaves us, each payout with every state it went through.

-- 전문번호. Never used twice, stored before the first byte leaves.
create sequence payout_message_no;

create table payout (
  payout_id       bigint generated always as identity primary key,
  idempotency_key text collate "C" not null unique,
  kind            text not null check (kind in ('withdrawal', 'scheduled', 'direct')),
  merchant_id     text collate "C" not null,
  amount_won      bigint not null check (amount_won > 0 and amount_won <= 10000000000000),
  bank            text collate "C" not null,     -- the bank API that sends it
  account_id      bigint not null references bank_account,
  state           text not null check (state in ('awaiting_approval', 'created', 'holder_checked', 'sent', 'unknown',
                    'succeeded', 'rejected', 'cancelled')),
  requested_by    text not null,
  requested_on    date not null,                 -- business day
  requested_at    timestamptz not null,
  message_no      text collate "C" unique,
  message_on      date,                          -- the bank's day of the message: it is asked for by both
  sends           smallint not null default 0,
  asks            smallint not null default 0,
  -- In a worker's hands since then (the database's clock), under this run; null: nobody's. `claims` numbers the runs.
  claimed_by      text,
  claimed_at      timestamptz,
  claims          int not null default 0,
  next_at         timestamptz not null,          -- not to be touched before
  first_sent_at   timestamptz,
  last_sent_at    timestamptz,                   -- or when the last sending ended without a word
  finished_at     timestamptz,
  result_code     text,                          -- the bank's own, never without `bank`
  result_reason   text,                          -- a Problem's code or the bank's words
  check (state not in ('sent', 'unknown', 'succeeded') or message_no is not null),
  check ((message_no is null) = (message_on is null)),
  check ((claimed_by is null) = (claimed_at is null)),
  check ((finished_at is not null) = (state in ('succeeded', 'rejected', 'cancelled')))
);
create index payout_waiting on payout (bank, next_at)
  where claimed_by is null and state in ('created', 'holder_checked', 'sent', 'unknown');
create index payout_claimed on payout (bank) where claimed_by is not null;
create index payout_merchant on payout (merchant_id, payout_id);
create index payout_message_on on payout (bank, message_on) where message_on is not null;

-- Append-only: every change of state and every answer of the bank.
create table payout_event (
  event_id   bigint generated always as identity primary key,
  payout_id  bigint not null references payout,
  at         timestamptz not null default clock_timestamp(),
  who        text not null,
  from_state text,
  to_state   text not null,
  what       text not null,       -- requested, approved, holder_checked, sending, answered, asked, called_back, listed, …
  detail     jsonb not null default '{}'
);
create index payout_event_payout on payout_event (payout_id, event_id);
create trigger payout_event_append_only before update or delete or truncate on payout_event
  for each statement execute function refuse_change();

-- What became of a payout is said by the bank, or by two people.
create function require_settle_approval() returns trigger language plpgsql as $$
begin
  if not exists (select from approval
                  where kind = 'payout_settle' and decision = 'approved'
                    and detail ->> 'payoutId' = new.payout_id::text and detail ->> 'as' = new.to_state) then
    raise exception 'payout % was not approved to be settled by hand as %', new.payout_id, new.to_state
      using errcode = 'check_violation', constraint = 'payout_settle_approved';
  end if;
  return new;
end
$$;
create trigger payout_settle_approved before insert on payout_event
  for each row when (new.what = 'settled_by_hand') execute function require_settle_approval();

-- What an operator may change while payouts run, per bank API.
create table bank_control (
  bank              text collate "C" primary key,
  transfer_limit    int not null default 10 check (transfer_limit between 0 and 10000),
  paused            boolean not null default false,
  approval_over_won bigint not null default 100000000 check (approval_over_won >= 0),
  -- Circuit breaker: after so many technical failures in a row nothing is sent before open_until.
  failures          int not null default 0,
  open_until        timestamptz,
  changed_by        text not null,
  changed_at        timestamptz not null default clock_timestamp(),
  reason            text not null,
  raised_under      bigint references approval   -- by which two people last raised approval_over_won
);

-- Above which amount a second person approves is raised by no one person, and by one approval once.
create function require_raise_approval() returns trigger language plpgsql as $$
begin
  if new.raised_under is null or new.raised_under <= coalesce(old.raised_under, 0) or not exists (
       select from approval
        where approval_id = new.raised_under and kind = 'bank_limit' and decision = 'approved'
          and detail ->> 'bank' = new.bank and detail ->> 'approvalOverWon' = new.approval_over_won::text) then
    raise exception 'approval_over_won of % is raised by two people', new.bank
      using errcode = 'check_violation', constraint = 'bank_limit_approved';
  end if;
  return new;
end
$$;
create trigger bank_limit_approved before update on bank_control for each row
  when (new.approval_over_won > old.approval_over_won or new.raised_under is distinct from old.raised_under)
  execute function require_raise_approval();

-- Takes waiting payouts into a worker's hands: never more than the bank's limit over all processes, and one only where
-- the circuit was open and is tried again. A paused bank is still asked about what was sent. `heard`: runs of the caller
-- to which the bank has given its word and which only note it: they take none of the bank's room any more.
create function claim_payouts(of_bank text, as_of timestamptz, open_after int, heard text[]) returns setof bigint
language plpgsql as $$
declare
  control bank_control;
  free    int;
begin
  -- A statement of its own, so that those after it see what the last holder committed.
  perform pg_advisory_xact_lock(hashtextextended('jeongsan.payout.claim.' || of_bank, 0));
  select * into control from bank_control c where c.bank = of_bank;
  if not found or control.open_until > as_of then
    return;
  end if;
  free := case when control.failures >= open_after then least(control.transfer_limit, 1) else control.transfer_limit end
          - (select count(*) from payout p where p.bank = of_bank and p.claimed_by is not null and p.claimed_by <> all (heard));
  if free <= 0 then
    return;
  end if;
  return query
  with due as materialized (
    select p.payout_id from payout p
     where p.bank = of_bank and p.claimed_by is null and p.next_at <= as_of
       and p.state in ('created', 'holder_checked', 'sent', 'unknown')
       and (not control.paused or p.state in ('sent', 'unknown'))
     order by p.next_at limit free for update skip locked
  )
  update payout p set claimed_by = format('payout:%s:%s', p.payout_id, p.claims + 1), claims = p.claims + 1,
                      claimed_at = clock_timestamp()
    from due where p.payout_id = due.payout_id
  returning p.payout_id;
end
$$;

-- Whose account it is, as the bank said; asked again when it is old.
create table holder_check (
  account_id bigint not null references bank_account,
  bank       text collate "C" not null,
  checked_at timestamptz not null default clock_timestamp(),
  outcome    text not null check (outcome in ('matches', 'differs', 'no_account')),
  holder     text,
  primary key (account_id, bank, checked_at)
);

-- A bank's word by callback, kept as it came.
create table bank_callback (
  callback_id bigint generated always as identity primary key,
  bank        text collate "C" not null,
  received_at timestamptz not null default clock_timestamp(),
  body_sha256 text not null,
  body        bytea not null,
  verdict     text not null check (verdict in ('applied', 'repeated', 'no_such_payout', 'disagrees', 'unreadable', 'wrong_signature')),
  payout_id   bigint references payout
);
-- Anybody may send what is signed wrongly: so many an hour are kept, and no more.
create index bank_callback_unsigned on bank_callback (bank, received_at) where verdict = 'wrong_signature';

-- 지급 대사. The bank's transfer list of a day against our payouts, and what differs.
create table payout_list (
  bank       text collate "C" not null,
  listed_on  date not null,
  fetched_at timestamptz not null,
  message_no text collate "C" not null,
  amount_won bigint not null,
  outcome    text not null check (outcome in ('succeeded', 'rejected')),
  primary key (bank, listed_on, message_no)
);
create table payout_break (
  break_id   bigint generated always as identity primary key,
  bank       text collate "C" not null,
  listed_on  date not null,
  kind       text not null check (kind in ('missing_at_bank', 'missing_here', 'amount_differs', 'status_differs')),
  message_no text collate "C" not null,
  payout_id  bigint references payout,
  ours_won   bigint,
  theirs_won bigint,
  opened_at  timestamptz not null default clock_timestamp(),
  closed_at  timestamptz,
  closed_by  text,
  note       text,
  check ((closed_at is null) = (closed_by is null))
);
create unique index payout_break_standing on payout_break (bank, listed_on, kind, message_no) where closed_at is null;
