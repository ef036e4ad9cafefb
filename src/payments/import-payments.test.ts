import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { textSource } from '../../test/support/import-text.ts';
import {
  approval,
  cancel,
  capture,
  type PaymentLine,
  paymentsCsv,
  paymentsNdjson,
} from '../../test/support/payment-lines.ts';
import { type ImportOutcome, refusalText } from '../imports/import-records.ts';
import { importPayments } from './import-payments.ts';

const providers = ['ksnet', 'welcome-online', 'welcome-offline'];
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query('truncate payment, capture, import cascade');
});

function bring(lines: readonly PaymentLine[] | string | Uint8Array, strict = false): Promise<ImportOutcome> {
  const content = typeof lines === 'string' || lines instanceof Uint8Array ? lines : paymentsCsv(lines);
  return importPayments(database.pool, textSource(content, 'payments.csv'), { who: 'tester', strict, providers });
}

async function rows(sql: string): Promise<Record<string, unknown>[]> {
  return (await database.pool.query(sql)).rows;
}

/** Everything that an import writes but its own number. */
async function contents(): Promise<unknown> {
  return {
    payments: await rows(`select provider, traded_on, provider_tid, cancel_seq, kind, amount_won, traded_at, mid,
      merchant_id, order_no, approval_no, acquirer, issuer, card_merchant_no, card_no, instalments
      from payment order by 1, 2, 3, 4`),
    captures: await rows(`select provider, captured_on, provider_tid, cancel_seq, kind, amount_won, fee_won, vat_won,
      traded_on, mid from capture order by 1, 2, 3, 4`),
    paymentTotals: await rows(`select provider, traded_on, mid, sum(payments), sum(approved_won), sum(cancelled_won)
      from payment_total group by 1, 2, 3 order by 1, 2, 3`),
    captureTotals: await rows(`select provider, captured_on, traded_on, mid, sum(captures), sum(captured_won),
      sum(fee_won), sum(vat_won) from capture_total group by 1, 2, 3, 4 order by 1, 2, 3, 4`),
  };
}

function verdict(outcome: ImportOutcome): string {
  const refusals = outcome.refusals.map(({ line, code }) => ` ${line}:${code}`).join('');
  return `${outcome.added} added, ${outcome.same} same, ${outcome.refused} refused${refusals}`;
}

describe('what is imported', () => {
  test('comes in on a connection that has used temporary tables before, as settlement does', async () => {
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const client = await database.pool.connect();
        await client.query('create temporary table used (one int); insert into used values (1); drop table used');
        client.release();
      }),
    );
    expect(verdict(await bring([approval()]))).toBe('1 added, 0 same, 0 refused');
  });

  test('stands in the tables as the file says it, with its control totals and its import', async () => {
    const outcome = await bring([
      approval(),
      cancel({ record: 'partial_cancel', amountWon: '-20000', tradedAt: '2026-11-20T14:59:59Z' }),
      cancel({ cancelSeq: '2', amountWon: '-30000', tradedAt: '2026-11-20T15:00:00Z' }),
      capture(),
      capture({ cancelSeq: '1', amountWon: '-20000', feeWon: '-400', vatWon: '-40' }),
    ]);
    expect(verdict(outcome)).toBe('5 added, 0 same, 0 refused');
    expect(await rows('select cancel_seq, kind, traded_on, amount_won from payment order by 1')).toEqual([
      { cancel_seq: 0, kind: 'A', traded_on: '2026-11-20', amount_won: 50_000n },
      { cancel_seq: 1, kind: 'P', traded_on: '2026-11-20', amount_won: -20_000n },
      { cancel_seq: 2, kind: 'C', traded_on: '2026-11-21', amount_won: -30_000n },
    ]);
    expect(await rows('select * from payment where cancel_seq = 0')).toEqual([
      {
        provider: 'ksnet',
        traded_on: '2026-11-20',
        provider_tid: 'T1',
        cancel_seq: 0,
        kind: 'A',
        amount_won: 50_000n,
        traded_at: new Date('2026-11-20T01:00:00Z'),
        mid: 'MID1',
        merchant_id: 'M1',
        order_no: 'O1',
        approval_no: '12345678',
        acquirer: '신한카드',
        issuer: '국민카드',
        card_merchant_no: '700001',
        card_no: '123456******7890',
        instalments: 0,
        import_id: outcome.importId,
      },
    ]);
    expect(await rows('select * from capture order by cancel_seq limit 1')).toEqual([
      {
        provider: 'ksnet',
        captured_on: '2026-11-21',
        provider_tid: 'T1',
        cancel_seq: 0,
        kind: 'A',
        amount_won: 50_000n,
        fee_won: 1000n,
        vat_won: 100n,
        traded_on: '2026-11-20',
        mid: 'MID1',
        import_id: outcome.importId,
      },
    ]);
    expect(
      await rows('select traded_on, mid, payments, approved_won, cancelled_won from payment_total order by 1'),
    ).toEqual([
      { traded_on: '2026-11-20', mid: 'MID1', payments: 2n, approved_won: 50_000n, cancelled_won: -20_000n },
      { traded_on: '2026-11-21', mid: 'MID1', payments: 1n, approved_won: 0n, cancelled_won: -30_000n },
    ]);
    expect(
      await rows('select captured_on, traded_on, captures, captured_won, fee_won, vat_won from capture_total'),
    ).toEqual([
      {
        captured_on: '2026-11-21',
        traded_on: '2026-11-20',
        captures: 2n,
        captured_won: 30_000n,
        fee_won: 600n,
        vat_won: 60n,
      },
    ]);
    expect(
      await rows(
        'select kind, file_name, imported_by, rows_added, rows_same, rows_refused, finished_at is not null as finished from import',
      ),
    ).toEqual([
      {
        kind: 'payments',
        file_name: 'payments.csv',
        imported_by: 'tester',
        rows_added: 5n,
        rows_same: 0n,
        rows_refused: 0n,
        finished: true,
      },
    ]);
  });
});

