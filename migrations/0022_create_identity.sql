-- 사람. Who may sign in or act by a key: a person, or a service (another system of ours), which cannot sign in. The id is how
-- every trail names them. Nobody is ever removed or renamed, since trails name them: they are disabled.
create table person (
  id                 text primary key,              -- kim@pg.example, service:nightly-import
  kind               text not null default 'person' check (kind in ('person', 'service')),
  name               text not null check (length(btrim(name)) between 1 and 200),
  email              text not null unique,
  email_verified     boolean not null default false,
  image              text,
  two_factor_enabled boolean not null default false,
  responsible        text references person (id),   -- the person who answers for a service
  disabled_at        timestamptz,
  created_at         timestamptz not null default clock_timestamp(),
  updated_at         timestamptz not null default clock_timestamp(),
  version            int not null default 1,        -- of roles and state together
  check (id = case kind when 'service' then 'service:' || split_part(email, '@', 1) else email end),
  -- One spelling of each address: no letter case, no letters that look like others.
  constraint person_email_spelt check (email ~ '^[a-z0-9][a-z0-9._+-]*@[a-z0-9]([a-z0-9.-]*[a-z0-9])?$' and length(email) <= 200),
  check ((kind = 'service') = (responsible is not null)),
  constraint person_email_of_its_kind check ((kind = 'service') = (email like '%@service.invalid'))
);

create function keep_person() returns trigger language plpgsql as $$
begin
  if (old.id, old.kind, old.email, old.created_at) is distinct from (new.id, new.kind, new.email, new.created_at) then
    raise exception 'a person keeps id, kind and address' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger person_kept before update on person for each row execute function keep_person();
create trigger person_stays before delete or truncate on person for each statement execute function refuse_change();

-- 역할. A role is given by somebody else, with a reason.
create table person_role (
  person_id  text not null references person (id),
  role       text not null check (role in ('viewer', 'operator', 'approver', 'administrator')),
  granted_by text not null,
  granted_at timestamptz not null default clock_timestamp(),
  reason     text not null check (btrim(reason) <> ''),
  primary key (person_id, role)
);
create index person_role_held on person_role (role);

-- Nobody raises themselves, and what decides on others' wishes or looks after people is a person.
create function guard_role() returns trigger language plpgsql as $$
declare
  holder person;
begin
  select * into holder from person where id = new.person_id;
  if lower(btrim(new.granted_by)) = lower(holder.id) then
    raise exception '% cannot grant a role to themselves', holder.id
      using errcode = 'check_violation', constraint = 'role_by_another';
  end if;
  if holder.kind = 'service' and new.role in ('approver', 'administrator') then
    raise exception 'a service cannot be %', new.role
      using errcode = 'check_violation', constraint = 'role_of_a_person';
  end if;
  return new;
end
$$;
create trigger role_guarded before insert or update on person_role for each row execute function guard_role();
create trigger role_stays before truncate on person_role for each statement execute function refuse_change();

-- There is always an administrator once there was one. Those who remove one take turns, so that two do not remove two.
create function keep_an_administrator() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext('jeongsan.administrator'));
  if not exists (
    select from person_role r join person p on p.id = r.person_id
     where r.role = 'administrator' and p.disabled_at is null
  ) then
    raise exception 'the last administrator stays' using errcode = 'check_violation', constraint = 'last_administrator';
  end if;
  return null;
end
$$;
create trigger administrator_removed after delete or update on person_role
  for each row when (old.role = 'administrator') execute function keep_an_administrator();
create trigger administrator_disabled after update of disabled_at on person
  for each row when (old.disabled_at is null and new.disabled_at is not null) execute function keep_an_administrator();

-- What signs a person in: a password (its scrypt hash) or an account at the identity provider. Columns as better-auth has them.
create table credential (
  id                       text primary key,
  account_id               text not null,
  provider_id              text not null,
  person_id                text not null references person (id),
  access_token             text,
  refresh_token            text,
  id_token                 text,
  access_token_expires_at  timestamptz,
  refresh_token_expires_at timestamptz,
  scope                    text,
  password                 text,
  created_at               timestamptz not null default clock_timestamp(),
  updated_at               timestamptz not null default clock_timestamp(),
  unique (provider_id, account_id),
  unique (person_id, provider_id)
);

