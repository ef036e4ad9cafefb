import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { createClaimBooks, unregistered } from './selection.fixture.ts';
import { addWhatIfCommand } from './what-if-commands.ts';
import { readSupposedRates, readSupposedTiers } from './what-if-files.ts';
import { whatIf } from './what-if-store.ts';

let db: TestDatabase;
let books: ReturnType<typeof createClaimBooks>;
const home = mkdtempSync(path.join(tmpdir(), 'jeongsan-what-if-'));
const ksnet = unregistered('ksnet');
const period = { from: '2026-09-01', to: '2026-09-03', providers: [ksnet] };

/** 10,000 won charged 253. Small 1: 110 preferential, 143 claimed; small 3: 145 + 14.5 → 160, 93; not small: nothing. */
const sale = (tid: string, on: string, merchant: string) => ({ tid, won: 10_000, fee: 230, vat: 23, on, merchant });

beforeAll(async () => {
  db = await testDatabase();
  books = createClaimBooks(db.pool);
  await books.cards();
  await books.merchant('M1', { '2026H2': 1 }, '1048100994');
  await books.merchant('M2', { '2026H2': 4 }, '1018100995');
  await books.sales([
    sale('A1', '2026-09-01', 'M1'),
    sale('A2', '2026-09-01', 'M1'),
    sale('B1', '2026-09-01', 'M2'),
    { tid: 'A2', seq: 1, won: -3_000, fee: -69, vat: -6, on: '2026-09-02', merchant: 'M1', type: 'P' },
    { tid: 'A2', seq: 2, won: -7_000, fee: -161, vat: -16, on: '2026-09-03', merchant: 'M1', type: 'P' },
    sale('OUT', '2026-09-04', 'M1'),
  ]);
  for (const on of ['2026-09-01', '2026-09-02', '2026-09-03']) await books.select(ksnet, on);
});
afterAll(async () => {
  await db.close();
  rmSync(home, { recursive: true });
});

const file = (name: string, text: string): string => {
  writeFileSync(path.join(home, name), text);
  return path.join(home, name);
};

/** What every table holds, one line a table. */
async function allTables(): Promise<string[]> {
  const { rows: names } = await db.pool.query<{ name: string }>(
    `select oid::regclass::text as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`,
  );
  const sums: string[] = [];
  for (const { name } of names) {
    const { rows } = await db.pool.query(
      `select count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) as sum from ${name} t`,
    );
    sums.push(`${name} ${rows[0].sum}`);
  }
  return sums;
}

test('what is supposed to be as it is claims what was claimed, day by day', async () => {
  const { rows } = await db.pool.query('select count(*) as claims, sum(difference_won)::bigint as won from claim');
  const found = await whatIf(db.pool, { ...period, supposed: { rounding: 'half_up' } });
  expect(found.total).toEqual({
    claims: rows[0].claims,
    differenceWon: rows[0].won,
    supposedClaims: rows[0].claims,
    supposedWon: rows[0].won,
  });
  // 143, and 143 that its cancels of later days took back.
  expect(found.total).toMatchObject({ claims: 4n, differenceWon: 143n });
  expect(found.byMerchant).toEqual([]);
  const last = await whatIf(db.pool, { ...period, from: '2026-09-03', supposed: { rounding: 'half_up' } });
  expect(last.total).toMatchObject({ claims: 1n, differenceWon: -101n });
});

test('another tier list, rate table and rounding, by tier, provider and merchant, and nothing is touched', async () => {
  const before = await allTables();
  const tiers = await readSupposedTiers(
    file('tiers.csv', 'businessNo,half,validFrom,validTo,tier\n1048100994,2026H2,,,3\n1018100995,2026H2,,,1\n'),
    'en',
  );
  const byTiers = await whatIf(db.pool, { ...period, supposed: { tiers } });
  expect(byTiers).toEqual({
    total: { claims: 4n, differenceWon: 143n, supposedClaims: 5n, supposedWon: 93n + 143n },
    byTier: [
      { provider: 'ksnet', tier: 1, claims: 4n, differenceWon: 143n, supposedClaims: 1n, supposedWon: 143n },
      { provider: 'ksnet', tier: 3, claims: 0n, differenceWon: 0n, supposedClaims: 4n, supposedWon: 93n },
    ],
    byProvider: [{ provider: 'ksnet', claims: 4n, differenceWon: 143n, supposedClaims: 5n, supposedWon: 236n }],
    byMerchant: [
      { provider: 'ksnet', merchantId: 'M2', claims: 0n, differenceWon: 0n, supposedClaims: 1n, supposedWon: 143n },
      { provider: 'ksnet', merchantId: 'M1', claims: 4n, differenceWon: 143n, supposedClaims: 4n, supposedWon: 93n },
    ],
  });
  // 0.5 % from September on: 50 + 5, 198 a sale; A2 is cancelled whole.
  const rates = await readSupposedRates(
    file('rates.csv', 'validFrom,tier,cardType,rate,source\n2026-09-01,1,credit,0.5%,draft\n'),
    'en',
  );
  expect((await whatIf(db.pool, { ...period, supposed: { rates } })).total.supposedWon).toBe(198n);
  // 1 % of these amounts and a tenth of it are whole won: nothing is cut.
  expect((await whatIf(db.pool, { ...period, supposed: { rounding: 'floor' } })).total.supposedWon).toBe(143n);
  expect(await allTables()).toEqual(before);
  const { rows } = await db.pool.query(`select relname from pg_class where relname in ('sum_of', 'as_known', 'past')`);
  expect(rows).toEqual([]);
});

