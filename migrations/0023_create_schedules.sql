-- When jobs start by themselves, what became of each slot, and the nodes that run them.

-- 스케줄. A job, its parameters and when it starts. Changed at run time; every node looks at it once a second.
create table schedule (
  schedule_id   bigint generated always as identity primary key,
  name          text collate "C" not null check (name ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(name) <= 60),
  job           text collate "C" not null,
  parameters    jsonb not null default '{}' check (jsonb_typeof(parameters) = 'object'),
  cron          text not null,
  time_zone     text not null,
  business_days text not null check (business_days in ('every_day', 'business_days', 'roll_forward', 'roll_backward')),
  misfire       text not null check (misfire in ('skip', 'run_once', 'run_all')),
  -- Of run_all: the latest so many run, those before are missed.
  misfire_most  int not null default 1 check (misfire_most between 1 and 100),
  overlap       text not null check (overlap in ('skip', 'queue_one', 'allow')),
  -- A start so much after its time, and a run that takes so much, is told of; null: never.
  late_after_s  int check (late_after_s between 1 and 86400),
  long_after_s  int check (long_after_s between 1 and 2678400),
  enabled       boolean not null,
  -- Slots after this moment are this schedule's: it is moved when its times are changed, so that none is made up for
  -- that nobody had asked for.
  from_at       timestamptz not null default clock_timestamp(),
  version       int not null default 1,
  -- Which of the defaults this was made from. Kept when it is removed, so that it is not made again.
  default_name  text collate "C" unique,
  changed_at    timestamptz not null default clock_timestamp(),
  changed_by    text not null,
  reason        text not null check (reason <> ''),
  removed_at    timestamptz
);
create unique index schedule_name on schedule (name) where removed_at is null;

-- 슬롯. One nominal time of a schedule. The key is why a slot runs once, however many nodes fire: who inserts it starts it.
create table schedule_slot (
  schedule_id bigint not null references schedule,
  nominal_at  timestamptz not null,
  -- clock: its time came; hand: a person wanted it now.
  kind        text not null check (kind in ('clock', 'hand')),
  state       text not null
    check (state in ('held', 'queued', 'claimed', 'running', 'done', 'failed', 'cancelled', 'missed')),
  -- Why it is held or missed, or was for a while.
  reason      text check (reason in ('stopped', 'paused', 'maintenance', 'overlap', 'changed')),
  -- A row of missed slots may stand for several: those from first_at to nominal_at.
  slots       int not null default 1 check (slots >= 1),
  first_at    timestamptz,
  run_id      text collate "C",
  -- The first of the slots that this one runs for, and the slot that ran in this one's place.
  makes_up_at timestamptz,
  made_up_by  timestamptz,
  parameters  jsonb not null default '{}',
  who         text not null,
  noted_at    timestamptz not null default clock_timestamp(),
  claimed_by  text collate "C",
  claimed_at  timestamptz,
  started_at  timestamptz,
  ended_at    timestamptz,
  error       text,
  primary key (schedule_id, nominal_at),
  check ((state in ('held', 'missed')) <= (reason is not null)),
  check ((state in ('claimed', 'running', 'done')) <= (run_id is not null)),
  check ((state in ('running', 'done')) <= (started_at is not null))
);
-- What is not over: looked at by every node every second.
create index schedule_slot_open on schedule_slot (schedule_id, nominal_at)
 where state in ('held', 'queued', 'claimed', 'running');
create index schedule_slot_time on schedule_slot (nominal_at desc, schedule_id);
create index schedule_slot_run on schedule_slot (run_id) where run_id is not null;

