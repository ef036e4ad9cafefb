-- What other systems are told, and whether word reached them. What is told of is written by the transaction that did it,
-- so that nothing is told that was rolled back and nothing done is left untold.

-- 웹훅 수신처. Who wants to hear of what: 'payout.succeeded', 'payout.*' or '*'. The secret signs what is sent.
create table webhook_endpoint (
  endpoint_id bigint generated always as identity primary key,
  name        text not null check (length(name) between 1 and 100),
  url         text not null check (length(url) <= 2000),
  events      text[] not null check (cardinality(events) between 1 and 50),
  sealed      bytea not null,
  key_id      text not null,
  enabled     boolean not null default true,
  version     int not null default 1,
  removed_at  timestamptz,
  made_by     text not null,
  made_at     timestamptz not null default clock_timestamp(),
  check (removed_at is null or not enabled)
);
create unique index webhook_endpoint_name on webhook_endpoint (name) where removed_at is null;

-- 알림 사건. What happened, as it is told: `data` holds no personal data.
create table webhook_event (
  event_id bigint generated always as identity primary key,
  type     text not null,
  subject  text collate "C" not null,
  at       timestamptz not null default clock_timestamp(),
  data     jsonb not null
);
create index webhook_event_at on webhook_event (at);

-- 전달. An event on its way to an endpoint; told again on request under a number of its own.
create table webhook_delivery (
  delivery_id bigint generated always as identity primary key,
  event_id    bigint not null references webhook_event,
  endpoint_id bigint not null references webhook_endpoint,
  state       text not null default 'pending' check (state in ('pending', 'delivered', 'given_up', 'dropped')),
  attempts    int not null default 0,
  next_at     timestamptz not null default clock_timestamp(),
  -- In a worker's hands until then (the database's clock).
  held_until  timestamptz,
  finished_at timestamptz,
  asked_by    text,                    -- who had it told again
  check ((finished_at is null) = (state = 'pending'))
);
create index webhook_delivery_due on webhook_delivery (endpoint_id, next_at) where state = 'pending';
create index webhook_delivery_given_up on webhook_delivery (endpoint_id, finished_at) where state = 'given_up';
create index webhook_delivery_event on webhook_delivery (event_id);
create index webhook_delivery_endpoint on webhook_delivery (endpoint_id, delivery_id);

-- 전달 기록. Each try, and what was answered.
create table webhook_attempt (
  delivery_id bigint not null references webhook_delivery on delete cascade,
  attempt     int not null,
  at          timestamptz not null default clock_timestamp(),
  took_ms     int not null,
  status      int,
  fault       text,
  primary key (delivery_id, attempt)
);

create trigger webhook_endpoint_changes after insert or update or delete on webhook_endpoint
  for each row execute function audit_changes();

create function webhook_wants(events text[], type text) returns boolean language sql immutable parallel safe as $$
  select '*' = any (events) or type = any (events) or split_part(type, '.', 1) || '.*' = any (events)
$$;

-- Nothing is kept that nobody wants to hear of.
create function webhook_wanted(type text) returns boolean language sql stable as $$
  select exists (select from webhook_endpoint where enabled and webhook_wants(events, type))
$$;

create function webhook_fan_out() returns trigger language plpgsql as $$
begin
  insert into webhook_delivery (event_id, endpoint_id)
  select t.event_id, e.endpoint_id from told t join webhook_endpoint e on e.enabled and webhook_wants(e.events, t.type)
   order by t.event_id, e.endpoint_id;
  return null;
end
$$;
create trigger webhook_event_fan_out after insert on webhook_event
  referencing new table as told for each statement execute function webhook_fan_out();

create function webhook_of_payouts() returns trigger language plpgsql as $$
begin
  if not exists (select from webhook_endpoint where enabled) then return null; end if;
  insert into webhook_event (type, subject, at, data)
  select 'payout.' || a.to_state, p.payout_id::text, a.at, jsonb_build_object('payout', p.payout_id::text,
           'key', p.idempotency_key, 'kind', p.kind, 'merchant', p.merchant_id, 'amountWon', p.amount_won, 'bank', p.bank,
           'state', a.to_state, 'before', a.from_state, 'resultCode', p.result_code)
    from added a join payout p using (payout_id)
   where a.from_state is distinct from a.to_state and webhook_wanted('payout.' || a.to_state)
   order by a.event_id;
  return null;
end
$$;
create trigger payout_event_told after insert on payout_event
  referencing new table as added for each statement execute function webhook_of_payouts();

create function webhook_of_breaks() returns trigger language plpgsql as $$
begin
  if not exists (select from webhook_endpoint where enabled) then return null; end if;
  insert into webhook_event (type, subject, at, data)
  select 'break.' || a.action, b.break_id::text, a.at, jsonb_build_object('break', b.break_id::text, 'provider', b.provider,
           'stage', b.stage, 'on', b.business_on, 'kind', b.kind, 'tid', b.provider_tid, 'cancelSeq', b.cancel_seq,
           'differenceWon', b.difference_won, 'state', a.to_state, 'before', a.from_state, 'who', a.who)
    from added a join break b using (break_id)
   where webhook_wanted('break.' || a.action)
   order by a.event_id;
  return null;
end
$$;
create trigger break_event_told after insert on break_event
  referencing new table as added for each statement execute function webhook_of_breaks();

create function webhook_of_settlements() returns trigger language plpgsql as $$
begin
  if not webhook_wanted('settlement.credited') then return null; end if;
  insert into webhook_event (type, subject, data)
  select 'settlement.credited', a.merchant_id, jsonb_build_object('merchant', a.merchant_id, 'on', a.settled_on,
           'slot', a.slot, 'part', a.part, 'items', a.items, 'grossWon', a.gross_won, 'feeWon', a.fee_won,
           'vatWon', a.vat_won, 'netWon', a.net_won, 'offsetWon', a.offset_won, 'carriedWon', a.carried_won,
           'heldWon', a.held_won, 'walletWon', a.wallet_won)
    from added a order by a.merchant_id, a.part;
  return null;
end
$$;
create trigger settlement_told after insert on settlement
  referencing new table as added for each statement execute function webhook_of_settlements();

create function webhook_of_cycles() returns trigger language plpgsql as $$
begin
  if new.state in ('settled', 'failed', 'skipped') and webhook_wanted('settlement.' || new.state) then
    insert into webhook_event (type, subject, data)
    values ('settlement.' || new.state, new.run_id, jsonb_build_object('slot', new.slot, 'run', new.run_id,
             'state', new.state, 'items', new.items, 'merchants', new.merchants, 'setAside', new.set_aside,
             'netWon', new.net_won, 'creditedWon', new.credited_won, 'reason', new.reason));
  end if;
  return null;
end
$$;
create trigger settlement_cycle_told after insert or update of state on settlement_cycle
  for each row execute function webhook_of_cycles();

-- Runs are the engine's rows, and its table comes after this schema: whoever launches the engine attaches this to it.
create function webhook_of_runs() returns trigger language plpgsql as $$
declare
  told text := case new.status when 'SUCCESS' then 'run.done' when 'ERROR' then 'run.failed'
                               when 'CANCELLED' then 'run.cancelled' else 'run.exhausted' end;
begin
  if webhook_wanted(told) then
    insert into webhook_event (type, subject, data)
    values (told, new.workflow_uuid, jsonb_build_object('run', new.workflow_uuid, 'job', new.name,
             'node', new.executor_id, 'startedMs', new.created_at));
  end if;
  return null;
end
$$;
