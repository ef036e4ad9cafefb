-- 차액정산. What small merchants were charged above their preferential rate: the claims, and the files that carry them.

-- 차액정산 작업. A provider's job for the captures of a day, whatever became of it.
create table differential_batch (
  batch_id        bigint generated always as identity primary key,
  provider        text collate "C" not null,   -- whom we claim from: welcome, ksnet, nice
  claimed_on      date not null,               -- the day whose captures are claimed
  run_id          text not null,               -- differential:welcome:2026-11-20
  state           text not null check (state in ('selecting', 'selected', 'waiting', 'done', 'failed')),
  opened_by       text not null,
  opened_at       timestamptz not null default clock_timestamp(),
  selected_at     timestamptz,
  finished_at     timestamptz,
  parts           int,                         -- in which it is selected, once that is planned
  candidates      bigint not null default 0,   -- captures looked at
  claims          bigint not null default 0,
  held            bigint not null default 0,   -- of the claims: held back with a reason
  ineligible      bigint not null default 0,   -- not small, or no tier known
  not_overcharged bigint not null default 0,   -- charged no more than the preferential fee
  difference_won  bigint not null default 0,   -- of the claims, ours
  reason          text,
  unique (provider, claimed_on)
);

-- The parts of a batch that have been selected, each once.
create table differential_part (
  batch_id        bigint not null references differential_batch,
  part            int not null,
  candidates      bigint not null,
  claims          bigint not null,
  held            bigint not null,
  ineligible      bigint not null,
  not_overcharged bigint not null,
  difference_won  bigint not null,
  primary key (batch_id, part)
);

-- How many captures of a day were looked at, and how many tiers, half-years and rates were known then: what came in or
-- became known later is found by comparing.
create table differential_input (
  channel     text collate "C" not null,
  captured_on date not null,
  captures    bigint not null,
  facts       bigint not null,
  batch_id    bigint not null references differential_batch,
  primary key (channel, captured_on, batch_id)
);

-- On which days the claims of a batch were traded: no other leaf is read for it.
create table differential_day (
  batch_id  bigint not null references differential_batch,
  channel   text collate "C" not null,
  traded_on date not null,
  primary key (batch_id, channel, traded_on)
);

-- Captures that cannot be judged yet, since a payment, or the capture of the approval they cancel, has not come in.
create table differential_waiting (
  channel      text collate "C" not null,
  captured_on  date not null,
  provider_tid text collate "C" not null,
  cancel_seq   smallint not null,
  traded_on    date not null,
  mid          text collate "C" not null,
  batch_id     bigint not null references differential_batch,  -- that first looked at it
  reason       text not null check (reason in ('payment_missing', 'original_missing')),
  since        timestamptz not null default clock_timestamp(),
  primary key (channel, captured_on, provider_tid, cancel_seq)
);

-- 청구 파일. What we send: claims of a batch, or registrations. Its bytes are kept before they are sent.
create table claim_file (
  file_id        bigint generated always as identity primary key,
  batch_id       bigint references differential_batch,   -- null: registrations
  provider       text collate "C" not null,
  kind           text not null check (kind in ('claims', 'registration')),
  on_day         date not null,                -- the day in its name: the batch's, or the registration's
  mid            text collate "C" not null,    -- '' where a file holds all MIDs
  file_name      text collate "C" not null,
  state          text not null check (state in ('written', 'sent', 'answered', 'expired', 'failed')),
  lines          bigint not null,
  amount_won     bigint not null,
  difference_won bigint not null,
  bytes          bigint not null,
  sha256         text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  archive_path   text not null,
  written_at     timestamptz not null default clock_timestamp(),
  sending_at     timestamptz,                  -- the first byte may have left from here on
  sent_at        timestamptz,
  found_there    boolean,                      -- true: after a doubt it was there already
  poll_from      timestamptz,
  deadline_at    timestamptz,
  reason         text,
  unique (provider, kind, on_day, mid),
  unique (provider, file_name)
);
create index claim_file_batch on claim_file (batch_id);
create index claim_file_waiting on claim_file (provider) where state in ('written', 'sent', 'expired');

-- The numbers of a batch's files, drawn before its claims are selected: a claim is written once, with its file.
create table differential_file_number (
  batch_id bigint not null references differential_batch,
  mid      text collate "C" not null,          -- '' where a file holds all MIDs
  file_id  bigint not null,
  primary key (batch_id, mid)
);

