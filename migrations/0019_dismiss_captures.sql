-- 정산 제외. A capture that will never be settled (a test sale, one captured twice): taken out by two people, for good.

alter table approval drop constraint approval_kind_check;
alter table approval add constraint approval_kind_check
  check (kind in ('payout', 'payout_settle', 'bank_limit', 'adjustment', 'retroactive_refund', 'dismissal'));

create table dismissed_capture (
  provider     text collate "C" not null,
  captured_on  date not null,
  provider_tid text collate "C" not null,
  cancel_seq   smallint not null,
  mid          text collate "C" not null,
  merchant_id  text collate "C",
  amount_won   bigint not null,
  reason       text not null,              -- why it was set aside
  approval     text collate "C" not null,  -- the subject of the approval under which it was dismissed
  dismissed_at timestamptz not null default clock_timestamp(),
  primary key (provider, provider_tid, cancel_seq, captured_on)
);

create function require_dismissal() returns trigger language plpgsql as $$
begin
  if not exists (select from approval
                  where kind = 'dismissal' and subject = new.approval and decision = 'approved'
                    and regexp_replace(subject, ':[0-9]+$', '')
                        = concat_ws(':', new.provider, new.captured_on, new.provider_tid, new.cancel_seq)) then
    raise exception 'the dismissal of % was not approved', new.provider_tid
      using errcode = 'check_violation', constraint = 'dismissal_approved';
  end if;
  return new;
end
$$;
create trigger dismissed_capture_approved before insert on dismissed_capture
  for each row execute function require_dismissal();
create trigger dismissed_capture_append_only before update or delete or truncate on dismissed_capture
  for each statement execute function refuse_change();
