import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { createDurable, type Durable } from '../platform/durable/durable.ts';
import { createSettlementBooks, today } from './books.fixture.ts';
import { parseSlot } from './slot.ts';
import { type CreditedSlot, registerSettlement, type Settlement } from './workflow.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} } as never;

let db: TestDatabase;
let books: ReturnType<typeof createSettlementBooks>;
let durable: Durable;
let settlement: Settlement;
let paying: (slot: CreditedSlot) => Promise<number>;
let clock: Temporal.Instant;
let perPart: number;

beforeEach(async () => {
  db = await testDatabase();
  books = createSettlementBooks(db.pool);
  paying = async () => 0;
  perPart = 10;
  clock = Temporal.Instant.from(`${today}T13:00+09:00`);
  durable = createDurable({ databaseUrl: db.url, pool: db.pool, log: quiet });
  settlement = registerSettlement(durable, {
    pool: db.pool,
    log: quiet,
    now: () => clock,
    afterCredit: (_, slot) => paying(slot),
    get capturesPerPart() {
      return perPart;
    },
  });
  await durable.launch();
  await books.merchant('M1');
});

afterEach(async () => {
  await durable.shutdown(2_000);
  await db.close();
});

const slotOf = (time: string) => parseSlot(`${today}T${time}+09:00`) as Temporal.Instant;
const settle = (time: string) => settlement.settle(slotOf(time), { who: 'test' });
const cycles = async () => {
  const { rows } = await db.pool.query<{ text: string }>(
    `select concat_ws(' ', to_char(slot at time zone 'Asia/Seoul', 'HH24:MI'), state, items, parts_done || '/' || parts,
       reason) as text from settlement_cycle order by slot`,
  );
  return rows.map(({ text }) => text);
};

test('a slot runs once: asked again it says what it came to', async () => {
  await books.sales([{ tid: 'a', won: 10_000 }]);
  const first = await settle('12:05');
  expect(first).toMatchObject({ state: 'settled', items: 1n, creditedWon: 9_874n });
  await books.sales([{ tid: 'b', won: 10_000 }]);
  expect(await settle('12:05')).toEqual(first);
  expect(await books.items()).toHaveLength(1);
  expect(await settle('12:10')).toMatchObject({ items: 1n });
});

test('direct payouts are created after the credit, told which slot it was', async () => {
  const told: CreditedSlot[] = [];
  paying = async (slot) => told.push(slot);
  await books.sales([{ tid: 'a', won: 10_000 }]);
  await settle('12:05');
  expect(told).toEqual([{ slot: `${today}T12:05+09:00`, settledOn: today, runId: `settle:${today}T12:05+09:00` }]);
});

test('credits stand when the direct payouts fail', async () => {
  paying = async () => {
    throw new Error('no bank');
  };
  await books.sales([{ tid: 'a', won: 10_000 }]);
  expect(await settle('12:05')).toMatchObject({ state: 'settled', reason: 'payouts_failed: no bank' });
  expect(await books.balances()).toContain('wallet:M1 9874');
});

test('a slot is skipped while another one runs, and what it would have taken is taken by the next', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  paying = async () => {
    await held;
    return 0;
  };
  await books.sales([{ tid: 'a', won: 10_000 }]);
  const first = settle('12:05');
  await eventually(async () => expect(await books.items()).toHaveLength(1));
  await books.sales([{ tid: 'b', won: 10_000 }]);
  expect(await settle('12:10')).toMatchObject({ state: 'skipped', reason: 'another_running', items: 0n });
  expect(await settle('12:15')).toMatchObject({ state: 'skipped', reason: 'another_running', items: 0n });
  const finding = 'select kind, subject, times, detail, closed_by from finding';
  const [running, last] = [`settle:${today}T12:05+09:00`, `${today}T12:15+09:00`];
  const skipped = { kind: 'settlement_skipped', subject: 'settlement', times: 2 };
  const detail = { slot: last, because: 'another_running', running };
  expect((await db.pool.query(finding)).rows).toEqual([{ ...skipped, detail, closed_by: null }]);
  release();
  await first;
  expect((await db.pool.query(finding)).rows).toEqual([{ ...skipped, detail, closed_by: running }]);
  expect(await settle('12:20')).toMatchObject({ state: 'settled', items: 1n });
  expect(await cycles()).toEqual([
    '12:05 settled 1 1/1',
    '12:10 skipped 0 0/0 another_running',
    '12:15 skipped 0 0/0 another_running',
    '12:20 settled 1 1/1',
  ]);
});

