import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultFrom } from '../../src/sandbox/world.ts';
import { openLivedWorld } from '../support/lived-world.ts';

const script = path.join(import.meta.dirname, '../../examples/independent-check/check.mjs');
const folder = mkdtempSync(path.join(tmpdir(), 'jeongsan-check-'));
const results = path.join(folder, 'results');

beforeAll(async () => {
  const world = await openLivedWorld(folder, { seed: '21', days: 3, payments: 2_400, breaks: 0.01, from: defaultFrom });
  try {
    for (const day of world.days) {
      for (const time of ['06:10', '09:00', '12:05', '12:10', '12:30', '18:00']) {
        await world.bringUntil(`${day}T${time}`);
        await world.slot(`${day}T${time}`);
        if (time === '12:10') await world.withdraw(`${day}T${time}`);
        if (day === world.days[1] && time === '09:00') await world.holdSome(`${day}T09:02`);
      }
    }
    // A Sunday that only takes back: what was paid out becomes debt, and later sales repay it. Then the next month.
    await world.takeBack('2026-11-22T11:00');
    await world.slot('2026-11-22T12:00');
    await world.bringUntil('2026-11-23T08:00');
    await world.slot('2026-11-23T09:00');
    await world.releaseAll('2026-11-23T11:00');
    for (const at of ['2026-11-24T10:00', '2026-12-15T09:00']) await world.slot(at);
    await world.report(results);
  } finally {
    await world.close();
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function check(): { status: number | null; said: string[] } {
  const words = [path.join(folder, 'world'), path.join(folder, 'history.json'), results];
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...words], { encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}`.trimEnd().split('\n') };
}

type Row = Record<string, number | string>;

/** Changes one row of a result while `look` is called. */
function changed<Found>(
  name: string,
  which: (row: Row) => boolean,
  change: (row: Row) => Row,
  look: () => Found,
): Found {
  const file = path.join(results, name);
  const text = readFileSync(file, 'utf8');
  const rows = JSON.parse(text) as Row[];
  const at = rows.findIndex(which);
  expect(at).toBeGreaterThanOrEqual(0);
  writeFileSync(file, JSON.stringify(rows.with(at, change(rows[at] as Row))));
  try {
    return look();
  } finally {
    writeFileSync(file, text);
  }
}

test('every item, balance and payout of a lived world is what an arithmetic of its own comes to', () => {
  const { status, said } = check();
  expect(said.slice(0, -1)).toEqual([]);
  const [items, settlements, merchants, payouts] = [...(said.at(-1) ?? '').matchAll(/\d+/g)].map(Number);
  expect(status).toBe(0);
  expect(items).toBeGreaterThan(3_000);
  expect(settlements).toBeGreaterThan(100);
  expect(merchants).toBeGreaterThan(20);
  expect(payouts).toBeGreaterThan(50);
  // The world was one in which there is something to get wrong.
  const rows = JSON.parse(readFileSync(path.join(results, 'items.json'), 'utf8')) as Row[];
  const rules = new Set(rows.map(({ rule }) => rule));
  for (const rule of ['kept', 'minimum', 'rate', 'remainder']) expect(rules).toContain(rule);
  const settled = JSON.parse(readFileSync(path.join(results, 'settlements.json'), 'utf8')) as Row[];
  expect(settled.filter(({ carriedWon }) => Number(carriedWon) > 0).length).toBeGreaterThan(0);
  expect(settled.filter(({ offsetWon }) => Number(offsetWon) > 0).length).toBeGreaterThan(0);
});

const more = (name: string) => (row: Row) => ({ ...row, [name]: Number(row[name]) + 1 });

test.each<[string, (row: Row) => boolean, (row: Row) => Row, RegExp]>([
  ['items.json', () => true, more('vatWon'), /^item /],
  ['items.json', ({ cancelSeq }) => cancelSeq !== 0, more('feeWon'), /^item .* 1: /],
  ['unsettled.json', () => true, (row) => ({ ...row, reason: 'contract_missing_too' }), /^waiting /],
  ['settlements.json', () => true, more('netWon'), /^settlement /],
  ['accounts.json', ({ account }) => `${account}`.startsWith('wallet:'), more('balanceWon'), /^account wallet:/],
  ['accounts.json', ({ account }) => account === 'fee', more('balanceWon'), /^account fee/],
  ['payouts.json', ({ state }) => state === 'succeeded', more('amountWon'), /^payout .* won, found/],
  ['payouts.json', ({ state }) => state === 'succeeded', (row) => ({ ...row, state: 'rejected' }), /as the bank says/],
  ['bank.json', () => true, more('amountWon'), /^payout .* at the bank/],
  ['bank.json', () => true, (row) => ({ ...row, messageNo: '999' }), /^transfer 999 at the bank/],
])('one thing changed in %s is found (%#)', (name, which, change, said) => {
  const found = changed(name, which, change, check);
  expect(found.status).toBe(1);
  expect(found.said).toContainEqual(expect.stringMatching(said));
});
