-- Their side: files as they came, and their lines as narrow typed rows.

-- 대사 파일. One row per distinct bytes of a file; a correction is the next version of the same file.
create table statement (
  statement_id  bigint generated always as identity primary key,
  provider      text collate "C" not null,
  stage         text collate "C" not null,
  business_on   date not null,
  file_name     text collate "C" not null,
  version       int not null check (version > 0),
  sha256        text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  bytes         bigint not null,
  archive_path  text not null,
  source        text not null check (source in ('sftp', 'folder', 'hand')),
  received_at   timestamptz not null default now(),
  received_by   text not null,
  reason        text,
  state         text not null default 'archived' check (state in ('archived', 'imported', 'refused', 'superseded')),
  load_id       int,
  problem       jsonb,
  unique (provider, stage, business_on, file_name, version),
  unique (provider, stage, business_on, file_name, sha256),
  check ((state = 'refused') = (problem is not null) or state = 'superseded'),
  check (state <> 'imported' or load_id is not null),
  check (source <> 'hand' or reason is not null)
);

-- One try at loading a statement. Lines carry the load, not the statement: what a dead or stopped loader left behind
-- belongs to a load that no statement points to, and is never seen.
create table statement_load (
  load_id        int generated always as identity primary key,
  statement_id   bigint not null references statement,
  started_at     timestamptz not null default now(),
  finished_at    timestamptz,
  lines          bigint,   -- readable data lines
  amount_won     bigint,   -- their signed sum
  fee_won        bigint,
  vat_won        bigint,
  net_won        bigint,
  declared_won   bigint,   -- the signed sum by the file's own control totals
  unreadable     int
);
alter table statement add foreign key (load_id) references statement_load;

-- Lines whose key was (or, a few, only seemed) read before in the same load: the only candidates for duplicates.
create table statement_suspect (
  load_id      int not null references statement_load,
  line_no      int not null,
  provider_tid text collate "C" not null,
  cancel_seq   smallint not null,
  primary key (load_id, line_no)
);

-- Lines with a field that cannot be read, with what could be read of their key.
create table statement_unreadable (
  load_id      int not null references statement_load,
  line_no      int not null,
  byte_from    bigint not null,
  byte_to      bigint not null,
  field        text not null,
  problem      text not null,
  raw          bytea not null,
  provider_tid text collate "C",
  cancel_seq   smallint,
  primary key (load_id, line_no)
);

-- What a settlement statement promises to pay in, by day.
create table statement_pay_in (
  load_id    int not null references statement_load,
  pay_in_on  date not null,
  lines      bigint not null,
  amount_won bigint not null,
  fee_won    bigint not null,
  vat_won    bigint not null,
  net_won    bigint not null,
  primary key (load_id, pay_in_on)
);

-- Hot, append-only, without indexes: they are read by the set, one leaf at a time.
create table transaction_line (
  provider         text collate "C" not null,
  statement_on     date not null,
  load_id          int not null,
  line_no          int not null,
  kind             "char" not null,
  cancel_seq       smallint not null,
  instalments      smallint not null,
  traded_on        date not null,
  amount_won       bigint not null,
  traded_time      time not null,
  provider_tid     text collate "C" not null,
  mid              text collate "C" not null,
  approval_no      text collate "C" not null,
  order_no         text collate "C" not null,
  acquirer         text collate "C" not null,
  card_merchant_no text collate "C" not null,
  card_no          text collate "C" not null
) partition by list (provider);

-- Result: A accepted, R rejected (매입반송), H held (매입보류), L released (보류해제).
create table capture_line (
  provider         text collate "C" not null,
  statement_on     date not null,
  load_id          int not null,
  line_no          int not null,
  kind             "char" not null,
  result           "char" not null,
  cancel_seq       smallint not null,
  traded_on        date not null,
  captured_on      date not null,
  amount_won       bigint not null,
  provider_tid     text collate "C" not null,
  mid              text collate "C" not null,
  result_code      text collate "C" not null,
  approval_no      text collate "C" not null,
  order_no         text collate "C" not null,
  acquirer         text collate "C" not null,
  card_merchant_no text collate "C" not null
) partition by list (provider);

create table settlement_line (
  provider         text collate "C" not null,
  statement_on     date not null,
  load_id          int not null,
  line_no          int not null,
  kind             "char" not null,
  cancel_seq       smallint not null,
  traded_on        date not null,
  captured_on      date not null,
  pay_in_on        date not null,
  amount_won       bigint not null,
  fee_won          bigint not null,
  vat_won          bigint not null,
  net_won          bigint not null,
  provider_tid     text collate "C" not null,
  mid              text collate "C" not null,
  approval_no      text collate "C" not null,
  order_no         text collate "C" not null,
  acquirer         text collate "C" not null,
  card_merchant_no text collate "C" not null
) partition by list (provider);
