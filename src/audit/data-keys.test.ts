import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { textSource } from '../../test/support/import-text.ts';
import { sealedPlaces } from '../cli.ts';
import { openAuthSecret } from '../identity/secret-store.ts';
import { addRevealCommand } from '../merchants/account-commands.ts';
import { openAccount, sealedAccounts } from '../merchants/account-seal-store.ts';
import { importAccounts } from '../merchants/import-terms.ts';
import { bankAccountInForce } from '../merchants/terms-store.ts';
import { type Cipher, type DataKeys, openCipher } from '../platform/cipher.ts';
import { query } from '../platform/database/pool.ts';
import { Secret } from '../platform/secret.ts';
import { secretOf } from '../webhooks/endpoint-store.ts';
import { dataKeyCommands } from './data-key-commands.ts';

const keyOf = (byte: number): Secret => new Secret(Buffer.alloc(32, byte).toString('base64'));
const on = Temporal.PlainDate.from('2026-11-20');
const places = sealedPlaces;
const numberOf = (n: number): string => `110${String(n).padStart(9, '0')}`;

let home: string;
let database: TestDatabase;
beforeEach(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'jeongsan-keys-'));
  database = await testDatabase();
});
afterEach(async () => {
  await database.close();
  rmSync(home, { recursive: true });
});

const run = (line: string, keys: DataKeys = {}) =>
  runCommand(database.pool, ['data-key', ...line.split(' ')], (program, context, output) =>
    dataKeyCommands(program, context, { home, keys, places, cipher: () => openCipher({ home, ...keys }) }, output),
  );

/** Merchants M1… with an account each, as they come in from a file. */
async function bring(cipher: Cipher, from: number, to: number): Promise<void> {
  const ids = Array.from({ length: to - from + 1 }, (_, n) => from + n);
  await database.pool.query(
    `with import as (insert into import (kind, file_name, imported_by) values ('merchants', 'test', 'test') returning import_id)
     insert into merchant (merchant_id, name, business_no, import_id)
     select 'M' || n, 'M' || n, '0000000000', import_id from unnest($1::int[]) n, import on conflict do nothing`,
    [ids],
  );
  const lines = ids.map((n) => `M${n},2026-01-01,004,${numberOf(n)},홍길${n}`);
  const text = `merchantId,validFrom,bankCode,accountNo,holder\n${lines.join('\n')}\n`;
  const { refused } = await importAccounts(database.pool, cipher, textSource(text), { who: 'test' });
  expect(refused).toBe(0);
}

async function expectReadable(cipher: Cipher, count: number): Promise<void> {
  for (let n = 1; n <= count; n += 97) {
    const account = await bankAccountInForce(database.pool, `M${n}`, on);
    expect(account && openAccount(cipher, account)).toEqual({ accountNo: numberOf(n), holder: `홍길${n}` });
  }
}

test('whatever is sealed in the database is known to the change of keys', async () => {
  const tables = await query<{ table: string }>(
    database.pool,
    `select distinct table_name as table from information_schema.columns
      where table_schema = 'public' and data_type = 'bytea' and column_name ~ 'sealed' order by 1`,
  );
  expect(tables.map(({ table }) => table)).toEqual(places.map(({ table }) => table).sort());
});