describe('the same again', () => {
  const file = [approval(), cancel(), capture(), approval({ provider: 'welcome-online' })];

  test('changes nothing', async () => {
    await bring(file);
    const before = await contents();
    expect(verdict(await bring(file))).toBe('0 added, 4 same, 0 refused');
    expect(await contents()).toEqual(before);
  });

  test('counts as the same within a file, and only what is new goes in', async () => {
    await bring(file.slice(0, 2));
    expect(verdict(await bring([...file, ...file]))).toBe('2 added, 6 same, 0 refused');
  });

  test('in another order gives the same rows', async () => {
    await bring(file);
    const before = await contents();
    await database.pool.query('truncate payment, capture, payment_total, capture_total');
    await bring([...file].reverse());
    expect(await contents()).toEqual(before);
  });

  test('from several at once goes in once', async () => {
    const many = Array.from({ length: 500 }, (_, i) => approval({ providerTid: `T${i}` }));
    const outcomes = await Promise.all([bring(many), bring([...many].reverse()), bring(many)]);
    expect(outcomes.map(({ added }) => added).sort()).toEqual([0, 0, 500].sort());
    expect(outcomes.map(({ same }) => same).sort()).toEqual([0, 500, 500].sort());
    expect(await rows('select count(*) from payment')).toEqual([{ count: 500n }]);
    expect(await rows('select sum(payments) as payments from payment_total')).toMatchObject([{ payments: '500' }]);
  });
});

describe('the same identity with other content', () => {
  test.each<[string, PaymentLine, string]>([
    ['amount', approval({ amountWon: '50001' }), 'amountWon'],
    ['merchant', approval({ merchantId: 'M2' }), 'merchantId'],
    ['time', approval({ tradedAt: '2026-11-20T10:00:01+09:00' }), 'tradedAt'],
    ['the next day', approval({ tradedAt: '2026-11-21T10:00:00+09:00' }), 'tradedOn, tradedAt'],
    ['seven days before', approval({ tradedAt: '2026-11-13T10:00:00+09:00' }), 'tradedOn, tradedAt'],
    ['capture fee', capture({ feeWon: '1001' }), 'feeWon'],
    ['capture day', capture({ capturedOn: '2026-11-22' }), 'capturedOn'],
    ['everything', approval({ amountWon: '1', mid: 'X', instalments: '3' }), 'amountWon, mid, instalments'],
  ])('is refused against the tables: %s', async (_, line, fields) => {
    const first = await bring([approval(), capture()]);
    const before = await contents();
    const outcome = await bring([line, approval({ providerTid: 'T2' })]);
    expect(verdict(outcome)).toBe('1 added, 0 same, 1 refused 2:import_differs');
    expect(outcome.refusals[0]?.detail).toEqual({ identity: 'ksnet T1 0', fields, importId: Number(first.importId) });
    await database.pool.query(
      `delete from payment where provider_tid = 'T2'; delete from payment_total where import_id = ${outcome.importId}`,
    );
    expect(await contents()).toEqual(before);
  });

  test('is refused within a file, where the first line holds', async () => {
    const outcome = await bring([
      approval(),
      approval({ amountWon: '49999' }),
      approval(),
      approval({ tradedAt: '2026-11-30T10:00:00+09:00' }),
    ]);
    expect(verdict(outcome)).toBe('1 added, 1 same, 2 refused 3:import_differs_in_file 5:import_differs_in_file');
    expect(outcome.refusals[0]?.detail).toEqual({ identity: 'ksnet T1 0', fields: 'amountWon', firstLine: 2 });
    expect(await rows('select amount_won from payment')).toEqual([{ amount_won: 50_000n }]);
  });

  test('is judged by the tables first, whatever stands first in the file', async () => {
    await bring([approval()]);
    expect(verdict(await bring([approval({ amountWon: '1' }), approval()]))).toBe(
      '0 added, 1 same, 1 refused 2:import_differs',
    );
  });

  test('is not noticed further than seven days away, as the documentation says', async () => {
    await bring([approval()]);
    expect(verdict(await bring([approval({ tradedAt: '2026-11-28T10:00:00+09:00' })]))).toBe(
      '1 added, 0 same, 0 refused',
    );
  });

  test('is another identity at another provider, or with another sequence', async () => {
    await bring([approval()]);
    expect(verdict(await bring([approval({ provider: 'welcome-online', amountWon: '7' }), cancel()]))).toBe(
      '2 added, 0 same, 0 refused',
    );
  });
});

