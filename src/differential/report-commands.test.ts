import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { isProblem, type Language } from '../kernel/problem.ts';
import { type PlantedClaim, plantAnswer, plantClaim, plantFile } from './claims.fixture.ts';
import { addReportCommand } from './report-commands.ts';

const now = Temporal.Instant.from('2026-12-01T00:00:00Z');
let database: TestDatabase;
let home: string;

beforeAll(async () => {
  database = await testDatabase();
  home = await mkdtemp(path.join(tmpdir(), 'jeongsan-report-'));
  const { pool } = database;
  const welcome = await plantFile(pool);
  const answerId = await plantAnswer(pool, welcome.fileId);
  const ksnet = await plantFile(pool, { provider: 'ksnet', on: '2026-11-27', state: 'sent' });
  const back = { amountWon: -10_000n, chargedWon: -220n, preferentialWon: -44n };
  const atKsnet = { provider: 'ksnet', channel: 'ksnet', on: '2026-11-27', fileId: ksnet.fileId };
  const claims: readonly PlantedClaim[] = [
    { tid: 'W1', fileId: welcome.fileId, accepted: { won: 176n, answerId } },
    { tid: 'W2', fileId: welcome.fileId, accepted: { won: 177n, answerId } },
    { tid: 'W1', seq: 1, ...back, fileId: welcome.fileId, accepted: { won: -176n, supplyWon: -160n, answerId } },
    { tid: 'W3', tier: 3, state: 'X', reason: 'welcome:10' },
    { tid: 'W4', tier: 3, state: 'R', reason: 'welcome:09' },
    { tid: 'W5', state: 'H', reason: 'card_type_unknown', cardType: null },
    { tid: 'W6', kind: 'R', on: '2026-10-30', accepted: { won: 176n } },
    { tid: 'K1', ...atKsnet, tier: 1 },
    { tid: 'K2', ...atKsnet, tier: 1 },
    { tid: 'K3', ...atKsnet, tier: 1, state: 'H', reason: 'a_reason<nobody>&named' },
    // Beside the month.
    { tid: 'W7', on: '2026-12-01' },
  ];
  for (const claim of claims) await plantClaim(pool, claim);
  await pool.query(
    `insert into claim_refund (event, provider, answer_id, merchant_id, claims, refund_won, clawback_won, offset_won,
                               carried_won, held_won, wallet_won, booked_on)
     values ('differential:1:M1', 'welcome', $1, 'M1', 3, 353, -176, 100, 0, 0, 77, '2026-11-23'),
            ('differential:1:M2', 'welcome', $1, 'M2', 1, 0, -50, 0, 50, 0, 0, '2026-11-24'),
            ('differential:2:M2', 'welcome', $1, 'M2', 1, 9, 0, 0, 0, 0, 9, '2026-12-01')`,
    [answerId],
  );
});
afterAll(async () => {
  await database.close();
  await rm(home, { recursive: true });
});

const report = (line: readonly string[], language: Language = 'en') =>
  runCommand(
    database.pool,
    ['differential', 'report', ...line],
    (program, context, output) =>
      addReportCommand(program.command('differential'), context, { home, output, now: () => now }),
    { language },
  );
const fileOf = (name: string, folder = '2026-11') => path.join(home, 'reports', 'differential', folder, name);
const pageOf = async (language: Language = 'en') => {
  await report(['--month', '2026-11'], language);
  return readFile(fileOf('differential.html'), 'utf8');
};
/** The text of a section's rows, cells parted by a bar. */
const rowsOf = (page: string, id: string): string[] => {
  const body = new RegExp(`<section id="${id}">(.*?)</section>`, 's').exec(page)?.[1] ?? '';
  return [...body.matchAll(/<tr>(.*?)<\/tr>/gs)].map((row) =>
    [...(row[1] ?? '').matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)]
      .map((cell) => (cell[1] ?? '').replace(/<svg.*<\/svg>/s, '').replace(/<[^>]+>/g, ''))
      .join('|'),
  );
};

