import { describe, expect, test } from 'vitest';
import type { Entry } from '../../test/support/books.ts';
import { books, db, keepOwnBooks } from './own-books.fixture.ts';

keepOwnBooks();

const d1 = '2026-11-18';
const d2 = '2026-11-19';
const d3 = '2026-11-20';

describe('one day', () => {
  const plain: Entry = { tid: 'T0', won: 1000 };
  // prettier-ignore
  const table: [string, Entry[], Entry[], string[]][] = [
    ['equal', [plain], [plain], []],
    ['missing at the provider', [plain, { tid: 'T1', won: 500 }], [plain], ['missing_at_provider T1/0 -500 open']],
    ['missing here', [plain], [plain, { tid: 'T1', won: 500 }], ['missing_here T1/0 500 open']],
    ['missing cancel', [plain, { tid: 'T0', seq: 1, won: -1000 }], [plain], ['missing_at_provider T0/1 1000 open']],
    ['amount', [{ tid: 'T1', won: 500 }], [{ tid: 'T1', won: 510 }], ['amount_differs T1/0 10 open']],
    [
      'status: a cancel that they call partial',
      [{ tid: 'T1', seq: 1, won: -500 }],
      [{ tid: 'T1', seq: 1, won: -500, kind: 'P' }],
      ['status_differs T1/1 0 open'],
    ],
    ['date', [plain], [{ ...plain, dated: '2026-11-15' }], ['date_differs T0/0 0 open']],
    ['dated a day off', [plain], [{ ...plain, dated: '2026-11-17' }], []],
    ['the same line twice', [plain], [plain, plain], ['duplicate T0/0 1000 open']],
    ['an unknown line twice', [], [plain, plain], ['duplicate T0/0 1000 open', 'missing_here T0/0 1000 open']],
    ['other TID, same approval', [plain], [{ ...plain, tid: 'X1', approvalNo: 'A-T0' }], []],
    ['other TID and approval, same order', [plain], [{ ...plain, tid: 'X1', orderNo: 'O-T0' }], []],
    [
      'same approval, other amount: no match',
      [plain],
      [{ ...plain, tid: 'X1', approvalNo: 'A-T0', won: 1001 }],
      ['missing_at_provider T0/0 -1000 open', 'missing_here X1/0 1001 open'],
    ],
    [
      'blank TIDs are no key and no duplicates',
      [plain, { tid: 'T1', won: 1 }],
      [
        { ...plain, tid: '', approvalNo: 'A-T0' },
        { tid: '', won: 1, approvalNo: 'A-T1' },
      ],
      [],
    ],
  ];
  test.each(table)('%s', async (_, ours, theirs, expected) => {
    await books.payments(d1, ours);
    await books.statement('transaction', d1, theirs);
    await books.match('transaction', d1);
    expect(await books.breaks()).toEqual(expected.map((text) => `${d1} ${text}`));
  });

  test('a shared approval number goes to the card that agrees, each record once', async () => {
    const same = { won: 100, approvalNo: '12345678' };
    await books.payments(d1, [
      { ...same, tid: 'T1', cardNo: '111111******1111' },
      { ...same, tid: 'T2', cardNo: '222222******2222' },
    ]);
    await books.statement('transaction', d1, [
      { ...same, tid: 'X1', cardNo: '222222******2222', orderNo: '' },
      { ...same, tid: 'X2', cardNo: '111111******1111', orderNo: '' },
      { ...same, tid: 'X3', cardNo: '333333******3333', orderNo: '' },
    ]);
    await books.match('transaction', d1);
    expect(await books.pairings()).toEqual([
      `${d1} T1 → ${d1} 3 approval matched`,
      `${d1} T2 → ${d1} 2 approval matched`,
    ]);
    expect(await books.breaks()).toEqual([`${d1} missing_here X3/0 100 open`]);
  });

  test('the same key in two files of a day is found without a suspect', async () => {
    await books.payments(d1, [plain]);
    await books.statement('transaction', d1, [plain], 'a');
    await books.statement('transaction', d1, [plain], 'b');
    await books.match('transaction', d1);
    expect(await books.breaks()).toEqual([`${d1} duplicate T0/0 1000 open`]);
  });
});

