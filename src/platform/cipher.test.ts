import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isProblem, type ProblemCode } from '../kernel/problem.ts';
import { type Cipher, isDataKey, openCipher } from './cipher.ts';
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
  const first = cipher.seal('110123456789');
  const second = cipher.seal('110123456789');
  expect(first.sealed.equals(second.sealed)).toBe(false);
  expect(first.sealed.toString('latin1')).not.toContain('110123456789');
  for (const { sealed, keyId } of [first, second]) expect(cipher.unseal(sealed, keyId)).toBe('110123456789');
  expect(cipher.unseal(cipher.seal('예금주').sealed, cipher.keyId)).toBe('예금주');
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
  const { sealed, keyId } = cipher.seal('110123456789');
  const other = await openCipher({ home, key: keyOf(2) });
  expect(other.keyId).not.toBe(keyId);
  expect(() => other.unseal(sealed, keyId)).toThrow(refusal('data_key_changed'));
  // Even where the name is made to fit.
  expect(() => other.unseal(sealed, other.keyId)).toThrow(refusal('sealed_damaged'));
});

test('a change of any byte is noticed', async () => {
  const cipher = await openCipher({ home, key: keyOf(1) });
  const { sealed, keyId } = cipher.seal('110123456789');
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => cipher.unseal(changed, keyId)).toThrow(refusal('sealed_damaged'));
  }
  for (const short of [Buffer.alloc(0), sealed.subarray(0, 20), sealed.subarray(0, -1)]) {
    expect(() => cipher.unseal(short, keyId)).toThrow(refusal('sealed_damaged'));
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
