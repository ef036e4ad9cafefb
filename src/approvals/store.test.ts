import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { askApproval, type Decision, decide, listApprovals } from './store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const ask = (subject: string) =>
  inTransaction(database.pool, (tx) =>
    askApproval(tx, { kind: 'payout', subject, detail: { amountWon: 5n }, askedBy: 'kim', reason: 'large' }),
  );
const say = (subject: string, decidedBy: string, decision: Decision) =>
  inTransaction(database.pool, (tx) => decide(tx, { kind: 'payout', subject, decidedBy, decision }));

test('two people, one decision', async () => {
  expect([await ask('1'), await ask('1')]).toEqual([true, false]);
  await expect(say('1', ' Kim ', 'approved')).rejects.toMatchObject({ code: 'approval_four_eyes' });
  await expect(say('2', 'lee', 'approved')).rejects.toMatchObject({ code: 'not_found' });
  expect(await say('1', 'lee', 'approved')).toMatchObject({ changed: true, approval: { detail: { amountWon: '5' } } });
  expect(await say('1', 'lee', 'approved')).toMatchObject({ changed: false });
  await expect(say('1', 'lee', 'refused')).rejects.toMatchObject({ code: 'approval_decided' });
  await expect(say('1', 'park', 'approved')).rejects.toMatchObject({ code: 'approval_decided' });
  expect(await listApprovals(database.pool)).toEqual([]);
  expect(await listApprovals(database.pool, { decided: true })).toMatchObject([{ subject: '1', decidedBy: 'lee' }]);
});

test('of many who decide at once one does', async () => {
  await ask('3');
  const outcomes = await Promise.allSettled(
    ['lee', 'park', 'choi', 'jung'].map((who, n) => say('3', who, n % 2 === 0 ? 'approved' : 'refused')),
  );
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test.each([
  ['asked by another', `update approval set asked_by = 'choi'`],
  ['for another amount', `update approval set detail = '{"amountWon": "6"}'`],
  ['decided again', `update approval set decision = 'refused', decided_by = 'x' where decision is not null`],
  [
    'undecided again',
    'update approval set decision = null, decided_by = null, decided_at = null where decision is not null',
  ],
  ['deleted', 'delete from approval'],
  ['emptied', 'truncate approval cascade'],
  [
    'by who asked',
    `update approval set decision = 'approved', decided_by = asked_by, decided_at = now() where decision is null`,
  ],
])('an approval is never %s, whoever writes SQL by hand', async (_, sql) => {
  await ask('4');
  await expect(database.pool.query(sql)).rejects.toThrow(/decided once|never changed|approval_four_eyes/);
});
