import { beforeEach, describe, expect, test } from 'vitest';
import type { Entry } from '../../test/support/books.ts';
import type { Stage } from '../providers/stage.ts';
import { books, db, keepOwnBooks } from './own-books.fixture.ts';
import { stageSummaries } from './summary-store.ts';

keepOwnBooks();

const d1 = '2026-11-18';
const d2 = '2026-11-19';
const d3 = '2026-11-20';

/** The rows of a view for the books' provider, each as one line of text. */
async function rows(columns: string, view: string, day: string, on = d1): Promise<string[]> {
  const { rows: found } = await db.pool.query<{ text: string }>(
    `select concat_ws(' ', ${columns}) as text from ${view} where provider = $1 and ${day} = $2 order by text`,
    [books.provider, on],
  );
  return found.map((row) => row.text);
}
const lines = (stage: Stage, on = d1) =>
  rows('line_no, provider_tid, verdict', `line_verdict_${stage}`, 'statement_on', on);
const payments = (on = d1) => rows('provider_tid, cancel_seq, verdict', 'payment_verdict', 'traded_on', on);
const captured = (on = d1) =>
  rows('provider_tid, cancel_seq, state, captured_on, result_code', 'payment_capture', 'traded_on', on);
const settled = (on = d1) =>
  rows(
    'provider_tid, cancel_seq, state, fee_won, vat_won, net_won, pay_in_on, kinds',
    'payment_settlement',
    'traded_on',
    on,
  );

/** One of every outcome of the transaction stage, on `d1`. */
async function everyOutcome(): Promise<void> {
  await books.payments(d1, [
    { tid: 'T1', won: 100 },
    { tid: 'T2', won: 200 },
    { tid: 'T2', seq: 1, won: -200 },
    { tid: 'T3', won: 300 },
    { tid: 'T4', won: 400 },
    { tid: 'T5', won: 500, time: '23:59:58' },
    { tid: 'T6', won: 600, time: '23:59:59' },
  ]);
  await books.payments(d2, [{ tid: 'T7', won: 700, time: '00:00:03' }]);
  const loadId = await books.statement('transaction', d1, [
    { tid: 'T1', won: 100 },
    { tid: 'T1', won: 100 },
    { tid: 'T2', won: 201 },
    { tid: 'T2', seq: 1, won: -200, dated: '2026-11-10', kind: 'P' },
    { tid: 'X3', won: 300, approvalNo: 'A-T3' },
    { tid: 'X8', won: 800 },
    { tid: 'T7', won: 700, time: '23:59:59' },
    { tid: 'X9', won: 900, time: '23:59:59' },
  ]);
  await db.pool.query(
    `insert into statement_unreadable values ($1, 20, 0, 9, 'amountWon', 'not_a_number', '\\x00', 'T4', 0)`,
    [loadId],
  );
  await books.statement('transaction', d2, [{ tid: 'T5', won: 500, time: '00:00:01' }]);
}

describe('lines and payments of the transaction stage', () => {
  test('before the first run nothing is said to be matched', async () => {
    await everyOutcome();
    expect(await payments(d2)).toEqual(['T7 0 not_reconciled']);
    expect(await lines('transaction', d2)).toEqual(['2 T5 not_reconciled']);
  });

  test('each verdict while the next day is still to come', async () => {
    await everyOutcome();
    await books.match('transaction', d1);
    expect(await lines('transaction')).toEqual([
      '2 T1 matched',
      '20 T4 unreadable',
      '3 T1 duplicate',
      '4 T2 amount_differs',
      '5 T2 date_differs,status_differs',
      '6 X3 matched',
      '7 X8 missing_here',
      '8 T7 awaiting',
      '9 X9 awaiting',
    ]);
    expect(await payments()).toEqual([
      'T1 0 matched',
      'T2 0 amount_differs',
      'T2 1 date_differs,status_differs',
      'T3 0 matched',
      'T4 0 unreadable',
      'T5 0 awaiting',
      'T6 0 awaiting',
    ]);
  });

  test('each verdict once the next day is in', async () => {
    await everyOutcome();
    await books.match('transaction', d1);
    await books.match('transaction', d2);
    expect((await lines('transaction')).slice(-2)).toEqual(['8 T7 timing', '9 X9 missing_here']);
    expect((await payments()).slice(-2)).toEqual(['T5 0 timing', 'T6 0 missing_at_provider']);
    expect(await lines('transaction', d2)).toEqual(['2 T5 timing']);
    expect(await payments(d2)).toEqual(['T7 0 timing']);
  });

  test('a resolved difference is still a difference', async () => {
    await books.payments(d1, [{ tid: 'T1', won: 100 }]);
    await books.statement('transaction', d1, [{ tid: 'T1', won: 101 }]);
    await books.match('transaction', d1);
    await db.pool.query(
      `update break set state = 'resolved', resolution = 'written_off', resolved_at = now() where provider = $1`,
      [books.provider],
    );
    expect(await lines('transaction')).toEqual(['2 T1 amount_differs']);
    expect(await payments()).toEqual(['T1 0 amount_differs']);
  });
});

