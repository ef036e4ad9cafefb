import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { serveRoutes } from '../../test/support/served-routes.ts';
import { listFindings } from '../findings/store.ts';
import { inTransaction, query } from '../platform/database/pool.ts';
import { createDurable, type Durable } from '../platform/durable/durable.ts';
import { createSettlementBooks } from '../settlement/books.fixture.ts';
import { dailyCloseRoutes } from './daily-close-api.ts';
import { dailyCloseCommands } from './daily-close-commands.ts';
import { closeDay, dailyCloses, trialBalance } from './daily-close-store.ts';
import { dailyCloseJob } from './daily-close-workflow.ts';
import type { Job } from './job.ts';

let db: TestDatabase;
let durable: Durable;
let job: Job;
const quiet = () => {};

beforeAll(async () => {
  db = await testDatabase();
  durable = createDurable({
    databaseUrl: db.url,
    pool: db.pool,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  job = dailyCloseJob({ durable, pool: db.pool });
  await durable.launch();
});
afterAll(async () => {
  await durable.shutdown(1_000);
  await db.close();
});

const say = async (line: string, language: 'ko' | 'en' = 'en') =>
  (
    await runCommand(
      db.pool,
      line.split(' '),
      (program, context, output) => dailyCloseCommands(program, context, { output }),
      { language },
    )
  ).said;

async function close(slot: string): Promise<void> {
  const at = Temporal.Instant.from(slot);
  const on = at.toZonedDateTimeISO('Asia/Seoul').toPlainDate();
  const call = { schedule: 'daily-close', slot: at, on, parameters: job.parameters.parse({}), who: 'system:scheduler' };
  const runId = await job.runId(undefined as never, call);
  expect(runId).toBe(`daily-close:${slot.slice(0, 16)}+09:00`);
  await (await job.start(runId, call)).done;
}

test('the books of the day before are kept with their verdict and the head of the trail', async () => {
  const books = createSettlementBooks(db.pool);
  await books.merchant('M1', { ppm: 10_000 });
  await books.sales([{ tid: 'a', won: 50_000 }]);
  await books.settle('12:05');
  await close('2026-11-21T01:30+09:00');
  // 1 % of 50,000 is 500, its VAT 50.
  expect(await trialBalance(db.pool, '2026-11-20')).toEqual([
    { account: 'fee', debitWon: 0n, creditWon: 500n, balanceWon: 500n },
    { account: 'receivable', debitWon: 50_000n, creditWon: 0n, balanceWon: -50_000n },
    { account: 'vat', debitWon: 0n, creditWon: 50n, balanceWon: 50n },
    { account: 'wallet', debitWon: 0n, creditWon: 49_450n, balanceWon: 49_450n },
  ]);
  const [head] = await query<{ number: bigint; hash: string }>(
    db.pool,
    `select number, encode(hash, 'hex') as hash from audit_entry order by number desc limit 1`,
  );
  const [kept] = await dailyCloses(db.pool, { limit: 1, descending: true });
  expect(kept).toMatchObject({
    on: '2026-11-20',
    verdict: 'balanced',
    deviations: 0,
    debitWon: 50_000n,
    creditWon: 50_000n,
    auditNumber: head?.number ?? null,
    auditHash: head?.hash ?? null,
  });
  expect(await listFindings(db.pool)).toEqual([]);
});

test('books that deviate are told of until a close finds none', async () => {
  await db.pool.query('alter table ledger_balance disable trigger all');
  const change = (won: number) =>
    db.pool.query(`update ledger_balance set balance_won = balance_won + $1 where account = 'wallet:M1'`, [won]);
  await change(1);
  await close('2026-11-22T01:30+09:00');
  expect((await dailyCloses(db.pool, { limit: 1, descending: true }))[0]).toMatchObject({
    on: '2026-11-21',
    verdict: 'deviates',
  });
  const [finding] = await listFindings(db.pool);
  expect(finding).toMatchObject({ kind: 'ledger_deviates', detail: { shown: ['balance_differs wallet:M1'] } });
  await change(-1);
  await close('2026-11-23T01:30+09:00');
  expect((await dailyCloses(db.pool, { limit: 1, descending: true }))[0]).toMatchObject({
    on: '2026-11-22',
    verdict: 'balanced',
  });
  expect(await listFindings(db.pool)).toEqual([]);
  // Nothing moved that day; what was there still is.
  expect((await trialBalance(db.pool, '2026-11-22'))[3]).toEqual({
    account: 'wallet',
    debitWon: 0n,
    creditWon: 0n,
    balanceWon: 49_450n,
  });
});

test('closed days are listed from the latest on, each with its trial balance', async () => {
  const api = await serveRoutes(dailyCloseRoutes({ pool: db.pool }), { pool: db.pool });
  const ask = async (path: string) =>
    (await (await api.ask(`GET ${path}`, { as: 'viewer' })).json()) as Record<string, unknown>;
  const first = await ask('/daily-closes?limit=2');
  expect(first['rows']).toMatchObject([
    { on: '2026-11-22', verdict: 'balanced' },
    { on: '2026-11-21', verdict: 'deviates' },
  ]);
  const next = await ask(`/daily-closes?limit=2&cursor=${encodeURIComponent(String(first['next']))}`);
  expect(next).toMatchObject({ rows: [{ on: '2026-11-20', debitWon: 50_000 }], next: null });
  expect(await ask('/daily-closes/2026-11-20')).toMatchObject({
    accounts: [{ account: 'fee', creditWon: 500 }, {}, {}, {}],
  });
  expect(await ask('/daily-closes/2026-11-01')).toMatchObject({ code: 'not_found' });
  expect(JSON.parse(await say('daily-close --json'))).toEqual((await ask('/daily-closes'))['rows']);
  const shown = JSON.parse(await say('daily-close show 2026-11-20 --json'));
  expect(shown).toEqual(await ask('/daily-closes/2026-11-20'));
  await api.close();
});

test('people read a closed day in their language', async () => {
  expect(await say('daily-close --limit 2')).toMatch(
    /^Day +Verdict .*\n.*\n?2026-11-22 +balanced .*\n2026-11-21 +deviates .*\n$/,
  );
  expect(await say('daily-close list', 'ko')).toMatch(/2026-11-20 +일치 +2026-.* 50,000 +50,000/);
  expect(await say('daily-close show 2026-11-20')).toMatch(
    /Account.*\n(.*\n)*wallet +0 +49,450 +49,450\nTotal +50,000 +50,000 +0\n$/,
  );
  await expect(say('daily-close show 2026-11-01')).rejects.toMatchObject({ code: 'not_found' });
  await expect(say('daily-close show 2026-11-31')).rejects.toMatchObject({ code: 'usage' });
});

test('the accounts of a day come to its sum, whatever is booked while it is closed', async () => {
  const books = createSettlementBooks(db.pool);
  await inTransaction(db.pool, async (tx) => {
    // Each statement of the close sees what has been committed since the one before it.
    const between = new Proxy(tx, {
      get: (target, name) =>
        name !== 'query'
          ? Reflect.get(target, name, target)
          : async (...asked: [string, unknown[]]) => {
              const found = await target.query(...asked);
              await postNow();
              return found;
            },
    });
    let posted = 0;
    const postNow = async () => {
      posted += 1;
      await books.sales([{ tid: `between-${posted}`, won: 10_000 }]);
      await books.settle(`13:${String(posted * 5).padStart(2, '0')}`);
    };
    const found = { entries: '0', lines: '0', deviations: 0 };
    const closed = await closeDay(between, { on: '2026-11-20', runId: 'test', ...found });
    const { rows } = await tx.query<{ debit: bigint; credit: bigint }>(
      `select sum(debit_won)::bigint as debit, sum(credit_won)::bigint as credit from daily_close_account
        where closed_on = '2026-11-20'`,
    );
    expect(rows).toEqual([{ debit: closed.debitWon, credit: closed.creditWon }]);
  });
});

test('of two who close a day at once the second one replaces what the first kept', async () => {
  const day = { on: '2026-11-20', entries: '1', lines: '4', deviations: 0 };
  const first = await db.pool.connect();
  await first.query('begin');
  await closeDay(first, { ...day, runId: 'first' });
  const second = inTransaction(db.pool, (tx) => closeDay(tx, { ...day, runId: 'second' }));
  await lockWaits(db.pool, 1);
  await first.query('commit');
  first.release();
  expect(await second).toMatchObject({ verdict: 'balanced' });
  const rows = await query(db.pool, `select run_id from daily_close where closed_on = '2026-11-20'`);
  expect(rows).toEqual([{ run_id: 'second' }]);
});
