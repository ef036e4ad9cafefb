// Random histories of a gateway: captures and cancels in any order, slots, holds, withdrawals, adjustments, a bank in all
// its moods, callbacks, day lists and restarts. The numbered invariants stand in test/support/invariants.ts.
// `npm run bench -- invariants --runs 1000 --seed 7` lives through more of them, or through one again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cipher, openCipher } from '../../src/platform/cipher.ts';
import { testDatabase } from '../support/database.ts';
import { brokenBy } from '../support/history-verdict.ts';
import { violations } from '../support/invariants.ts';
import { type RandomHistory, randomHistory } from '../support/random-history.ts';

const home = mkdtempSync(path.join(tmpdir(), 'jeongsan-invariants-'));
const runs = 8;
const seed = Date.now() % 2 ** 31;
let cipher: Cipher;

beforeAll(async () => {
  cipher = await openCipher({ home });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test(`invariants 1–7 hold after ${runs} random histories, seed ${seed}`, { timeout: 600_000 }, () =>
  fc.assert(
    fc.asyncProperty(randomHistory, async (history) => {
      const db = await testDatabase();
      try {
        expect(await brokenBy(db, cipher, history)).toEqual([]);
      } finally {
        await db.close();
      }
    }),
    { seed, numRuns: runs, endOnFailure: true },
  ),
);

const plain: RandomHistory = {
  steps: [
    { does: 'bring', sales: [0, 0, 1, 2].map((merchant) => ({ merchant, won: 50_000, late: false })), cancels: [] },
    { does: 'slot', skips: 0 },
    { does: 'withdraw', merchant: 0, percent: 50 },
  ],
  moods: ['succeeds'],
};
const tamperings: readonly (readonly [number, string])[] = [
  [1, `update ledger_line set amount_won = amount_won + 1 where account = 'fee'`],
  [2, `update ledger_balance set balance_won = balance_won + 1 where account = 'wallet:M1'`],
  [3, `delete from settlement_item where provider_tid = 'T0'`],
  [
    3,
    `insert into unsettled_capture select provider, captured_on, provider_tid, cancel_seq, captured_on, '', null,
         amount_won, now() from settlement_item where provider_tid = 'T0'`,
  ],
  [4, `insert into bank_journal values ('999', 1, 'succeeded', '')`],
  [4, `delete from bank_journal`],
  [4, `update bank_journal set amount_won = amount_won + 1`],
  [4, `update payout set state = 'rejected'`],
  [5, `update payout set state = 'unknown', finished_at = null`],
  [
    6,
    `alter table ledger_balance drop constraint ledger_balance_side;
       update ledger_balance set balance_won = -1 where account = 'held:M1' or account = 'wallet:M2'`,
  ],
  [7, `update settlement set net_won = net_won + 1, gross_won = gross_won + 1, wallet_won = wallet_won + 1`],
  [7, `update settlement_item set fee_won = fee_won + 1`],
];

test('each of them is seen to be broken when somebody tampers with the books', async () => {
  const db = await testDatabase();
  try {
    expect(await brokenBy(db, cipher, plain)).toEqual([]);
    for (const [number, sql] of tamperings) {
      const client = await db.pool.connect();
      try {
        await client.query(`begin; set local session_replication_role = replica; ${sql}`);
        const { rows } = await client.query(
          'select message_no as "messageNo", amount_won as "amountWon", outcome from bank_journal',
        );
        expect(await violations(client, rows), sql).toContainEqual(expect.stringMatching(`^${number}: `));
      } finally {
        await client.query('rollback');
        client.release();
      }
    }
  } finally {
    await db.close();
  }
});
