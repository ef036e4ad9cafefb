-- 결과의 나눠 반영. A large answer is applied in parts, each merchant in one, so that more than one works on it.

-- An answer whose lines are kept in answer_line_<answer_id> until all parts are applied.
create table answer_load (
  answer_id  bigint primary key references answer_file,
  parts      int not null check (parts > 1),
  lines      bigint not null,                  -- readable ones
  unreadable jsonb not null default '[]',      -- lines with a field that nobody can read: at most 100
  repeats    text[],                           -- TIDs that more than one line perhaps has; null: too many to be told
  loaded_at  timestamptz not null default clock_timestamp()
);

-- The parts that are applied, each once, in the transaction of what it wrote. `found` are the lines to claims of its merchants.
create table answer_part (
  answer_id      bigint not null references answer_load,
  part           int not null,
  found          bigint not null,
  accepted       bigint not null,
  rejected       bigint not null,
  repeated       bigint not null,
  set_aside      bigint not null,
  difference_won bigint not null,
  applied_at     timestamptz not null default clock_timestamp(),
  primary key (answer_id, part)
);

-- What is kept until it can be booked is looked for by every answer, whether its break is open or closed.
create index claim_break_kind on claim_break (provider, kind);
