-- 감사 추적. Who did what: append-only, each entry sealed with the hash of the one before.

-- 감사 항목. `number` has no gap and rises in the order of commits; `at` is the moment of the act by the database's clock, so
-- that it may go back from one entry to the next where a long transaction, or the clock itself, did.
create table audit_entry (
  number        bigint primary key check (number > 0),
  at            timestamptz not null,
  who           text not null check (who <> ''),       -- kim@pg.example, system:scheduler, os:kim, db:role
  origin        text not null,                         -- an address, cli@host, or a program
  by_key        text,                                  -- by which API key, where it was one
  act           text not null check (act <> ''),
  subject       text not null,
  outcome       text not null check (outcome in ('asked', 'done', 'refused', 'failed', 'denied', 'changed')),
  reason        text,
  detail        json not null,                         -- as it was written, to the byte: json keeps its text
  act_id        bigint not null unique,                -- known before the number is; has gaps
  previous_hash bytea not null check (length(previous_hash) = 32),
  hash          bytea not null check (length(hash) = 32)
);
create index audit_entry_at on audit_entry using brin (at) with (autosummarize = on);
create index audit_entry_who on audit_entry (who, number);
create index audit_entry_subject on audit_entry (subject, number);
create index audit_entry_act on audit_entry (act, number);

-- The bytes that are hashed: `jeongsan-audit-1` and the fields in the order below, each as `<bytes>:<text in UTF-8>,` and a
-- missing one as `-,`, so that no two entries have the same bytes. The moment is in UTC to the microsecond, hashes in hex.
create function audit_field(value text) returns text language sql immutable parallel safe as $$
  select case when value is null then '-,' else octet_length(convert_to(value, 'UTF8')) || ':' || value || ',' end
