import { expect, test } from 'vitest';
import { reportDay } from '../../test/support/report-data.ts';
import { shareOf, signedWonText } from '../platform/report-parts.ts';
import { reportHtml } from './report.ts';
import { durationText, sumKinds } from './report-charts.ts';
import { bucketAges } from './report-data.ts';

/** The page as a reader takes it in: words and numbers in their order. */
function readable(page: string): string {
  const body = page.slice(page.indexOf('<body>'));
  return body
    .replace(/<title>[^<]*<\/title>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
}

const korean = reportHtml(reportDay, 'ko');
const english = reportHtml(reportDay, 'en');

test.each([
  [
    'the headline with its reasons',
    'INCOMPLETE This day cannot be closed yet. welcome-offline settlement: 파일이 없습니다: WP_OFF_STL_20261120.dat',
  ],
  [
    'who ran it, and when',
    'Run reconcile:2026-11-20:1 By 김운영 &lt;b&gt; Started 2026-11-21 08:00:00 Took 1 m 12.3 s',
  ],
  ['the files', 'CSV · XLSX · 53 rows'],
  [
    'a stage: ours, theirs, difference',
    'Transaction reconciled 41,203 2,432,134,567 41,200 2,431,900,000 −234,567 41,150 12 3 0 26',
  ],
  ['its kinds with amounts', 'Missing at provider 12 −1,834,567 Amount differs 8 unresolved 6 +12,300'],
  ['a stage without its file', 'Settlement file missing'],
  [
    'the equation of the transactions',
    'Stated by their files 2,431,900,000 = Captured 1,904,000,000 + Not captured yet 528,134,567 + Breaks −1,612,267 + Timing 1,377,700 ✓ Residual 0',
  ],
  ['a residual that is not 0', '− Breaks 0 − Timing 0 ! Residual 1,100'],
  ['where the net stands', 'Of the net · Not due or not judged yet 1,075,798,900'],
  ['a provider without files', 'Welcome offline Transactions Cannot be computed without their files.'],
  ['the kinds of the day, most first', 'Missing at provider 12 12 −1,834,567 Missing here'],
  ['their total', 'Total 53 40 −813,298'],
  [
    'the ages',
    '0 53 −813,298 3,040,000 1 20 −50,000 61,000 2–3 13 +2,999 3,001 4–7 0 0 0 8–30 2 −800,000 800,000 &gt; 30 1 +77,000 77,000',
  ],
  ['the slowest steps', 'Load load ksnet/transaction 9.2 s Match match 2026-11-20 ksnet/transaction 3.1 s'],
  ['a large difference', '101 ksnet Transaction Missing at provider KS20261120000123 — −1,200,000 open 0'],
  ['a cancel, with its place in the file', 'KS20261120000123 /2 KSNET_TRX_M1_20261120.csv 77 +210,000 open 3'],
])('the report says %s', (_, expected) => {
  expect(readable(english)).toContain(expected);
});

test('the same in Korean', () => {
  for (const expected of [
    '2026-11-20 대사 보고서 금요일',
    '원천사 파일 합계 2,431,900,000 = 매입 1,904,000,000 + 미매입 528,134,567 + 불일치 −1,612,267 + 시차 1,377,700 ✓ 잔차 0',
    '원천사 누락 12 −1,834,567',
    '웰컴 온라인',
  ]) {
    expect(readable(korean)).toContain(expected);
  }
  expect(korean).toContain('<html lang="ko">');
});

test('a complete day says so, without reasons', () => {
  const complete = reportHtml(
    { ...reportDay, summary: { ...reportDay.summary, outcome: 'complete', reasons: [] } },
    'en',
  );
  expect(readable(complete)).toContain('COMPLETE Every file is in and read');
  expect(complete).not.toContain('INCOMPLETE');
});

test('nothing that somebody wrote becomes markup, and nothing is fetched from elsewhere', () => {
  for (const page of [korean, english]) {
    expect(page.match(/<script|onmouseover='x'|javascript:|https?:|<link|<img|@import|url\(/i)).toBeNull();
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;');
    expect(page).toContain('&quot;onmouseover=&#39;x&#39;');
  }
});

test('a day without any breaks', () => {
  const summary = { ...reportDay.summary, stages: [], equations: [] };
  const page = readable(reportHtml({ ...reportDay, summary, ageing: [], slowest: [], largest: [] }, 'en'));
  expect(page).toContain('Breaks by kind No breaks.');
  expect(page).toContain('No steps were recorded.');
});

test('kinds are summed over stages, ages into buckets, nothing lost', () => {
  const kinds = [...sumKinds(reportDay.summary).values()];
  expect(kinds.reduce((sum, { count }) => sum + count, 0)).toBe(53);
  const buckets = bucketAges(reportDay.ageing);
  expect(buckets.map(({ label, count }) => `${label}: ${count}`)).toEqual([
    '0: 53',
    '1: 20',
    '2–3: 13',
    '4–7: 0',
    '8–30: 2',
    '> 30: 1',
  ]);
  expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(
    reportDay.ageing.reduce((sum, { count }) => sum + count, 0),
  );
});

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1000, '1.0 s'],
  [59_940, '59.9 s'],
  [59_990, '1 m 00.0 s'],
  [119_990, '2 m 00.0 s'],
])('%i ms reads as %s', (milliseconds, text) => {
  expect(durationText(milliseconds)).toBe(text);
});

test('amounts carry their sign; shares hold for amounts of any size', () => {
  expect([signedWonText(1234n), signedWonText(-1234n), signedWonText(0n), signedWonText(null)]).toEqual([
    '+1,234',
    '−1,234',
    '0',
    '?',
  ]);
  expect(shareOf(2n ** 70n, 2n ** 71n)).toBe(0.5);
  expect(shareOf(5n, 0n)).toBe(0);
});