test('a cancel that names another merchant takes back from the one of its sale', async () => {
  const on = '2026-09-20';
  await books.sales([
    sale('MOVED', on, 'M1'),
    { tid: 'MOVED', seq: 1, won: -3_000, fee: -69, vat: -6, on, merchant: 'M2', type: 'P' },
  ]);
  const large = file('large.csv', 'businessNo,half,validFrom,validTo,tier\n1048100994,2026H2,,,4\n');
  const supposed = { tiers: await readSupposedTiers(large, 'en') };
  const found = await whatIf(db.pool, { from: on, to: on, providers: [ksnet], supposed });
  // 143 of the sale, and of its cancel 75 that were charged less 33: 42.
  expect(found.byMerchant).toEqual([
    { provider: 'ksnet', merchantId: 'M1', claims: 2n, differenceWon: 101n, supposedClaims: 0n, supposedWon: 0n },
  ]);
});

test('a cancel of a sale that was captured twice takes back once', async () => {
  const twice = sale('TWICE', '2026-10-01', 'M1');
  await books.sales([twice]);
  await books.sales([{ ...twice, captured: '2026-10-02', paid: false }]);
  await books.sales([{ ...twice, seq: 1, won: -6_000, fee: -138, vat: -13, on: '2026-10-03', type: 'P' }]);
  // 6,000: charged 138 + 13 = 151, preferential 60 + 6.
  const found = await whatIf(db.pool, { ...period, from: '2026-10-03', to: '2026-10-03', supposed: {} });
  expect(found.total).toMatchObject({ claims: 1n, differenceWon: -85n });
});

test.each([
  ['businessNo,half,validFrom,validTo,tier\n1234567890,2026H2,,,1\n', 2],
  ['businessNo,half,validFrom,validTo,tier\n1048100994,2026H2,,,1\n1048100994,2026H2,,,2\n', 3],
])('a file that is not certain is refused: %j', async (text, line) => {
  await expect(readSupposedTiers(file('bad.csv', text), 'en')).rejects.toMatchObject({
    code: 'what_if_file_refused',
    details: { file: 'bad.csv', line },
  });
});

test('the command, for people and as JSON', async () => {
  const tiers = file('command.csv', 'businessNo,half,validFrom,validTo,tier\n1018100995,2026H2,,,0\n');
  const run = (language: 'ko' | 'en', ...more: string[]) =>
    runCommand(
      db.pool,
      ['what-if', '--from', '2026-09-01', '--to', '2026-09-03', '--provider', 'ksnet', ...more],
      (program, context, output) => addWhatIfCommand(program, context, { output }),
      { language },
    );
  // M2 would be 영세: 0.4 %, 40 + 4, 209 of 253.
  const { said } = await run('en', '--tiers', tiers);
  expect(said).toMatch(/All +4 → 5 +143 +352 +209\n/);
  expect(said).toMatch(/ksnet +0 smallest +0 → 1 +0 +209 +209\n/);
  expect(said).toMatch(/ksnet +M2 +0 → 1 +0 +209 +209\n/);
  expect((await run('ko', '--tiers', tiers)).said).toContain('가맹점');
  const { said: json } = await run('en', '--tiers', tiers, '--json');
  expect(JSON.parse(json)).toMatchObject({
    total: { claims: 4, differenceWon: 143, supposedClaims: 5, supposedWon: 352, changeWon: 209 },
  });
  await expect(run('en')).rejects.toMatchObject({ code: 'usage' });
  await expect(run('en', '--rounding', 'half_up', '--from', '2026-09-04')).rejects.toMatchObject({ code: 'usage' });
});
