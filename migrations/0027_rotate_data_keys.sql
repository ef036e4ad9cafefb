-- Sealed numbers name their key and what they belong to, so that keys can be changed.

-- 예금주. A name is sealed like the number; `holder` is what may be shown of it. Rows from before hold the whole name there
-- until `jeongsan data-key rotate` has sealed them: the database has no key to do it with.
alter table bank_account add column holder_sealed bytea;
alter table bank_account add column holder_fingerprint bytea;
alter table bank_account add constraint bank_account_holder_sealed
  check ((holder_sealed is null) = (holder_fingerprint is null));
-- What is left to be sealed anew is found without reading the table.
create index bank_account_key on bank_account (key_id, merchant_id);
create index bank_account_unsealed on bank_account (merchant_id) where holder_sealed is null;

-- What was agreed is never changed; how it is sealed is.
create function keep_bank_account() returns trigger language plpgsql as $$
declare
  anew text[] := array['sealed', 'key_id', 'fingerprint', 'holder_sealed', 'holder_fingerprint']
                 || case when old.holder_sealed is null and new.holder_sealed is not null then array['holder'] else '{}' end;
begin
  if to_jsonb(new) - anew <> to_jsonb(old) - anew or new.holder_sealed is null and old.holder_sealed is not null then
    raise exception 'rows of % are never changed or deleted', tg_table_name using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
drop trigger bank_account_append_only on bank_account;
create trigger bank_account_append_only before delete or truncate on bank_account
  for each statement execute function refuse_change();
create trigger bank_account_kept before update on bank_account for each row execute function keep_bank_account();

-- 이름 가림. A name as it may be shown: `홍*동`, `김*`. The twin of `maskName` (src/merchants/account.ts); once more it stays.
create function mask_name(name text) returns text language sql immutable parallel safe as $$
  select left(name, 1) || repeat('*', least(greatest(length(name) - 2, 1), length(name) - 1))
         || case when length(name) > 2 then right(name, 1) else '' end
$$;
-- What banks said before names were kept masked; our own are masked when they are sealed.
update holder_check set holder = mask_name(holder) where holder is not null;