describe('what came after a run', () => {
  beforeEach(async () => {
    await books.payments(d1, [{ tid: 'T1', won: 100 }]);
    await books.statement('transaction', d1, [{ tid: 'T1', won: 100 }]);
    await books.match('transaction', d1);
  });

  test('a payment imported later is not matched', async () => {
    await books.payments(d1, [{ tid: 'T2', won: 100 }]);
    expect(await payments()).toEqual(['T1 0 matched', 'T2 0 not_reconciled']);
  });

  test('an import that began before the run and ended after it leaves no payment matched by silence', async () => {
    await db.pool.query(
      `insert into payment_total select provider, traded_on, 'MID2', 1, 1, 1, 0 from payment_total
      where provider = $1`,
      [books.provider],
    );
    expect(await payments()).toEqual(['T1 0 not_reconciled']);
  });

  test('lines of a corrected statement are not matched, those of the old one not there', async () => {
    await books.statement('transaction', d1, [{ tid: 'T1', won: 100 }]);
    expect(await lines('transaction')).toEqual(['2 T1 not_reconciled']);
  });

  test('a stage that is due to be computed anew vouches for nothing', async () => {
    await db.pool.query(`update reconciled_stage set inputs = 'stale' where provider = $1`, [books.provider]);
    expect(await lines('transaction')).toEqual(['2 T1 not_reconciled']);
    expect(await payments()).toEqual(['T1 0 not_reconciled']);
  });

  test('a payment of a MID whose file is missing is not matched', async () => {
    await db.pool.query(
      `update reconciled_stage set inputs = replace(inputs, 'imports 1 up', 'imports 0 up') where provider = $1`,
      [books.provider],
    );
    await db.pool.query(
      `update reconciled_stage set inputs = replace(inputs, 'mids all', 'mids MID8,MID9')
      where provider = $1`,
      [books.provider],
    );
    expect(await payments()).toEqual(['T1 0 not_reconciled']);
  });
});

test.each([[[d1]], [[d1, d2]], [[d2, d1]]])('the views count what the summary counts (runs: %s)', async (runs) => {
  await everyOutcome();
  for (const on of runs) await books.match('transaction', on);
  for (const on of runs) {
    const expected = [{ id: books.provider, stages: ['transaction'] as const }];
    const [summary] = await stageSummaries(db.pool, Temporal.PlainDate.from(on), expected);
    const verdicts = (await lines('transaction', on)).map((text) => text.split(' ').at(-1) as string);
    const count = (verdict: string) => verdicts.filter((each) => each === verdict).length;
    expect({ on, matched: count('matched'), timing: count('timing') }).toEqual({
      on,
      matched: summary?.matched,
      timing: summary?.timing,
    });
    expect(verdicts.length - count('unreadable')).toBe(summary?.lines);
    const waiting = (await payments(on)).filter((text) => text.endsWith('awaiting')).length;
    expect(count('awaiting') + waiting).toBe(summary?.awaiting);
  }
});

