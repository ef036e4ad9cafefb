// What people change while a payout is in hand and its holder is asked for: nothing of it has left yet.
import { afterEach, expect, test } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import {
  bank,
  becomes,
  carryPayouts,
  database,
  merchant,
  moneyOf,
  movedAt,
  now,
  payouts,
  request,
  stateOf,
} from './carried-payouts.fixture.ts';
import { changeControl } from './control-store.ts';
import { cancelPayout } from './request-store.ts';

carryPayouts();
let plain: typeof bank.holderOf | undefined;
afterEach(() => {
  if (plain !== undefined) bank.holderOf = plain;
});

/** A payout whose holder the bank is asked for; `answer` lets it say it. */
async function askedFor(key: string) {
  const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const said = bank.holderOf;
  plain = said;
  bank.holderOf = async (account) => {
    asked.resolve();
    await answer.promise;
    return await said(account);
  };
  const { id } = await request(10_000n, key);
  await asked.promise;
  return { id, answer: () => answer.resolve() };
}

test('an account that is changed then is not paid to any more', async () => {
  const { id, answer } = await askedFor('account');
  await database.pool.query(
    `insert into bank_account (merchant_id, valid_from, bank_code, sealed, key_id, fingerprint, last4, holder, recorded_by)
     select merchant_id, valid_from, '088', sealed, key_id, fingerprint, last4, holder, 'test' from bank_account
      where merchant_id = $1`,
    [merchant],
  );
  answer();
  await eventually(async () => expect(['succeeded', 'rejected']).toContain(await stateOf(id)));
  expect(await movedAt(id)).toEqual([]);
  expect(await stateOf(id)).toBe('rejected');
  expect(await moneyOf()).toEqual({ wallet: 100_000n, inFlight: 0n });
});

test('a bank that is paused then is sent nothing, until it is resumed', async () => {
  const { id, answer } = await askedFor('pause');
  await changeControl(database.pool, bank.id, { paused: true }, { who: 'lee', reason: 'test' });
  answer();
  await payouts.dispatcher.idle();
  expect(await movedAt(id)).toEqual([]);
  await changeControl(database.pool, bank.id, { paused: false }, { who: 'lee', reason: 'test' });
  await becomes(id, 'succeeded');
  expect(await movedAt(id)).toEqual([{ sends: 1, outcome: 'succeeded' }]);
});

test('a payout that is cancelled then is not sent', async () => {
  const { id, answer } = await askedFor('cancelled');
  await cancelPayout(database.pool, id, { who: 'lee' }, now());
  answer();
  await payouts.dispatcher.idle();
  expect(await movedAt(id)).toEqual([]);
  expect(await moneyOf()).toEqual({ wallet: 100_000n, inFlight: 0n });
});
