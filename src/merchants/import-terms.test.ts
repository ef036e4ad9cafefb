import { inspect } from 'node:util';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { textSource } from '../../test/support/import-text.ts';
import { type ImportOutcome, refusalText } from '../imports/import-records.ts';
import { isProblem } from '../kernel/problem.ts';
import { type Cipher, openCipher } from '../platform/cipher.ts';
import { Secret } from '../platform/secret.ts';
import { openAccount } from './account-seal-store.ts';
import { importMerchants } from './import-merchants.ts';
import { importAccounts, importContracts, importTerms } from './import-terms.ts';
import { bankAccountInForce, merchantTerms, termsInForce } from './terms-store.ts';

const contractsHeader =
  'merchantId,method,validFrom,validTo,rate,fixedWon,minFeeWon,maxFeeWon,rounding,vat,tierVolume,tiers,cancelFee';
const termsHeader = 'merchantId,validFrom,cycle,roll,dueTime,payout,payoutTime,minPayoutWon';
const accountsHeader = 'merchantId,validFrom,bankCode,accountNo,holder';

const day = Temporal.PlainDate.from;
const keyOf = (byte: number) => new Secret(Buffer.alloc(32, byte).toString('base64'));
const by = { who: 'tester' };

let database: TestDatabase;
let cipher: Cipher;

beforeAll(async () => {
  cipher = await openCipher({ home: '/nowhere', key: keyOf(7) });
});
beforeEach(async () => {
  database = await testDatabase();
  const merchants = 'merchantId,name,businessNo\nM1,서울커피,1234567891\nM2,한강서점,9999900010\n';
  await importMerchants(database.pool, textSource(merchants), by);
  return () => database.close();
});

const csv = (header: string, lines: readonly string[]) => textSource([header, ...lines, ''].join('\n'));
const contracts = (...lines: string[]) => importContracts(database.pool, csv(contractsHeader, lines), by);
const terms = (...lines: string[]) => importTerms(database.pool, csv(termsHeader, lines), by);
const accounts = (...lines: string[]) => importAccounts(database.pool, cipher, csv(accountsHeader, lines), by);

/** `line: code` of every refusal. */
const refusals = (outcome: ImportOutcome) => outcome.refusals.map(({ line, code }) => `${line}: ${code}`);

