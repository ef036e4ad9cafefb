// An hour of slots under a fast clock, a bank in all its moods, and two processes that are killed at random moments and
// started again, frozen until others have taken their work, and cut off from the database.
// `npm run bench -- chaos --slots 48 --seed 7` makes it longer.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { liveChaos } from '../support/chaos.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'jeongsan-chaos-'));
const seed = String(Date.now() % 2 ** 31);
let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase({ max: 6 });
});
afterAll(async () => {
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

test(`an hour of kills leaves nothing paid twice, nothing lost and a clean ledger, seed ${seed}`, {
  timeout: 300_000,
}, async () => {
  const outcome = await liveChaos(db, folder, {
    seed,
    slots: 12,
    slotMs: 2_500,
    workers: 2,
    killEveryMs: 1_500,
    sales: 150,
    endWithinMs: 120_000,
  });
  expect(outcome.broken).toEqual([]);
  // It was an hour in which something happened, be it on a machine that has other things to do.
  expect(outcome.kills).toBeGreaterThan(1);
  expect(outcome.cycles['settled']).toBeGreaterThan(3);
  expect(outcome.items).toBeGreaterThan(300);
  expect(outcome.payouts['succeeded']).toBeGreaterThan(20);
  expect(outcome.transfers).toBeGreaterThan(20);
  expect(outcome.callbacks).toBeGreaterThan(3);
});
