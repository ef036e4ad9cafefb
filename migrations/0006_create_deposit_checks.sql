-- 입금 대사. What the settlement statements promised for a pay-in day against what the bank received, once judged.
create table deposit_check (
  provider      text collate "C" not null,
  pay_in_on     date not null,
  expected_won  bigint not null,
  deposited_won bigint not null,
  deposits      bigint not null,
  run_id        text not null,
  checked_at    timestamptz not null default now(),
  primary key (provider, pay_in_on)
);
