import type { PassThrough } from 'node:stream';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { textSource } from '../../test/support/import-text.ts';
import { addHoliday } from '../calendar/store.ts';
import { isProblem, type Language } from '../kernel/problem.ts';
import { type Cipher, openCipher } from '../platform/cipher.ts';
import { Secret } from '../platform/secret.ts';
import { merchantsCommands } from './commands.ts';
import { importMerchants } from './import-merchants.ts';
import { importAccounts, importContracts, importTerms } from './import-terms.ts';

const by = { who: 'tester' };
const number = '110123456789';

let database: TestDatabase;
let cipher: Cipher;

beforeAll(async () => {
  database = await testDatabase();
  cipher = await openCipher({ home: '/nowhere', key: new Secret(Buffer.alloc(32, 7).toString('base64')) });
  const { pool } = database;
  const bring = (...lines: string[]) => textSource([...lines, ''].join('\n'));
  await importMerchants(
    pool,
    bring('merchantId,name,businessNo', 'M1,서울커피,1234567891', 'M2,한강서점,9999900010'),
    by,
  );
  await importContracts(
    pool,
    bring(
      'merchantId,method,validFrom,validTo,rate,fixedWon,minFeeWon,maxFeeWon,rounding,vat,tierVolume,tiers,cancelFee',
      'M1,card_online,2026-01-01,,1.15%,100,200,50000,half_up,added,,,returned',
      'M1,card_online,2026-11-01,,1.2%,,,,floor,included,month_to_date,10000000:1%,kept',
      'M1,card_offline,2026-01-01,2026-06-30,0.9%,,,,half_even,none,,,returned',
    ),
    by,
  );
  await importTerms(
    pool,
    bring(
      'merchantId,validFrom,cycle,roll,dueTime,payout,payoutTime,minPayoutWon',
      'M1,2026-01-01,D+1,forward,09:00,scheduled,14:00,10000',
      'M1,2027-01-01,M5,none,,direct,,',
    ),
    by,
  );
  await importAccounts(
    pool,
    cipher,
    bring('merchantId,validFrom,bankCode,accountNo,holder', `M1,2026-01-01,088,${number},서울커피`),
    by,
  );
});
afterAll(() => database.close());

let now: Temporal.Instant;
beforeEach(() => {
  now = Temporal.Instant.from('2026-11-20T03:00:00Z');
});

function merchants(line: readonly string[], language: Language = 'en') {
  return runCommand(
    database.pool,
    ['merchants', ...line],
    (program, context, output: PassThrough) =>
      merchantsCommands(program, context, {
        cipher: () => Promise.resolve(cipher),
        surroundings: () => ({ output, now }),
      }),
    { language },
  );
}

test('a merchant is shown with what is in force and what comes next, and without its account number', async () => {
  expect((await merchants(['show', 'M1'])).said).toBe(
    [
      'M1 서울커피 (1234567891)',
      '',
      '   From        To          Method        Fee contract',
      '─  ──────────  ──────────  ────────────  ──────────────────────────────────────────────────────────────────────────',
      '   2026-01-01  2026-06-30  card offline  0.9%, half even, no VAT, returned by cancels',
      '   2026-01-01              card online   1.15% + 100, 200–50,000, half up, VAT added, returned by cancels',
      '●  2026-11-01              card online   1.2%, floor, VAT included, kept on cancels; month to date: 10,000,000 → 1%',
      '',
      '   From        Settlement terms',
      '─  ──────────  ─────────────────────────────────────────────────────',
      '●  2026-01-01  D+1, forward, 09:00; scheduled 14:00, at least 10,000',
      '   2027-01-01  M5; direct, at least 1',
      '',
      '   From        Account       Holder',
      '─  ──────────  ────────────  ──────',
      '●  2026-01-01  088 ****6789  서**피',
      '',
      'Settled at                Captures of',
      '───────────────────  ───  ───────────────────────',
      '2026-11-23 09:00:00  Mon  2026-11-20 – 2026-11-22',
      '2026-11-24 09:00:00  Tue  2026-11-23',
      '2026-11-25 09:00:00  Wed  2026-11-24',
      '2026-11-26 09:00:00  Thu  2026-11-25',
      '2026-11-27 09:00:00  Fri  2026-11-26',
      'From 2027-01-01 on other terms apply',
      '',
    ].join('\n'),
  );
  const korean = (await merchants(['show', 'M1'], 'ko')).said;
  expect(korean).toContain('1.15% + 100, 200–50,000, 반올림, 부가세 별도, 취소 시 환급');
  const json = (await merchants(['show', 'M1', '--json'])).said;
  expect(JSON.parse(json)).toMatchObject({
    merchantId: 'M1',
    contracts: [{ inForce: false }, { inForce: false }, { inForce: true, rate: '1.2%', ratePpm: 12_000 }],
    terms: [{ inForce: true, cycle: 'D+1' }, { inForce: false }],
    accounts: [{ bankCode: '088', last4: '6789', holder: '서**피', inForce: true }],
    dates: [
      { dueAt: '2026-11-23T09:00:00+09:00', capturedFrom: '2026-11-20', capturedTo: '2026-11-22' },
      {},
      {},
      {},
      {},
    ],
  });
  for (const said of [korean, json]) expect(said).not.toMatch(/1101234|sealed|fingerprint/);
});

test('a temporary holiday moves the preview at once', async () => {
  const dates = async () =>
    (JSON.parse((await merchants(['dates', 'M1', '--count', '2', '--json'])).said) as { dueAt: string }[]).map(
      ({ dueAt }) => dueAt.slice(0, 10),
    );
  now = Temporal.Instant.from('2026-12-10T03:00:00Z');
  expect(await dates()).toEqual(['2026-12-11', '2026-12-14']);
  await addHoliday(database.pool, { day: '2026-12-11', name: '임시공휴일', recordedBy: 'kim', reason: '의결' });
  expect(await dates()).toEqual(['2026-12-14', '2026-12-15']);
});

test('dates of terms in minutes say that they take what has come', async () => {
  now = Temporal.Instant.from('2027-01-04T03:01:00Z');
  expect((await merchants(['dates', 'M1', '--count', '2'])).said).toBe(
    [
      'Settled at                Captures of',
      '───────────────────  ───  ────────────────────────',
      '2027-01-04 12:05:00  Mon  what has come in by then',
      '2027-01-04 12:10:00  Mon  what has come in by then',
      '',
    ].join('\n'),
  );
});

test('a preview beyond the published holidays says so', async () => {
  now = Temporal.Instant.from('2026-11-20T03:00:00Z');
  expect((await merchants(['dates', 'M1', '--count', '400'])).said).toContain(
    'The holidays from 2028 on are not published yet',
  );
});

test.each([
  [['show', 'M9'], 'not_found'],
  [['dates', 'M9'], 'not_found'],
  [['dates', 'M2'], 'not_found'],
  [['dates', 'M1', '--count', '0'], 'usage'],
  [['dates', 'M1', '--count', '401'], 'usage'],
] as const)('%j is refused', async (line, code) => {
  await expect(merchants(line)).rejects.toSatisfy((error: unknown) => isProblem(error, code));
});

test('a merchant without anything agreed is shown as that', async () => {
  expect((await merchants(['show', 'M2', '--json'])).said).toMatch(/"contracts": \[\],\n {2}"terms": \[\]/);
});
