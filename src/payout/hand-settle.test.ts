import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { approvalsCommands } from '../approvals/commands.ts';
import { listFindings } from '../findings/store.ts';
import { inFlightOf, walletOf } from '../ledger/accounts.ts';
import { balanceOf } from '../ledger/store.ts';
import { type Cipher, openCipher } from '../platform/cipher.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { noteAnswers, unknownFindingMs } from './answer-store.ts';
import { claimPayouts, markSending } from './claim-store.ts';
import { payoutCommands } from './commands.ts';
import { handSettleCommands } from './hand-settle-commands.ts';
import { applyAnswer } from './late-answer-store.ts';
import { showPayout } from './list-store.ts';
import { makeMerchants, noon } from './payout.fixture.ts';
import { compareWithList, listPayoutBreaks } from './payout-break-store.ts';
import { requestPayout } from './request-store.ts';

let database: TestDatabase;
let cipher: Cipher;
let merchant: string;
let next = 1;
const later = noon.add({ minutes: 15 });

beforeAll(async () => {
  database = await testDatabase();
  cipher = await openCipher({ home: mkdtempSync(path.join(tmpdir(), 'jeongsan-payout-')) });
});

beforeEach(async () => {
  [merchant = ''] = await makeMerchants(database.pool, cipher, { from: next, count: 1, balanceWon: 100_000n });
  next += 1;
});

afterAll(async () => {
  await database.close();
});

const run = async (line: string) => {
  const ports = { bank: 'journal', now: () => later };
  const words = line.split(' ').map((word) => word.replaceAll('+', ' '));
  const { said } = await runCommand(database.pool, words, (program, context, output) => {
    handSettleCommands(payoutCommands(program, context, { ...ports, output }), context, { ...ports, output });
    approvalsCommands(program, context, output);
  });
  return said;
};
const moneyOf = async () => [
  await balanceOf(database.pool, walletOf(merchant)),
  await balanceOf(database.pool, inFlightOf(merchant)),
];
const claim = () => claimPayouts(database.pool, 'journal', later.add({ hours: 1 }));

/** A payout that was sent, and of which the bank has only said that it is being processed. */
async function unknownPayout() {
  const wanted = { merchantId: merchant, amountWon: 30_000n, key: merchant, who: 'park' };
  const { id } = await requestPayout(database.pool, wanted, { bank: 'journal', now: noon });
  const [carried] = (await claim()).filter(({ payoutId }) => payoutId === id);
  const sending = (await markSending(database.pool, [{ payoutId: id, run: carried?.run ?? '' }], noon)).get(id);
  const answer = { outcome: 'processing', code: 'P', text: 'in process' } as const;
  const rules = { bank: 'journal', now: later, settlingMs: 0, opensAt: undefined, unknownFindingMs };
  const word = { payoutId: id, source: 'inquiry', answer, who: 'worker', releases: carried?.run ?? '' } as const;
  await inTransaction(database.pool, (tx) => noteAnswers(tx, [word], rules));
  return { id, messageNo: sending?.messageNo ?? '' };
}

async function callBack(messageNo: string, outcome: 'succeeded' | 'rejected') {
  const answer = { outcome, code: 'X', text: '' };
  const word = { bank: 'journal', messageNo, answer, source: 'callback', who: 'bank' } as const;
  return (await inTransaction(database.pool, (tx) => applyAnswer(tx, word, later))).verdict;
}

const findingsOf = async (id: bigint) =>
  (await listFindings(database.pool, { subject: `payout:${id}` })).map(({ kind }) => kind);