describe('the report of a month', () => {
  test('says what was claimed and what became of it, by provider, tier and kind', async () => {
    const page = await pageOf();
    // Nine of November: seven times 176 that was charged too much, once as much taken back, and one that nobody can price.
    expect(rowsOf(page, 'providers')).toEqual([
      '||Claimed|Accepted|Paid|Clawed back|Rejected|Held|Waiting|Off ours',
      'KSNET||528 3|0|0|0|0|176 1|352 2|0',
      'Welcome Payments||528 6|177 3|353 2|−176 1|176 1|176 2|0|+1 1',
      'Total||1,056 9|177 3|353 2|−176 1|176 1|352 3|352 2|+1 1',
    ]);
    expect(rowsOf(page, 'tiers').slice(1)).toEqual([
      '0 smallest||176 4|177 3|353 2|−176 1|0|0 1|0|+1 1',
      '1 small 1||528 3|0|0|0|0|176 1|352 2|0',
      '3 small 3||352 2|0|0|0|176 1|176 1|0|0',
      'Total||1,056 9|177 3|353 2|−176 1|176 1|352 3|352 2|+1 1',
    ]);
    expect(rowsOf(page, 'months')).toEqual([]);
    expect(rowsOf(page, 'kinds')).toEqual([]);
    expect(page).toContain('SOMEBODY HAS TO LOOK');
  });

  test('says why claims are rejected or held, and escapes what came from elsewhere', async () => {
    const page = await pageOf();
    expect(rowsOf(page, 'reasons').slice(1).sort()).toEqual([
      'KSNET|held|a_reason&lt;nobody&gt;&amp;named||1|176',
      'Welcome Payments|held|card type unknown||1|0',
      'Welcome Payments|held|welcome:09 merchant number blank or not registered||1|176',
      expect.stringMatching(/^Welcome Payments\|rejected\|welcome:10 .+\|\|1\|176$/),
    ]);
    expect(page).not.toContain('<nobody>');
    expect(page).not.toContain('<script');
  });

  test('says how long what is outstanding has been so', async () => {
    // On Tuesday 1 December: since Friday 20 November 7 business days, since Friday the 27th 2.
    expect(rowsOf(await pageOf(), 'ageing')).toEqual([
      'Business days||Claims|Claimed',
      '0||0|0',
      '1||0|0',
      '2–3||3|528',
      '4–7||2|176',
      '8–30||0|0',
      '&gt; 30||0|0',
    ]);
  });

  test('says what was booked for merchants in it', async () => {
    expect(rowsOf(await pageOf(), 'refunds')).toEqual([
      'Provider|Bookings|Refunds|Clawbacks|Wallet|Held|Offset|Carried',
      'Welcome Payments|2|353|−226|77|0|100|50',
    ]);
  });

  test('is there in Korean', async () => {
    const page = await pageOf('ko');
    expect(page).toContain('<html lang="ko">');
    expect(rowsOf(page, 'providers')[0]).toBe('||신청|승인|환급|환수|반려 확정|보류|회신 대기|당사와 차이');
    expect(rowsOf(page, 'reasons').join('\n')).toContain('웰컴페이먼츠|보류|카드 구분 모름');
  });

  test('as CSV and XLSX has a line for each month, provider, kind, tier, status and code', async () => {
    await report(['--from', '2026-10-01', '--to', '2026-11-30', '--format', 'csv', 'xlsx']);
    const csv = await readFile(fileOf('differential.csv', '2026-10-01_2026-11-30'), 'utf8');
    const lines = csv.split('\r\n');
    expect(lines[0]).toBe(
      '\ufeffMonth,Provider,Kind,Tier,Status,Code,Meaning,Claims,Not priced,Claimed,Accepted,Claims off ours,Off ours,Oldest capture,Business days',
    );
    expect(lines.slice(1)).toEqual([
      '2026-10,welcome,retroactive,0 smallest,paid,,,1,0,176,176,0,0,,',
      '2026-11,ksnet,daily,1 small 1,held,a_reason<nobody>&named,a_reason<nobody>&named,1,0,176,0,0,0,2026-11-27,2',
      '2026-11,ksnet,daily,1 small 1,waiting,,,2,0,352,0,0,0,2026-11-27,2',
      '2026-11,welcome,daily,0 smallest,clawed back,,,1,0,-176,-176,0,0,,',
      '2026-11,welcome,daily,0 smallest,held,card_type_unknown,card type unknown,1,1,0,0,0,0,2026-11-20,7',
      '2026-11,welcome,daily,0 smallest,paid,,,2,0,352,353,1,1,,',
      '2026-11,welcome,daily,3 small 3,held,welcome:09,merchant number blank or not registered,1,0,176,0,0,0,2026-11-20,7',
      expect.stringMatching(/^2026-11,welcome,daily,3 small 3,rejected,welcome:10,.+,1,0,176,0,0,0,,$/),
      '',
    ]);
    const parts = unzipSync(await readFile(fileOf('differential.xlsx', '2026-10-01_2026-11-30')));
    const sheet = strFromU8(parts['xl/worksheets/sheet1.xml'] as Uint8Array);
    expect([...sheet.matchAll(/<row /g)]).toHaveLength(9);
    expect(sheet).toContain('<t xml:space="preserve">a_reason&lt;nobody&gt;&amp;named</t>');
  });

  test('says where it lies, and what it came to, as JSON', async () => {
    expect((await report(['--month', '2026-11', '--format', 'html'])).said).toBe(`${fileOf('differential.html')}\n`);
    expect(JSON.parse((await report(['--month', '2026-11', '--json'])).said)).toMatchObject({
      from: '2026-11-01',
      to: '2026-11-30',
      files: ['csv', 'xlsx', 'html'].map((format) => fileOf(`differential.${format}`)),
      claimed: { claims: 9, won: 1056 },
      accepted: { claims: 3, won: 177 },
      held: { claims: 3, won: 352 },
      providers: { ksnet: { waiting: { claims: 2, won: 352 } }, welcome: { differing: { claims: 1, won: 1 } } },
    });
    // December, this month: one claim that waits.
    expect(JSON.parse((await report(['--json'])).said)).toMatchObject({ from: '2026-12-01', claimed: { claims: 1 } });
  });

  test('of months without claims says so', async () => {
    await report(['--month', '2025-01']);
    const page = await readFile(fileOf('differential.html', '2025-01'), 'utf8');
    expect(page).toContain('No claims.');
    expect(page).not.toContain('<section');
  });

  test('refuses what is no month, day or format', async () => {
    for (const line of [
      ['--month', '2026-13'],
      ['--month', '2026-11', '--from', '2026-11-01'],
      ['--to', '2026-11-01'],
      ['--from', '2026-11-02', '--to', '2026-11-01'],
      ['--format', 'pdf'],
    ]) {
      const error = await report(line).catch((reason: unknown) => reason);
      expect([line, isProblem(error, 'usage')]).toEqual([line, true]);
    }
  });
});

test('the sums of a report are those of the claims one by one', async () => {
  const { rows } = await database.pool.query<{ status: string; claims: bigint; won: bigint }>(
    `select status, count(*) as claims,
            coalesce(sum(case when status in ('paid', 'clawed_back') then accepted_won else difference_won end), 0)::bigint as won
       from claim_status where traded_on between '2026-10-01' and '2026-12-31' group by status`,
  );
  const said = JSON.parse((await report(['--from', '2026-10-01', '--to', '2026-12-31', '--json'])).said) as Record<
    string,
    unknown
  >;
  const names: Readonly<Record<string, string>> = { clawed_back: 'clawedBack' };
  expect(rows).toHaveLength(5);
  for (const { status, claims, won } of rows) {
    expect([status, said[names[status] ?? status]]).toEqual([status, { claims: Number(claims), won: Number(won) }]);
  }
});
