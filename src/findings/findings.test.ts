import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { findingsCommands } from './commands.ts';
import { closeFinding, listFindings, openFinding } from './store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const late = { kind: 'settlement_late', subject: '12:05', audience: 'in_charge', detail: { seconds: 250 } } as const;
const findings = (...line: string[]) =>
  runCommand(database.pool, ['findings', ...line], (program, context, output) =>
    findingsCommands(program, context, output),
  );

test('while it lasts a finding is one row, seen more often; once it is over it may open again', async () => {
  expect((await openFinding(database.pool, late)).times).toBe(1);
  await openFinding(database.pool, { ...late, audience: 'operations', detail: { seconds: 700n } });
  expect((await openFinding(database.pool, { ...late, detail: { seconds: 800 } })).times).toBe(3);
  expect(await listFindings(database.pool)).toMatchObject([
    { times: 3, audience: 'operations', detail: { seconds: 800 }, closedAt: null },
  ]);
  const over = { kind: late.kind, subject: late.subject, by: 'settle' };
  expect([await closeFinding(database.pool, over), await closeFinding(database.pool, over)]).toEqual([true, false]);
  expect((await openFinding(database.pool, late)).times).toBe(1);
  expect(await listFindings(database.pool, { closed: true })).toHaveLength(2);
});

test('what others sent is noted whatever is in it', async () => {
  const detail = { fault: 'a\0b \ud83d', plain: '\\u0000' };
  await openFinding(database.pool, { ...late, subject: 'x\0y', detail });
  expect(await listFindings(database.pool, { subject: 'x\ufffdy' })).toMatchObject([
    { detail: { fault: 'a\ufffdb \ufffd', plain: '\\u0000' } },
  ]);
  expect(await closeFinding(database.pool, { kind: late.kind, subject: 'x\0y', by: 'settle' })).toBe(true);
});

test('of many who see it at once one opens it', async () => {
  const seen = await Promise.all(
    Array.from({ length: 10 }, () => openFinding(database.pool, { ...late, subject: '12:10' })),
  );
  expect(seen.map(({ times }) => times).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(new Set(seen.map(({ id }) => id)).size).toBe(1);
});

test('people list and close them', async () => {
  const { id } = await openFinding(database.pool, { ...late, kind: 'bank_silent', subject: 'van' });
  const listed = await findings('list', '--kind', 'bank_silent', '--json');
  expect(JSON.parse(listed.said)).toMatchObject([{ id: Number(id), subject: 'van', times: 1 }]);
  expect((await findings('list')).said).toMatch(/bank_silent\s+van\s+in charge.*seconds=250/);
  expect(await findings('close', String(id), '--by', 'kim')).toEqual({ said: 'Closed: 1\n', exitCode: 0 });
  expect(await findings('close', String(id))).toEqual({ said: `Closed: 0\n  ${id}: none such is open\n`, exitCode: 1 });
  expect((await findings('list', '--kind', 'bank_silent', '--all')).said).toContain('kim');
  await expect(findings('list', '--audience', 'all')).rejects.toMatchObject({ code: 'usage' });
  await expect(findings('close', 'x')).rejects.toMatchObject({ code: 'usage' });
});