test('two people settle what the bank never does: once, with its trail, finding and break', async () => {
  const { id, messageNo } = await unknownPayout();
  const over = { askedAt: later, dayIsOver: true };
  await inTransaction(database.pool, (tx) => compareWithList(tx, { bank: 'journal', on: '2026-11-20' }, over));
  expect(await findingsOf(id)).toEqual(['payout_unknown']);
  expect(await listPayoutBreaks(database.pool)).toMatchObject([{ payoutId: id, kind: 'missing_at_bank' }]);

  const asked = `payout settle ${id} --as succeeded --reason letter+of+the+bank --by kim`;
  expect(await run(asked)).toContain('· unknown');
  expect(await run(asked)).toContain('· unknown');
  expect(await run('approvals list --kind payout_settle')).toContain(`${id}:1`);
  expect(await moneyOf()).toEqual([70_000n, 30_000n]);
  const other = run(`payout settle ${id} --as rejected --reason no --by lee`);
  await expect(other).rejects.toMatchObject({ code: 'approval_waits' });
  await expect(run(`payout settle approve ${id} --by KIM`)).rejects.toMatchObject({ code: 'approval_four_eyes' });
  expect(await moneyOf()).toEqual([70_000n, 30_000n]);

  expect(await run(`payout settle approve ${id} --by lee`)).toContain('· succeeded');
  expect(await run(`payout settle approve ${id} --by lee`)).toContain('· succeeded');
  expect(await moneyOf()).toEqual([70_000n, 0n]);
  expect(await findingsOf(id)).toEqual([]);
  expect(await listPayoutBreaks(database.pool)).toEqual([]);
  expect(await listFindings(database.pool, { kind: 'payout_list_differs' })).toEqual([]);
  const { events, resultCode, resultReason } = await showPayout(database.pool, id);
  expect([resultCode, resultReason]).toEqual([null, 'letter of the bank']);
  expect(events.slice(-2).map(({ who, what, to }) => `${who} ${what} ${to}`)).toEqual([
    'kim settle_proposed unknown',
    'lee settled_by_hand succeeded',
  ]);
  await inTransaction(database.pool, (tx) => compareWithList(tx, { bank: 'journal', on: '2026-11-20' }, over));
  expect(await listPayoutBreaks(database.pool)).toEqual([]);

  expect(await callBack(messageNo, 'succeeded')).toBe('repeated');
  expect(await findingsOf(id)).toEqual([]);
  expect(await callBack(messageNo, 'rejected')).toBe('disagrees');
  expect(await findingsOf(id)).toEqual(['payout_contradicted']);
  expect(await moneyOf()).toEqual([70_000n, 0n]);
});

test('settled as rejected the money is back; a refused proposal leaves it to the bank, and can be made anew', async () => {
  const { id, messageNo } = await unknownPayout();
  await run(`payout settle ${id} --as rejected --reason by+telephone --by kim`);
  expect(await run(`payout settle refuse ${id} --by lee --why in+writing`)).toContain('· unknown');
  expect(await moneyOf()).toEqual([70_000n, 30_000n]);
  await run(`payout settle ${id} --as rejected --reason in+writing --by kim`);
  expect(await run(`payout settle approve ${id} --by lee`)).toContain('· rejected');
  expect(await moneyOf()).toEqual([100_000n, 0n]);
  expect(await callBack(messageNo, 'succeeded')).toBe('disagrees');
  expect(await findingsOf(id)).toEqual(['payout_contradicted']);
  expect(await moneyOf()).toEqual([100_000n, 0n]);
});

test('the bank that speaks before the second person has the word', async () => {
  const { id, messageNo } = await unknownPayout();
  await run(`payout settle ${id} --as rejected --reason x --by kim`);
  expect(await callBack(messageNo, 'succeeded')).toBe('applied');
  const late = run(`payout settle approve ${id} --by lee`);
  await expect(late).rejects.toMatchObject({ code: 'payout_not_settleable' });
  expect(await moneyOf()).toEqual([70_000n, 0n]);
  expect(await run(`payout settle refuse ${id} --by lee`)).toContain('· succeeded');
});

test('refused while a worker has it in hand, or before it was sent', async () => {
  const { id } = await unknownPayout();
  await run(`payout settle ${id} --as succeeded --reason x --by kim`);
  expect((await claim()).map(({ payoutId }) => payoutId)).toContain(id);
  await expect(run(`payout settle approve ${id} --by lee`)).rejects.toMatchObject({ code: 'payout_in_hand' });
  const again = run(`payout settle ${id} --as succeeded --reason x --by kim`);
  await expect(again).rejects.toMatchObject({ code: 'payout_in_hand' });
  await database.pool.query('update payout set claimed_by = null, claimed_at = null');
  expect(await run(`payout settle approve ${id} --by lee`)).toContain('· succeeded');

  const fresh = { merchantId: merchant, amountWon: 1_000n, key: `${merchant} fresh`, who: 'park' };
  const made = await requestPayout(database.pool, fresh, { bank: 'journal', now: noon });
  const early = run(`payout settle ${made.id} --as rejected --reason x`);
  await expect(early).rejects.toMatchObject({ code: 'payout_not_settleable' });
});

test('nobody writes it into the trail alone', async () => {
  const { id } = await unknownPayout();
  await run(`payout settle ${id} --as rejected --reason x --by kim`);
  const alone = database.pool.query(
    `insert into payout_event (payout_id, who, from_state, to_state, what) values ($1, 'kim', 'unknown', 'rejected', 'settled_by_hand')`,
    [id],
  );
  await expect(alone).rejects.toMatchObject({ constraint: 'payout_settle_approved' });
});

test.each([
  ['payout settle 99999 --as succeeded --reason x', 'not_found'],
  ['payout settle approve 99999', 'not_found'],
  ['payout settle 1 --as cancelled --reason x', 'usage'],
  ['payout settle x --as rejected --reason x', 'usage'],
  ['payout settle 1 --as rejected --reason +', 'usage'],
])('%s: %s', async (line, code) => {
  await expect(run(line)).rejects.toMatchObject({ code });
});