test('everything comes under a new key, a chunk at a time, and is read with it alone', async () => {
  const old = await openCipher({ home, key: keyOf(1) });
  await bring(old, 1, 1200);
  const secret = await openAuthSecret(database.pool, old);
  const sealed = old.seal('https://hooks.example/T0', 'alert_channel:ops:url');
  await database.pool.query(
    `insert into alert_channel (channel_id, kind, url_sealed, url_key_id, host, language, purposes, changed_by)
     values ('ops', 'slack', $1, $2, 'hooks.example', 'ko', '{}', 'kim')`,
    [sealed.sealed, sealed.keyId],
  );
  // The first of the two was removed: its name is free again.
  for (const [name, removed] of [
    ['erp', true],
    ['erp', false],
  ] as const) {
    const { sealed: bytes, keyId } = old.seal(`whsec_${removed}`, secretOf(name));
    await database.pool.query(
      `insert into webhook_endpoint (name, url, events, sealed, key_id, made_by, enabled, removed_at)
       values ($1, 'https://erp.example/in', '{*}', $2, $3, 'kim', not $4, case when $4 then now() end)`,
      [name, bytes, keyId, removed],
    );
  }
  const keys = { key: keyOf(2), oldKeys: [keyOf(1)] };
  expect(JSON.parse((await run('status --json', keys)).said)).toMatchObject({
    places: [
      { values: 2400, state: 'old' },
      { values: 1, state: 'old' },
      { values: 2, state: 'old' },
      { values: 1, state: 'old' },
    ],
  });
  const { said, exitCode } = await run('rotate --json', keys);
  expect([exitCode, JSON.parse(said)]).toMatchObject([0, { resealed: 2404, unreadable: [], left: 0 }]);
  expect(JSON.parse((await run('rotate --json', keys)).said)).toMatchObject({ resealed: 0 });
  const next = await openCipher({ home, key: keyOf(2) });
  await expectReadable(next, 1200);
  expect((await openAuthSecret(database.pool, next)).reveal()).toBe(secret.reveal());
  const [channel] = await query<{ sealed: Buffer; keyId: string }>(
    database.pool,
    'select url_sealed as sealed, url_key_id as "keyId" from alert_channel where channel_id = $$ops$$',
  );
  expect(channel && next.unseal(channel.sealed, channel.keyId, 'alert_channel:ops:url')).toBe(
    'https://hooks.example/T0',
  );
  const endpoints = await query<{ sealed: Buffer; keyId: string }>(
    database.pool,
    'select sealed, key_id as "keyId" from webhook_endpoint order by endpoint_id',
  );
  const secrets = endpoints.map(({ sealed: bytes, keyId }) => next.unseal(bytes, keyId, secretOf('erp')));
  expect(secrets).toEqual(['whsec_true', 'whsec_false']);
  // The same file again is the same: fingerprints are those of the new key.
  const lines = 'merchantId,validFrom,bankCode,accountNo,holder\nM7,2026-01-01,004,110000000007,홍길7\n';
  const again = await importAccounts(database.pool, next, textSource(lines), { who: 'test' });
  expect(again).toMatchObject({ added: 0, same: 1 });
});

test('writers of both keys and two rotations at once leave everything readable, and a last one nothing of the old key', async () => {
  const old = await openCipher({ home, key: keyOf(1), oldKeys: [keyOf(2)] });
  await bring(old, 1, 1500);
  const keys = { key: keyOf(2), oldKeys: [keyOf(1)] };
  const next = await openCipher({ home, ...keys });
  await Promise.all([run('rotate', keys), run('rotate', keys), bring(old, 1501, 1700), bring(next, 1701, 1900)]);
  await expectReadable(next, 1900);
  expect(JSON.parse((await run('rotate --json', keys)).said)).toMatchObject({ left: 0, unreadable: [] });
  const [found] = await query<{ keys: string[]; accounts: bigint }>(
    database.pool,
    'select array_agg(distinct key_id) as keys, count(*) as accounts from bank_account',
  );
  expect(found).toEqual({ keys: [next.keyId], accounts: 1900n });
});

test('what is interrupted is taken up where it stopped', async () => {
  const old = await openCipher({ home, key: keyOf(1) });
  await bring(old, 1, 1200);
  const next = await openCipher({ home, key: keyOf(2), oldKeys: [keyOf(1)] });
  expect(await sealedAccounts.reseal(database.pool, next, { after: '', limit: 500 })).toMatchObject({ resealed: 1000 });
  const rest = await run('rotate --json', { key: keyOf(2), oldKeys: [keyOf(1)] });
  expect(JSON.parse(rest.said)).toMatchObject({ resealed: 1400, left: 0 });
});

test('what nobody can read here is named, left as it is, and keeps nothing else back', async () => {
  await bring(await openCipher({ home, key: keyOf(1) }), 1, 3);
  await database.pool.query(
    `update bank_account set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) where merchant_id = 'M2'`,
  );
  const { said, exitCode } = await run('rotate --json', { key: keyOf(2), oldKeys: [keyOf(1)] });
  expect([exitCode, JSON.parse(said)]).toMatchObject([1, { resealed: 4, unreadable: ['bank_account:2'], left: 2 }]);
  const without = await run('status --json', { key: keyOf(3) });
  expect(without.exitCode).toBe(1);
  expect(JSON.parse(without.said).places[0]).toMatchObject({ state: 'unreadable' });
});