-- 일시 중지. Of one schedule, of a queue (a bank's lane), or of everything (점검): nothing new starts, what runs ends.
create table pause (
  pause_id bigint generated always as identity primary key,
  kind     text not null check (kind in ('everything', 'schedule', 'queue')),
  -- The schedule's number, or the bank; empty of everything.
  subject  text collate "C" not null,
  since    timestamptz not null default clock_timestamp(),
  until    timestamptz,
  who      text not null,
  reason   text not null check (reason <> ''),
  ended_at timestamptz,
  ended_by text,
  check ((kind = 'everything') = (subject = '')),
  check (until > since)
);
create unique index pause_open on pause (kind, subject) where ended_at is null;

-- 노드. A process that works by itself, as it said last.
create table node (
  executor_id     text collate "C" primary key,
  host            text not null,
  pid             int not null,
  version         text not null,
  started_at      timestamptz not null,
  seen_at         timestamptz not null default clock_timestamp(),
  -- Its clock less the database's.
  clock_ahead_ms  int not null,
  disk_free_bytes bigint not null,
  disk_all_bytes  bigint not null,
  loop_delay_ms   real not null,
  memory_bytes    bigint not null,
  -- It said that it ends.
  stopped_at      timestamptz,
  -- Others found it gone without a word.
  lost_at         timestamptz
);
create index node_seen on node (seen_at);

-- 일 마감. What the books were at the end of a day, and what their check found.
create table daily_close (
  closed_on   date primary key,
  run_id      text collate "C" not null,
  closed_at   timestamptz not null default clock_timestamp(),
  verdict     text not null check (verdict in ('balanced', 'deviates')),
  entries     bigint not null,
  lines       bigint not null,
  deviations  int not null,
  debit_won   bigint not null,
  credit_won  bigint not null,
  -- The audit trail's last entry then, and its hash.
  audit_id    bigint,
  audit_hash  text
);

-- 시산표. Each account of the chart at the end of the day: what moved on it that day, and what it holds.
create table daily_close_account (
  closed_on   date not null references daily_close,
  account     text collate "C" not null,
  debit_won   bigint not null,
  credit_won  bigint not null,
  balance_won bigint not null,
  primary key (closed_on, account)
);

-- 지급을 멈춤. True while nothing new may be paid out: maintenance, or the payouts' schedule is paused or switched off.
create function payouts_wait() returns boolean language sql stable as $$
  select exists (select from pause p
                  where p.ended_at is null and (p.until is null or p.until > clock_timestamp())
                    and (p.kind = 'everything'
                         or p.kind = 'schedule' and p.subject in (select s.schedule_id::text from schedule s
                                                                   where s.job = 'payout-dispatch' and s.removed_at is null)))
      or exists (select from schedule s where s.job = 'payout-dispatch' and s.removed_at is null and not s.enabled)
$$;

-- As before, but heeding that.
create or replace function claim_payouts(of_bank text, as_of timestamptz, open_after int, heard text[])
returns setof bigint language plpgsql as $$
declare
  control bank_control;
  free    int;
begin
  -- A statement of its own, so that those after it see what the last holder committed.
  perform pg_advisory_xact_lock(hashtextextended('jeongsan.payout.claim.' || of_bank, 0));
  select * into control from bank_control c where c.bank = of_bank;
  if not found or control.open_until > as_of then
    return;
  end if;
  free := case when control.failures >= open_after then least(control.transfer_limit, 1) else control.transfer_limit end
          - (select count(*) from payout p where p.bank = of_bank and p.claimed_by is not null and p.claimed_by <> all (heard));
  if free <= 0 then
    return;
  end if;
  control.paused := control.paused or payouts_wait();
  return query
  with due as materialized (
    select p.payout_id from payout p
     where p.bank = of_bank and p.claimed_by is null and p.next_at <= as_of
       and p.state in ('created', 'holder_checked', 'sent', 'unknown')
       and (not control.paused or p.state in ('sent', 'unknown'))
     order by p.next_at limit free for update skip locked
  )
  update payout p set claimed_by = format('payout:%s:%s', p.payout_id, p.claims + 1), claims = p.claims + 1,
                      claimed_at = clock_timestamp()
    from due where p.payout_id = due.payout_id
  returning p.payout_id;
end
$$;

create trigger schedule_audit after insert or update or delete on schedule
  for each row execute function audit_changes();
create trigger pause_audit after insert or update or delete on pause
  for each row execute function audit_changes();
