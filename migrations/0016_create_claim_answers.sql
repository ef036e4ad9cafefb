-- 차액정산 결과. What providers answer: accepted, rejected, corrected, otherwise than we computed, and what it did for merchants.

insert into ledger_chart (kind, owner, side, name_ko, name_en) values
  ('refund_receivable', 'provider', 'any', '차액정산 미수금', 'differential refund receivable');

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

create trigger claim_result_append_only before update or delete or truncate on claim_result
  for each statement execute function refuse_change();
create trigger claim_rejection_append_only before update or delete or truncate on claim_rejection
  for each statement execute function refuse_change();
create trigger claim_revision_append_only before update or delete or truncate on claim_revision
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