describe('contracts', () => {
  const full = 'M1,card_online,2026-01-01,2026-12-31,1.15%,100,200,50000,half_up,added,,,returned';
  const tiered = 'M2,card_offline,2026-01-01,,1.5%,,,,floor,included,previous_month,10000000:1.05%;50000000:0.95%,kept';

  test('go in with all that they say', async () => {
    expect(await contracts(full, tiered)).toMatchObject({ added: 2, same: 0, refused: 0 });
    expect((await merchantTerms(database.pool, 'M1')).contracts).toEqual([
      {
        contractId: expect.any(BigInt),
        merchantId: 'M1',
        method: 'card_online',
        validFrom: '2026-01-01',
        validTo: '2026-12-31',
        ratePpm: 11_500,
        fixedWon: 100n,
        minFeeWon: 200n,
        maxFeeWon: 50_000n,
        rounding: 'half_up',
        vat: 'added',
        tierVolume: null,
        tiers: [],
        cancelFee: 'returned',
      },
    ]);
    expect((await merchantTerms(database.pool, 'M2')).contracts).toMatchObject([
      {
        validTo: null,
        fixedWon: 0n,
        minFeeWon: null,
        maxFeeWon: null,
        tierVolume: 'previous_month',
        tiers: [
          { fromWon: 10_000_000n, ratePpm: 10_500 },
          { fromWon: 50_000_000n, ratePpm: 9_500 },
        ],
        cancelFee: 'kept',
      },
    ]);
  });

  test('again change nothing; what differs is a later row, and going back is another', async () => {
    await contracts(full, tiered);
    expect(await contracts(tiered, full)).toMatchObject({ added: 0, same: 2, refused: 0 });
    const dearer = full.replace('1.15%', '1.25%');
    expect(await contracts(dearer, tiered.replace('0.95%', '0.96%'))).toMatchObject({ added: 2, same: 0 });
    expect(await contracts(dearer)).toMatchObject({ added: 0, same: 1 });
    expect(await contracts(full)).toMatchObject({ added: 1, same: 0 });
    const { contracts: rows } = await merchantTerms(database.pool, 'M1');
    expect(rows.map(({ ratePpm }) => ratePpm)).toEqual([11_500, 12_500, 11_500]);
    expect((await merchantTerms(database.pool, 'M2')).contracts.map(({ tiers }) => tiers.at(-1)?.ratePpm)).toEqual([
      9_500, 9_600,
    ]);
  });

  test('one that differs in anything is a later row', async () => {
    await contracts(full);
    for (const line of [
      full.replace('2026-12-31', '2026-12-30'),
      full.replace('2026-12-31', ''),
      full.replace(',100,', ',101,'),
      full.replace(',200,', ',,'),
      full.replace(',50000,', ',50001,'),
      full.replace('half_up', 'half_even'),
      full.replace('added', 'none'),
      full.replace(',,,returned', ',month_to_date,1000:1%,returned'),
      full.replace('returned', 'kept'),
    ]) {
      expect(await contracts(line)).toMatchObject({ added: 1, same: 0, refused: 0 });
      expect(await contracts(full)).toMatchObject({ added: 1, same: 0, refused: 0 });
    }
  });

  test('a later one, one that overlaps and one for the other method stand side by side', async () => {
    const outcome = await contracts(
      full,
      'M1,card_online,2026-06-01,2026-06-30,1%,,,,floor,added,,,returned',
      'M1,card_online,2027-01-01,,1.2%,,,,floor,added,,,returned',
      'M1,card_offline,2026-01-01,,0.9%,,,,floor,added,,,returned',
    );
    expect(outcome).toMatchObject({ added: 4, refused: 0 });
  });

  test('lines that are wrong are refused, each with its reason, and the others go in', async () => {
    const line = (change: (fields: string[]) => void) => {
      const fields = full.split(',');
      change(fields);
      return fields.join(',');
    };
    const put = (column: number, value: string) => line((fields) => fields.splice(column, 1, value));
    const outcome = await contracts(
      put(0, ''),
      put(0, 'M9'),
      put(1, 'card'),
      put(2, '2026-02-30'),
      put(2, ''),
      put(3, '2025-12-31'),
      put(4, '1.15'),
      put(4, '1.00001%'),
      put(4, '101%'),
      put(4, ''),
      put(5, '-1'),
      put(5, '1000000001'),
      put(5, '1.5'),
      put(6, '1,5'),
      put(7, '100'),
      put(8, 'ceil'),
      put(9, ''),
      put(10, 'previous_month'),
      put(11, '1000:1%'),
      line((fields) => fields.splice(10, 2, 'yearly', '1000:1%')),
      line((fields) => fields.splice(10, 2, 'previous_month', '1000:1%;1000:2%')),
      line((fields) => fields.splice(10, 2, 'previous_month', '1000:1')),
      line((fields) => fields.splice(10, 2, 'previous_month', '0:1%')),
      line((fields) => fields.splice(10, 2, 'previous_month', ';')),
      put(12, ''),
      full,
      full,
      put(4, '9%'),
      tiered,
    );
    expect(refusals(outcome)).toEqual([
      '2: import_text',
      '3: import_merchant_unknown',
      '4: import_choice',
      '5: import_day',
      '6: import_day',
      '7: import_below',
      '8: import_rate',
      '9: import_rate',
      '10: import_rate',
      '11: import_rate',
      '12: import_number',
      '13: import_number',
      '14: import_number',
      '15: import_field_count',
      '16: import_below',
      '17: import_choice',
      '18: import_choice',
      '19: import_field_missing',
      '20: import_field_missing',
      '21: import_choice',
      '22: import_tiers',
      '23: import_tiers',
      '24: import_tiers',
      '25: import_tiers',
      '26: import_choice',
      '29: import_differs_in_file',
    ]);
    expect(outcome).toMatchObject({ added: 2, same: 1, refused: 26 });
    const texts = outcome.refusals.map((refusal) => refusalText(refusal, 'en'));
    expect(texts[1]).toBe('The merchant is not known: M9');
    expect(texts[6]).toBe('rate (38-41): has to be a rate from 0% to 100% with at most four decimals (1.15%): 1.15');
    expect(texts.at(-1)).toBe('M1 card_online 2026-01-01: line 27 of the same file says otherwise. Differing: rate');
    for (const text of [...texts, ...outcome.refusals.map((refusal) => refusalText(refusal, 'ko'))]) {
      expect(text).not.toContain('?');
    }
  });

  test('strict keeps everything out', async () => {
    const source = csv(contractsHeader, [full, full.replace('M1', 'M9')]);
    const outcome = await importContracts(database.pool, source, { ...by, strict: true });
    expect(outcome).toMatchObject({ entered: false, added: 0, refused: 1 });
    expect((await merchantTerms(database.pool, 'M1')).contracts).toEqual([]);
  });

  test('as NDJSON too', async () => {
    const line = JSON.stringify({
      merchantId: 'M1',
      method: 'card_online',
      validFrom: '2026-01-01',
      rate: '1.15%',
      fixedWon: 100,
      rounding: 'floor',
      vat: 'added',
      cancelFee: 'returned',
    });
    expect(await importContracts(database.pool, textSource(line), by)).toMatchObject({ added: 1, refused: 0 });
  });

  test('20,000 take seconds', async () => {
    const ids = Array.from({ length: 20_000 }, (_, n) => `N${n}`);
    await database.pool.query(`insert into merchant select id, id, '1234567891', 1 from unnest($1::text[]) as id`, [
      ids,
    ]);
    const startedAt = performance.now();
    const outcome = await contracts(
      ...ids.map((id) => `${id},card_online,2026-01-01,,1%,,,,floor,added,month_to_date,1000:0.9%,kept`),
    );
    expect(outcome).toMatchObject({ added: 20_000 });
    const again = await contracts(
      ...ids.map((id) => `${id},card_online,2026-01-01,,1%,,,,floor,added,month_to_date,1000:0.9%,kept`),
    );
    expect(again).toMatchObject({ added: 0, same: 20_000 });
    expect(performance.now() - startedAt).toBeLessThan(60_000);
  });
});

