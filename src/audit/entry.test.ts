import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../platform/config.ts';
import { type AuditEntry, ChainReader, entryHash, noHash, parseHead } from './entry.ts';

const entry: Omit<AuditEntry, 'hash'> = {
  number: 1,
  at: '2026-11-21T08:00:05.000123Z',
  who: 'kim@pg.test',
  from: '127.0.0.1',
  key: null,
  act: 'bank.set',
  subject: 'bank hanbit',
  outcome: 'asked',
  reason: '점검',
  detail: '{}',
  actId: 1,
  previousHash: noHash,
};
/** Of the bytes typed by hand, by sha256sum. */
const hash = '1b01069e1e156a8cc1e4560af0b4b8e320619f1410cf03679e946d2d1d249b5e';

test('the hash is that of the bytes that the documentation describes, which has this entry as its example', () => {
  expect(entryHash(entry)).toBe(hash);
  expect(readFileSync(path.join(repositoryRoot, 'docs/audit.md'), 'utf8')).toContain(`sha256sum\n${hash}\n`);
});

test('no two entries have the same bytes, wherever one field ends and the next begins', () => {
  const others: readonly Partial<AuditEntry>[] = [
    { who: 'kim@pg.test9:', from: '127.0.0.1' },
    { key: '' },
    { key: '-' },
    { reason: null },
    { reason: '' },
    { reason: '점검,' },
    { detail: '{ }' },
    { act: 'bank', subject: 'set,11:bank hanbit' },
  ];
  const hashes = [entry, ...others.map((other) => ({ ...entry, ...other }))].map(entryHash);
  expect(new Set(hashes).size).toBe(hashes.length);
});

test('a chain is read from its beginning, or from where it was read before', () => {
  const first = { ...entry, hash };
  const next = { ...entry, number: 2, actId: 2, previousHash: hash };
  const second = { ...next, hash: entryHash(next) };
  const reader = new ChainReader();
  expect([first, second].map((each) => reader.read(each))).toEqual([undefined, undefined]);
  expect(reader.head).toEqual({ number: 2, hash: second.hash });
  expect(new ChainReader({ number: 1, hash }).read(second)).toBeUndefined();
  expect(new ChainReader().read(second)).toBe('missing_before');
  expect(new ChainReader({ number: 1, hash: noHash }).read(second)).toBe('unlinked');
  expect(new ChainReader().read({ ...first, who: 'lee' })).toBe('altered');
});

test.each([
  [`17:${hash}`, { number: 17, hash }],
  [hash.toUpperCase(), { hash }],
  [` ${hash} `, { hash }],
  ['17', undefined],
  [`0:${noHash}`, { number: 0, hash: noHash }],
  [`07:${hash}`, undefined],
  [`${hash}0`, undefined],
])('a head that somebody noted: %s', (text, expected) => {
  expect(parseHead(text)).toEqual(expected);
});