describe('captures and settlements of payments', () => {
  const money: Entry = { tid: 'T1', won: 1000, fee: 20, vat: 2 };

  async function book(): Promise<void> {
    await books.payments(d1, [
      ...['T1', 'T2', 'T3', 'T4', 'T5', 'T6'].map((tid) => ({ tid, won: 1000 })),
      { tid: 'T1', seq: 1, won: -1000 },
    ]);
    await books.captures(d1, [
      ...['T1', 'T2', 'T3', 'T4', 'T5'].map((tid) => ({ ...money, tid })),
      { tid: 'T1', seq: 1, won: -1000, fee: -20, vat: -2 },
    ]);
  }

  test('each state of a capture, in the days of its life', async () => {
    await book();
    expect(await captured()).toContain(`T1 0 unconfirmed ${d1}`);
    await books.statement('capture', d1, [
      money,
      { tid: 'T1', seq: 1, won: -1000 },
      { ...money, tid: 'T2', result: 'R' },
      { ...money, tid: 'T3', result: 'H' },
      { ...money, tid: 'X4', approvalNo: 'A-T4' },
    ]);
    await books.match('capture', d1);
    const before = [
      `T1 0 accepted ${d1} 60`,
      `T1 1 accepted ${d1} 60`,
      `T2 0 rejected ${d1} 60`,
      `T3 0 held ${d1} 60`,
      `T4 0 accepted ${d1} 60`,
      `T5 0 unconfirmed ${d1}`,
      'T6 0 none',
    ];
    expect(await captured()).toEqual(before);
    await books.captures(d3, [{ tid: 'T7', won: 1 }]);
    await books.statement('capture', d3, [
      { tid: 'T7', won: 1 },
      { ...money, tid: 'T3', dated: d1, result: 'L' },
    ]);
    await books.match('capture', d3);
    expect(await captured()).toEqual(before.with(3, `T3 0 released ${d1} 60`));
    expect(await lines('capture')).toContain('5 T3 matched');
    expect(await lines('capture', d3)).toEqual(['2 T7 matched', '3 T3 matched']);
  });

  test('each state of a settlement', async () => {
    await book();
    await books.statement('capture', d1, [
      ...['T1', 'T3', 'T4', 'T5'].map((tid) => ({ ...money, tid })),
      { tid: 'T1', seq: 1, won: -1000 },
      { ...money, tid: 'T2', result: 'R' },
    ]);
    await books.match('capture', d1);
    await books.statement('settlement', d1, [
      money,
      { ...money, tid: 'T3', fee: 30, vat: 3 },
      { tid: 'X4', won: 1000, fee: 20, vat: 2, approvalNo: 'A-T4' },
      { tid: 'T1', seq: 1, won: -1000, fee: -20, vat: -2 },
      money,
    ]);
    expect((await settled())[0]).toBe(`T1 0 open 20 2 978 ${d1}`);
    await books.match('settlement', d1);
    expect(await settled()).toEqual([
      `T1 0 settled 20 2 978 ${d1}`,
      `T1 1 settled -20 -2 -978 ${d1}`,
      'T2 0 held',
      `T3 0 differs 30 3 967 ${d1} fee_differs,vat_differs`,
      `T4 0 settled 20 2 978 ${d1}`,
      'T5 0 open missing_at_provider',
      'T6 0 none',
    ]);
    await books.statement('settlement', d3, [{ ...money, tid: 'T5', dated: d1 }]);
    await books.match('settlement', d3);
    expect(await settled()).toContain(`T5 0 settled 20 2 978 ${d3}`);
    expect(await lines('settlement', d3)).toEqual(['2 T5 matched']);
  });
});

test.each(['payment_verdict', 'payment_capture', 'payment_settlement'])('%s answers for one payment', async (view) => {
  await books.payments(d1, [
    { tid: 'T1', won: 100 },
    { tid: 'T2', won: 100 },
  ]);
  await books.captures(d2, [{ tid: 'T1', won: 100 }]);
  const { rowCount } = await db.pool.query(
    `select * from ${view} where provider = $1 and traded_on = $2 and provider_tid = 'T1' and cancel_seq = 0`,
    [books.provider, d1],
  );
  expect(rowCount).toBe(1);
});

test('a capture whose payment is not in the books is shown all the same', async () => {
  await books.captures(d1, [{ tid: 'T1', won: 100 }]);
  expect(await captured()).toEqual([`T1 0 unconfirmed ${d1}`]);
  expect(await settled()).toEqual(['T1 0 open']);
});

describe('a view that is asked for a day reads the leaves of that day', () => {
  type Plan = {
    readonly 'Relation Name'?: string;
    readonly 'Actual Loops': number;
    readonly Plans?: readonly Plan[];
  };
  const leavesRead = ({ Plans = [], ...node }: Plan): string[] => [
    ...(node['Actual Loops'] > 0 && /_\d{8}$/.test(node['Relation Name'] ?? '')
      ? [node['Relation Name'] as string]
      : []),
    ...Plans.flatMap(leavesRead),
  ];

  const table: [string, string, string[]][] = [
    ['line_verdict_transaction', 'statement_on', ['transaction_line']],
    ['line_verdict_capture', 'statement_on', ['capture_line']],
    ['line_verdict_settlement', 'statement_on', ['settlement_line']],
    ['payment_verdict', 'traded_on', ['payment']],
    ['payment_capture', 'traded_on', ['capture', 'capture_line', 'payment']],
    ['payment_settlement', 'traded_on', ['capture', 'payment', 'settlement_line']],
  ];
  test.each(table)('%s', async (view, day, tables) => {
    for (const on of [d1, d2, d3]) {
      await books.payments(on, [{ tid: `T-${on}`, won: 100 }]);
      await books.captures(on, [{ tid: `T-${on}`, won: 100 }]);
      for (const stage of ['transaction', 'capture', 'settlement'] as const) {
        await books.statement(stage, on, [{ tid: `T-${on}`, won: 100 }]);
        await books.match(stage, on);
      }
    }
    const { rows: plans } = await db.pool.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
      `explain (analyze, format json) select * from ${view} where provider = $1 and ${day} = $2`,
      [books.provider, d2],
    );
    const plan = plans[0]?.['QUERY PLAN'][0]?.Plan as Plan;
    const branch = books.provider.replace('-', '_');
    expect([...new Set(leavesRead(plan))].sort()).toEqual(tables.map((name) => `${name}_${branch}_20261119`).sort());
  });
});
