import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isProblem, type ProblemCode } from '../kernel/problem.ts';
import { type Cipher, dataKeyId, openCipher } from './cipher.ts';
import { isDataKey, replaceHomeKey } from './data-key-files.ts';
import { Secret } from './secret.ts';

const keyOf = (byte: number): Secret => new Secret(Buffer.alloc(32, byte).toString('base64'));

let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'jeongsan-cipher-'));
});
afterEach(() => rmSync(home, { recursive: true }));

function refusal(code: ProblemCode) {
  return expect.toSatisfy((error: unknown) => isProblem(error, code));
}

test('what is sealed is read again, and differs each time', async () => {
  const cipher = await openCipher({ home, key: keyOf(1) });
  const first = cipher.seal('110123456789', 'a');
  const second = cipher.seal('110123456789', 'a');
  expect(first.sealed.equals(second.sealed)).toBe(false);
  expect(first.sealed.toString('latin1')).not.toContain('110123456789');
  for (const { sealed, keyId } of [first, second]) expect(cipher.unseal(sealed, keyId, 'a')).toBe('110123456789');
  expect(cipher.unseal(cipher.seal('예금주', 'a').sealed, cipher.keyId, 'a')).toBe('예금주');
});

test('a fingerprint is the same for the same text and key alone', async () => {
  const [one, again, other] = (await Promise.all(
    [keyOf(1), keyOf(1), keyOf(2)].map((key) => openCipher({ home, key })),
  )) as [Cipher, Cipher, Cipher];
  expect(one.fingerprint('1')).toEqual(again.fingerprint('1'));
  expect(one.fingerprint('1')).not.toEqual(one.fingerprint('2'));
  expect(one.fingerprint('1')).not.toEqual(other.fingerprint('1'));
  expect(one.fingerprint('1')).toHaveLength(32);
});

test('another key is noticed by its name', async () => {
  const cipher = await openCipher({ home, key: keyOf(1) });
  const { sealed, keyId } = cipher.seal('110123456789', 'a');
  const other = await openCipher({ home, key: keyOf(2) });
  expect(other.keyId).not.toBe(keyId);
  expect(() => other.unseal(sealed, keyId, 'a')).toThrow(refusal('data_key_changed'));
  // Even where the name is made to fit.
  expect(() => other.unseal(sealed, other.keyId, 'a')).toThrow(refusal('sealed_damaged'));
});

test('a change of any byte is noticed', async () => {
  const cipher = await openCipher({ home, key: keyOf(1) });
  const { sealed, keyId } = cipher.seal('110123456789', 'a');
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => cipher.unseal(changed, keyId, 'a')).toThrow(refusal('sealed_damaged'));
  }
  for (const short of [Buffer.alloc(0), sealed.subarray(0, 20), sealed.subarray(0, -1)]) {
    expect(() => cipher.unseal(short, keyId, 'a')).toThrow(refusal('sealed_damaged'));
  }
});

test('a home makes its key once, for its owner alone, however many come at once', async () => {
  const ciphers = await Promise.all(Array.from({ length: 8 }, () => openCipher({ home })));
  expect(new Set(ciphers.map((cipher) => cipher.keyId)).size).toBe(1);
  const folder = path.join(home, 'keys');
  expect(readdirSync(folder)).toEqual(['data.key']);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(path.join(folder, 'data.key')).mode & 0o777).toBe(0o600);
  expect((await openCipher({ home })).keyId).toBe(ciphers[0]?.keyId);
});

test('a key file that is no key is refused, and is not repeated', async () => {
  await openCipher({ home });
  const file = path.join(home, 'keys', 'data.key');
  writeFileSync(file, 'hunter2');
  await expect(openCipher({ home })).rejects.toThrow(refusal('data_key_unreadable'));
  expect(String(await openCipher({ home }).catch((error: unknown) => error))).not.toContain('hunter2');
  expect(readFileSync(file, 'utf8')).toBe('hunter2');
});

test('nothing of the key is shown by a cipher', async () => {
  const cipher = await openCipher({ home, key: keyOf(1) });
  expect(inspect(cipher, { depth: 9, showHidden: true })).not.toContain('AQEB');
});

