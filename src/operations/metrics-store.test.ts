import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { givenBreak } from '../../test/support/breaks.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { openFinding } from '../findings/store.ts';
import { makeMerchants, noon } from '../payout/payout.fixture.ts';
import { cancelPayout, requestPayout } from '../payout/request-store.ts';
import { openCipher } from '../platform/cipher.ts';
import { askedMetrics, readMetrics } from './metrics-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

test('an installation that has done nothing has nothing to chart, and no fault', async () => {
  const answers = await readMetrics(database.pool);
  // The engine has not been launched: what it keeps is not there yet.
  expect(askedMetrics.map(({ name }) => name).filter((name) => !answers.has(name))).toEqual(['jeongsan_runs_open']);
  expect(answers.get('jeongsan_reconciled_day_age_days')).toEqual([]);
  expect(answers.get('jeongsan_captures_unsettled')).toEqual([{ labels: {}, value: 0 }]);
});

test('breaks count with their won whatever the sign, and resolved ones do not', async () => {
  await givenBreak(database.pool, { differenceWon: 1_000n });
  await givenBreak(database.pool, { differenceWon: -4_000n });
  await givenBreak(database.pool, { differenceWon: null, kind: 'missing_here', provider: 'welcome-online' });
  await givenBreak(database.pool, { differenceWon: 900n, state: 'resolved' });
  await openFinding(database.pool, { kind: 'bank_circuit', subject: 'json-van', audience: 'operations', detail: {} });
  const answers = await readMetrics(database.pool);
  const ksnet = { provider: 'ksnet', stage: 'transaction', kind: 'amount_differs' };
  const welcome = { provider: 'welcome-online', stage: 'transaction', kind: 'missing_here' };
  expect(answers.get('jeongsan_breaks')).toEqual(
    expect.arrayContaining([
      { labels: ksnet, value: 2 },
      { labels: welcome, value: 1 },
    ]),
  );
  expect(answers.get('jeongsan_breaks_won')).toEqual(
    expect.arrayContaining([
      { labels: ksnet, value: 5_000 },
      { labels: welcome, value: 0 },
    ]),
  );
  expect(answers.get('jeongsan_findings_open')).toEqual([
    { labels: { kind: 'bank_circuit', audience: 'operations' }, value: 1 },
  ]);
});

test('payouts count until they have ended, those that wait for a second person too', async () => {
  const home = mkdtempSync(path.join(tmpdir(), 'jeongsan-metrics-'));
  const cipher = await openCipher({ home });
  rmSync(home, { recursive: true });
  const merchants = await makeMerchants(database.pool, cipher, { count: 3, balanceWon: 1_000_000n });
  const rules = { bank: 'json-van', now: noon };
  const ids: bigint[] = [];
  for (const merchantId of merchants) {
    const wanted = { merchantId, amountWon: 1_000n, key: merchantId, who: 'kim' };
    ids.push((await requestPayout(database.pool, wanted, rules)).id);
  }
  await cancelPayout(database.pool, ids[0] as bigint, { who: 'kim' }, noon);
  await database.pool.query('update bank_control set approval_over_won = 500');
  const wanted = { merchantId: merchants[0] as string, amountWon: 600n, key: 'large', who: 'kim' };
  await requestPayout(database.pool, wanted, rules);
  const open = (await readMetrics(database.pool)).get('jeongsan_payouts_open') ?? [];
  expect(open.map(({ labels, value }) => `${labels['bank']} ${labels['state']} ${value}`).sort()).toEqual([
    'json-van awaiting_approval 1',
    'json-van created 2',
  ]);
});

test('a slot is as old as its time, and late by what its last credit was', async () => {
  await database.pool.query(
    `insert into settlement_cycle (slot, run_id, state, started_by, credited_at, finished_at)
     values ('2026-11-20T12:00+09:00', 'settle:x', 'settled', 'clock', '2026-11-20T12:00:01.5+09:00', now())`,
  );
  const answers = await readMetrics(database.pool);
  expect(answers.get('jeongsan_slot_to_credit_latest_seconds')).toEqual([{ labels: {}, value: 1.5 }]);
  const [age] = answers.get('jeongsan_slot_age_seconds') ?? [];
  expect(age?.value).toBeGreaterThan(0);
});

test('a question that takes too long is not waited for', async () => {
  const holder = await database.pool.connect();
  await holder.query('begin; lock table break in access exclusive mode');
  await expect(readMetrics(database.pool)).rejects.toMatchObject({ code: '57014' });
  await holder.query('rollback');
  holder.release();
  await expect(readMetrics(database.pool)).resolves.toBeInstanceOf(Map);
});