describe('across days, in any order', () => {
  const late: Entry = { tid: 'T1', won: 700, time: '23:59:58' };
  const lateLine: Entry = { tid: 'T1', won: 700, time: '00:00:01' };
  const orders: [string, string[]][] = [
    ['forward', [d1, d2, d3]],
    ['backward', [d3, d2, d1]],
    ['twice', [d1, d2, d1, d2, d3]],
  ];

  test.each(orders)('a payment before midnight whose line stands in the next file (%s)', async (_, order) => {
    await books.payments(d1, [{ tid: 'T0', won: 1 }, late]);
    await books.payments(d2, [{ tid: 'T2', won: 2 }]);
    await books.payments(d3, [{ tid: 'T3', won: 3 }]);
    await books.statement('transaction', d1, [{ tid: 'T0', won: 1 }]);
    await books.statement('transaction', d2, [lateLine, { tid: 'T2', won: 2 }]);
    await books.statement('transaction', d3, [{ tid: 'T3', won: 3 }]);
    for (const on of order) await books.match('transaction', on);
    expect(await books.breaks()).toEqual([]);
    expect(await books.goneBreaks()).toEqual([]);
    expect(await books.pairings()).toEqual([`${d1} T1 → ${d2} 2 tid-across-days timing`]);
  });

  test.each(orders)('a payment after midnight whose line stands in the previous file (%s)', async (_, order) => {
    await books.payments(d1, [{ tid: 'T0', won: 1 }]);
    await books.payments(d2, [{ ...late, time: '00:00:03' }]);
    await books.payments(d3, [{ tid: 'T3', won: 3 }]);
    await books.statement('transaction', d1, [
      { tid: 'T0', won: 1 },
      { ...lateLine, time: '23:59:59' },
    ]);
    await books.statement('transaction', d2, []);
    await books.statement('transaction', d3, [{ tid: 'T3', won: 3 }]);
    for (const on of order) await books.match('transaction', on);
    expect(await books.breaks()).toEqual([]);
    expect(await books.pairings()).toEqual([`${d2} T1 → ${d1} 3 tid-across-days timing`]);
  });

  test('what waited for a day that brought nothing becomes a break of its own day', async () => {
    await books.payments(d1, [late]);
    await books.payments(d2, [{ tid: 'T2', won: 2 }]);
    await books.statement('transaction', d1, []);
    await books.statement('transaction', d2, [{ tid: 'T2', won: 2 }]);
    await books.match('transaction', d1);
    expect(await books.breaks()).toEqual([]);
    await books.match('transaction', d2);
    expect(await books.breaks()).toEqual([`${d1} missing_at_provider T1/0 -700 open`]);
    await books.match('transaction', d2);
    await books.match('transaction', d1);
    expect(await books.breaks()).toEqual([`${d1} missing_at_provider T1/0 -700 open`]);
  });

  test('a break closes by itself when its line comes days later', async () => {
    await books.payments(d1, [{ tid: 'T1', won: 700 }]);
    await books.statement('transaction', d1, []);
    await books.statement('transaction', d3, [{ tid: 'T1', won: 700, dated: d1 }]);
    await books.match('transaction', d1);
    expect(await books.breaks()).toEqual([`${d1} missing_at_provider T1/0 -700 open`]);
    await books.match('transaction', d3);
    expect(await books.breaks()).toEqual([]);
    expect(await books.goneBreaks()).toEqual([`${d1} missing_at_provider T1/0 matched_later`]);
  });

  test('a payment that is imported late closes its break with the next run of any day', async () => {
    await books.payments(d1, [{ tid: 'T0', won: 1 }]);
    await books.statement('transaction', d1, [
      { tid: 'T0', won: 1 },
      { tid: 'T1', won: 700 },
    ]);
    await books.match('transaction', d1);
    expect(await books.breaks()).toEqual([`${d1} missing_here T1/0 700 open`]);
    await books.payments(d1, [{ tid: 'T1', won: 700 }]);
    await books.statement('transaction', d3, []);
    await books.match('transaction', d3);
    expect(await books.breaks()).toEqual([]);
  });

  test('the line of a record that another day has consumed is a duplicate', async () => {
    await books.payments(d1, [{ tid: 'T1', won: 700 }]);
    await books.statement('transaction', d1, [{ tid: 'T1', won: 700 }]);
    await books.statement('transaction', d2, [{ tid: 'T1', won: 700, dated: d1 }]);
    await books.match('transaction', d1);
    await books.match('transaction', d2);
    expect(await books.breaks()).toEqual([`${d2} duplicate T1/0 700 open`]);
  });

  test('a line that turns up on its own day after all frees the line of the other day', async () => {
    await books.payments(d1, [late]);
    await books.statement('transaction', d1, []);
    await books.statement('transaction', d2, [lateLine]);
    await books.match('transaction', d1);
    await books.match('transaction', d2);
    expect(await books.breaks()).toEqual([]);
    await books.statement('transaction', d1, [late]);
    await books.match('transaction', d1);
    expect(await books.breaks()).toEqual([`${d2} duplicate T1/0 700 open`]);
    expect(await books.pairings()).toEqual([]);
  });
});

describe('a corrected statement', () => {
  test('supersedes: what is corrected is gone, what remains is untouched, what is new is opened', async () => {
    await books.payments(d1, [
      { tid: 'T1', won: 100 },
      { tid: 'T2', won: 200 },
      { tid: 'T3', won: 300 },
    ]);
    await books.statement('transaction', d1, [
      { tid: 'T1', won: 101 },
      { tid: 'T2', won: 202 },
      { tid: 'T3', won: 300 },
    ]);
    await books.match('transaction', d1);
    await db.pool.query(
      `update break set state = 'investigating', assigned_to = 'kim' where provider = $1 and provider_tid = 'T2'`,
      [books.provider],
    );
    await books.statement('transaction', d1, [
      { tid: 'T1', won: 100 },
      { tid: 'T2', won: 202 },
      { tid: 'T3', won: 303 },
    ]);
    await books.match('transaction', d1);
    expect(await books.breaks()).toEqual([
      `${d1} amount_differs T2/0 2 investigating`,
      `${d1} amount_differs T3/0 3 open`,
    ]);
    expect(await books.goneBreaks()).toEqual([`${d1} amount_differs T1/0 superseded`]);
  });

  test('without the line of another day opens that day again', async () => {
    await books.payments(d1, [{ tid: 'T1', won: 700 }]);
    await books.statement('transaction', d1, []);
    await books.statement('transaction', d2, [{ tid: 'T1', won: 700, dated: d1 }]);
    await books.match('transaction', d1);
    await books.match('transaction', d2);
    expect(await books.breaks()).toEqual([]);
    await books.statement('transaction', d2, []);
    await books.match('transaction', d2);
    expect(await books.breaks()).toEqual([`${d1} missing_at_provider T1/0 -700 open`]);
  });
});

