-- 하위가맹점 등록. Before anything is claimed for a merchant, each card company has to know it.

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
