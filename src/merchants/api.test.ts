import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { openCipher } from '../platform/cipher.ts';
import { Secret } from '../platform/secret.ts';
import { merchantRoutes } from './api.ts';
import { tierRoutes } from './tier-api.ts';

const number = '110123456789';
let database: TestDatabase;
let api: ServedApi;
beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  const cipher = await openCipher({ home: '/nowhere', key: new Secret(Buffer.alloc(32, 7).toString('base64')) });
  const ports = { pool, now: () => Temporal.Instant.from('2026-11-20T12:00:00+09:00') };
  api = await serveApi(pool, [...merchantRoutes({ ...ports, cipher }), ...tierRoutes(ports)]);
});
afterAll(async () => {
  await api.close();
  await database.close();
});

const csv = (...lines: string[]) => [...lines, ''].join('\n');
const bring = async (path: string, ...lines: string[]) => {
  const { status, body } = await api.upload(path, csv(...lines), 'text/csv');
  expect([path, status]).toEqual([path, 200]);
  return body;
};

test('everything that is agreed with merchants comes in over the API, refusals by their line, and is shown', async () => {
  expect(
    await bring(
      '/merchants/imports?fileName=m.csv',
      'merchantId,name,businessNo',
      'M1,서울커피,1234567891',
      'M2,한강서점,1',
    ),
  ).toMatchObject({ added: 1, refused: 1, refusals: [{ line: 3, code: 'import_business_no' }] });
  await bring(
    '/contracts/imports',
    'merchantId,method,validFrom,validTo,rate,fixedWon,minFeeWon,maxFeeWon,rounding,vat,tierVolume,tiers,cancelFee',
    'M1,card_online,2026-01-01,,1.15%,100,200,50000,half_up,added,,,returned',
    'M1,card_online,2026-11-01,,1.2%,,,,floor,included,month_to_date,10000000:1%,kept',
  );
  await bring(
    '/terms/imports',
    'merchantId,validFrom,cycle,roll,dueTime,payout,payoutTime,minPayoutWon',
    'M1,2026-01-01,D+1,forward,09:00,scheduled,14:00,10000',
  );
  await bring(
    '/accounts/imports',
    'merchantId,validFrom,bankCode,accountNo,holder',
    `M1,2026-01-01,088,${number},홍길동산`,
  );
  await bring('/tiers/imports', 'businessNo,half,tier,validFrom,validTo', '1234567891,2026H1,0,,');
  await bring('/half-years/imports', 'half,startsOn,source', '2027H1,2027-02-13,고시');
  await bring('/preferential-rates/imports', 'validFrom,tier,cardType,rate,source', '2027-01-31,0,credit,0.4%,고시');
  await bring(
    '/sub-merchants/imports',
    'merchantId,validFrom,intermediaryNo,openedOn,closedOn',
    'M1,2026-01-01,,2020-05-01,',
  );
  await bring('/card-bins/imports', 'bin,cardType,validFrom', '123456,credit,2026-01-01');

  const { status, body } = await api.get('/merchants/M1');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    merchantId: 'M1',
    name: '서울커피',
    contracts: [
      { rate: '1.15%', fixedWon: 100, maxFeeWon: 50_000, inForce: false },
      { rate: '1.2%', minFeeWon: null, tiers: [{ fromWon: 10_000_000, ratePpm: 10_000 }], inForce: true },
    ],
    terms: [{ cycle: 'D+1', payoutTime: '14:00', minPayoutWon: 10_000, inForce: true }],
    accounts: [{ bankCode: '088', last4: '6789', inForce: true }],
    subMerchant: [{ openedOn: '2020-05-01', inForce: true }],
  });
  expect(JSON.stringify(body)).not.toContain(number);
  expect(JSON.stringify(body)).not.toContain('홍길동산');
  expect((await api.get('/merchants/M1/dates?count=2')).body['dates']).toHaveLength(2);
  // What came in a moment ago was not known yet at the time of this test's clock.
  expect((await api.get('/tiers/1234567891')).body['tiers']).toEqual([]);
  expect((await api.get('/tiers/1234567891?knownAt=2999-01-01T00:00:00%2B09:00')).body).toMatchObject({
    merchants: [{ merchantId: 'M1' }],
    tiers: [{ half: '2026H1', tier: 0, holds: true }],
  });
  expect((await api.rows('/half-years?limit=1')).map((row) => row['half'])).toContain('2027H1');
  expect(await api.rows('/preferential-rates?on=2027-02-01&limit=3')).toContainEqual(
    expect.objectContaining({ tier: 0, cardType: 'credit', rate: '0.4%', ratePpm: 4000, validTo: null }),
  );
  expect(await api.rows('/sub-merchants?merchant=M1')).toMatchObject([{ merchantId: 'M1', closedOn: null }]);
  expect(await api.rows('/card-bins?bin=123456')).toMatchObject([{ bin: '123456', cardType: 'credit' }]);
});

test.each([
  ['/merchants/M404', 404, 'not_found'],
  ['/merchants/M404/dates', 404, 'not_found'],
  ['/merchants/M1/dates?count=401', 400, 'request_invalid'],
  ['/tiers/1234567890', 400, 'request_invalid'],
  ['/tiers/2208162517', 404, 'not_found'],
  ['/card-bins?bin=1', 400, 'request_invalid'],
])('%s is refused with %i %s', async (path, status, code) => {
  expect((await api.get(path)).body).toMatchObject({ status, code });
});

test('merchants are paged by their id, each once, while others come', async () => {
  const lines = Array.from({ length: 30 }, (_, n) => `P${String(n).padStart(3, '0')},가맹점,1234567891`);
  await bring('/merchants/imports', 'merchantId,name,businessNo', ...lines);
  const rows = await api.rows('/merchants?businessNo=1234567891&limit=7', (pages) =>
    bring('/merchants/imports', 'merchantId,name,businessNo', `P00${pages}x,새 가맹점,1234567891`).then(() => {}),
  );
  const ids = rows.map((row) => String(row['merchantId']));
  expect(ids).toEqual([...new Set(ids)].toSorted());
  expect(ids.filter((id) => /^P\d{3}$/.test(id))).toHaveLength(30);
});

test('an import is for whoever may import, of what is CSV or NDJSON', async () => {
  const reader = await api.upload('/merchants/imports', 'x', 'text/csv', { may: ['read'] });
  expect(reader.body).toMatchObject({ status: 403, code: 'permission_missing' });
  const pdf = await api.upload('/merchants/imports', 'x', 'application/pdf');
  expect(pdf.body).toMatchObject({ code: 'media_type_unsupported' });
  expect((await api.upload('/merchants/imports', 'wrong,header\n', 'text/csv')).body).toMatchObject({
    code: 'import_header',
  });
  expect((await api.upload('/merchants/imports', '', 'text/csv')).body).toMatchObject({ code: 'import_empty' });
});
