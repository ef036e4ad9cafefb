-- 대사. Only what differs is written: a record of a reconciled day without a row here is matched.

-- One request to reconcile a business day; its steps live in the durable engine under the same id.
create table reconciliation_run (
  run_id      text primary key,           -- reconcile:2026-11-20:1
  business_on date not null,
  attempt     int not null,
  providers   text[] not null,
  stages      text[] not null,
  started_by  text not null,
  started_at  timestamptz not null default now(),
  finished_at timestamptz,
  outcome     text check (outcome in ('complete', 'incomplete')),
  report_path text,
  unique (business_on, attempt)
);

-- What a run did for one stage of one provider.
create table reconciliation_run_stage (
  run_id      text not null references reconciliation_run,
  provider    text collate "C" not null,
  stage       text not null,
  outcome     text not null check (outcome in ('reconciled', 'unchanged', 'missing', 'waiting', 'refused', 'failed')),
  detail      jsonb not null,
  started_at  timestamptz not null,
  finished_at timestamptz not null,
  lines       bigint not null default 0,
  primary key (run_id, provider, stage)
);

-- A stage of a day as it stands: the inputs it was computed from. Unchanged inputs need no second look.
create table reconciled_stage (
  provider      text collate "C" not null,
  stage         text not null,
  business_on   date not null,
  inputs        text not null,            -- loads, last import and held captures, in words
  load_ids      int[] not null,
  ours          bigint not null,
  ours_won      bigint not null,
  lines         bigint not null,
  lines_won     bigint not null,
  declared_won  bigint not null,
  run_id        text not null,
  reconciled_at timestamptz not null default now(),
  primary key (provider, stage, business_on)
);

-- A pair that the first pass did not see as plainly equal: found by a weaker key, on another day, or dated differently.
-- Each record is consumed at most once, by constraint.
create table pairing (
  provider       text collate "C" not null,
  stage          text not null,
  ours_on        date not null,
  provider_tid   text collate "C" not null,
  cancel_seq     smallint not null,
  theirs_on      date not null,
  load_id        int not null,
  line_no        int not null,
  pass           text not null,
  outcome        text not null check (outcome in ('matched', 'timing', 'differs')),
  was_held       boolean not null default false,
  ours           jsonb not null,
  theirs         jsonb not null,
  ours_won       bigint not null,
  theirs_won     bigint not null,
  run_id         text not null,
  paired_at      timestamptz not null default now(),
  primary key (provider, stage, ours_on, provider_tid, cancel_seq),
  unique (load_id, line_no)
);
create index pairing_theirs on pairing (provider, stage, theirs_on);

-- 불일치. One difference, from its first sight to its end.
create table break (
  break_id       bigint generated always as identity primary key,
  provider       text collate "C" not null,
  stage          text not null,
  business_on    date not null,
  kind           text not null check (kind in ('missing_at_provider', 'missing_here', 'amount_differs', 'status_differs',
                   'date_differs', 'fee_differs', 'vat_differs', 'net_differs', 'duplicate', 'capture_rejected',
                   'capture_held', 'unreadable', 'deposit_differs')),
  identity       text collate "C" not null,  -- what makes it the same difference when the day is computed again
  provider_tid   text collate "C",
  cancel_seq     smallint,
  ours_on        date,
  load_id        int,
  line_no        int,
  difference_won bigint,                     -- theirs − ours; null where it cannot be known
  effect_won     bigint not null,            -- its part of the day's equation
  pass           text,                       -- the pass that paired it
  ours           jsonb,
  theirs         jsonb,
  state          text not null default 'open' check (state in ('open', 'investigating', 'resolved')),
  resolution     text check (resolution in ('matched_later', 'superseded', 'corrected_by_us', 'accepted_by_provider',
                   'written_off')),
  assigned_to    text,
  opened_run     text not null,
  opened_at      timestamptz not null default now(),
  escalated_at   timestamptz,
  resolved_at    timestamptz,
  gone_at        timestamptz,                -- since when the difference itself no longer exists
  check ((state = 'resolved') = (resolution is not null)),
  check ((state = 'resolved') = (resolved_at is not null)),
  check (gone_at is null or resolution in ('matched_later', 'superseded', 'corrected_by_us', 'accepted_by_provider',
                                           'written_off'))
);
create unique index break_standing on break (provider, stage, business_on, kind, identity) where gone_at is null;
create index break_day on break (business_on, provider, stage);
create index break_unresolved on break (provider, stage, business_on) where state <> 'resolved';

-- Who did what to a break, when and why. Append-only: the database refuses anything else.
create table break_event (
  event_id   bigint generated always as identity primary key,
  break_id   bigint not null references break,
  at         timestamptz not null default now(),
  who        text not null,
  action     text not null check (action in ('opened', 'changed', 'assigned', 'commented', 'investigating', 'escalated',
               'resolved', 'gone')),
  from_state text,
  to_state   text not null,
  note       text
);
create index break_event_break on break_event (break_id);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % are never changed or deleted', tg_table_name using errcode = 'restrict_violation';
end
$$;
create trigger break_event_append_only before update or delete or truncate on break_event
  for each statement execute function refuse_change();

-- What is still unmatched, with all that a later pass needs. Small: a day costs what that day holds.
create table open_item (
  provider         text collate "C" not null,
  stage            text not null,
  side             text not null check (side in ('ours', 'theirs')),
  business_on      date not null,           -- our record's day, or the statement's
  provider_tid     text collate "C" not null,
  cancel_seq       smallint not null,
  load_id          int not null default 0,  -- theirs only
  line_no          int not null default 0,
  kind             "char" not null,
  result           "char" not null default 'A',  -- of a capture line
  amount_won       bigint not null,
  fee_won          bigint not null,
  vat_won          bigint not null,
  net_won          bigint not null,
  dated_on         date not null,           -- the day that the record itself names for this stage
  traded_on        date not null,
  mid              text collate "C" not null,
  approval_no      text collate "C" not null,
  order_no         text collate "C" not null,
  acquirer         text collate "C" not null,
  card_merchant_no text collate "C" not null,
  card_no          text collate "C" not null,
  held             boolean not null,        -- captured but rejected or held: not expected in a settlement yet
  awaits_on        date,                    -- not a break before this neighbouring day is reconciled
  break_id         bigint references break,
  primary key (provider, stage, side, business_on, provider_tid, cancel_seq, load_id, line_no)
);
