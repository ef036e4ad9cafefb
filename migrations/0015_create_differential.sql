-- 차액정산. What small merchants were charged above their preferential rate: claimed, answered, refunded.

alter table approval drop constraint approval_kind_check;
alter table approval add constraint approval_kind_check
  check (kind in ('payout', 'payout_settle', 'bank_limit', 'adjustment', 'retroactive_refund'));

insert into ledger_chart (kind, owner, side, name_ko, name_en) values
  ('refund_receivable', 'provider', 'any', '차액정산 미수금', 'differential refund receivable');

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

-- 결과 파일. What a provider answered to a file, a row for each version: bytes of an older one may come back.
create table answer_file (
  answer_id    bigint generated always as identity primary key,
  file_id      bigint not null references claim_file,
  stage        text not null check (stage in ('validation', 'answer')),
  version      int not null check (version > 0),
  file_name    text collate "C" not null,
  sha256       text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  bytes        bigint not null,
  archive_path text not null,
  modified_at  timestamptz,                    -- as the provider's server said when these bytes were last seen there
  received_at  timestamptz not null default clock_timestamp(),
  state        text not null check (state in ('received', 'applied', 'refused')),
  problem      jsonb,
  applied_at   timestamptz,
  lines        bigint,
  accepted     bigint,                         -- newly
  rejected     bigint,                         -- newly
  repeated     bigint,                         -- said before, and the same
  set_aside    bigint,                         -- unknown, unreadable, contradictory: each is a break
  difference_won bigint,                       -- theirs, of the newly accepted
  unique (file_id, stage, version),
  check ((state = 'refused') = (problem is not null))
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

-- 승인된 신청 건. Hot, append-only. A claim is accepted once, by its key; what is said later is a revision.
create table claim_result (
  channel        text collate "C" not null,
  traded_on      date not null,
  provider_tid   text collate "C" not null,
  cancel_seq     smallint not null,
  kind           "char" not null,
  tier           smallint,
  card_type      "char",
  pay_on         date,
  line_no        int,
  answer_id      bigint,                       -- null: retroactive
  difference_won bigint not null,              -- theirs, VAT included, signed
  supply_won     bigint not null,
  vat_won        bigint not null,
  primary key (provider_tid, cancel_seq, kind, channel, traded_on),
  check (difference_won = supply_won + vat_won)
) partition by list (channel);

-- 반려. Why a try was rejected.
create table claim_rejection (
  channel      text collate "C" not null,
  traded_on    date not null,
  provider_tid text collate "C" not null,
  cancel_seq   smallint not null,
  kind         "char" not null,
  attempt      smallint not null,
  answer_id    bigint not null references answer_file,
  line_no      int not null,
  code         text collate "C" not null,      -- namespaced: welcome:09
  final        boolean not null,
  rejected_at  timestamptz not null default clock_timestamp(),
  primary key (channel, traded_on, provider_tid, cancel_seq, kind, attempt, answer_id)
);

-- 정정. What an answer says otherwise than the answer before it: what had been booked, and what holds now.
create table claim_revision (
  revision_id    bigint generated always as identity primary key,
  channel        text collate "C" not null,
  traded_on      date not null,
  provider_tid   text collate "C" not null,
  cancel_seq     smallint not null,
  kind           "char" not null,
  answer_id      bigint not null references answer_file,
  line_no        int not null,
  before_won     bigint not null,
  after_won      bigint not null,              -- 0 where it is not accepted any more
  accepted       boolean not null default true,
  code           text collate "C" not null,
  revised_at     timestamptz not null default clock_timestamp(),
  unique (channel, traded_on, provider_tid, cancel_seq, kind, answer_id)
);
-- The latest of a claim is what holds.
create index claim_revision_latest on claim_revision (channel, traded_on, provider_tid, cancel_seq, kind, revision_id);

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

-- 차액정산 불일치. What an answer says otherwise than we do. Open until it agrees or a person has resolved it.
create table claim_break (
  break_id     bigint generated always as identity primary key,
  provider     text collate "C" not null,
  kind         text not null,
  subject      text collate "C" not null,      -- the claim, the line, or the file that it is about
  channel      text collate "C",
  traded_on    date,
  provider_tid text collate "C",
  cancel_seq   smallint,
  claim_kind   "char",
  answer_id    bigint references answer_file,
  line_no      int,
  ours_won     bigint,
  theirs_won   bigint,
  detail       jsonb not null default '{}',
  opened_at    timestamptz not null default clock_timestamp(),
  closed_at    timestamptz,
  closed_by    text,
  resolution   text,
  check ((closed_at is null) = (closed_by is null) and (closed_at is null) = (resolution is null))
);
create unique index claim_break_open on claim_break (provider, kind, subject) where closed_at is null;
create index claim_break_claim on claim_break (channel, provider_tid);

-- 환급. What an answer (or a retroactive refund) did for a merchant: net = refund + clawback = wallet + held + offset − carried.
create table claim_refund (
  event        text collate "C" not null,      -- of the ledger: differential:<answer>:<merchant>
  provider     text collate "C" not null,
  answer_id    bigint references answer_file,
  merchant_id  text collate "C" not null,
  claims       int not null,
  refund_won   bigint not null check (refund_won >= 0),
  clawback_won bigint not null check (clawback_won <= 0),
  offset_won   bigint not null check (offset_won >= 0),   -- 상계: repaid of the merchant's debt
  carried_won  bigint not null check (carried_won >= 0),  -- 이월: became the merchant's debt
  held_won     bigint not null,
  wallet_won   bigint not null,
  booked_on    date not null,
  primary key (event),
  check (refund_won + clawback_won = wallet_won + held_won + offset_won - carried_won)
);
create index claim_refund_answer on claim_refund (answer_id);
create index claim_refund_merchant on claim_refund (merchant_id);

-- 하위가맹점 등록. One row a request to a card company: N new, C change, T terminate.
create table registration (
  registration_id bigint generated always as identity primary key,
  provider        text collate "C" not null,
  merchant_id     text collate "C" not null,
  acquirer        text collate "C" not null,
  action          "char" not null check (action in ('N', 'C', 'T')),
  final_no        text collate "C" not null,
  intermediary_no text collate "C",
  shop_name       text not null,
  state           text not null check (state in ('requested', 'accepted', 'rejected', 'refused')), -- refused: by us, never sent
  file_id         bigint references claim_file,
  code            text collate "C",
  reason          text,
  requested_by    text not null,
  requested_at    timestamptz not null default clock_timestamp(),
  answered_at     timestamptz,
  answer_id       bigint references answer_file,
  check ((state = 'refused') = (file_id is null) or state = 'requested')
);
create index registration_merchant on registration (provider, merchant_id, acquirer, registration_id);
create unique index registration_waiting on registration (provider, merchant_id, acquirer) where state = 'requested';

-- With which card companies a merchant is registered now, and as what.
create view registered as
  select provider, merchant_id, acquirer, final_no, intermediary_no, shop_name, answered_at
    from (select distinct on (provider, merchant_id, acquirer) *
            from registration where state = 'accepted'
           order by provider, merchant_id, acquirer, registration_id desc) latest
   where action <> 'T';

-- 소급환급. One proposal for a half-year at a time; posted once.
create table retroactive_refund (
  refund_id      bigint generated always as identity primary key,
  half           text collate "C" not null,
  proposed_by    text not null,
  proposed_at    timestamptz not null default clock_timestamp(),
  claims         bigint not null,
  merchants      bigint not null,
  difference_won bigint not null,
  digest         text not null,                -- of the claims with their amounts: what is approved is what is posted
  posted_at      timestamptz,
  posted_by      text,
  check ((posted_at is null) = (posted_by is null))
);
create unique index retroactive_refund_posted on retroactive_refund (half) where posted_at is not null;

-- A retroactive refund is posted by no one person: the ledger takes its entries (retroactive:<refund>:<merchant>) once a
-- second person approved it.
create function require_refund_approval() returns trigger language plpgsql as $$
begin
  if not exists (select from approval
                  where kind = 'retroactive_refund' and decision = 'approved'
                    and subject = 'retroactive:' || split_part(new.event, ':', 2)) then
    raise exception 'retroactive refund % was not approved', new.event
      using errcode = 'check_violation', constraint = 'retroactive_refund_approved';
  end if;
  return new;
end
$$;
create trigger ledger_retroactive_approved before insert on ledger_entry
  for each row when (new.kind = 'retroactive') execute function require_refund_approval();

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
create trigger claim_result_append_only before update or delete or truncate on claim_result
  for each statement execute function refuse_change();
create trigger claim_rejection_append_only before update or delete or truncate on claim_rejection
  for each statement execute function refuse_change();
create trigger claim_revision_append_only before update or delete or truncate on claim_revision
  for each statement execute function refuse_change();
create trigger claim_event_append_only before update or delete or truncate on claim_event
  for each statement execute function refuse_change();
create trigger claim_refund_append_only before update or delete or truncate on claim_refund
  for each statement execute function refuse_change();

-- Makes the leaves of a channel and day for claims and their results. What is true of the whole table has to hold for
-- who writes to the leaf alone, too: row triggers are cloned, statement triggers are not.
create function ensure_claim_leaf(channel_id text, day date) returns void language plpgsql as $$
declare
  hot    text;
  branch text;
  leaf   text;
begin
  foreach hot in array array['claim', 'claim_result'] loop
    branch := hot || '_' || replace(channel_id, '-', '_');
    leaf := branch || '_' || to_char(day, 'YYYYMMDD');
    continue when to_regclass(leaf) is not null;
    perform pg_advisory_xact_lock(hashtext('jeongsan:leaf:' || branch));
    if not exists (select from pg_class where relname = branch and relnamespace = (select relnamespace from pg_class where oid = 'claim'::regclass)) then
      execute format('create table %I (like %I including defaults including constraints) partition by range (traded_on)', branch, hot);
      execute format('alter table %I attach partition %I for values in (%L)', hot, branch, channel_id);
    end if;
    if not exists (select from pg_class where relname = leaf and relnamespace = (select relnamespace from pg_class where oid = 'claim'::regclass)) then
      execute format('create table %I (like %I including defaults including constraints)', leaf, branch);
      execute format('create trigger %I before %s on %I for each statement execute function refuse_change()',
                     case hot when 'claim' then 'claim_not_removed' else 'claim_result_append_only' end,
                     case hot when 'claim' then 'delete or truncate' else 'update or delete or truncate' end, leaf);
      execute format('alter table %I attach partition %I for values from (%L) to (%L)', branch, leaf, day, day + 1);
    end if;
  end loop;
end
$$;

-- Every claim with where it stands: exactly one of paid, clawed_back, rejected (for good), held (reason), waiting.
create view claim_status as
  select c.*,
         case when c.state = 'X' then 'rejected'
              when c.state in ('H', 'R') then 'held'
              when c.state = 'Q' then 'waiting'
              when r.channel is not null and coalesce(v.accepted, true) then case when c.type = 'A' then 'paid' else 'clawed_back' end
              when f.state in ('expired', 'failed') then 'held'
              else 'waiting' end as status,
         coalesce(c.reason, case when (r.channel is null or not coalesce(v.accepted, true)) and c.state = 'P' then
                                   case f.state when 'expired' then 'unanswered' when 'failed' then 'not_sent' end
                            end) as status_reason,
         case when c.state = 'P' and coalesce(v.accepted, true) then coalesce(v.after_won, r.difference_won) end as accepted_won,
         r.supply_won, r.vat_won, r.pay_on, r.answer_id, r.line_no as answer_line_no,
         f.file_name, f.sent_at, f.deadline_at
    from claim c
    left join claim_result r on r.channel = c.channel and r.traded_on = c.traded_on
          and r.provider_tid = c.provider_tid and r.cancel_seq = c.cancel_seq and r.kind = c.kind
    left join lateral (
      select after_won, accepted from claim_revision v
       where v.channel = c.channel and v.traded_on = c.traded_on and v.provider_tid = c.provider_tid
         and v.cancel_seq = c.cancel_seq and v.kind = c.kind
       order by revision_id desc limit 1) v on true
    left join claim_file f on f.file_id = c.file_id;
