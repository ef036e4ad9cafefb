import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { differentialProviderOf } from '../providers/differential-registry.ts';
import type { ExchangeHead, ExchangeRow } from '../providers/layout/exchange-layout.ts';
import { decodeExchange, encodeExchange } from '../providers/layout/exchange-typed.ts';
import type { DueClaim } from './differential-claims.ts';
import { type Desk, openDesk } from './differential-desk.ts';
import { accepted, type Fate, type FileMood, type Verdict } from './differential-fates.ts';

const head: ExchangeHead = { on: Temporal.PlainDate.from('2026-08-06'), biz: '1018100008' };
const welcome = differentialProviderOf('welcome');
const layout = welcome.differential.answers.layout;
const request = 'daff_welcome_1018100008_20260806_req';
const answer = 'daff_welcome_1018100008_20260806_res';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'jeongsan-desk-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Tier 1, credit: of 100,000 won 2,000 and 200 were charged and 1,000 and 100 may be. */
const claim = (n: number): DueClaim => ({
  provider: 'welcome',
  channel: 'welcome-online',
  providerTid: `WP${n}`,
  cancelSeq: 0,
  type: 'A',
  tradedOn: '2026-08-06',
  originalOn: '2026-08-06',
  capturedOn: '2026-08-06',
  amountWon: 100_000n,
  originalWon: 100_000n,
  chargedWon: 2_200n,
  differenceWon: 1_100n,
  tier: 1,
  cardType: 'credit',
  merchantNo: 0,
  isSubMerchant: true,
  merchantId: 'D2000001',
  mid: 'wpon000001',
  acquirer: '신한카드',
  finalNo: '1018100008',
  intermediaryNo: undefined,
  binListed: 'always',
});
const row = (n: number, change: Partial<ExchangeRow<'claim'>> = {}): ExchangeRow<'claim'> => ({
  mid: 'wpon000001',
  type: 'A',
  tradedOn: '2026-08-06',
  approvedOn: '2026-08-06',
  providerTid: `WP${n}`,
  cancelSeq: 0,
  amountWon: 100_000n,
  originalWon: 100_000n,
  intermediaryNo: null,
  finalNo: '1018100008',
  orderNo: `O${n}`,
  ...change,
});

function open(mood: FileMood, verdicts: Readonly<Record<number, (Verdict | undefined)[]>> = {}): Desk {
  const fates = new Map<string, Fate>(
    Array.from({ length: 8 }, (_, n) => {
      const own = verdicts[n] ?? [accepted];
      return [`WP${n}/0`, { claim: claim(n), verdicts: own, end: { status: 'paid' } }];
    }),
  );
  return openDesk({
    provider: welcome,
    folder,
    businessNo: head.biz,
    fates,
    moodOf: () => mood,
    registers: () => true,
    pace: 'calendar',
  });
}

function put(rows: readonly ExchangeRow<'claim'>[], name = request, of = head): void {
  const bytes = encodeExchange(welcome.differential.claims.layout, of, rows);
  writeFileSync(path.join(folder, 'files', 'req', name), bytes);
}
const at = (text: string) => Temporal.Instant.from(`${text}+09:00`);
const expected = { ...head, provider: 'welcome', fileName: answer };
const bytesOf = (name = answer) => readFileSync(path.join(folder, 'files', 'res', name));
const read = () => decodeExchange(layout, expected, bytesOf());
const there = () => readdirSync(path.join(folder, 'files', 'res')).sort();
const all = Array.from({ length: 8 }, (_, n) => row(n));

