-- 발견 사항. Something that a person has to know: open until it is over, one row while it lasts however often it is seen.
create table finding (
  finding_id bigint generated always as identity primary key,
  kind       text not null,
  subject    text collate "C" not null,      -- what it is about: a slot, a merchant, a payout, a bank
  audience   text not null check (audience in ('in_charge', 'operations')),
  detail     jsonb not null,
  opened_at  timestamptz not null default clock_timestamp(),
  seen_at    timestamptz not null default clock_timestamp(),
  times      int not null default 1,
  closed_at  timestamptz,
  closed_by  text,
  check ((closed_at is null) = (closed_by is null))
);
create unique index finding_open on finding (kind, subject) where closed_at is null;
create index finding_opened on finding (opened_at);

-- 승인. Maker and checker of a payout above the limit, of a payout settled by hand, of a limit raised, or of a manual
-- adjustment: never the same person.
create table approval (
  approval_id bigint generated always as identity primary key,
  kind        text not null check (kind in ('payout', 'payout_settle', 'bank_limit', 'adjustment')),
  subject     text collate "C" not null,
  detail      jsonb not null,
  asked_by    text not null,
  asked_at    timestamptz not null default clock_timestamp(),
  reason      text not null,
  decided_by  text,
  decided_at  timestamptz,
  decision    text check (decision in ('approved', 'refused')),
  note        text,
  unique (kind, subject),
  check ((decision is null) = (decided_by is null) and (decision is null) = (decided_at is null)),
  constraint approval_four_eyes check (lower(btrim(decided_by)) <> lower(btrim(asked_by)))
);
create index approval_open on approval (kind, approval_id) where decision is null;

-- What was asked stays as it was asked, and what was decided as it was decided.
create function keep_approval() returns trigger language plpgsql as $$
begin
  if old.decision is not null
     or (old.approval_id, old.kind, old.subject, old.detail, old.asked_by, old.asked_at, old.reason)
        is distinct from (new.approval_id, new.kind, new.subject, new.detail, new.asked_by, new.asked_at, new.reason) then
    raise exception 'an approval is decided once, and nothing else of it changes' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger approval_kept before update on approval for each row execute function keep_approval();
create trigger approval_append_only before delete or truncate on approval for each statement execute function refuse_change();

-- A manual adjustment is booked by no one person.
create function require_approval() returns trigger language plpgsql as $$
begin
  if not exists (select from approval where kind = 'adjustment' and subject = new.event and decision = 'approved') then
    raise exception 'adjustment % was not approved', new.event
      using errcode = 'check_violation', constraint = 'ledger_adjustment_approved';
  end if;
  return new;
end
$$;
create trigger ledger_adjustment_approved before insert on ledger_entry
  for each row when (new.kind = 'adjustment') execute function require_approval();
