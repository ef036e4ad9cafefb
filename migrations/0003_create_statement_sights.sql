-- A provider's file as it last stood in its source: what was collected already need not be downloaded again, and a file
-- that does not change from one look to the next is no longer growing, whatever the clock of its server says.
create table statement_sight (
  provider       text collate "C" not null,
  stage          text collate "C" not null,
  business_on    date not null,
  file_name      text collate "C" not null,
  source_name    text not null,
  bytes          bigint not null,
  modified_at_ms bigint not null,
  first_seen_at  timestamptz not null,
  statement_id   bigint references statement,  -- what its bytes became; null while it was only looked at
  primary key (provider, stage, business_on, file_name)
);
