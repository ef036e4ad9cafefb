import { afterAll, beforeAll, expect, test } from 'vitest';
import { givenBreak } from '../../test/support/breaks.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { isProblem } from '../kernel/problem.ts';
import { actOnBreaks, type BreakAct, countTargets } from './break-act-store.ts';
import { unresolved } from './break-filter.ts';
import { showBreak } from './break-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const by = { who: 'kim', why: 'because' };
const resolve: BreakAct = { action: 'resolve', as: 'written_off' };
const investigate: BreakAct = { action: 'investigate' };
const assign: BreakAct = { action: 'assign', to: 'lee' };
const comment: BreakAct = { action: 'comment' };

test.each<['open' | 'investigating' | 'resolved', BreakAct, string, string | null]>([
  // from          act           state after       what the trail says; null: refused
  ['open', assign, 'open', 'assigned: → lee: because'],
  ['open', comment, 'open', 'commented: because'],
  ['open', investigate, 'investigating', 'investigating: because'],
  ['open', resolve, 'resolved', 'resolved: written_off: because'],
  ['investigating', assign, 'investigating', 'assigned: → lee: because'],
  ['investigating', comment, 'investigating', 'commented: because'],
  ['investigating', investigate, 'investigating', null],
  ['investigating', resolve, 'resolved', 'resolved: written_off: because'],
  ['resolved', assign, 'resolved', null],
  ['resolved', comment, 'resolved', 'commented: because'],
  ['resolved', investigate, 'resolved', null],
  ['resolved', resolve, 'resolved', null],
])('from %s, %j leaves it %s', async (state, act, after, said) => {
  const id = await givenBreak(database.pool, { state, resolution: 'accepted_by_provider', differenceWon: -5n });
  const counted = await countTargets(database.pool, { ids: [id] }, act);
  const outcome = await actOnBreaks(database.pool, { ids: [id] }, act, by);
  expect(counted).toEqual(outcome);
  expect(outcome.changed).toBe(said === null ? 0 : 1);
  expect(outcome.differenceWon).toBe(said === null ? 0n : -5n);
  expect(outcome.refused.map((refused) => refused.state)).toEqual(said === null ? [state] : []);
  const found = await showBreak(database.pool, id);
  expect(found.state).toBe(after);
  expect(found.events.map((event) => `${event.action}: ${event.note}`)).toEqual(said === null ? [] : [said]);
  expect(found.events.map((event) => [event.who, event.fromState, event.toState])).toEqual(
    said === null ? [] : [['kim', state, after]],
  );
  expect(found.resolution).toBe(
    state === 'resolved' ? 'accepted_by_provider' : after === 'resolved' ? 'written_off' : null,
  );
});

test('assigning to who has it already changes nothing; nobody takes it away', async () => {
  const id = await givenBreak(database.pool, { assignedTo: 'lee' });
  expect((await actOnBreaks(database.pool, { ids: [id] }, assign, by)).changed).toBe(0);
  const nobody = await actOnBreaks(database.pool, { ids: [id] }, { action: 'assign', to: null }, { ...by, why: null });
  expect(nobody.changed).toBe(1);
  expect(await showBreak(database.pool, id)).toMatchObject({ assignedTo: null, events: [{ note: '→ —' }] });
});

test('a filter takes in what it says, and a second time nothing', async () => {
  const on = '2025-03-03';
  const changedIds: number[] = [];
  for (const differenceWon of [1n, -20n, null]) changedIds.push(await givenBreak(database.pool, { on, differenceWon }));
  await givenBreak(database.pool, { on, state: 'resolved' });
  const done = { changed: 3, differenceWon: -19n, changedIds, refused: [] };
  const target = { filter: { ...unresolved, on } };
  expect(await countTargets(database.pool, target, resolve)).toEqual(done);
  expect(await actOnBreaks(database.pool, target, resolve, by)).toEqual(done);
  const nothing = { changed: 0, differenceWon: 0n, changedIds: [], refused: [] };
  expect(await actOnBreaks(database.pool, target, resolve, by)).toEqual(nothing);
});

test('an id that names no break: nothing is done to the others either', async () => {
  const id = await givenBreak(database.pool);
  const refused = await actOnBreaks(database.pool, { ids: [id, 999_999] }, resolve, by).catch(
    (error: unknown) => error,
  );
  expect(isProblem(refused, 'not_found')).toBe(true);
  expect((await showBreak(database.pool, id)).state).toBe('open');
});

test('of many who resolve the same breaks at once each break has one winner, and the others are told who', async () => {
  const ids = await Promise.all(Array.from({ length: 40 }, () => givenBreak(database.pool)));
  const outcomes = await Promise.all(
    ['kim', 'lee', 'park', 'choi'].map(async (who, n) => {
      const shuffled = ids.map((_, i) => ids[(i * 7 + n * 11) % ids.length] as number);
      return { who, ...(await actOnBreaks(database.pool, { ids: shuffled }, resolve, { who, why: 'x' })) };
    }),
  );
  expect(outcomes.reduce((sum, outcome) => sum + outcome.changed, 0)).toBe(ids.length);
  const { rows } = await database.pool.query<{ break_id: bigint; who: string }>(
    'select break_id, who from break_event where break_id = any ($1)',
    [ids],
  );
  expect(rows).toHaveLength(ids.length);
  const winners = new Map(rows.map((row) => [Number(row.break_id), row.who]));
  for (const { who, refused } of outcomes) {
    for (const each of refused) {
      expect(each.by).toBe(winners.get(each.id));
      expect(each.by).not.toBe(who);
    }
  }
});

test('an act that waits for another sees what the other left, and does not lose the break', async () => {
  const id = await givenBreak(database.pool);
  const first = await database.pool.connect();
  await first.query('begin');
  await first.query(`update break set state = 'investigating' where break_id = $1`, [id]);
  const second = actOnBreaks(database.pool, { ids: [id] }, resolve, by);
  await expect
    .poll(
      async () =>
        (
          await first.query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          )
        ).rowCount,
    )
    .toBe(1);
  await first.query('commit');
  first.release();
  expect((await second).changed).toBe(1);
  const found = await showBreak(database.pool, id);
  expect(found).toMatchObject({ state: 'resolved', events: [{ fromState: 'investigating', toState: 'resolved' }] });
});

test.each([`update break_event set note = 'never said'`, 'delete from break_event', 'truncate break_event'])(
  'the trail cannot be rewritten: %s',
  async (sql) => {
    const id = await givenBreak(database.pool);
    await actOnBreaks(database.pool, { ids: [id] }, comment, by);
    await expect(database.pool.query(sql)).rejects.toThrow(/never changed or deleted/);
    expect((await showBreak(database.pool, id)).events).toHaveLength(1);
  },
);