describe('terms', () => {
  test('are in force from their day until the next, the last word of a day counting', async () => {
    await terms('M1,2026-01-01,M5,none,,direct,,', 'M2,2026-01-01,D+2,forward,09:30,scheduled,14:00,10000');
    await terms('M1,2026-07-01,W:MON,backward,10:00,on_request,,500', 'M1,2026-01-01,M10,none,,direct,,');
    const inForce = async (on: string) => {
      const found = await termsInForce(database.pool, ['M1', 'M2', 'M3'], day(on));
      return [...found].map(([id, each]) => `${id} ${each.cycle} ${each.dueTime} ${each.minPayoutWon}`).sort();
    };
    expect(await inForce('2025-12-31')).toEqual([]);
    expect(await inForce('2026-01-01')).toEqual(['M1 M10 00:00 1', 'M2 D+2 09:30 10000']);
    expect(await inForce('2026-06-30')).toEqual(['M1 M10 00:00 1', 'M2 D+2 09:30 10000']);
    expect(await inForce('2026-07-01')).toEqual(['M1 W:MON 10:00 500', 'M2 D+2 09:30 10000']);
  });

  test('that are wrong are refused, each with its reason', async () => {
    const outcome = await terms(
      'M1,2026-01-01,M7x,none,,direct,,',
      'M1,2026-01-01,D+61,none,,direct,,',
      'M1,2026-01-01,M5,none,09:00,direct,,',
      'M1,2026-01-01,D+1,up,09:00,direct,,',
      'M1,2026-01-01,D+1,none,9:00,direct,,',
      'M1,2026-01-01,D+1,none,24:00,direct,,',
      'M1,2026-01-01,D+1,none,09:00,weekly,,',
      'M1,2026-01-01,D+1,none,09:00,direct,10:00,',
      'M1,2026-01-01,D+1,none,09:00,scheduled,,',
      'M1,2026-01-01,D+1,none,09:00,direct,,0',
      'M1,2026-01-01,D+1,none,09:00,direct,,10000000000001',
      'M9,2026-01-01,D+1,none,09:00,direct,,',
      'M1,2026-01-01,D+1,none,09:00,direct,,',
    );
    expect(refusals(outcome)).toEqual([
      '2: import_cycle',
      '3: import_cycle',
      '4: import_field_unused',
      '5: import_choice',
      '6: import_time',
      '7: import_time',
      '8: import_choice',
      '9: import_field_unused',
      '10: import_field_missing',
      '11: import_number',
      '12: import_number',
      '13: import_merchant_unknown',
    ]);
    expect(outcome.added).toBe(1);
  });
});