test('a slot that has not come, is none, or was passed by another is not settled', async () => {
  await expect(settle('13:05')).rejects.toMatchObject({ code: 'slot_refused' });
  const between = Temporal.Instant.from(`${today}T12:07+09:00`);
  await expect(settlement.settle(between, { who: 'test' })).rejects.toMatchObject({ code: 'slot_refused' });
  await settle('12:10');
  expect(await settle('12:05')).toMatchObject({ state: 'skipped', reason: 'slot_passed' });
});

test('a failed slot is told of and gives back what it took, and the next one settles it', async () => {
  await books.sales([{ tid: 'a', won: 10_000 }]);
  await db.pool.query('alter table fee_contract rename to hidden');
  await expect(settle('12:05')).rejects.toThrow(/fee_contract/);
  await db.pool.query('alter table hidden rename to fee_contract');
  expect(await cycles()).toEqual([expect.stringMatching(/^12:05 failed 0 0\/1 .*fee_contract/)]);
  const told = async () => (await db.pool.query('select kind, subject, audience, times, closed_by from finding')).rows;
  const failed = { kind: 'settlement_failed', subject: 'settlement', audience: 'operations', times: 1 };
  expect(await told()).toEqual([{ ...failed, closed_by: null }]);
  expect(await settle('12:10')).toMatchObject({ items: 1n, creditedWon: 9_874n });
  expect(await told()).toEqual([{ ...failed, closed_by: `settle:${today}T12:10+09:00` }]);
});

test('a cycle that is left running by a run that ended is closed as failed, and nothing of it is lost', async () => {
  await books.sales([{ tid: 'a', won: 10_000 }]);
  const runId = `settle:${today}T12:05+09:00`;
  await db.pool.query(
    `insert into settlement_cycle (slot, run_id, state, started_by, parts) values ($1, $2, 'running', 'test', 1)`,
    [slotOf('12:05').toString(), runId],
  );
  await db.pool.query('update capture_arrival set taken_by = $1', [runId]);
  expect(await settle('12:10')).toMatchObject({ state: 'settled', items: 1n });
  expect(await cycles()).toEqual([expect.stringMatching(/^12:05 failed/), '12:10 settled 1 1/1']);
});

test('a slot whose run the engine has forgotten still says what it came to', async () => {
  await books.sales([{ tid: 'a', won: 10_000 }]);
  const first = await settle('12:05');
  await db.pool.query('delete from dbos.workflow_status');
  expect(await settle('12:05')).toEqual(first);
  expect(await cycles()).toEqual(['12:05 settled 1 1/1']);
});

test('what stays set aside becomes a finding for the person in charge, which is closed when it is settled', async () => {
  await books.merchant('M2', null);
  await books.sales([{ tid: 'a', won: 10_000, merchant: 'M2' }]);
  for (const time of ['12:05', '12:10', '12:15', '12:20']) await settle(time);
  const { rows } = await db.pool.query(`select kind, subject, audience, times, detail from finding`);
  await books.contract('M2');
  await settle('12:25');
  const closed = await db.pool.query('select closed_by from finding');
  expect(closed.rows).toEqual([{ closed_by: `settle:${today}T12:25+09:00` }]);
  expect(rows).toEqual([
    {
      kind: 'capture_unsettled',
      subject: 'M2 contract_missing',
      audience: 'in_charge',
      times: 1,
      detail: {
        reason: 'contract_missing',
        merchant: 'M2',
        mid: 'MID1',
        captures: '1',
        amountWon: '10000',
        first: { provider: 'ksnet', capturedOn: today, providerTid: 'a', cancelSeq: 0 },
      },
    },
  ]);
});

test('another reason is told of anew, and the finding of the one before is closed', async () => {
  await books.captures([{ tid: 'a', won: 10_000 }]);
  for (const time of ['12:05', '12:10', '12:15', '12:20']) await settle(time);
  await books.merchant('M2', null);
  await books.payments([{ tid: 'a', won: 10_000, merchant: 'M2' }]);
  for (const time of ['12:25', '12:30', '12:35']) await settle(time);
  const { rows } = await db.pool.query('select subject, closed_by from finding order by finding_id');
  expect(rows).toEqual([
    { subject: 'MID1 capture_without_approval', closed_by: `settle:${today}T12:25+09:00` },
    { subject: 'M2 contract_missing', closed_by: null },
  ]);
});

test('of more merchants than anybody reads about, a hundred are named and the others are counted', async () => {
  perPart = 1_000;
  await books.sales(Array.from({ length: 103 }, (_, n) => ({ tid: `t${n}`, won: 1_000, merchant: `U${100 + n}` })));
  for (const time of ['12:05', '12:10', '12:15', '12:20']) await settle(time);
  const { rows } = await db.pool.query(
    'select kind, count(*)::int as findings from finding group by kind order by kind',
  );
  expect(rows).toEqual([
    { kind: 'capture_unsettled', findings: 100 },
    { kind: 'captures_unsettled', findings: 1 },
  ]);
  const rest = await db.pool.query(`select subject, detail from finding where kind = 'captures_unsettled'`);
  expect(rest.rows).toEqual([
    { subject: `${today}T12:15+09:00 1/1`, detail: { merchants: 3, captures: '3', amountWon: '3000' } },
  ]);
});

