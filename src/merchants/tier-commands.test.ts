import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { textSource } from '../../test/support/import-text.ts';
import { isProblem, type Language } from '../kernel/problem.ts';
import { merchantsCommands } from './commands.ts';
import { importMerchants } from './import-merchants.ts';
import { importSubMerchants } from './import-tiers.ts';
import { tierCommands } from './tier-commands.ts';

const now = Temporal.Instant.from('2026-11-20T03:00:00Z');
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  const bring = (...lines: string[]) => textSource([...lines, ''].join('\n'));
  await importMerchants(
    pool,
    bring('merchantId,name,businessNo', 'M1,서울커피,1234567891', 'M2,서울커피 2호점,1234567891'),
    {
      who: 'tester',
    },
  );
  await importSubMerchants(
    pool,
    bring(
      'merchantId,validFrom,intermediaryNo,openedOn,closedOn',
      'M1,2026-01-01,,2020-05-01,',
      'M1,2026-07-01,1108100024,2020-05-01,2026-12-31',
    ),
    { who: 'tester' },
  );
  // The days on which things became known are the story, so they are said.
  await pool.query(`
    insert into merchant_tier (business_no, half, tier, import_id, recorded_by, known_since) values
      ('1234567891', '2026H1', 4, 11, 'kim', '2026-02-10T09:00:00+09:00'),
      ('1234567891', '2026H2', 1, 12, 'kim', '2026-08-11T09:00:00+09:00'),
      ('1234567891', '2026H1', 0, 13, 'lee', '2026-09-15T14:30:05+09:00')`);
});
afterAll(() => database.close());

const run = (line: readonly string[], language: Language = 'en') =>
  runCommand(
    database.pool,
    line,
    (program, context, output) => {
      tierCommands(program, context, () => ({ output, now }));
      merchantsCommands(program, context, {
        cipher: () => Promise.reject(new Error('no account is read here')),
        surroundings: () => ({ output, now }),
      });
    },
    { language },
  );

test('the tiers of a business are shown with since when each is known and what was believed before', async () => {
  expect((await run(['tiers', 'show', '1234567891'])).said).toBe(
    [
      '1234567891 M1 서울커피, M2 서울커피 2호점',
      '',
      '   Half    From        To          Tier         Known since          By   Import',
      '─  ──────  ──────────  ──────────  ───────────  ───────────────────  ───  ──────',
      '   2026H1  2026-02-14  2026-08-13  4 not small  2026-02-10 09:00:00  kim      11',
      '●  2026H1  2026-02-14  2026-08-13  0 smallest   2026-09-15 14:30:05  lee      13',
      '●  2026H2  2026-08-14  2027-02-13  1 small 1    2026-08-11 09:00:00  kim      12',
      '',
    ].join('\n'),
  );
  expect((await run(['tiers', 'show', '1234567891'], 'ko')).said).toContain('0 영세');
});

test('the tiers of a business are shown as they were known on a day', async () => {
  const knownAt = async (instant: string) => {
    const { said } = await run(['tiers', 'show', '1234567891', '--known-at', instant, '--json']);
    const { tiers } = JSON.parse(said) as { tiers: { half: string; tier: number; holds: boolean }[] };
    return tiers.filter(({ holds }) => holds).map(({ half, tier }) => `${half} ${tier}`);
  };
  expect(await knownAt('2026-02-10T08:59:59+09:00')).toEqual([]);
  expect(await knownAt('2026-02-10T09:00:00+09:00')).toEqual(['2026H1 4']);
  expect(await knownAt('2026-09-15T14:30:04+09:00')).toEqual(['2026H1 4', '2026H2 1']);
  expect(await knownAt('2026-09-15T05:30:05Z')).toEqual(['2026H1 0', '2026H2 1']);
});

test('what cannot be asked is refused', async () => {
  const refusal = async (...line: string[]) => {
    const error = await run(line).catch((reason: unknown) => reason);
    return isProblem(error) ? error.code : error;
  };
  expect(await refusal('tiers', 'show', '1234567890')).toBe('usage');
  expect(await refusal('tiers', 'show', '9999900010')).toBe('not_found');
  expect(await refusal('tiers', 'show', '1234567891', '--known-at', '2026-09-15')).toBe('usage');
  expect(await refusal('preferential-rates', 'show', '--on', '2026-02-30')).toBe('usage');
});

test('a merchant is shown with its facts as a sub-merchant and the tiers of its business', async () => {
  const { said } = await run(['merchants', 'show', 'M1']);
  expect(said).toContain(
    [
      '   From        Intermediary  Opened      Closed',
      '─  ──────────  ────────────  ──────────  ──────────',
      '   2026-01-01                2020-05-01',
      '●  2026-07-01  1108100024    2020-05-01  2026-12-31',
      '',
      '   Half    From        To          Tier         Known since          By   Import',
    ].join('\n'),
  );
  expect(JSON.parse((await run(['merchants', 'show', 'M1', '--json'])).said)).toMatchObject({
    subMerchant: [{ inForce: false }, { intermediaryNo: '1108100024', closedOn: '2026-12-31', inForce: true }],
    tiers: [{ tier: 4, holds: false, knownSince: '2026-02-10T00:00:00.000Z' }, { tier: 0, holds: true }, { tier: 1 }],
  });
  expect((await run(['merchants', 'show', 'M2'])).said).not.toContain('Intermediary');
});

test('rates are shown with their days and sources, all or those of a day', async () => {
  const { said } = await run(['preferential-rates', 'show', '--on', '2024-12-31'], 'ko');
  const lines = said.split('\n');
  expect(lines).toHaveLength(11);
  expect(lines[2]).toMatch(/^● {2}2022-01-31 {2}2025-02-13 {2}0 영세 +신용 +0\.5% {2}금융위원회 2022-01-31/);
  expect(lines[9]).toMatch(/^● {2}2022-01-31 {2}2025-02-13 {2}3 중소3 +체크 +1\.25% /);
  const all = JSON.parse((await run(['preferential-rates', 'show', '--json'])).said) as unknown[];
  expect(all).toHaveLength(24);
  expect(all[0]).toMatchObject({
    validFrom: '2019-01-31',
    validTo: '2022-01-30',
    tier: 0,
    cardType: 'credit',
    rate: '0.8%',
  });
});

test('half-years are shown with their days', async () => {
  const { said } = await run(['half-years', 'show']);
  expect(said).toMatch(/^● {2}2024H1 {2}2024-01-31 {2}2024-08-13 {2}/m);
  expect(said).toMatch(/^● {2}2024H2 {2}2024-08-14 {2}2025-02-13 {2}/m);
  const all = JSON.parse((await run(['half-years', 'show', '--json'])).said) as {
    half: string;
    endsOn: string | null;
  }[];
  expect(all.at(-1)).toMatchObject({ half: '2027H1', startsOn: '2027-02-14', endsOn: null, holds: true });
});