$$;
create function audit_bytes(e audit_entry) returns bytea language sql stable parallel safe as $$
  select convert_to(
    'jeongsan-audit-1'
    || audit_field(e.number::text)
    || audit_field(to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    || audit_field(e.who) || audit_field(e.origin) || audit_field(e.by_key)
    || audit_field(e.act) || audit_field(e.subject) || audit_field(e.outcome)
    || audit_field(e.reason) || audit_field(e.detail::text) || audit_field(e.act_id::text)
    || audit_field(encode(e.previous_hash, 'hex')), 'UTF8')
$$;

-- Whatever number and hashes are given, these are they. The lock makes writers take turns until they have committed; the
-- primary key refuses a fork to whoever reads an old snapshot.
create function seal_audit_entry() returns trigger language plpgsql as $$
declare
  head record;
begin
  perform pg_advisory_xact_lock(hashtextextended('jeongsan.audit', 0));
  select number, hash into head from audit_entry order by number desc limit 1;
  new.number := coalesce(head.number, 0) + 1;
  new.previous_hash := coalesce(head.hash, decode(repeat('00', 32), 'hex'));
  new.hash := sha256(audit_bytes(new));
  return new;
end
$$;
create trigger audit_entry_sealed before insert on audit_entry for each row execute function seal_audit_entry();
create trigger audit_entry_append_only before update or delete or truncate on audit_entry
  for each statement execute function refuse_change();

-- What a transaction has done so far. It becomes an entry when the transaction commits, so that the lock is held for that
-- moment alone, however long the transaction takes; between transactions this table is empty.
create table audit_draft (
  act_id   bigint generated always as identity primary key,
  at       timestamptz not null default clock_timestamp(),
  who      text not null check (who <> ''),
  origin   text not null,
  by_key   text,
  act      text not null check (act <> ''),
  subject  text not null,
  outcome  text not null check (outcome in ('asked', 'done', 'refused', 'failed', 'denied', 'changed')),
  reason   text,
  detail   json not null
);
create function enter_audit_draft() returns trigger language plpgsql as $$
begin
  insert into audit_entry (at, who, origin, by_key, act, subject, outcome, reason, detail, act_id)
  values (new.at, new.who, new.origin, new.by_key, new.act, new.subject, new.outcome, new.reason, new.detail, new.act_id);
  delete from audit_draft where act_id = new.act_id;
  return null;
end
$$;
create constraint trigger audit_draft_entered after insert on audit_draft
  deferrable initially deferred for each row execute function enter_audit_draft();
create function refuse_draft_change() returns trigger language plpgsql as $$
begin
  raise exception 'what was done is not taken back from the audit trail' using errcode = 'restrict_violation';
end
$$;
create trigger audit_draft_kept before update or delete or truncate on audit_draft
  for each statement when (pg_trigger_depth() = 0) execute function refuse_draft_change();

-- Also where a superuser says that triggers do not count (session_replication_role).
alter table audit_entry enable always trigger audit_entry_sealed;
alter table audit_entry enable always trigger audit_entry_append_only;
alter table audit_draft enable always trigger audit_draft_entered;
alter table audit_draft enable always trigger audit_draft_kept;

-- What of a row may stand in the trail: bytes and what is named like a secret, or in `hidden`, is not shown.
create function audit_row(of_row jsonb, hidden text[]) returns jsonb language sql immutable parallel safe as $$
  select coalesce(jsonb_object_agg(key, case
           when value = 'null'::jsonb then value
           when key = any (hidden) or key ~ '(secret|password|passwd|token|sealed|backup_code|private_key|credential|fingerprint)'
                or value #>> '{}' ~ '^\\x[0-9a-f]{8,}$' then '"***"'::jsonb
           else value end), '{}'::jsonb)
    from jsonb_each(of_row)
$$;

-- 설정 변경. A row trigger for tables of configuration: what the row was and what it is; of an update, the columns that
-- changed. Its arguments are columns whose values are not to be shown. Who and why are what `actingAs` said of the
-- transaction, else what the row says of itself (`recorded_by`, `reason`), else the database's own name of who is connected.
create function audit_changes() returns trigger language plpgsql as $$
declare
  hidden  text[] := coalesce(tg_argv::text[], '{}');
  was     jsonb  := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  becomes jsonb  := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  said    jsonb  := coalesce(becomes, '{}');
  keys    text;
begin
  if was = becomes then
    return null;
  end if;
  select string_agg(coalesce(becomes, was) ->> a.attname, ',' order by array_position(i.indkey::int2[], a.attnum)) into keys
    from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
   where i.indrelid = tg_relid and i.indisprimary;
  if tg_op = 'UPDATE' then
    select jsonb_object_agg(key, was -> key), jsonb_object_agg(key, becomes -> key) into was, becomes
      from jsonb_object_keys(becomes) as key where was -> key is distinct from becomes -> key;
  end if;
  insert into audit_draft (who, origin, by_key, act, subject, outcome, reason, detail)
  values (coalesce(nullif(current_setting('jeongsan.who', true), ''),
                   (select value from jsonb_each_text(becomes) where key ~ '_by$' and value <> '' limit 1),
                   (select value from jsonb_each_text(said) where key ~ '_by$' and value <> '' limit 1),
                   'db:' || session_user),
          coalesce(nullif(current_setting('jeongsan.from', true), ''), 'database@' || coalesce(host(inet_client_addr()), 'local')),
          nullif(current_setting('jeongsan.key', true), ''),
          tg_table_name || case tg_op when 'INSERT' then '.added' when 'UPDATE' then '.changed' else '.removed' end,
          tg_table_name || ':' || coalesce(keys, '?'),
          'changed',
          coalesce(nullif(current_setting('jeongsan.reason', true), ''),
                   (select value from jsonb_each_text(becomes) where key ~ '(^|_)reason$' and value <> '' limit 1)),
          (case when was is null then '{}'::jsonb else jsonb_build_object('before', audit_row(was, hidden)) end
           || case when becomes is null then '{}'::jsonb else jsonb_build_object('after', audit_row(becomes, hidden)) end)::json);
  return null;
end
$$;

create trigger bank_control_audited after insert or delete on bank_control
  for each row execute function audit_changes();
-- The circuit breaker's own counting is no change of configuration.
create trigger bank_control_changed after update on bank_control for each row
  when ((old.transfer_limit, old.paused, old.approval_over_won, old.changed_by, old.reason, old.raised_under)
        is distinct from
        (new.transfer_limit, new.paused, new.approval_over_won, new.changed_by, new.reason, new.raised_under))
  execute function audit_changes();
create trigger calendar_override_audited after insert or update or delete on calendar_override
  for each row execute function audit_changes();
create trigger half_year_audited after insert or update or delete on half_year
  for each row execute function audit_changes();
create trigger preferential_rate_audited after insert or update or delete on preferential_rate
  for each row execute function audit_changes();
create trigger settlement_hold_audited after insert or update or delete on settlement_hold
  for each row execute function audit_changes();
create trigger approval_audited after insert or update or delete on approval
  for each row execute function audit_changes();

-- What comes in from files is one entry a file, however many rows it holds: they name the import that brought them.
create function audit_import() returns trigger language plpgsql as $$
begin
  insert into audit_draft (who, origin, by_key, act, subject, outcome, detail)
  values (coalesce(nullif(current_setting('jeongsan.who', true), ''), new.imported_by),
          coalesce(nullif(current_setting('jeongsan.from', true), ''), 'database@' || coalesce(host(inet_client_addr()), 'local')),
          nullif(current_setting('jeongsan.key', true), ''),
          'import.finished', 'import:' || new.import_id, 'changed',
          json_build_object('kind', new.kind, 'file', new.file_name, 'added', new.rows_added, 'same', new.rows_same,
                            'refused', new.rows_refused));
  return null;
end
$$;
create trigger import_audited after update on import for each row
  when (old.finished_at is null and new.finished_at is not null) execute function audit_import();
do $$
declare
  facts text;
begin
  foreach facts in array array['fee_contract', 'settlement_terms', 'merchant_tier', 'sub_merchant', 'card_bin'] loop
    execute format('create trigger %1$s_audited after insert on %1$I for each row
                      when (new.import_id is null) execute function audit_changes()', facts);
    execute format('create trigger %1$s_changed after update or delete on %1$I
                      for each row execute function audit_changes()', facts);
  end loop;
end
$$;
create trigger merchant_changed after update or delete on merchant
  for each row execute function audit_changes();
create trigger bank_account_audited after insert on bank_account for each row
  when (new.import_id is null) execute function audit_changes('holder', 'last4');