describe('the desk of a simulated provider', () => {
  test('validates in the morning, answers an hour later, and pays supply and VAT of the difference', () => {
    const desk = open('plain');
    put(all);
    desk.look(at('2026-08-07T00:40'));
    expect(there()).toEqual([]);
    desk.look(at('2026-08-07T09:10'));
    expect(there()).toEqual([answer.replace('res', 'valid')]);
    desk.look(at('2026-08-07T10:10'));
    const { rows, facts } = read();
    expect(facts.differenceWon).toBe(8_800n);
    // 1,100 with VAT: 1,000 and 100.
    expect(rows[0]).toMatchObject({ code: '00', tier: '1', cardType: '0', supplyWon: 1_000n, vatWon: 100n });
    expect(desk.strays()).toEqual([]);
  });

  test('says what is written for each try of a claim, and leaves out what is rejected early or never spoken of', () => {
    const desk = open('plain', { 0: [{ code: '09' }, accepted], 1: [{ code: '12', early: true }], 2: [undefined] });
    put(all);
    desk.look(at('2026-08-07T00:40'));
    desk.look(at('2026-08-07T12:00'));
    expect(read().rows.map(({ providerTid, code }) => `${providerTid} ${code}`)).toEqual([
      'WP0 09',
      ...[3, 4, 5, 6, 7].map((n) => `WP${n} 00`),
    ]);
    const valid = decodeExchange(
      welcome.differential.validation?.layout ?? expect.fail('welcome validates'),
      expected,
      bytesOf(answer.replace('res', 'valid')),
    );
    expect(valid.rows.filter(({ code }) => code !== '00').map(({ providerTid }) => providerTid)).toEqual(['WP1']);
    const next = { ...head, on: Temporal.PlainDate.from('2026-08-07') };
    put([row(0)], request.replace('0806', '0807'), next);
    desk.look(at('2026-08-08T00:40'));
    desk.look(at('2026-08-11T00:00'));
    const second = bytesOf(answer.replace('0806', '0807'));
    expect(decodeExchange(layout, { ...expected, on: next.on }, second).rows.map(({ code }) => code)).toEqual(['00']);
  });

  test('notes what it does not owe, and what a line says wrongly', () => {
    const desk = open('plain');
    put([row(0), row(1, { amountWon: 99_999n }), row(77)]);
    desk.look(at('2026-08-07T00:40'));
    expect(desk.strays()).toEqual([
      expect.stringContaining('WP1/0 says 99999 100000'),
      expect.stringContaining('WP77/0 is not owed'),
    ]);
  });

  test.each([
    ['late', '2026-08-10T10:04', '2026-08-10T10:06'],
    ['after_deadline', '2026-08-15T10:04', '2026-08-15T10:06'],
  ] as const)('answers %s', (mood, before, after) => {
    const desk = open(mood);
    put(all);
    desk.look(at('2026-08-07T00:40'));
    desk.look(at(before));
    expect(there()).toHaveLength(1);
    desk.look(at(after));
    expect(read().rows).toHaveLength(8);
  });

  test.each([
    ['truncated', 'statement_width'],
    ['wrong_total', 'statement_totals_differ'],
    ['other_day', 'statement_other_day'],
  ] as const)('puts out a file that is %s, and then the right one', (mood, problem) => {
    const desk = open(mood);
    put(all);
    desk.look(at('2026-08-07T00:40'));
    desk.look(at('2026-08-07T10:10'));
    const wrong = bytesOf();
    expect(read).toThrow(expect.objectContaining({ code: problem }));
    desk.look(at('2026-08-07T12:10'));
    expect(read().rows).toHaveLength(8);
    // A process that takes over knows what was put out.
    const again = open(mood);
    again.look(at('2026-08-07T12:20'));
    expect(bytesOf().equals(wrong)).toBe(false);
    expect(read().rows).toHaveLength(8);
  });

  test.each([
    ['half', 4, 8],
    ['rest', 4, 4],
    ['unknown_claim', 9, 9],
    ['same_twice', 11, 8],
    ['answered_twice', 10, 8],
    ['reordered', 8, 8],
    ['unreadable', 7, 8],
  ] as const)('%s: first %i lines, then %i', (mood, first, then) => {
    const desk = open(mood);
    put(all);
    desk.look(at('2026-08-07T00:40'));
    desk.look(at('2026-08-07T10:10'));
    const early = read();
    expect(early.rows).toHaveLength(first);
    expect(early.facts.unreadable).toHaveLength(mood === 'unreadable' ? 1 : 0);
    desk.look(at('2026-08-07T12:10'));
    expect(read().rows).toHaveLength(then);
    if (mood === 'rest') {
      const spoken = [...early.rows, ...read().rows].map(({ providerTid }) => providerTid).sort();
      expect(spoken).toEqual(all.map(({ providerTid }) => providerTid));
    }
  });

  test('refuses a file that is not for it', () => {
    const desk = open('plain');
    writeFileSync(path.join(folder, 'files', 'req', 'holiday.jpg'), 'sun');
    expect(() => desk.look(at('2026-08-07T00:40'))).toThrow('what is holiday.jpg?');
  });
});