describe('accounts', () => {
  const number = '110123456789';

  /** Everything that the database keeps, as text: no number may be found in it. */
  async function allKept(): Promise<string> {
    const { rows } = await database.pool.query(
      `select query_to_xml('select *, encode(sealed, ''escape'') from bank_account', true, false, '')::text
           || query_to_xml('select * from import_refusal', true, false, '')::text as kept`,
    );
    return inspect(rows, { depth: null, maxStringLength: null });
  }

  test('are kept sealed, with their last digits, and read again by who has the key', async () => {
    expect(await accounts(`M1,2026-01-01,004,${number},서울커피`)).toMatchObject({ added: 1, refused: 0 });
    const account = await bankAccountInForce(database.pool, 'M1', day('2026-11-20'));
    expect(account).toMatchObject({ bankCode: '004', last4: '6789', holder: '서**피', keyId: cipher.keyId });
    expect(account && openAccount(cipher, account)).toEqual({ accountNo: number, holder: '서울커피' });
    for (const text of [number, '서울커피']) expect(await allKept()).not.toContain(text);
    expect(await bankAccountInForce(database.pool, 'M1', day('2025-12-31'))).toBeUndefined();
    expect(await bankAccountInForce(database.pool, 'M2', day('2026-11-20'))).toBeUndefined();
  });

  test('again change nothing, though sealed anew; another number, bank or holder is a later row', async () => {
    const line = `M1,2026-01-01,004,${number},서울커피`;
    await accounts(line);
    expect(await accounts(line, line)).toMatchObject({ added: 0, same: 2, refused: 0 });
    expect(await accounts(line.replace(number, '110123456780'))).toMatchObject({ added: 1 });
    expect(await accounts(line.replace('004', '088'))).toMatchObject({ added: 1 });
    expect(await accounts(line.replace('서울', '부산'))).toMatchObject({ added: 1 });
    expect((await bankAccountInForce(database.pool, 'M1', day('2026-11-20')))?.holder).toBe('부**피');
  });

  test('that are wrong are refused without their number, wherever it stands', async () => {
    const outcome = await accounts(
      `M1,2026-01-01,4,${number},서울커피`,
      `M1,2026-01-01,${number},004,서울커피`,
      'M1,2026-01-01,004,110-123-456789,서울커피',
      `M1,2026-01-01,004,${number}x,서울커피`,
      'M1,2026-01-01,004,,서울커피',
      'M1,2026-01-01,004,12345,서울커피',
      `M1,2026-01-01,004,${number},`,
      `M1,2026-01-01,004,${number},${number}`,
      `${number},2026-01-01,004,${number},서울커피`,
      `M1,${number},004,${number},서울커피`,
      'M1,110-123-456789,004,110123456789,서울커피',
      `M1,2026-01-01,004,${number},서울커피`,
      `M1,2026-01-01,004,110123456780,서울커피`,
    );
    expect(refusals(outcome)).toEqual([
      '2: import_bank_code',
      '3: import_bank_code',
      '4: import_account_no',
      '5: import_account_no',
      '6: import_account_no',
      '7: import_account_no',
      '8: import_text',
      '9: import_holder',
      '10: import_merchant_unknown',
      '11: import_day',
      '12: import_day',
      '14: import_differs_in_file',
    ]);
    const told = JSON.stringify(outcome, (_, value) => (typeof value === 'bigint' ? Number(value) : value));
    const said = outcome.refusals.flatMap((refusal) => [refusalText(refusal, 'ko'), refusalText(refusal, 'en')]);
    for (const text of [told, said.join('\n'), await allKept()]) {
      expect(text).not.toMatch(/11012345|123-456/);
    }
    expect(said.join('\n')).not.toContain('?');
    // Not even of one that is too short.
    expect([told, ...said].join('\n')).not.toContain('12345');
  });

  test('without a header are refused without a number', async () => {
    const source = textSource(`M1,2026-01-01,004,${number},서울커피\n`);
    const error = await importAccounts(database.pool, cipher, source, by).catch((thrown: unknown) => thrown);
    expect(isProblem(error, 'import_header')).toBe(true);
    expect(inspect(error)).not.toContain('110123');
  });

  test('are not mixed with those of another key', async () => {
    await accounts(`M1,2026-01-01,004,${number},서울커피`);
    const other = await openCipher({ home: '/nowhere', key: keyOf(8) });
    const source = csv(accountsHeader, [`M1,2026-01-01,004,${number},서울커피`]);
    await expect(importAccounts(database.pool, other, source, by)).rejects.toSatisfy((error: unknown) =>
      isProblem(error, 'data_key_changed'),
    );
  });

  test('under a new key are compared with what the old one sealed, which is then sealed anew', async () => {
    const { pool } = database;
    await accounts(`M1,2026-01-01,004,${number},서울커피`, `M2,2026-01-01,004,${number},부산커피`);
    const next = await openCipher({ home: '/nowhere', key: keyOf(8), oldKeys: [keyOf(7)] });
    const lines = [`M1,2026-01-01,004,${number},서울커피`, `M1,2026-02-01,004,${number},서울다방`];
    const outcome = await importAccounts(pool, next, csv(accountsHeader, lines), by);
    expect(outcome).toMatchObject({ added: 1, same: 1, refused: 0 });
    const { rows } = await pool.query<{ merchant: string; key: string; prints: bigint }>(
      `select merchant_id as merchant, key_id as key, count(distinct fingerprint) as prints
         from bank_account group by 1, 2 order by 1`,
    );
    expect(rows).toEqual([
      { merchant: 'M1', key: next.keyId, prints: 1n },
      { merchant: 'M2', key: cipher.keyId, prints: 1n },
    ]);
  });

  test('cannot be passed off as those of another merchant or bank', async () => {
    const { pool } = database;
    await accounts(`M1,2026-01-01,004,${number},서울커피`, `M2,2026-01-01,004,110999999999,부산커피`);
    await pool.query(
      `update bank_account m1 set sealed = m2.sealed from bank_account m2 where m1.merchant_id = 'M1' and m2.merchant_id = 'M2'`,
    );
    const account = await bankAccountInForce(pool, 'M1', day('2026-11-20'));
    expect(() => account && openAccount(cipher, account)).toThrow('sealed value is damaged');
  });

  test('stay as they were agreed, however they are sealed', async () => {
    await accounts(`M1,2026-01-01,004,${number},서울커피`);
    for (const sql of [
      `update bank_account set bank_code = '088'`,
      `update bank_account set holder = 'x'`,
      'update bank_account set holder_sealed = null, holder_fingerprint = null',
      'delete from bank_account',
    ]) {
      await expect(database.pool.query(sql), sql).rejects.toMatchObject({ code: '23001' });
    }
  });
});

test('nothing of it can be changed or deleted', async () => {
  await terms('M1,2026-01-01,M5,none,,direct,,');
  for (const sql of ['update settlement_terms set cycle = $$M10$$', 'delete from settlement_terms']) {
    await expect(database.pool.query(sql)).rejects.toThrow();
  }
});