describe('captures and settlements', () => {
  test('a capture held today and released later: the hold is gone, its settlement is matched', async () => {
    const capture: Entry = { tid: 'T1', won: 1000, fee: 20, vat: 2 };
    await books.captures(d1, [capture, { tid: 'T2', won: 500 }]);
    await books.captures(d3, [{ tid: 'T3', won: 300 }]);
    await books.statement('capture', d1, [
      { ...capture, result: 'H' },
      { tid: 'T2', won: 500, result: 'R' },
    ]);
    await books.statement('settlement', d1, []);
    await books.match('capture', d1);
    await books.match('settlement', d1);
    expect(await books.breaks('capture')).toEqual([
      `${d1} capture_held T1/0 -1000 open`,
      `${d1} capture_rejected T2/0 -500 open`,
    ]);
    expect(await books.breaks('settlement')).toEqual([]);
    await books.statement('capture', d3, [
      { ...capture, dated: d1, result: 'L' },
      { tid: 'T3', won: 300 },
    ]);
    await books.statement('settlement', d3, [
      { ...capture, dated: d1 },
      { tid: 'T3', won: 300 },
    ]);
    for (const again of [1, 2]) {
      await books.match('capture', d3);
      await books.match('settlement', d3);
      expect([again, await books.breaks('capture')]).toEqual([again, [`${d1} capture_rejected T2/0 -500 open`]]);
      expect(await books.breaks('settlement')).toEqual([]);
      expect(await books.pairings('settlement')).toEqual([`${d1} T1 → ${d3} 2 tid-across-days matched`]);
    }
    expect(await books.goneBreaks('capture')).toEqual([`${d1} capture_held T1/0 matched_later`]);
  });

  test('the release may be reconciled before the day that it releases', async () => {
    const capture: Entry = { tid: 'T1', won: 1000, fee: 20, vat: 2 };
    await books.captures(d1, [capture]);
    await books.captures(d3, [{ tid: 'T3', won: 300 }]);
    await books.statement('capture', d1, [{ ...capture, result: 'H' }]);
    await books.statement('settlement', d1, []);
    await books.statement('capture', d3, [
      { ...capture, dated: d1, result: 'L' },
      { tid: 'T3', won: 300 },
    ]);
    await books.statement('settlement', d3, [
      { ...capture, dated: d1 },
      { tid: 'T3', won: 300 },
    ]);
    for (const on of [d3, d1, d3, d1]) {
      await books.match('capture', on);
      await books.match('settlement', on);
    }
    expect([await books.breaks('capture'), await books.breaks('settlement')]).toEqual([[], []]);
    expect(await books.pairings('settlement')).toEqual([`${d1} T1 → ${d3} 2 tid-across-days matched`]);
    expect(await books.pairings('capture')).toEqual([`${d1} T1 → ${d3} 2 tid-across-days matched`]);
  });

  // prettier-ignore
  const table: [string, Partial<Entry>, string[]][] = [
    ['fee', { fee: 21, net: 977 }, ['fee_differs T1/0 1 open']],
    ['VAT', { vat: 3, net: 977 }, ['vat_differs T1/0 1 open']],
    ['fee and VAT', { fee: 30, vat: 3, net: 967 }, ['fee_differs T1/0 10 open', 'vat_differs T1/0 1 open']],
    ['net', { net: 979 }, ['net_differs T1/0 1 open']],
    ['amount, which explains the fee', { won: 2000, fee: 40, vat: 4 }, ['amount_differs T1/0 1000 open']],
  ];
  test.each(table)('%s differs', async (_, theirs, expected) => {
    const capture: Entry = { tid: 'T1', won: 1000, fee: 20, vat: 2 };
    await books.captures(d1, [capture]);
    await books.statement('settlement', d1, [{ ...capture, ...theirs }]);
    await books.match('settlement', d1);
    expect(await books.breaks('settlement')).toEqual(expected.map((text) => `${d1} ${text}`));
  });
});

test('unchanged inputs are left alone', async () => {
  await books.payments(d1, [{ tid: 'T1', won: 700 }]);
  await books.statement('transaction', d1, []);
  expect(await books.match('transaction', d1)).toMatchObject({ outcome: 'reconciled', lines: 0 });
  expect(await books.match('transaction', d1)).toMatchObject({ outcome: 'unchanged' });
});
