-- What a run said, counted and came to, beside the engine's own record of it.

-- 실행 기록. Lines of the process's log that were said inside a run, from `info` up, and each second try of a step.
create table run_log (
  run_log_id  bigint generated always as identity primary key,
  run_id      text collate "C" not null,
  step        int,                         -- the step that was running; null between steps
  said_at     timestamptz not null,
  level       text not null check (level in ('info', 'warn', 'error', 'fatal')),
  kind        text not null check (kind in ('line', 'retry', 'act', 'cut')),  -- cut: what follows was too much to be kept
  message     text not null,
  detail      jsonb not null,
  executor_id text not null
);
create index run_log_of_run on run_log (run_id, run_log_id);
create index run_log_act on run_log (run_id, run_log_id) where kind = 'act';

-- 실행 요약. What an ended run came to. It outlives the engine's record, since later runs are compared with it.
create table run_record (
  run_id       text collate "C" primary key,
  job          text collate "C" not null,
  series       text collate "C" not null,   -- differential:welcome: the runs that it is compared with
  business_on  date,                        -- the day that its id names
  state        text not null check (state in ('done', 'failed', 'cancelled', 'exhausted')),
  started_at   timestamptz not null,
  ended_at     timestamptz not null,
  milliseconds bigint not null check (milliseconds >= 0),
  counts       jsonb not null,              -- the numbers of its result
  compared_on  smallint not null,           -- the weekday by which it is compared, Monday 1: of its day, else of its start
  compared_at  smallint not null,           -- the hour of its start in Seoul
  unusual      jsonb not null,              -- what was not as usual; [] where all was, or too little is known
  recorded_at  timestamptz not null default clock_timestamp()
);
create index run_record_usual on run_record (series, compared_on, ended_at desc) where state = 'done';
create index run_record_ended on run_record (ended_at);
create index run_record_started on run_record (started_at);
create index run_record_day on run_record (business_on, started_at);

-- 평소. When a run is out of the usual, by job; '*' is every job that has no row of its own.
create table run_usual (
  job           text collate "C" primary key,
  same_hour     boolean not null,           -- compared with runs of the same hour only: jobs that run often in a day
  samples_least int not null check (samples_least between 3 and 1000),   -- with fewer nothing is said
  samples_most  int not null check (samples_most between 3 and 1000),
  spreads       numeric not null check (spreads between 1 and 100),      -- so many spreads (MAD × 1.4826) from the median
  slack_percent int not null check (slack_percent between 0 and 1000),   -- of the median: never less than this is unusual
  slack_ms      bigint not null check (slack_ms >= 0),                   -- of the duration, likewise
  stuck_times   numeric not null check (stuck_times between 1 and 1000), -- running so many times its usual bound: stuck
  stuck_ms      bigint not null check (stuck_ms > 0)                     -- where too little is known, stuck after this
);
insert into run_usual values
  ('*',            false, 4, 12, 5, 20, 60000,  3, 21600000),
  ('reconcile',    false, 4, 12, 5, 20, 60000,  3, 7200000),
  ('settle',       true,  8, 48, 6, 50, 30000,  3, 900000),
  ('differential', false, 4, 12, 6, 20, 600000, 2, 259200000),  -- it waits for answers, over a weekend too
  ('registration', false, 4, 12, 6, 20, 600000, 2, 259200000),
  ('backfill',     false, 4, 12, 6, 50, 600000, 3, 172800000);
create trigger run_usual_audited after insert or update or delete on run_usual
  for each row execute function audit_changes();

-- 보존 기한. How long records of operation are kept, in days; records of the business are kept for ever.
create table retention_rule (
  kind      text collate "C" primary key,
  keep_days int not null check (keep_days between 1 and 36500)
);
create trigger retention_rule_audited after insert or update or delete on retention_rule
  for each row execute function audit_changes();

-- 소급 실행. A job run again for a range of days, and what each of them came to.
create table backfill (
  backfill_id text collate "C" primary key,   -- its run
  job         text collate "C" not null,
  from_on     date not null,
  to_on       date not null,
  parallel    int not null check (parallel between 1 and 16),
  asked_by    text not null,
  asked_at    timestamptz not null default clock_timestamp(),
  reason      text,
  check (from_on <= to_on)
);
create table backfill_day (
  backfill_id text collate "C" not null references backfill,
  business_on date not null,
  state       text not null default 'waiting'
              check (state in ('waiting', 'running', 'done', 'failed', 'cancelled')),
  run_id      text collate "C",
  started_at  timestamptz,
  ended_at    timestamptz,
  problem     jsonb,
  primary key (backfill_id, business_on),
  check ((state in ('failed', 'cancelled')) >= (problem is not null))
);
