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