describe('a faulty record is refused with its line, and the rest goes in', () => {
  test.each<[string, PaymentLine, string, string]>([
    ['unknown record', approval({ record: 'refund' }), 'import_record_unknown', 'record'],
    ['unknown provider', approval({ provider: 'nice' }), 'import_provider_unknown', 'provider'],
    ['no TID', approval({ providerTid: '' }), 'import_text', 'providerTid'],
    ['blank around the TID', approval({ providerTid: ' T1' }), 'import_text', 'providerTid'],
    ['approval with a sequence', approval({ cancelSeq: '1' }), 'import_number', 'cancelSeq'],
    ['cancel without one', cancel({ cancelSeq: '0' }), 'import_number', 'cancelSeq'],
    ['negative approval', approval({ amountWon: '-1' }), 'import_sign', 'amountWon'],
    ['positive cancel', cancel({ amountWon: '1' }), 'import_sign', 'amountWon'],
    ['nothing approved', approval({ amountWon: '0' }), 'import_sign', 'amountWon'],
    ['decimals', approval({ amountWon: '1.0' }), 'import_amount', 'amountWon'],
    ['a day that is none', approval({ tradedAt: '2026-02-30T10:00:00+09:00' }), 'import_instant', 'tradedAt'],
    ['a time without offset', approval({ tradedAt: '2026-11-20T10:00:00' }), 'import_instant', 'tradedAt'],
    ['full card number', approval({ cardNo: '1234567890127890' }), 'import_card_number', 'cardNo'],
    ['no instalments', approval({ instalments: '' }), 'import_number', 'instalments'],
    ['an approval with a capture day', approval({ capturedOn: '2026-11-20' }), 'import_field_unused', 'capturedOn'],
    ['a capture with an order', capture({ orderNo: 'O1' }), 'import_field_unused', 'orderNo'],
    ['a capture on no day', capture({ capturedOn: '2026-11-31' }), 'import_day', 'capturedOn'],
    ['a capture without fee', capture({ feeWon: '' }), 'import_amount', 'feeWon'],
    ['a positive capture of a cancel', capture({ cancelSeq: '1' }), 'import_sign', 'amountWon'],
  ])('%s', async (_, line, code, field) => {
    const outcome = await bring([approval({ providerTid: 'A' }), line, approval({ providerTid: 'B' })]);
    expect(verdict(outcome)).toBe(`2 added, 0 same, 1 refused 3:${code}`);
    expect(outcome.refusals[0]?.detail).toMatchObject({ field });
    expect(await rows('select line_no, code from import_refusal')).toEqual([{ line_no: 3n, code }]);
    for (const refusal of outcome.refusals) {
      expect(refusalText(refusal, 'ko')).not.toContain('?');
      expect(refusalText(refusal, 'en')).not.toContain('1234567890127890');
    }
  });

  test('with --strict nothing goes in, and the refusals are kept', async () => {
    const outcome = await bring([approval(), capture(), approval({ providerTid: '' })], true);
    expect(outcome).toMatchObject({ entered: false, added: 0, refused: 1 });
    expect(await rows('select count(*) from payment')).toEqual([{ count: 0n }]);
    expect(await rows('select count(*) from capture')).toEqual([{ count: 0n }]);
    expect(await rows('select rows_added, rows_refused from import')).toEqual([{ rows_added: 0n, rows_refused: 1n }]);
    expect(await rows('select line_no, code from import_refusal')).toEqual([{ line_no: 4n, code: 'import_text' }]);
  });

  test('with --strict other content keeps everything out as well, and no fault lets everything in', async () => {
    expect(await bring([approval()], true)).toMatchObject({ entered: true, added: 1 });
    expect(await bring([approval({ amountWon: '7' }), approval({ providerTid: 'T2' })], true)).toMatchObject({
      entered: false,
      added: 0,
      refused: 1,
    });
    expect(await rows('select count(*) from payment')).toEqual([{ count: 1n }]);
  });

  test('every line may be refused: all are kept, the first thousand are handed out', async () => {
    const outcome = await bring(Array.from({ length: 1500 }, () => approval({ providerTid: '' })));
    expect(outcome).toMatchObject({ added: 0, refused: 1500 });
    expect(outcome.refusals.map(({ line }) => line)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 2));
    expect(await rows('select count(*) from import_refusal')).toEqual([{ count: 1500n }]);
  });
});

