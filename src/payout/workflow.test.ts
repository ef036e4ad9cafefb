import { expect, test } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import { listFindings } from '../findings/store.ts';
import { inTransaction } from '../platform/database/pool.ts';
import {
  bank,
  becomes,
  callBack,
  carryPayouts,
  database,
  findingsOf,
  merchant,
  moneyOf,
  movedAt,
  now,
  payouts,
  request,
  trailOf,
} from './carried-payouts.fixture.ts';
import { cancelPayout, retryPayout } from './request-store.ts';

carryPayouts();

test('a withdrawal goes out in seconds, and its money from wallet to bank', async () => {
  const { id } = await request(30_000n, 'plain');
  await becomes(id, 'succeeded');
  expect(await trailOf(id)).toEqual([
    'requested → created',
    'holder_checked → holder_checked',
    'sending → sent',
    'answered → succeeded',
  ]);
  expect(await moneyOf()).toEqual({ wallet: 70_000n, inFlight: 0n });
  expect(await movedAt(id)).toEqual([{ sends: 1, outcome: 'succeeded' }]);
});

test('a contradicting word is a finding and books nothing', async () => {
  const { id } = await request(10_000n, 'contradicted');
  await becomes(id, 'succeeded');
  expect(await callBack(id, { outcome: 'rejected', code: 'R1', text: 'no' })).toMatchObject({
    verdict: 'disagrees',
    state: 'succeeded',
  });
  expect(await moneyOf()).toEqual({ wallet: 90_000n, inFlight: 0n });
  expect(await findingsOf(`payout:${id}`)).toEqual(['payout_contradicted']);
});

test('a rejection gives the money back, and a retry is a new payout, once', async () => {
  bank.mood = () => ({ rejects: true });
  const { id } = await request(10_000n, 'rejected');
  await becomes(id, 'rejected');
  expect(await moneyOf()).toEqual({ wallet: 100_000n, inFlight: 0n });
  bank.mood = () => ({});
  const rules = { bank: bank.id, now: now() };
  const again = await retryPayout(database.pool, id, 'kim', rules);
  expect((await retryPayout(database.pool, id, 'kim', rules)).id).toBe(again.id);
  await becomes(again.id, 'succeeded');
  expect(await moneyOf()).toEqual({ wallet: 90_000n, inFlight: 0n });
});

test('what is paid by itself and rejected is a finding, slot after slot, until it is paid', async () => {
  await database.pool.query(
    `insert into settlement_terms (merchant_id, valid_from, cycle, roll, payout, min_payout_won, recorded_by)
     values ($1, '2026-01-01', 'M5', 'none', 'direct', 1, 'test')`,
    [merchant],
  );
  const payAfter = async (slot: string, state: string) => {
    const of = { slot, settledOn: '2026-11-20', runId: `settle:${slot}` };
    await inTransaction(database.pool, (tx) => payouts.createDirect(tx, of));
    const { rows } = await database.pool.query<{ id: bigint }>(
      'select payout_id as id from payout where merchant_id = $1 order by payout_id desc limit 1',
      [merchant],
    );
    await becomes(rows[0]?.id ?? 0n, state);
  };
  bank.mood = () => ({ rejects: true });
  await payAfter('2026-11-20T12:05+09:00', 'rejected');
  await payAfter('2026-11-20T12:10+09:00', 'rejected');
  const found = await listFindings(database.pool, { subject: merchant });
  expect(found).toMatchObject([{ kind: 'payout_rejected', times: 2, detail: { code: 'R1', text: 'rejected' } }]);
  bank.mood = () => ({});
  await payAfter('2026-11-20T12:15+09:00', 'succeeded');
  expect(await findingsOf(merchant)).toEqual([]);
});

test('an account number that cannot be read is not taken for sent: the payout waits', async () => {
  await database.pool.query(
    `with lost as (
       insert into bank_account (merchant_id, valid_from, bank_code, sealed, key_id, fingerprint, last4, holder, recorded_by)
       select merchant_id, valid_from, bank_code, sealed, 'lost', fingerprint, last4, holder, 'test' from bank_account
        where merchant_id = $1 returning account_id
     )
     insert into holder_check (account_id, bank, outcome) select account_id, $2, 'matches' from lost`,
    [merchant, bank.id],
  );
  const { id } = await request(10_000n, 'unreadable account');
  await eventually(async () => expect(await trailOf(id)).toContain('holder_answered → created'));
  await cancelPayout(database.pool, id, { who: 'lee' }, now());
  expect(await moneyOf()).toEqual({ wallet: 100_000n, inFlight: 0n });
});

test('an order that provably never left waits, and can still be cancelled', async () => {
  bank.mood = () => ({ arrives: false, hears: { outcome: 'not_sent', reason: 'connection refused' } });
  const { id } = await request(10_000n, 'not sent');
  await eventually(async () => expect(await trailOf(id)).toContain('answered → holder_checked'));
  const cancelled = await eventually(() => cancelPayout(database.pool, id, { who: 'lee' }, now()));
  expect(cancelled.state).toBe('cancelled');
  expect(await moneyOf()).toEqual({ wallet: 100_000n, inFlight: 0n });
  expect(await cancelPayout(database.pool, id, { who: 'lee' }, now())).toMatchObject({ state: 'cancelled' });
});

test('an account of another holder is rejected before anything is sent', async () => {
  bank.holderOf = async () => ({ outcome: 'found', holder: '다른사람' });
  const { id } = await request(10_000n, 'other holder');
  await becomes(id, 'rejected');
  bank.holderOf = async ({ accountNo }) => ({ outcome: 'found', holder: `홀더P${accountNo.slice(4)}` });
  expect(await movedAt(id)).toEqual([]);
  expect(await moneyOf()).toEqual({ wallet: 100_000n, inFlight: 0n });
});