-- 차액정산 신청 건. Hot, for all providers. A transaction is claimed once per kind: D daily, R retroactive (소급환급).
-- Most claims are written once: what becomes of them is their file's way and their row in claim_result. `state` tells
-- those that left it: P plain, H held back (reason), R rejected (may be corrected), X rejected for good, Q to be sent again.
create table claim (
  channel          text collate "C" not null,  -- the provider of the payment
  traded_on        date not null,              -- of this approval or cancel
  provider_tid     text collate "C" not null,
  cancel_seq       smallint not null,
  kind             "char" not null check (kind in ('D', 'R')),
  state            "char" not null check (state in ('P', 'H', 'R', 'X', 'Q')),
  type             "char" not null check (type in ('A', 'C', 'P')),  -- approval, full cancel, partial cancel
  card_type        "char" check (card_type in ('C', 'K')),           -- null, as all that is priced by it: not known
  rule             "char" check (rule in ('R', 'M')), -- how the difference came about: rate, or what remained of the original's
  tier             smallint not null check (tier between 0 and 3),
  attempt          smallint not null default 1,
  rate_ppm         int,
  captured_on      date not null,
  original_on      date not null,              -- of the approval
  batch_id         bigint,                     -- of daily claims
  file_id          bigint,                     -- in which it was (last) sent; null: in none yet
  amount_won       bigint not null,            -- signed
  original_won     bigint not null,            -- of the approval
  charged_won      bigint not null,            -- fee and VAT that the provider charged, signed
  preferential_won bigint,                     -- fee and VAT by the preferential rate, signed
  difference_won   bigint,                     -- what we claim, VAT included, signed
  provider         text collate "C" not null,  -- whom we claim from
  merchant_id      text collate "C" not null,
  mid              text collate "C" not null,
  acquirer         text collate "C" not null,
  order_no         text collate "C" not null,
  final_no         text collate "C" not null,  -- 최종하위사업자번호
  intermediary_no  text collate "C",           -- 중간하위사업자번호
  reason           text,                       -- of H: why; of R and X: the code, namespaced (welcome:09)
  -- What tells rows of a leaf apart comes first: it is compared and looked up by that alone.
  primary key (provider_tid, cancel_seq, kind, channel, traded_on),
  check ((state in ('H', 'R', 'X')) = (reason is not null)),
  check (state = 'H' or (card_type is not null and rule is not null and rate_ppm is not null
                         and preferential_won is not null and difference_won is not null))
) partition by list (channel);
-- The few that are not on their plain way are found without reading those that are.
create index claim_aside on claim (provider, state, provider_tid) where state <> 'P';

-- The way of a claim that left the plain one, append-only.
create table claim_event (
  event_id     bigint generated always as identity primary key,
  channel      text collate "C" not null,
  traded_on    date not null,
  provider_tid text collate "C" not null,
  cancel_seq   smallint not null,
  kind         "char" not null,
  at           timestamptz not null default clock_timestamp(),
  by           text not null,
  event        text not null,                  -- held, released, rejected, queued, sent_again, revised
  reason       text,
  detail       jsonb not null default '{}'
);
create index claim_event_claim on claim_event (channel, provider_tid, event_id);

create function keep_claim() returns trigger language plpgsql as $$
begin
  if (old.channel, old.traded_on, old.provider_tid, old.cancel_seq, old.kind, old.type, old.provider, old.merchant_id,
      old.amount_won, old.original_won, old.charged_won, old.captured_on, old.original_on)
     is distinct from
     (new.channel, new.traded_on, new.provider_tid, new.cancel_seq, new.kind, new.type, new.provider, new.merchant_id,
      new.amount_won, new.original_won, new.charged_won, new.captured_on, new.original_on) then
    raise exception 'what a claim is about never changes' using errcode = 'restrict_violation';
  end if;
  if old.state = 'P' and (old.difference_won, old.tier, old.card_type, old.rate_ppm)
     is distinct from (new.difference_won, new.tier, new.card_type, new.rate_ppm) then
    raise exception 'a claim on its way is not priced again' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;

create trigger claim_kept before update on claim for each row execute function keep_claim();
create trigger claim_not_removed before delete or truncate on claim for each statement execute function refuse_change();

create trigger claim_event_append_only before update or delete or truncate on claim_event
  for each statement execute function refuse_change();
