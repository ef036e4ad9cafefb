import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ImportOutcome, refusalText } from '../../src/imports/import-records.ts';
import type { ImportSource } from '../../src/imports/import-source.ts';
import { importMerchants } from '../../src/merchants/import-merchants.ts';
import { importAccounts, importContracts, importTerms } from '../../src/merchants/import-terms.ts';
import {
  importCardBins,
  importHalfYears,
  importPreferentialRates,
  importSubMerchants,
  importTiers,
} from '../../src/merchants/import-tiers.ts';
import { importPayments } from '../../src/payments/import-payments.ts';
import { openCipher } from '../../src/platform/cipher.ts';
import { Secret } from '../../src/platform/secret.ts';
import { importDeposits } from '../../src/reconciliation/deposit-import.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { textSource } from '../support/import-text.ts';
import { approval, cancel, capture, type PaymentLine, paymentsCsv, paymentsNdjson } from '../support/payment-lines.ts';

const card = '4111111111111111';
const written = [card, '4111-1111-1111-1111', '4111 1111 1111 1111', `x${card}y`];
const by = { who: 'tester' };
const providers = ['ksnet'];

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const pay = (content: string) => importPayments(database.pool, textSource(content), { ...by, providers });
const found = ({ refusals }: ImportOutcome) =>
  refusals.map(({ line, code, detail }) => `${line} ${code} ${detail['field']}`);

/** Nothing that an import keeps or says repeats the digits, however they were grouped. */
async function expectUntold(outcome: ImportOutcome): Promise<void> {
  const said = outcome.refusals.flatMap((refusal) => [refusalText(refusal, 'ko'), refusalText(refusal, 'en')]);
  const { rows } = await database.pool.query<{ kept: string }>(
    `select query_to_xml('select * from import_refusal', true, false, '')::text || query_to_xml('select * from import', true, false, '')::text as kept`,
  );
  const digits = [...said, JSON.stringify(outcome.refusals), rows[0]?.kept ?? ''].join('\n').replaceAll(/[- ]/g, '');
  expect(digits).not.toMatch(/4111111|1111111/);
}

test.each(['csv', 'ndjson'])('payments with one in any column are refused, by line and column: %s', async (format) => {
  const columns = Object.keys(approval()).filter((column) => column !== 'record');
  const lines: PaymentLine[] = [];
  const expected: string[] = [];
  const add = (line: PaymentLine, column: string) => {
    lines.push(line);
    expected.push(`${lines.length + (format === 'csv' ? 1 : 0)} import_card_number ${column}`);
  };
  const numbers = ['providerTid', 'mid', 'merchantId', 'orderNo', 'approvalNo', 'cardMerchantNo'];
  for (const text of written) {
    for (const column of columns) {
      // Of a number of ours the card has to be that of the row.
      const own: PaymentLine = numbers.includes(column) ? { cardNo: '411111******1111' } : {};
      add(approval({ ...own, [column]: text }), column);
    }
    add(cancel({ issuer: text }), 'issuer');
    add(capture({ capturedOn: text }), 'capturedOn');
    add(capture({ cardNo: text }), 'cardNo');
  }
  const outcome = await pay(format === 'csv' ? paymentsCsv(lines) : paymentsNdjson(lines));
  expect(found(outcome)).toEqual(expected);
  expect(outcome.added).toBe(0);
  await expectUntold(outcome);
});

test('numbers of ours that look like one by chance go in: nobody is without a payment for that', async () => {
  const lines = ['4111111111111111', '5555555555554444', '9410000000000005'].flatMap((number, n) =>
    ['providerTid', 'orderNo', 'mid', 'merchantId', 'approvalNo', 'cardMerchantNo'].map((column) =>
      approval({ providerTid: `${column}-${n}`, [column]: column === 'providerTid' ? `${number}${n}` : number }),
    ),
  );
  expect(await pay(paymentsCsv(lines))).toMatchObject({ added: lines.length, refused: 0 });
  const deposits = textSource(`provider,depositedOn,bankRef,amountWon\nksnet,2026-11-20,${card},1000\n`);
  expect(await importDeposits(database.pool, deposits, { ...by, providers })).toMatchObject({ added: 1 });
  const merchants = textSource(`merchantId,name,businessNo\n${card},가게,1234567891\n`);
  expect(await importMerchants(database.pool, merchants, by)).toMatchObject({ added: 1 });
  const cipher = await openCipher({ home: '/nowhere', key: new Secret(Buffer.alloc(32, 1).toString('base64')) });
  const accounts = textSource(`merchantId,validFrom,bankCode,accountNo,holder\n${card},2026-01-01,004,${card},가게\n`);
  expect(await importAccounts(database.pool, cipher, accounts, by)).toMatchObject({ added: 1 });
});

