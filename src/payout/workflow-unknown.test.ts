import { expect, test } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import {
  bank,
  becomes,
  callBack,
  carryPayouts,
  database,
  findingsOf,
  goAhead,
  hasten,
  merchant,
  moneyOf,
  movedAt,
  now,
  request,
  stateOf,
  trailOf,
} from './carried-payouts.fixture.ts';
import { cancelPayout } from './request-store.ts';

carryPayouts();

const hourMs = 3_600_000;

test('a read time-out whose transfer had gone through and whose callback comes later is paid once', async () => {
  bank.mood = () => ({ hears: { outcome: 'unknown', reason: 'read time-out' } });
  bank.inquiry = () => ({ outcome: 'processing', code: 'P', text: 'in process' });
  const { id } = await request(10_000n, 'time-out');
  await becomes(id, 'unknown');
  expect(await moneyOf()).toEqual({ wallet: 90_000n, inFlight: 10_000n });
  const late = { outcome: 'succeeded', code: '0000', text: 'paid' } as const;
  expect(await callBack(id, late)).toMatchObject({ verdict: 'applied', state: 'succeeded' });
  expect(await callBack(id, late)).toMatchObject({ verdict: 'repeated' });
  expect(await movedAt(id)).toEqual([{ sends: 1, outcome: 'succeeded' }]);
  expect(await moneyOf()).toEqual({ wallet: 90_000n, inFlight: 0n });
});

test('NOT_FOUND is no proof before the settling time; after it the same number is sent again', async () => {
  bank.settlingMs = hourMs;
  bank.mood = (_, nth) => (nth === first ? { arrives: false } : {});
  const first = bank.calls.transfer + 1;
  const { id } = await request(10_000n, 'lost');
  await becomes(id, 'unknown');
  const [{ messageNo } = { messageNo: '' }] = (
    await database.pool.query<{ messageNo: string }>(
      'select message_no as "messageNo" from payout where payout_id = $1',
      [id],
    )
  ).rows;
  await hasten(id);
  await eventually(async () => expect(await trailOf(id)).toContain('asked → unknown'));
  expect(bank.calls.transfer).toBe(first);
  bank.settlingMs = 1;
  await eventually(async () => {
    await hasten(id);
    expect(await stateOf(id)).toBe('succeeded');
  });
  expect(bank.calls.transfer).toBe(first + 1);
  expect(await movedAt(id)).toEqual([{ sends: 1, outcome: 'succeeded' }]);
  const { rows } = await database.pool.query('select message_no from payout where payout_id = $1', [id]);
  expect(rows).toEqual([{ message_no: messageNo }]);
});

test('what may have left is never given back for a reason of ours: the same order is sent again', async () => {
  const first = bank.calls.transfer + 1;
  bank.mood = (_, nth) => (nth === first ? { arrives: false } : {});
  const { id } = await request(10_000n, 'account changed after sending');
  await becomes(id, 'unknown');
  await database.pool.query(
    `insert into bank_account (merchant_id, valid_from, bank_code, sealed, key_id, fingerprint, last4, holder, recorded_by)
     select merchant_id, valid_from, '088', sealed, key_id, fingerprint, last4, holder, 'test' from bank_account
      where merchant_id = $1`,
    [merchant],
  );
  await eventually(async () => {
    await hasten(id);
    expect(await stateOf(id)).not.toBe('unknown');
    expect(await stateOf(id)).not.toBe('holder_checked');
  });
  await becomes(id, 'succeeded');
  expect(await movedAt(id)).toEqual([{ sends: 1, outcome: 'succeeded' }]);
  expect(await moneyOf()).toEqual({ wallet: 90_000n, inFlight: 0n });
});

test('a wall clock that jumps ahead makes no proof of NOT_FOUND', async () => {
  const first = bank.calls.transfer + 1;
  bank.mood = (_, nth) => (nth === first ? { arrives: false } : {});
  bank.settlingMs = hourMs;
  const { id } = await request(10_000n, 'jumping clock');
  await becomes(id, 'unknown');
  goAhead({ hours: 24 });
  await eventually(async () => expect(await trailOf(id)).toContain('asked → unknown'));
  expect(bank.calls.transfer).toBe(first);
  bank.settlingMs = 1;
  await eventually(async () => {
    await hasten(id);
    expect(await stateOf(id)).toBe('succeeded');
  });
  expect(await movedAt(id)).toEqual([{ sends: 1, outcome: 'succeeded' }]);
});

test('unknown for long is a finding until the bank is definite', async () => {
  bank.mood = () => ({ hears: { outcome: 'unknown', reason: 'cut off' } });
  bank.inquiry = () => ({ outcome: 'processing', code: 'P', text: '' });
  const { id } = await request(10_000n, 'long unknown');
  await becomes(id, 'unknown');
  expect(await findingsOf(`payout:${id}`)).toEqual([]);
  goAhead({ minutes: 15 });
  await eventually(async () => expect(await findingsOf(`payout:${id}`)).toEqual(['payout_unknown']));
  await callBack(id, { outcome: 'rejected', code: 'R1', text: 'no' });
  expect(await findingsOf(`payout:${id}`)).toEqual([]);
  expect(await moneyOf()).toEqual({ wallet: 100_000n, inFlight: 0n });
});

test('a number that the bank knows already is asked about, not sent anew', async () => {
  bank.mood = () => ({ hears: { outcome: 'duplicate', code: 'D1', text: 'known' } });
  const { id } = await request(10_000n, 'duplicate');
  await becomes(id, 'succeeded');
  expect(await trailOf(id)).toContain('asked → succeeded');
  expect(await movedAt(id)).toEqual([{ sends: 1, outcome: 'succeeded' }]);
});

test('what may have left is not cancelled', async () => {
  bank.mood = () => ({ hears: { outcome: 'unknown', reason: 'cut off' } });
  bank.inquiry = () => ({ outcome: 'processing', code: 'P', text: '' });
  const { id } = await request(10_000n, 'sent');
  await becomes(id, 'unknown');
  await expect(cancelPayout(database.pool, id, { who: 'lee' }, now())).rejects.toMatchObject({
    code: 'payout_not_cancellable',
  });
});
