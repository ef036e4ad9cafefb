import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { whileActing } from './acting.ts';
import { inTransaction, query } from './pool.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase({ empty: true, max: 2 });
});
afterAll(() => database.close());

const said = () =>
  inTransaction(database.pool, async (tx) => {
    const names = ['who', 'from', 'key', 'reason'].map(
      (name) => `nullif(current_setting('jeongsan.${name}', true), '')`,
    );
    const [row] = await query<{ said: (string | null)[] }>(tx, `select array[${names.join(', ')}] as said`);
    return row?.said;
  });

test('a transaction knows who acts, nobody else’s does, and nothing of it stays with the connection', async () => {
  const kim = { who: 'kim@pg.example', from: '203.0.113.7', key: 'k1', reason: `it's "over"\\\n\0\ud800` };
  const lee = { who: 'lee@pg.example', from: 'cli@desk' };
  const [nobody, first, second] = await Promise.all([
    said(),
    whileActing(
      () => kim,
      async () => {
        await said();
        return said();
      },
    ),
    whileActing(() => lee, said),
  ]);
  expect(nobody).toEqual([null, null, null, null]);
  expect(first).toEqual(['kim@pg.example', '203.0.113.7', 'k1', `it's "over"\\\n\ufffd\ufffd`]);
  expect(second).toEqual(['lee@pg.example', 'cli@desk', null, null]);
  for (let n = 0; n < 4; n += 1) expect(await said()).toEqual([null, null, null, null]);
});

test('what acts is asked for at each beginning', async () => {
  let current: { who: string; from: string } | undefined;
  await whileActing(
    () => current,
    async () => {
      expect(await said()).toEqual([null, null, null, null]);
      current = { who: 'kim', from: 'x' };
      expect(await said()).toEqual(['kim', 'x', null, null]);
    },
  );
});

test('a transaction may still choose how isolated it is', async () => {
  const level = whileActing(
    () => ({ who: 'kim', from: 'x' }),
    () =>
      inTransaction(database.pool, async (tx) => {
        await tx.query('set transaction isolation level repeatable read, read only');
        return query(tx, 'show transaction_isolation');
      }),
  );
  expect(await level).toEqual([{ transaction_isolation: 'repeatable read' }]);
});