create table person_session (
  id         text primary key,
  person_id  text not null references person (id),
  token      text not null unique,
  expires_at timestamptz not null,
  ip_address text,
  user_agent text,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
create index person_session_of on person_session (person_id);
create index person_session_ends on person_session (expires_at);

-- Neither a service nor who was disabled signs in, whatever way they found. Whoever disables them waits, or is waited for.
create function require_enabled_person() returns trigger language plpgsql as $$
begin
  perform from person where id = new.person_id and kind = 'person' and disabled_at is null for share;
  if not found then
    raise exception '% cannot sign in', new.person_id using errcode = 'check_violation', constraint = 'sign_in_of_a_person';
  end if;
  return new;
end
$$;
create trigger session_of_a_person before insert on person_session
  for each row execute function require_enabled_person();
create trigger credential_of_a_person before insert on credential
  for each row execute function require_enabled_person();

-- What waits for its answer for minutes: sign-ins in two steps, and at the identity provider.
create table verification (
  id         text primary key,
  identifier text not null,
  value      text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
create index verification_of on verification (identifier);
create index verification_ends on verification (expires_at);

-- 2단계 인증. The TOTP secret and the backup codes, sealed by better-auth.
create table second_factor (
  id                        text primary key,
  person_id                 text not null unique references person (id),
  secret                    text not null,
  backup_codes              text not null,
  verified                  boolean not null default true,
  failed_verification_count int not null default 0,
  locked_until              timestamptz,
  used_codes                bytea[] not null default '{}'   -- SHA-256 of the latest codes that were taken: each is good once
);

-- How often an address asked for a path of signing in. `last_request` is milliseconds since 1970.
create table sign_in_rate (
  id           text primary key,
  key          text not null unique,
  count        int not null,
  last_request double precision not null
);

-- 로그인 잠금. Wrong passwords in a row for an e-mail address, whether or not anybody has it: SHA-256 of the address.
create table sign_in_attempt (
  address_hash bytea primary key,
  failures     int not null,
  last_at      timestamptz not null,
  locked_until timestamptz
);
create index sign_in_attempt_age on sign_in_attempt (last_at);

-- API 키. Its id is shown, its secret is not kept: SHA-256. It may what its scopes name and its owner's roles allow at that
-- moment. A key made by a key ends with it. Kept when it is over, since trails name it.
create table api_key (
  key_id         text primary key check (key_id ~ '^[a-z0-9]{10}$'),
  person_id      text not null references person (id),
  name           text not null check (length(btrim(name)) between 1 and 100),
  hash           bytea not null unique check (length(hash) = 32),
  scopes         text[] not null check (
    cardinality(scopes) > 0 and scopes <@ array['read', 'reveal', 'import', 'run', 'act', 'propose', 'approve',
      'configure', 'audit', 'administer']),
  made_with      text references api_key (key_id),
  created_by     text not null,
  created_at     timestamptz not null default clock_timestamp(),
  expires_at     timestamptz not null check (expires_at > created_at),
  last_used_at   timestamptz,
  last_used_from text,
  revoked_at     timestamptz,
  revoked_by     text,
  check ((revoked_at is null) = (revoked_by is null))
);
create index api_key_of on api_key (person_id);
create index api_key_made_with on api_key (made_with) where made_with is not null;

create function keep_api_key() returns trigger language plpgsql as $$
begin
  if (old.key_id, old.person_id, old.name, old.hash, old.scopes, old.made_with, old.created_by, old.created_at, old.expires_at)
     is distinct from
     (new.key_id, new.person_id, new.name, new.hash, new.scopes, new.made_with, new.created_by, new.created_at, new.expires_at)
     or (old.revoked_at is not null
         and (old.revoked_at, old.revoked_by) is distinct from (new.revoked_at, new.revoked_by)) then
    raise exception 'a key is revoked once, and nothing else of it changes' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger api_key_kept before update on api_key for each row execute function keep_api_key();
create trigger api_key_stays before delete or truncate on api_key for each statement execute function refuse_change();

-- A key may not more and not longer than the key that made it.
create function bound_api_key() returns trigger language plpgsql as $$
begin
  if new.made_with is not null and not exists (
    select from api_key k
     where k.key_id = new.made_with and k.revoked_at is null
       and new.scopes <@ k.scopes and new.expires_at <= k.expires_at
       for share
  ) then
    raise exception 'a key may not more and not longer than the key that made it'
      using errcode = 'check_violation', constraint = 'key_within_its_maker';
  end if;
  return new;
end
$$;
create trigger api_key_bounded before insert on api_key for each row execute function bound_api_key();

-- 초대, 최초 설정. A link that works once: for who sets the product up, for who was invited, for who lost their password.
-- SHA-256 of what it holds.
create table sign_in_link (
  link_id    bigint generated always as identity primary key,
  purpose    text not null check (purpose in ('setup', 'invite', 'recover')),
  person_id  text references person (id),
  hash       bytea not null unique check (length(hash) = 32),
  created_by text not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  ended_at   timestamptz,
  ended_as   text check (ended_as in ('used', 'replaced', 'expired', 'revoked')),
  check ((purpose = 'setup') = (person_id is null)),
  check ((ended_at is null) = (ended_as is null))
);
-- However many processes start at once, one link.
create unique index sign_in_link_setup on sign_in_link (purpose) where purpose = 'setup' and ended_at is null;
create unique index sign_in_link_open on sign_in_link (person_id) where ended_at is null;

-- What signs cookies and seals TOTP secrets, the same on every server: sealed under the data key `key_id`.
create table auth_secret (
  only_one boolean primary key default true check (only_one),
  sealed   bytea not null,
  key_id   text not null,
  made_at  timestamptz not null default clock_timestamp()
);

-- Through whose hands the link went by which somebody last got in: who held it could have set the password.
create function let_in_by(person text) returns text language sql stable as $$
  select created_by from sign_in_link where person_id = person and ended_as = 'used' order by link_id desc limit 1
$$;

-- What is changed of people stands in the audit trail.
create trigger person_audited after insert or update of name, email_verified, two_factor_enabled, responsible, disabled_at on person
  for each row execute function audit_changes();
create trigger person_role_audited after insert or update or delete on person_role
  for each row execute function audit_changes();
create trigger credential_audited after insert or update or delete on credential
  for each row execute function audit_changes('access_token', 'refresh_token', 'id_token', 'password');
create trigger second_factor_audited after insert or update of secret, backup_codes, verified or delete on second_factor
  for each row execute function audit_changes('secret', 'backup_codes');
create trigger api_key_audited after insert or update of revoked_at on api_key
  for each row execute function audit_changes('hash');
create trigger sign_in_link_audited after insert or update on sign_in_link
  for each row execute function audit_changes('hash');

-- 승인. Once there is an administrator, who decides is an enabled person who holds the role approver at that moment, who
-- does not stand behind the one who asked (a service that they answer for or made a key of, a person whose link they
-- held), nor the other way round. Roles that are being taken away wait for the decision, or it sees them gone.
create function require_approver() returns trigger language plpgsql as $$
declare
  decider person;
begin
  -- What was cancelled is refused in nobody's name.
  if not exists (select from person_role where role = 'administrator')
     or (new.decision = 'refused' and new.decided_by = 'jeongsan') then
    return new;
  end if;
  select p.* into decider from person p join person_role r on r.person_id = p.id
   where p.id = new.decided_by and p.disabled_at is null and r.role = 'approver'
     for share;
  if not found then
    raise exception '% is not an approver', new.decided_by
      using errcode = 'check_violation', constraint = 'approval_by_approver';
  end if;
  if exists (
    select from person asker
     where asker.id = new.asked_by
       and (asker.responsible = decider.id
            or exists (select from api_key k where k.person_id = asker.id and k.created_by = decider.id)
            or let_in_by(asker.id) = decider.id
            or let_in_by(decider.id) = asker.id)
  ) then
    raise exception '% stands behind %, or the other way round', decider.id, new.asked_by
      using errcode = 'check_violation', constraint = 'approval_four_eyes';
  end if;
  return new;
end
$$;
create trigger approval_by_approver before insert or update on approval
  for each row when (new.decision is not null) execute function require_approver();

-- 지급. Which payout it is does not change, and one that waits for a second person goes on only under their word for that
-- amount of that merchant.
create function require_payout_approval() returns trigger language plpgsql as $$
begin
  if (old.payout_id, old.idempotency_key, old.kind, old.merchant_id, old.amount_won, old.account_id, old.requested_by)
     is distinct from
     (new.payout_id, new.idempotency_key, new.kind, new.merchant_id, new.amount_won, new.account_id, new.requested_by) then
    raise exception 'a payout stays what was asked for' using errcode = 'restrict_violation';
  end if;
  if old.state = 'awaiting_approval' and new.state not in ('awaiting_approval', 'cancelled') and not exists (
       select from approval
        where kind = 'payout' and subject = new.payout_id::text and decision = 'approved'
          and detail ->> 'amountWon' = new.amount_won::text and detail ->> 'merchantId' = new.merchant_id) then
    raise exception 'payout % was not approved', new.payout_id
      using errcode = 'check_violation', constraint = 'payout_approved';
  end if;
  return new;
end
$$;
create trigger payout_approved before update of payout_id, idempotency_key, kind, merchant_id, amount_won, account_id, requested_by
  on payout for each row execute function require_payout_approval();
create trigger payout_approved_state before update of state on payout for each row
  when (old.state = 'awaiting_approval' and new.state is distinct from old.state) execute function require_payout_approval();
