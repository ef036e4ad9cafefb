-- 소급환급. What merchants that opened in a half-year and turned out small get back, by two people.

alter table approval drop constraint approval_kind_check;
alter table approval add constraint approval_kind_check
  check (kind in ('payout', 'payout_settle', 'bank_limit', 'adjustment', 'retroactive_refund'));

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
