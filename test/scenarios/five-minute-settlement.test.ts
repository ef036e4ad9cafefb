import { expect, onTestFinished, test } from 'vitest';
import { listFindings } from '../../src/findings/store.ts';
import { balanceOf } from '../../src/ledger/store.ts';
import { accountOf } from '../../src/merchants/account.ts';
import { settleJob } from '../../src/operations/capability-jobs-workflow.ts';
import { collectJobs } from '../../src/operations/job.ts';
import { defaultSchedules } from '../../src/operations/schedule-defaults.ts';
import { seedSchedules } from '../../src/operations/schedule-store.ts';
import { startScheduler, worldPorts } from '../../src/operations/scheduler.ts';
import { showPayout } from '../../src/payout/list-store.ts';
import { registerPayouts } from '../../src/payout/workflow.ts';
import { openCipher } from '../../src/platform/cipher.ts';
import { createDurable } from '../../src/platform/durable/durable.ts';
import { createSettlementBooks } from '../../src/settlement/books.fixture.ts';
import { listCycles } from '../../src/settlement/cycle-list-store.ts';
import { registerSettlement } from '../../src/settlement/workflow.ts';
import { holderName, testBank } from '../support/bank.ts';
import { testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/processes.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} } as never;
const at = (time: string) => Temporal.Instant.from(`2026-11-20T${time}+09:00`);

test('sold at 11:58, credited by the slot of 12:00, withdrawn at 12:05:01: a balance that is there is paid', async () => {
  const db = await testDatabase();
  onTestFinished(() => db.close());
  const { bank } = await testBank();
  const cipher = await openCipher({ home: temporaryFolder() });
  let clock = at('11:58:30');
  const now = () => clock;
  const durable = createDurable({ databaseUrl: db.url, pool: db.pool, log: quiet });
  const payouts = registerPayouts(durable, { pool: db.pool, log: quiet, banks: [bank], cipher, now });
  const settlement = registerSettlement(durable, {
    pool: db.pool,
    log: quiet,
    now,
    afterCredit: (tx, slot) => payouts.createDirect(tx, slot),
  });
  await durable.launch();
  await payouts.dispatcher.start();
  const books = createSettlementBooks(db.pool);
  await books.merchant('M1', { ppm: 0 });
  await db.pool.query(
    `insert into bank_account (merchant_id, valid_from, bank_code, sealed, key_id, fingerprint, last4, holder, recorded_by)
     values ('M1', '2026-01-01', '088', $1, $2, $3, '5678', $4, 'test')`,
    [
      cipher.seal('110012345678', accountOf('M1', '088')).sealed,
      cipher.keyId,
      cipher.fingerprint('110012345678'),
      holderName,
    ],
  );
  const jobs = collectJobs([settleJob({ settlement })]);
  await seedSchedules(db.pool, jobs, defaultSchedules(jobs, []), at('11:54:00'));
  const scheduler = startScheduler({
    ...worldPorts,
    pool: db.pool,
    log: quiet,
    jobs,
    executorId: durable.executorId,
    now,
    databaseNow: async () => clock,
    monotonicMs: () => clock.epochMilliseconds,
    // Time goes on when this test says so.
    timer: () => () => {},
    noteClock: async () => {},
    resumed: async () => {},
  });
  onTestFinished(async () => {
    await scheduler.stop();
    await payouts.dispatcher.stop();
    await durable.shutdown(5_000);
  });
  const settled = (slots: number) =>
    eventually(async () => expect(await listCycles(db.pool, { state: 'settled', limit: 9 })).toHaveLength(slots));
  await settled(1);
  await books.sales([{ tid: 'a', won: 50_000 }]);
  await expect(
    payouts.request({ merchantId: 'M1', amountWon: 50_000n, key: 'early', who: 'M1' }),
  ).rejects.toMatchObject({
    code: 'payout_balance_short',
  });

  clock = at('12:00:00');
  const startedAt = performance.now();
  await scheduler.look();
  await eventually(async () => expect(await balanceOf(db.pool, 'wallet:M1')).toBe(50_000n));
  expect(performance.now() - startedAt).toBeLessThan(30_000);

  await settled(2);
  clock = at('12:05:00');
  await scheduler.look();
  await settled(3);
  clock = at('12:05:01');
  const { id } = await payouts.request({ merchantId: 'M1', amountWon: 50_000n, key: 'withdrawal', who: 'M1' });
  await eventually(async () => expect((await showPayout(db.pool, id)).state).toBe('succeeded'));
  expect(await books.balances()).toEqual(['bank 50000', 'receivable:ksnet -50000']);
  expect(await listFindings(db.pool)).toEqual([]);
});