test.each([
  ['', false],
  ['AQEB', false],
  [Buffer.alloc(31, 1).toString('base64'), false],
  [Buffer.alloc(33, 1).toString('base64'), false],
  [Buffer.alloc(32, 1).toString('hex'), false],
  [Buffer.alloc(32, 1).toString('base64'), true],
  [Buffer.alloc(32, 0xff).toString('base64url'), false],
])('%j is a data key: %s', (text, expected) => {
  expect(isDataKey(text)).toBe(expected);
});

test('a value that was moved to what it does not belong to is not opened', async () => {
  const cipher = await openCipher({ home, key: keyOf(1) });
  const { sealed, keyId } = cipher.seal('110123456789', 'bank_account:M1:004');
  expect(() => cipher.unseal(sealed, keyId, 'bank_account:M2:004')).toThrow(refusal('sealed_damaged'));
  // Nor by saying that it is of the older format, which was bound to nothing.
  const older = Buffer.from(sealed);
  older[0] = 1;
  expect(() => cipher.unseal(older, keyId, 'bank_account:M1:004')).toThrow(refusal('sealed_damaged'));
});

test('what was sealed before values were bound is still read', async () => {
  const cipher = await openCipher({ home, key: keyOf(1) });
  // Made by the product of that time, under the same key.
  const sealed = Buffer.from(
    '0126edfd4cd13b7b482f8660c7e9a3459d39bcfc7c696714f6ec03e2ad16779a4334e6a2475103fdee',
    'hex',
  );
  expect(cipher.unseal(sealed, cipher.keyId, 'whatever')).toBe('110123456789');
});

test('a ring opens what each of its keys sealed, and seals with the current one', async () => {
  const before = await openCipher({ home, key: keyOf(1) });
  const [first, unknown] = [before.seal('1', 'a'), (await openCipher({ home, key: keyOf(9) })).seal('9', 'a')];
  const ring = await openCipher({ home, key: keyOf(2), oldKeys: [keyOf(1), keyOf(3)] });
  expect(ring.unseal(first.sealed, first.keyId, 'a')).toBe('1');
  expect(ring.seal('2', 'a').keyId).toBe(ring.keyId);
  expect(ring.keyIds()).toHaveLength(3);
  expect(() => ring.unseal(unknown.sealed, unknown.keyId, 'a')).toThrow(refusal('data_key_changed'));
});

test('keys come from files too, and a wrong one is named and not repeated', async () => {
  const [keyFile, oldKeysFile] = [path.join(home, 'current'), path.join(home, 'old')];
  writeFileSync(keyFile, `${keyOf(1).reveal()}\n`);
  writeFileSync(oldKeysFile, `${keyOf(2).reveal()}\n\n${keyOf(3).reveal()}\n`);
  const ring = await openCipher({ home, keyFile, oldKeysFile });
  expect(ring.keyId).toBe((await openCipher({ home, key: keyOf(1) })).keyId);
  expect(ring.keyIds()).toHaveLength(3);
  writeFileSync(oldKeysFile, 'hunter2');
  const refused = await openCipher({ home, keyFile, oldKeysFile }).catch((error: unknown) => error);
  expect(refused).toEqual(refusal('data_key_unreadable'));
  expect(String(refused)).not.toContain('hunter2');
  for (const missing of [{ keyFile: path.join(home, 'none') }, { oldKeysFile: path.join(home, 'none') }]) {
    await expect(openCipher({ home, ...missing })).rejects.toThrow(refusal('data_key_unreadable'));
  }
});

test('a home that is given a new key keeps the one before, and who was there first reads what it seals', async () => {
  const before = await openCipher({ home });
  await replaceHomeKey(home, dataKeyId);
  const after = await openCipher({ home });
  expect(after.keyId).not.toBe(before.keyId);
  expect([...after.keyIds()].sort()).toEqual([before.keyId, after.keyId].sort());
  for (const [writer, reader] of [
    [before, after],
    [after, before],
  ] as const) {
    const { sealed, keyId } = writer.seal('1', 'a');
    expect(reader.unseal(sealed, keyId, 'a')).toBe('1');
  }
  expect(statSync(path.join(home, 'keys', 'old', `${before.keyId}.key`)).mode & 0o777).toBe(0o600);
  // A key from elsewhere takes the place of the home's, which still opens.
  expect((await openCipher({ home, key: keyOf(1) })).keyIds()).toHaveLength(3);
});