test('rows from before names were sealed are sealed, and bound, by a rotation under the same key', async () => {
  const cipher = await openCipher({ home });
  await bring(cipher, 1, 1);
  await database.pool.query(
    `insert into bank_account (merchant_id, valid_from, bank_code, sealed, key_id, fingerprint, last4, holder, recorded_by)
     values ('M1', '2026-02-01', '004', $1, $2, '\\x00', '6789', '김철수', 'test')`,
    [cipher.seal('110123456789', 'bank_account:M1:004').sealed, cipher.keyId],
  );
  expect((await bankAccountInForce(database.pool, 'M1', on))?.holder).toBe('김*수');
  expect((await run('rotate')).exitCode).toBe(0);
  const [row] = await query<{ holder: string }>(
    database.pool,
    `select holder from bank_account where valid_from = '2026-02-01'`,
  );
  expect(row).toEqual({ holder: '김*수' });
  const account = await bankAccountInForce(database.pool, 'M1', on);
  expect(account && openAccount(cipher, account)).toEqual({ accountNo: '110123456789', holder: '김철수' });
});

test('a home is given a new key by the same command, unless the environment has one', async () => {
  await bring(await openCipher({ home }), 1, 3);
  const before = (await openCipher({ home })).keyId;
  expect((await run('rotate --new')).exitCode).toBe(0);
  const after = await openCipher({ home });
  expect(after.keyId).not.toBe(before);
  await expectReadable(after, 3);
  await expect(run('rotate --new', { key: keyOf(1) })).rejects.toMatchObject({ code: 'usage' });
});

const reveal = async (line: readonly string[], cipher: Cipher) =>
  runCommand(database.pool, ['merchants', 'account', 'reveal', ...line], (program, context, output) =>
    addRevealCommand(program.command('merchants'), context, {
      cipher: async () => cipher,
      actor: () => ({ who: 'kim@pg.example', from: 'cli@desk', key: 'k1' }),
      output,
      now: () => Temporal.Instant.from('2026-11-20T03:00:00Z'),
    }),
  );
const trail = () =>
  query(
    database.pool,
    `select who, act, subject, outcome, reason, detail::text as detail from audit_entry where act like '%revealed'`,
  );

test('an account is shown in full for a reason, and the trail says so without the number', async () => {
  const cipher = await openCipher({ home });
  await bring(cipher, 1, 1);
  const { said } = await reveal(['M1', '--reason', 'the bank asks', '--json'], cipher);
  expect(JSON.parse(said)).toMatchObject({ merchantId: 'M1', accountNo: numberOf(1), holder: '홍길1' });
  expect((await reveal(['M1', '--reason', 'x'], cipher)).said).toContain(numberOf(1));
  const [entry] = await trail();
  expect(entry).toMatchObject({
    who: 'kim@pg.example',
    subject: 'bank_account:1',
    outcome: 'asked',
    reason: 'the bank asks',
  });
  expect(JSON.stringify(await trail())).not.toContain(numberOf(1));
});

test('without a reason, or where the trail cannot be written, nothing is shown', async () => {
  const cipher = await openCipher({ home });
  await bring(cipher, 1, 1);
  await expect(reveal(['M1', '--reason', '  '], cipher)).rejects.toMatchObject({ code: 'reason_missing' });
  await expect(reveal(['M9', '--reason', 'x'], cipher)).rejects.toMatchObject({ code: 'not_found' });
  expect(await trail()).toEqual([]);
  // Whoever cannot open it stands in the trail all the same: it is written first.
  const other = await openCipher({ home, key: keyOf(5) });
  await database.pool.query(`update bank_account set key_id = 'gone'`);
  await expect(reveal(['M1', '--reason', 'tried'], other)).rejects.toMatchObject({ code: 'data_key_changed' });
  expect(await trail()).toMatchObject([{ reason: 'tried' }]);
  await database.pool.query('alter table audit_draft add constraint full_up check (false) not valid');
  let opened = false;
  const watching: Cipher = {
    ...cipher,
    unseal(...given) {
      opened = true;
      return cipher.unseal(...given);
    },
  };
  await expect(reveal(['M1', '--reason', 'x'], watching)).rejects.toThrow('full_up');
  expect(opened).toBe(false);
});