describe('a file that is refused as a whole leaves nothing', () => {
  const manyDays = Array.from({ length: 401 }, (_, i) =>
    approval({
      providerTid: `T${i}`,
      tradedAt: `${Temporal.PlainDate.from('2026-01-01').add({ days: i })}T10:00:00+09:00`,
    }),
  );
  test.each<[string, string | Uint8Array, string]>([
    ['empty', '', 'import_empty'],
    ['another header', 'a,b\n1,2\n', 'import_header'],
    ['UTF-16', Buffer.from(`\uFEFF${paymentsCsv([approval()])}`, 'utf16le'), 'import_encoding'],
    ['too many days', paymentsCsv(manyDays), 'import_too_many_days'],
  ])('%s', async (_, content, code) => {
    await expect(bring(content)).rejects.toMatchObject({ code });
    expect(await rows('select count(*) from import')).toEqual([{ count: 0n }]);
    expect(await rows(`select count(*) from pg_class where relname like 'payment_ksnet_2027%'`)).toEqual([
      { count: 0n },
    ]);
  });

  test('interrupted', async () => {
    const interrupt = new AbortController();
    const importing = importPayments(database.pool, textSource(paymentsCsv([approval()])), {
      who: 'tester',
      providers,
      signal: interrupt.signal,
      onProgress: ({ phase }) => phase === 'adding' && interrupt.abort(),
    });
    await expect(importing).rejects.toMatchObject({ code: 'interrupted' });
    expect(await rows('select count(*) from import')).toEqual([{ count: 0n }]);
    expect(await rows('select count(*) from payment')).toEqual([{ count: 0n }]);
  });
});

test('NDJSON and CSV of the same records give the same rows', async () => {
  const name = fc.stringMatching(/^[A-Za-z0-9가-힣]{1,8}$/);
  const line = fc.record({
    providerTid: fc.nat(5).map((n) => `T${n}`),
    provider: fc.constantFrom(...providers, 'nobody'),
    amountWon: fc.integer({ min: -2, max: 100_000 }).map(String),
    mid: name,
    acquirer: name,
    tradedAt: fc.constantFrom('2026-11-20T00:00:00+09:00', '2026-11-20T14:59:59Z', '2026-11-21T00:00:00+09:00', 'soon'),
  });
  await fc.assert(
    fc
      .asyncProperty(
        fc.array(fc.oneof(line.map(approval), line.map(capture)), { minLength: 1, maxLength: 20 }),
        async (lines) => {
          const fromCsv = await bring(paymentsCsv(lines));
          const rowsOfCsv = await contents();
          await database.pool.query('truncate payment, capture, payment_total, capture_total');
          const fromNdjson = await bring(paymentsNdjson(lines));
          expect(await contents()).toEqual(rowsOfCsv);
          // The header is a line of its own, and the two formats count bytes differently.
          expect(fromNdjson.refusals.map(({ line, code }) => [line + 1, code])).toEqual(
            fromCsv.refusals.map(({ line, code }) => [line, code]),
          );
          expect(fromNdjson).toMatchObject({ added: fromCsv.added, same: fromCsv.same, refused: fromCsv.refused });
        },
      )
      .afterEach(async () => {
        await database.pool.query('truncate payment, capture, payment_total, capture_total');
      }),
    { numRuns: 25 },
  );
});