const cipher = openCipher({ home: '/nowhere', key: new Secret(Buffer.alloc(32, 1).toString('base64')) });
const others: readonly {
  readonly what: string;
  readonly header: string;
  readonly line: string;
  readonly free: readonly string[];
  bring(source: ImportSource): Promise<ImportOutcome>;
}[] = [
  {
    what: 'merchants',
    header: 'merchantId,name,businessNo',
    line: 'M1,가게,1234567891',
    free: ['name', 'businessNo'],
    bring: (source) => importMerchants(database.pool, source, by),
  },
  {
    what: 'deposits',
    header: 'provider,depositedOn,bankRef,amountWon',
    line: 'ksnet,2026-11-20,R1,1000',
    free: ['provider', 'depositedOn'],
    bring: (source) => importDeposits(database.pool, source, { ...by, providers }),
  },
  {
    what: 'contracts',
    header:
      'merchantId,method,validFrom,validTo,rate,fixedWon,minFeeWon,maxFeeWon,rounding,vat,tierVolume,tiers,cancelFee',
    line: 'M1,card_online,2026-01-01,,1.15%,0,,,floor,added,,,returned',
    free: ['method', 'validFrom', 'rate', 'rounding'],
    bring: (source) => importContracts(database.pool, source, by),
  },
  {
    what: 'terms',
    header: 'merchantId,validFrom,cycle,roll,dueTime,payout,payoutTime,minPayoutWon',
    line: 'M1,2026-01-01,M5,none,,direct,,',
    free: ['validFrom', 'cycle', 'roll', 'payout'],
    bring: (source) => importTerms(database.pool, source, by),
  },
  {
    what: 'accounts',
    header: 'merchantId,validFrom,bankCode,accountNo,holder',
    line: 'M1,2026-01-01,004,110123456789,가게',
    free: ['validFrom', 'holder'],
    bring: async (source) => importAccounts(database.pool, await cipher, source, by),
  },
  {
    what: 'sub-merchants',
    header: 'merchantId,validFrom,intermediaryNo,openedOn,closedOn',
    line: 'M1,2026-01-01,,2026-01-01,',
    free: ['validFrom', 'intermediaryNo', 'openedOn'],
    bring: (source) => importSubMerchants(database.pool, source, by),
  },
  {
    what: 'tiers',
    header: 'businessNo,half,validFrom,validTo,tier',
    line: '1234567891,2026H2,,,2',
    free: ['businessNo', 'half', 'tier'],
    bring: (source) => importTiers(database.pool, source, by),
  },
  {
    what: 'half-years',
    header: 'half,startsOn,source',
    line: '2027H2,2027-08-14,고시',
    free: ['half', 'startsOn', 'source'],
    bring: (source) => importHalfYears(database.pool, source, by),
  },
  {
    what: 'rates',
    header: 'validFrom,tier,cardType,rate,source',
    line: '2027-02-14,0,credit,0.35%,고시',
    free: ['validFrom', 'cardType', 'rate', 'source'],
    bring: (source) => importPreferentialRates(database.pool, source, by),
  },
  {
    what: 'card BINs',
    header: 'bin,cardType,validFrom',
    line: '411111,credit,2026-01-01',
    free: ['bin', 'cardType', 'validFrom'],
    bring: (source) => importCardBins(database.pool, source, by),
  },
];

test.each(others)('$what with one are refused, by line and column', async ({ header, line, free, bring }) => {
  const names = header.split(',');
  for (const column of free) {
    const lines = written.map((text) => line.split(',').with(names.indexOf(column), text).join(','));
    const outcome = await bring(textSource(`${header}\n${lines.join('\n')}\n`));
    expect(found(outcome)).toEqual(written.map((_, n) => `${n + 2} import_card_number ${column}`));
    expect(outcome.added).toBe(0);
    await expectUntold(outcome);
  }
});

test('a file that is called by one is not read', async () => {
  const source = textSource(paymentsCsv([approval()]), `${card}.csv`);
  const refused = await importPayments(database.pool, source, { ...by, providers }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'card_number_given' });
  expect(String(refused)).not.toContain('1111');
});
