-- Who is told of what, and whether word reached them.

-- 알림 채널. A way to reach some people. What its address or secret is, nobody reads who holds the database alone.
create table alert_channel (
  channel_id      text primary key check (channel_id ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  kind            text not null check (kind in ('smtp', 'webhook', 'slack')),
  recipients      text[] not null default '{}',       -- mailboxes, of smtp
  url_sealed      bytea,                              -- of webhook and slack: Slack's holds its secret
  url_key_id      text,
  host            text,                               -- of that URL, to be shown
  secret_sealed   bytea,                              -- HMAC, of webhook
  secret_key_id   text,
  language        text not null default 'ko' check (language in ('ko', 'en')),
  purposes        text[] not null default '{}' check (purposes <@ array['digest', 'report']),
  enabled         boolean not null default true,
  version         int not null default 1,
  changed_by      text not null,
  changed_at      timestamptz not null default clock_timestamp(),
  check (cardinality(recipients) <= 50),
  check ((url_sealed is null) = (url_key_id is null) and (secret_sealed is null) = (secret_key_id is null)),
  check (kind = 'smtp' or url_sealed is not null)
);

-- How a channel fares: what its messages came to, which is no change of what anybody set.
create table alert_channel_state (
  channel_id    text primary key references alert_channel on delete cascade,
  failures      int not null check (failures >= 0),     -- tries in a row that reached nobody
  failing_since timestamptz,
  next_at       timestamptz,                            -- not to be tried before
  last_sent_at  timestamptz,
  last_error    text,
  check ((failures = 0) = (failing_since is null))
);

-- 알림 규칙. The first rule by position that a finding matches says who is told, how soon, and how often; a rule that
-- `continues` lets later ones speak too. Patterns hold `*`; none means any.
create table alert_rule (
  rule_id             text primary key check (rule_id ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  position            int not null,
  kinds               text[] not null default '{}',
  subjects            text[] not null default '{}',
  severities          text[] not null default '{}' check (severities <@ array['notice', 'warning', 'urgent']),
  audience            text check (audience in ('in_charge', 'operations')),
  severity            text check (severity in ('notice', 'warning', 'urgent')),   -- instead of the kind's own
  channels            text[] not null default '{}',
  group_by            text not null default 'kind' check (group_by in ('kind', 'rule')),
  group_seconds       int not null default 30 check (group_seconds between 0 and 86400),
  update_seconds      int not null default 300 check (update_seconds between 30 and 86400),
  repeat_seconds      int not null default 14400 check (repeat_seconds between 0 and 604800),   -- 0: not repeated
  escalate_seconds    int not null default 0 check (escalate_seconds between 0 and 604800),     -- 0: not escalated
  escalation_channels text[] not null default '{}',
  calm_seconds        int not null default 60 check (calm_seconds between 0 and 86400),
  quiet_from          time,
  quiet_to            time,
  continues           boolean not null default false,
  enabled             boolean not null default true,
  version             int not null default 1,
  changed_by          text not null,
  changed_at          timestamptz not null default clock_timestamp(),
  check ((quiet_from is null) = (quiet_to is null)),
  check (cardinality(kinds) <= 100 and cardinality(subjects) <= 100),
  check (cardinality(channels) <= 20 and cardinality(escalation_channels) <= 20)
);

-- 알림. Findings of one rule and group that people are told of together: open until all of them are over for a while.
create table alert (
  alert_id        bigint generated always as identity primary key,
  rule_id         text not null,              -- also after the rule is gone
  group_key       text not null,              -- the kind, or '*' where the rule groups all
  severity        text not null check (severity in ('notice', 'warning', 'urgent')),
  opened_at       timestamptz not null,
  findings        int not null default 0,
  told_findings   int not null default 0,     -- how many the latest word spoke of
  updates         int not null default 0,
  repeats         int not null default 0,
  first_told_at   timestamptz,
  told_at         timestamptz,
  told_channels   text[] not null default '{}',
  next_at         timestamptz not null,       -- when it has to be looked at again
  escalated_at    timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by text,
  note            text,
  calm_since      timestamptz,                -- no finding of it is open since
  closed_at       timestamptz,
  closed_by       text,
  check ((acknowledged_at is null) = (acknowledged_by is null)),
  check ((closed_at is null) = (closed_by is null))
);
create unique index alert_open on alert (rule_id, group_key) where closed_at is null;
create index alert_due on alert (next_at) where closed_at is null;
create index alert_opened on alert (opened_at, alert_id);

create table alert_finding (
  finding_id bigint not null,
  rule_id    text not null,
  alert_id   bigint not null references alert,
  primary key (finding_id, rule_id)
);
create index alert_finding_alert on alert_finding (alert_id);

-- 알림 발송. What has to reach a channel: written with what it is about, sent by whichever process comes first, until it
-- is through or nobody tries any more. Its key is what it says, so that nothing is said twice.
create table alert_delivery (
  delivery_id   bigint generated always as identity primary key,
  key           text not null unique,         -- 'alert.12.mi7q2k.in-charge.update.1': the Message-ID's left part
  channel_id    text not null,
  purpose       text not null check (purpose in
                  ('first', 'update', 'repeat', 'escalation', 'all_clear', 'digest', 'report', 'test')),
  alert_id      bigint references alert,
  about         text not null,                -- the first message's key: mail programs show them together
  content       jsonb not null check (octet_length(content::text) <= 65536),
  state         text not null default 'waiting' check (state in ('waiting', 'sent', 'failed', 'dropped')),
  made_at       timestamptz not null,
  attempts      int not null default 0,
  tries_left    int not null default 15,      -- before nobody tries any more
  next_at       timestamptz not null,
  held_until    timestamptz,                  -- a process is sending it; when it dies, another one may after this
  holder        uuid,
  sent_at       timestamptz,
  answer        text,
  check ((held_until is null) = (holder is null)),
  check ((state = 'sent') = (sent_at is not null))
);
create index alert_delivery_due on alert_delivery (next_at) where state = 'waiting';
create index alert_delivery_channel on alert_delivery (channel_id, delivery_id);
create index alert_delivery_alert on alert_delivery (alert_id) where alert_id is not null;
create index alert_delivery_made on alert_delivery (made_at, delivery_id);

-- 발송 시도. Begun before the first byte, so that a try that was killed is seen as one.
create table alert_attempt (
  delivery_id bigint not null references alert_delivery on delete cascade,
  attempt     int not null,
  began_at    timestamptz not null,
  node        text not null,
  ended_at    timestamptz,
  outcome     text check (outcome in ('sent', 'deferred', 'refused', 'unclear')),
  answer      text,
  primary key (delivery_id, attempt)
);

-- 감시 한도. How much of what is too much: for one provider, or for all where none is named.
create table alert_limit (
  name       text not null,
  provider   text not null default '',
  value      bigint check (value >= 0),       -- null: not watched
  version    int not null default 1,
  changed_by text not null,
  changed_at timestamptz not null default clock_timestamp(),
  primary key (name, provider)
);

-- True where a text fits one of the patterns, in which `*` stands for anything; without patterns anything fits.
create function alert_fits(value text, patterns text[]) returns boolean language sql immutable parallel safe as $$
  select cardinality(patterns) = 0 or exists (
    select from unnest(patterns) p
     where value like replace(replace(replace(replace(p, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'))
$$;

-- Until somebody says who is in charge these reach nobody, which `alerts status` says.
insert into alert_channel (channel_id, kind, purposes, changed_by) values
  ('in-charge', 'smtp', '{digest,report}', 'system:installation'),
  ('operations', 'smtp', '{}', 'system:installation');

insert into alert_rule (rule_id, position, severities, channels, group_seconds, update_seconds, repeat_seconds,
                        escalate_seconds, escalation_channels, quiet_from, quiet_to, changed_by) values
  ('urgent', 10, '{urgent}', '{in-charge}', 10, 300, 3600, 900, '{operations}', null, null, 'system:installation'),
  ('warnings', 20, '{warning}', '{in-charge}', 60, 1800, 86400, 14400, '{operations}', '22:00', '07:00',
   'system:installation');

insert into alert_limit (name, value, changed_by) values
  ('breaks_count', 1000, 'system:installation'),
  ('breaks_won', 10000000, 'system:installation'),
  ('breaks_age_days', 5, 'system:installation'),
  ('statement_late_minutes', 60, 'system:installation'),
  ('payout_unknown_minutes', 30, 'system:installation'),
  ('approval_waits_minutes', 240, 'system:installation'),
  ('delivery_waits_minutes', 15, 'system:installation');

create trigger alert_channel_audit after insert or update or delete on alert_channel
  for each row execute function audit_changes('url_key_id', 'secret_key_id');
create trigger alert_rule_audit after insert or update or delete on alert_rule
  for each row execute function audit_changes();
create trigger alert_limit_audit after insert or update or delete on alert_limit
  for each row execute function audit_changes();
