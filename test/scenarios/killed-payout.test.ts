import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { house } from '../../src/ledger/accounts.ts';
import { balanceOf } from '../../src/ledger/store.ts';
import { changeControl, ensureControl } from '../../src/payout/control-store.ts';
import { makeJournal, makeMerchants } from '../../src/payout/payout.fixture.ts';
import type { DeathAt } from '../../src/payout/payout-worker.fixture.ts';
import { requestPayout } from '../../src/payout/request-store.ts';
import { openCipher } from '../../src/platform/cipher.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';

const worker = fileURLToPath(new URL('../../src/payout/payout-worker.fixture.ts', import.meta.url));
const home = mkdtempSync(path.join(tmpdir(), 'jeongsan-payout-'));
let database: TestDatabase;
let merchants: string[];

beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  await makeJournal(pool);
  await pool.query('create table bank_flight (at bigint generated always as identity, delta int)');
  await ensureControl(pool, 'journal');
  merchants = await makeMerchants(pool, await openCipher({ home }), { count: 20, balanceWon: 10_000_000n });
});

beforeEach(async () => {
  await database.pool.query('truncate bank_flight');
});

afterAll(async () => {
  await database.close();
  rmSync(home, { recursive: true, force: true });
});

async function startWorker(env: { DIE_AT?: DeathAt; LATENCY_MS?: string } = {}): Promise<TestProcess> {
  const started = runProcess(worker, [], { DATABASE_URL: database.url, CIPHER_HOME: home, ...env });
  expect(await started.line()).toBe('ready');
  return started;
}

async function request(key: string, count = 1): Promise<bigint[]> {
  const ids: bigint[] = [];
  for (let n = 0; n < count; n += 1) {
    const merchantId = merchants[n % merchants.length] as string;
    const wanted = { merchantId, amountWon: 1_000n, key: `${key}:${n}`, who: 'kim' };
    ids.push((await requestPayout(database.pool, wanted, { bank: 'journal', now: Temporal.Now.instant() })).id);
  }
  return ids;
}

const allSucceed = (ids: readonly bigint[]) =>
  eventually(async () => {
    const { rows } = await database.pool.query<{ state: string; payouts: number }>(
      'select state, count(*)::int as payouts from payout where payout_id = any ($1) group by state',
      [ids],
    );
    expect(rows).toEqual([{ state: 'succeeded', payouts: ids.length }]);
  });

/** What the bank moved for these, and what the ledger booked: once each. */
async function expectPaidOnce(ids: readonly bigint[]): Promise<void> {
  const { rows } = await database.pool.query<{ moved: number; won: bigint; booked: number; numbers: number }>(
    `select count(j.message_no)::int as moved, sum(j.amount_won)::bigint as won, count(distinct p.message_no)::int as numbers,
            (select count(*)::int from ledger_entry where event in (select 'payout:' || id || ':paid' from unnest($1::bigint[]) id)) as booked
       from payout p left join bank_journal j using (message_no) where p.payout_id = any ($1::bigint[])`,
    [ids],
  );
  const [{ n } = { n: 0n }] = (await database.pool.query<{ n: bigint }>('select count(*) as n from bank_journal')).rows;
  const all = (await database.pool.query<{ n: bigint }>(`select count(*) as n from payout where state = 'succeeded'`))
    .rows;
  expect(rows).toEqual([
    { moved: ids.length, won: 1_000n * BigInt(ids.length), booked: ids.length, numbers: ids.length },
  ]);
  // Nothing left the bank under a number that no payout has.
  expect(n).toBe(all[0]?.n);
  expect(await balanceOf(database.pool, house.bank)).toBe(1_000n * n);
}

test.each<DeathAt>(['claimed', 'before_storing', 'stored', 'moved', 'answered', 'noted'])(
  'killed when %s: another process goes on with it by itself, and the money leaves once',
  async (dieAt) => {
    const killed = await startWorker({ DIE_AT: dieAt });
    const ids = await request(`killed ${dieAt}`);
    expect(await killed.ended).toBe('SIGKILL');
    const other = await startWorker();
    await allSucceed(ids);
    await expectPaidOnce(ids);
    other.tell('end');
    expect(await other.line()).toBe('ended');
  },
);

test('two workers, one of which is killed: never more than the limit at the bank, nothing sent twice', async () => {
  await changeControl(database.pool, 'journal', { transferLimit: 5 }, { who: 'lee', reason: 'test' });
  const [first, second] = [await startWorker({ LATENCY_MS: '60' }), await startWorker({ LATENCY_MS: '60' })];
  const ids = await request('two', 150);
  await eventually(async () => {
    const { rows } = await database.pool.query<{ n: number }>(
      `select count(*)::int as n from payout where state = 'succeeded' and payout_id = any ($1)`,
      [ids],
    );
    expect(rows[0]?.n).toBeGreaterThan(60);
  });
  const { rows } = await database.pool.query<{ peak: number }>(
    'select max(flying)::int as peak from (select sum(delta) over (order by at) as flying from bank_flight) f',
  );
  expect(rows[0]?.peak).toBe(5);
  first.kill('SIGKILL');
  await first.ended;
  await allSucceed(ids);
  await expectPaidOnce(ids);
  second.tell('end');
  expect(await second.line()).toBe('ended');
});

test('told to end with transfers in flight: they end, and nothing is claimed any more', async () => {
  await changeControl(database.pool, 'journal', { transferLimit: 5 }, { who: 'lee', reason: 'test' });
  const ending = await startWorker({ LATENCY_MS: '500' });
  const ids = await request('end', 20);
  await eventually(async () => {
    const { rows } = await database.pool.query('select from payout where claimed_by is not null');
    expect(rows.length).toBeGreaterThan(0);
  });
  ending.tell('end');
  expect(await ending.line()).toBe('ended');
  const { rows } = await database.pool.query<{ state: string }>(
    'select distinct state from payout where payout_id = any ($1) order by 1',
    [ids],
  );
  expect(rows.map(({ state }) => state)).toEqual(['created', 'succeeded']);
  await startWorker();
  await allSucceed(ids);
  await expectPaidOnce(ids);
});