describe('a slot of several parts', () => {
  const ids = Array.from({ length: 35 }, (_, n) => `t${n}`);
  /** Five captures of each of seven merchants: M1 to M7. */
  const merchantOf = (tid: string) => `M${1 + (Number(tid.slice(1)) % 7)}`;

  beforeEach(async () => {
    for (let n = 2; n <= 7; n += 1) await books.merchant(`M${n}`);
  });

  test('settles each capture once, a cancel with its sale and a merchant in one part', async () => {
    await books.sales(
      ids.flatMap((tid) => [
        { tid, won: 1_000, merchant: merchantOf(tid) },
        { tid, seq: 1, won: -1_000, merchant: merchantOf(tid) },
      ]),
    );
    expect(await settle('12:05')).toMatchObject({ captures: 70n, items: 70n, netWon: 0n, creditedWon: 0n });
    expect(await cycles()).toEqual(['12:05 settled 70 8/8']);
    expect(await books.items()).toHaveLength(70);
    const { rows } = await db.pool.query(
      'select count(*)::int as rows, count(distinct part)::int as parts from settlement',
    );
    expect(rows[0].rows).toBe(7);
    expect(rows[0].parts).toBeGreaterThan(1);
  });

  test('keeps a cancel waiting for its sale also where that has no approval, and so is in another part', async () => {
    const sales = ids.map((tid) => ({ tid, won: 1_000, merchant: merchantOf(tid) }));
    const cancels = sales.map((sale) => ({ ...sale, seq: 1, won: -1_000 }));
    await books.payments(cancels);
    await books.captures([...sales, ...cancels]);
    expect(await settle('12:05')).toMatchObject({ captures: 70n, items: 0n, setAside: 70n });
    const reasons = (await books.unsettled()).map((line) => line.replace(/^\w+/, '').split(' ', 2).join(' '));
    expect(new Set(reasons)).toEqual(new Set(['/0 capture_without_approval', '/1 original_set_aside']));
    await books.payments(sales);
    expect(await settle('12:10')).toMatchObject({ items: 70n, netWon: 0n });
    expect(await books.balances()).toEqual([]);
  });

  test('takes each capture once, where the approvals of some come in between two of its parts', async () => {
    const sales = ids.map((tid) => ({ tid, won: 1_000, merchant: merchantOf(tid) }));
    await books.captures(sales);
    // The first two parts have taken what is theirs, and wait to book it.
    const holding = await db.pool.connect();
    await holding.query('begin; lock table settlement_hold in row exclusive mode');
    const settling = settle('12:05');
    await lockWaits(db.pool, 2);
    await books.payments(sales);
    await holding.query('commit');
    holding.release();
    expect(await settling).toMatchObject({ captures: 35n, items: 0n, setAside: 35n });
    expect(await books.unsettled()).toHaveLength(35);
    expect(await settle('12:10')).toMatchObject({ captures: 0n, items: 35n, creditedWon: 34_580n });
    expect(await books.unsettled()).toEqual([]);
  });

  test('that fails in one of them settles those beside it and leaves the others to the next slot', async () => {
    await books.sales(ids.map((tid) => ({ tid, won: 1_000, merchant: merchantOf(tid) })));
    await db.pool.query(`
      create function run_out() returns trigger language plpgsql as
        $$ begin if new.part = 0 then raise exception 'no room' using errcode = '53100'; end if; return new; end $$;
      create trigger run_out before insert on settlement_item for each row execute function run_out()`);
    await expect(settle('12:05')).rejects.toThrow('no room');
    expect(await cycles()).toEqual([expect.stringMatching(/^12:05 failed \d+ 1\/4 no room/)]);
    const before = (await books.items()).length;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(35);
    await db.pool.query('drop function run_out cascade');
    expect(await settle('12:10')).toMatchObject({ captures: 0n, items: BigInt(35 - before) });
    expect(await books.items()).toHaveLength(35);
    // 1,000 won at 1.15 %: fee 11, VAT 1; five of them: 4,940.
    expect(await books.balances()).toEqual([
      'fee 385',
      'receivable:ksnet -35000',
      'vat 35',
      ...Array.from({ length: 7 }, (_, n) => `wallet:M${n + 1} 4940`),
    ]);
  });
});
