import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSettlementBooks, today } from '../../src/settlement/books.fixture.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { runProcess, temporaryFolder } from '../support/processes.ts';

const cli = path.join(import.meta.dirname, '../../src/cli.ts');
let db: TestDatabase;
let home: string;

beforeAll(async () => {
  db = await testDatabase();
  const books = createSettlementBooks(db.pool);
  await books.merchant('M1', { ppm: 18_500 });
  await books.merchant('M2', null);
  await books.sales([
    { tid: 'a', won: 12_300 },
    { tid: 'b', won: 5_000, merchant: 'M2' },
  ]);
});
afterAll(() => db.close());

async function jeongsan(args: readonly string[], language = 'en') {
  const process = runProcess(cli, args, { JEONGSAN_HOME: home, DATABASE_URL: db.url, JEONGSAN_LANGUAGE: language });
  const status = await process.ended;
  const lines: string[] = [];
  for (let line = await process.line().catch(() => undefined); line !== undefined; ) {
    lines.push(line);
    line = await process.line().catch(() => undefined);
  }
  return { status, text: lines.join('\n'), errors: process.errors() };
}
const json = async (args: readonly string[]) => JSON.parse((await jeongsan([...args, '--json'])).text);
const slot = `${today}T12:05+09:00`;

test('a slot is settled by hand, shown with the working of its amounts, and its wallet held and released', {
  timeout: 120_000,
}, async () => {
  home = temporaryFolder();
  const settled = await jeongsan(['settle', '--slot', slot, '--json']);
  expect(settled.errors).toBe('');
  // Incomplete: M2 has no contract.
  expect(settled.status).toBe(3);
  expect(JSON.parse(settled.text)).toMatchObject({
    slot,
    state: 'settled',
    items: 1,
    setAside: 1,
    creditedWon: 12_051,
  });

  const show = await jeongsan(['settlement', 'show', 'M1', '--slot', slot]);
  expect(show.text).toContain('1.85% of 12,300 = 227.55 → 227 (floor), VAT 22; contract 1 valid from 2026-01-01');
  const korean = await jeongsan(['settlement', 'show', 'M1', '--slot', slot], 'ko');
  expect(korean.text).toContain('12,300의 1.85% = 227.55 → 227 (절사), 부가세 22; 계약 1 (2026-01-01부터)');

  expect(await json(['settlement', 'list', '--slot', slot])).toMatchObject([{ merchantId: 'M1', walletWon: 12_051 }]);
  expect(await json(['settlement', 'cycles', '--from', today, '--to', today])).toMatchObject([
    { slot, state: 'settled' },
  ]);
  expect(await json(['settlement', 'unsettled'])).toMatchObject([
    { merchantId: 'M2', reason: 'contract_missing', amountWon: 5_000, attempts: 1 },
  ]);

  await jeongsan(['hold', 'place', 'M1', '--amount', '2,051', '--reason', 'complaint', '--by', 'kim']);
  expect(await json(['merchant', 'balance', 'M1'])).toMatchObject({
    walletWon: 10_000,
    heldWon: 2_051,
    holds: [{ id: 1 }],
  });
  const released = await jeongsan(['hold', 'release', '1', '--reason', 'settled', '--by', 'kim']);
  expect(released.text).toBe('hold 1 released: 2,051 won to the wallet of M1');
  expect((await jeongsan(['merchant', 'balance', 'M2'])).text).toContain('no fee contract');

  expect((await jeongsan(['settle', '--slot', '12:07'])).status).toBe(2);
  expect((await jeongsan(['settlement', 'show', 'M2', '--slot', slot])).errors).toContain('settlement not found');
});
