import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { plantClaim } from './claims.fixture.ts';
import { fileOrder, type MidReach, quickFileOrder } from './write-order-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => database.close());

/** Their bytes stand in another order than their characters do in Korean, and than their lengths. */
const piece = fc.constantFrom('', 'a', 'B', '1', '12', '~', '가', '한글', '🂡', 'é', ' ');
const text = fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join(''));
const claim = fc.record({ head: fc.constantFrom('', 'WP20261120'), tid: text, mid: text, seq: fc.nat(2) });

let run = 0;

test('the quick order is the order of the file, whatever TIDs and MIDs look like', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(claim, { minLength: 1, maxLength: 12 }), fc.boolean(), async (claims, isOneMid) => {
      run += 1;
      const own = new Map(claims.map((each) => [`${each.head}${each.tid}/${each.seq}`, each]));
      for (const { head, tid, mid, seq } of own.values()) {
        await plantClaim(database.pool, { tid: `${head}${tid}`, seq, fileId: BigInt(run), on: dayOf(run) });
        await database.pool.query(
          'update claim set mid = $1 where provider_tid = $2 and cancel_seq = $3 and traded_on = $4',
          [isOneMid ? 'MID' : mid, `${head}${tid}`, seq, dayOf(run)],
        );
      }
      const where = `c.file_id = ${run} and c.traded_on = date '${dayOf(run)}'`;
      await inTransaction(database.pool, async (tx) => {
        const by = async (order: string) =>
          (await tx.query(`select mid, provider_tid, cancel_seq from claim c where ${where} order by ${order}`)).rows;
        const reach = `select mid, min(provider_tid) as first, max(provider_tid) as last from claim c where ${where}`;
        const { rows } = await tx.query<MidReach>(`${reach} group by mid order by mid`);
        const quick = quickFileOrder(rows);
        expect(quick).not.toBe(fileOrder);
        expect(await by(quick)).toEqual(await by(fileOrder));
      });
    }),
    { numRuns: 40 },
  );
}, 120_000);

test('nothing, or more MIDs than are worth a rank, is sorted in the order of the file', () => {
  expect(quickFileOrder([])).toBe(fileOrder);
  expect(quickFileOrder(Array.from({ length: 33 }, (_, n) => ({ mid: `M${n}`, first: 'A', last: 'B' })))).toBe(
    fileOrder,
  );
});

function dayOf(n: number): string {
  return Temporal.PlainDate.from('2026-01-01').add({ days: n }).toString();
}
