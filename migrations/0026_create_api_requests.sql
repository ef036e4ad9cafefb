-- 멱등 요청. Acts that came over the API, each under the key that its caller chose, with the answer that it got: a caller
-- who asks again, not knowing whether the first try worked, gets that answer and not a second act.
create table api_request (
  who         text not null check (length(who) between 1 and 320),
  key         text not null check (key ~ '^[\x21-\x7e]{1,200}$'),
  -- The operation with its path and query, and the body's SHA-256: a key means one request.
  request     text not null check (length(request) between 1 and 8000),
  body_sha256 bytea check (octet_length(body_sha256) = 32),
  -- Of a body that was refused before it was read to its end, the hash is of what was read.
  body_bytes  bigint check (body_bytes >= 0),
  -- The process that acts, null where it gave up. Its lock tells whether it lives: an act that nobody carries out and that has
  -- no answer may or may not have been done, and is never done again.
  holder      text,
  begun_at    timestamptz not null,
  -- Not there while the act goes on, and where its answer holds a secret, which is not kept.
  status      smallint check (status between 200 and 599),
  headers     jsonb,
  answer      bytea,
  answered_at timestamptz,
  primary key (who, key),
  check ((status is null) = (answered_at is null)),
  check (answer is null or (status is not null and headers is not null)),
  check (status is null or (body_sha256 is not null and body_bytes is not null))
);

-- For the end of their retention.
create index api_request_begun_at on api_request (begun_at);
