import { afterAll, beforeAll, expect, test } from 'vitest';
import { givenBreak, givenStatement } from '../../test/support/breaks.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { isProblem } from '../kernel/problem.ts';
import { type BreakFilter, breakCondition, createParameters, namesNothing, unresolved } from './break-filter.ts';
import { type Break, listBreaks, showBreak, sumBreaks } from './break-store.ts';

let database: TestDatabase;
/** Names of the breaks by id, so that the tables below can speak of them. */
const names = new Map<number, string>();

beforeAll(async () => {
  database = await testDatabase();
  const loadId = await givenStatement(database.pool);
  const given = {
    plain: { loadId, line: 7 },
    old: { on: '2026-11-02', differenceWon: -50n },
    fee: { provider: 'welcome-online', stage: 'settlement', kind: 'fee_differs', differenceWon: -3n },
    unreadable: { kind: 'unreadable', tid: null, cancelSeq: null, differenceWon: null, ours: null },
    deposit: { stage: 'deposit', kind: 'deposit_differs', tid: null, differenceWon: -9_000_000_000n, line: null },
    kim: { state: 'investigating', assignedTo: 'kim', differenceWon: 40_000n },
    escalated: { on: '2026-11-03', escalated: true, differenceWon: 5n },
    written: { state: 'resolved', differenceWon: 7n },
    gone: { gone: true, differenceWon: 11n },
  } as const;
  for (const [name, fields] of Object.entries(given)) names.set(await givenBreak(database.pool, fields), name);
});
afterAll(() => database.close());

async function list(filter: BreakFilter, options = {}): Promise<Break[]> {
  const found: Break[] = [];
  for await (const batch of listBreaks(database.pool, filter, options)) found.push(...batch);
  return found;
}
const named = (found: readonly Break[]): string => found.map((each) => names.get(each.id) ?? each.id).join(' ');

const everything = 'plain fee unreadable deposit kim written gone escalated old';
test.each<[string, BreakFilter, string]>([
  ['unresolved', unresolved, 'plain fee unreadable deposit kim escalated old'],
  ['open', { states: ['open'] }, 'plain fee unreadable deposit escalated old'],
  ['investigating', { states: ['investigating'] }, 'kim'],
  ['resolved', { states: ['resolved'] }, 'written gone'],
  ['all', { states: null }, everything],
  ['a day', { ...unresolved, on: '2026-11-02' }, 'old'],
  ['days', { ...unresolved, from: '2026-11-02', to: '2026-11-03' }, 'escalated old'],
  ['before a day', { ...unresolved, before: '2026-11-03' }, 'old'],
  ['a provider', { ...unresolved, providers: ['welcome-online'] }, 'fee'],
  ['a stage', { ...unresolved, stages: ['settlement', 'deposit'] }, 'fee deposit'],
  ['kinds', { ...unresolved, kinds: ['unreadable', 'fee_differs'] }, 'fee unreadable'],
  ['a person', { ...unresolved, assignedTo: 'kim' }, 'kim'],
  ['nobody', { ...unresolved, unassigned: true, on: '2026-11-20' }, 'plain fee unreadable deposit'],
  ['an amount either way', { ...unresolved, leastWon: 40_000n }, 'deposit kim'],
  ['escalated', { ...unresolved, escalated: true }, 'escalated'],
  ['existing ones', { states: null, standing: true }, 'plain fee unreadable deposit kim written escalated old'],
  ['two conditions', { ...unresolved, providers: ['ksnet'], leastWon: 40_000n, stages: ['deposit'] }, 'deposit'],
  ['nothing', { ...unresolved, on: '2020-01-01' }, ''],
])('a list by %s', async (_, filter, expected) => {
  expect(named(await list(filter))).toBe(expected);
});

test('the largest difference first, without those that nobody can know', async () => {
  expect(named(await list(unresolved, { order: 'amount', limit: 3 }))).toBe('deposit kim plain');
  expect(named(await list(unresolved, { order: 'amount' }))).toBe('deposit kim plain old escalated fee');
});

test('sums are exact, signed and absolute', async () => {
  expect(await sumBreaks(database.pool, unresolved)).toEqual({
    count: 7,
    differenceWon: 1000n - 50n - 3n - 9_000_000_000n + 40_000n + 5n,
    absoluteWon: 1000n + 50n + 3n + 9_000_000_000n + 40_000n + 5n,
  });
  expect(await sumBreaks(database.pool, { ...unresolved, on: '2020-01-01' })).toEqual({
    count: 0,
    differenceWon: 0n,
    absoluteWon: 0n,
  });
});

test('a limit of rows, and more rows than one fetch', async () => {
  expect(named(await list(unresolved, { limit: 2 }))).toBe('plain fee');
  const many = await testDatabase();
  await many.pool.query(
    `insert into break (provider, stage, business_on, kind, identity, difference_won, effect_won, opened_run)
     select 'ksnet', 'transaction', date '2026-11-20' - i % 50, case when i % 10 = 0 then 'duplicate' else 'fee_differs' end,
            i::text, i, 0, 'r' from generate_series(1, 20000) i`,
  );
  await many.pool.query('analyze break');
  const ids = new Set<number>();
  for await (const batch of listBreaks(many.pool, unresolved)) for (const { id } of batch) ids.add(id);
  expect(ids.size).toBe(20_000);
  for await (const batch of listBreaks(many.pool, unresolved)) {
    expect(batch.length).toBeGreaterThan(0);
    break; // A reader who stops early leaves a usable connection behind.
  }
  expect(many.pool.idleCount).toBe(many.pool.totalCount);
  for (const [filter, index] of [
    [unresolved, 'break_unresolved_day'],
    [{ ...unresolved, kinds: ['unreadable'] }, 'break_unresolved_kind'],
    [{ ...unresolved, assignedTo: 'kim' }, 'break_unresolved_assigned'],
    [{ ...unresolved, escalated: true }, 'break_unresolved_escalated'],
    [{ states: ['investigating'] }, 'break_investigating'],
  ] as const satisfies readonly (readonly [BreakFilter, string])[]) {
    const parameters = createParameters();
    const where = breakCondition(filter, parameters);
    const { rows } = await many.pool.query<{ 'QUERY PLAN': string }>(
      `explain select * from break b where ${where} order by b.business_on desc, b.break_id limit 100`,
      [...parameters.values],
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain(index);
  }
  await many.close();
});

test('one break with its statement; whole numbers beyond 2^53 stay exact', async () => {
  const loadId = await givenStatement(database.pool, { file: 'KSNET_TRX_M2_20261120.csv' });
  const id = await givenBreak(database.pool, { loadId, on: '2026-10-01', line: 12 });
  await database.pool.query(`update break set ours = '{"amountWon": 9007199254740993}' where break_id = $1`, [id]);
  expect(await showBreak(database.pool, id)).toMatchObject({
    id,
    line: 12,
    ours: { amountWon: '9007199254740993' },
    statement: { file: 'KSNET_TRX_M2_20261120.csv', version: 1, sha256: 'ab'.repeat(32) },
    events: [],
  });
});

test('a break that is not there', async () => {
  const refused = await showBreak(database.pool, 999_999).catch((error: unknown) => error);
  expect(isProblem(refused, 'not_found')).toBe(true);
});

test.each<[BreakFilter, boolean]>([
  [unresolved, true],
  [{ states: null }, true],
  [{ ...unresolved, on: '2026-11-20' }, false],
  [{ ...unresolved, unassigned: true }, false],
])('whether %j names anything', (filter, nothing) => {
  expect(namesNothing(filter)).toBe(nothing);
});
