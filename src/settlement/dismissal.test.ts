import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { listFindings, openFinding } from '../findings/store.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { createSettlementBooks } from './books.fixture.ts';
import { settlementCommands } from './commands.ts';
import { failCycle, openCycle, takeCaptures } from './cycle-store.ts';
import { dismissalCommands } from './dismissal-commands.ts';
import { settlePart } from './settle-store.ts';

let db: TestDatabase;
let books: ReturnType<typeof createSettlementBooks>;

beforeEach(async () => {
  db = await testDatabase();
  books = createSettlementBooks(db.pool);
});
afterEach(() => db.close());

const run = async (line: string) => {
  const words = line.split(' ').map((word) => word.replaceAll('+', ' '));
  const { said } = await runCommand(db.pool, words, (program, context, output) =>
    dismissalCommands(program.command('settlement'), context, output),
  );
  return said;
};

test('a capture that is never settled is dismissed by two people, and its cancel takes nothing back', async () => {
  await books.merchant('M2', null);
  await books.sales([{ tid: 'test', won: 10_000, merchant: 'M2' }]);
  await books.settle('12:05');
  expect(await books.unsettled()).toEqual(['test/0 contract_missing 1 2026-11-20 12:10']);

  const about = 'ksnet test/0';
  expect(await run(`settlement dismiss propose ${about} --reason test+sale --by kim`)).toBe(
    'ksnet test/0 10,000: waits for another person\n',
  );
  await expect(run(`settlement dismiss approve ${about} --by Kim`)).rejects.toMatchObject({
    code: 'approval_four_eyes',
  });
  expect(await run(`settlement dismiss refuse ${about} --by lee`)).toContain('refused');
  expect(await books.unsettled()).toHaveLength(1);

  const subject = 'M2 contract_missing';
  await openFinding(db.pool, { kind: 'capture_unsettled', subject, audience: 'in_charge', detail: {} });
  await run(`settlement dismiss propose ${about} --reason test+sale --by kim`);
  expect(await run(`settlement dismiss approve ${about} --by lee`)).toBe('ksnet test/0 10,000: dismissed\n');
  expect(await books.unsettled()).toEqual([]);
  expect(await listFindings(db.pool)).toEqual([]);
  expect(JSON.parse(await run('settlement dismiss list --json'))).toMatchObject([
    { providerTid: 'test', amountWon: 10_000, reason: 'contract_missing', approval: 'ksnet:2026-11-20:test:0:2' },
  ]);

  await books.contract('M2', { ppm: 0, vat: 'none' });
  await books.sales([{ tid: 'test', won: -10_000, seq: 1, merchant: 'M2' }]);
  await books.settle('12:10');
  expect(await books.unsettled()).toEqual(['test/1 original_dismissed 1 2026-11-20 12:15']);
  expect(await books.balances()).toEqual([]);
});

test('of a capture dismissed as captured before, the cancel goes with the one that was settled', async () => {
  await books.merchant('M1', { ppm: 0, vat: 'none' });
  await books.sales([{ tid: 'twice', won: 5_000, traded: '2026-10-01', captured: '2026-10-01' }]);
  await books.settle('12:05');
  await books.captures([{ tid: 'twice', won: 5_000, traded: '2026-10-01', captured: '2026-11-20' }]);
  await books.settle('12:10');
  expect(await books.unsettled()).toEqual(['twice/0 capture_repeated 1 2026-11-20 12:15']);
  await run('settlement dismiss propose ksnet twice/0 --reason again --by kim');
  await run('settlement dismiss approve ksnet twice/0 --by lee');
  await books.sales([{ tid: 'twice', won: -2_000, seq: 1, kind: 'P' }]);
  await books.settle('12:15');
  expect(await books.balances()).toEqual(['receivable:ksnet -3000', 'wallet:M1 3000']);
});

test('what is merely not due, not there, or settled meanwhile is not dismissed; the database refuses one person', async () => {
  await books.merchant('M1', {}, { cycle: 'D+2', at: '09:00' });
  await books.sales([{ tid: 'soon', won: 1_000 }]);
  await books.settle('12:05');
  const propose = (capture: string) => run(`settlement dismiss propose ksnet ${capture} --reason x --by kim`);
  await expect(propose('soon/0')).rejects.toMatchObject({ code: 'capture_not_set_aside' });
  await expect(propose('gone/0')).rejects.toMatchObject({ code: 'not_found' });
  await expect(propose('gone')).rejects.toMatchObject({ code: 'usage' });

  await books.merchant('M2', null);
  await books.sales([{ tid: 'late', won: 1_000, merchant: 'M2' }]);
  await books.settle('12:10');
  await propose('late/0');
  await books.contract('M2');
  await books.settle('12:15');
  await expect(run('settlement dismiss approve ksnet late/0 --by lee')).rejects.toMatchObject({ code: 'not_found' });

  const alone = db.pool.query(
    `insert into dismissed_capture (provider, captured_on, provider_tid, cancel_seq, mid, amount_won, reason, approval)
     values ('ksnet', '2026-11-20', 'late', 0, '', 1, 'x', 'ksnet:2026-11-20:late:0:1')`,
  );
  await expect(alone).rejects.toMatchObject({ constraint: 'dismissal_approved' });
});

test('what is dismissed while its slot is given up does not come back', async () => {
  await books.merchant('M2', null);
  const sales = ['a', 'b', 'c'].map((tid) => ({ tid, won: 1_000, merchant: 'M2' }));
  await books.sales(sales);
  // A slot of several parts of which the first ones were settled, the one of M2 among them.
  const [slotText, runId] = ['2026-11-20T12:05+09:00', 'settle:2026-11-20T12:05+09:00'];
  const slot = Temporal.Instant.from(slotText);
  await inTransaction(db.pool, (tx) => openCycle(tx, { slot, runId, who: 'test' }));
  const parts = await inTransaction(db.pool, (tx) => takeCaptures(tx, slot, runId, 1));
  const of = { runId, slot, slotText, settledOn: '2026-11-20', parts, holidays: new Set<string>(), findingAfter: 3 };
  for (let part = 0; (await books.unsettled()).length === 0; part += 1) {
    await inTransaction(db.pool, (tx) => settlePart(tx, { ...of, part }));
  }
  await run('settlement dismiss propose ksnet a/0 --reason test+sale --by kim');
  // The second person's word is about to be committed.
  await db.pool.query(`
    create function wait_here() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(42); return null; end $$;
    create constraint trigger wait_here after insert on dismissed_capture deferrable initially deferred
      for each row execute function wait_here()`);
  const holding = await db.pool.connect();
  await holding.query('begin; select pg_advisory_xact_lock(42)');
  const dismissing = run('settlement dismiss approve ksnet a/0 --by lee');
  await lockWaits(db.pool, 1);
  const failing = inTransaction(db.pool, (tx) => failCycle(tx, runId, 'given up'));
  await lockWaits(db.pool, 2);
  await holding.query('commit');
  holding.release();
  await Promise.all([dismissing, failing]);
  expect((await books.unsettled()).map((line) => line.split(' ')[0])).toEqual(['b/0', 'c/0']);
});

test('settlement dismiss stands among the commands of settlement', async () => {
  const { said } = await runCommand(
    db.pool,
    ['settlement', 'dismiss', 'list'],
    (program, context, output) =>
      settlementCommands(program, context, () => Promise.reject(new Error('no engine')), { output }),
    { language: 'ko' },
  );
  expect(said).toContain('제외 시각');
});
