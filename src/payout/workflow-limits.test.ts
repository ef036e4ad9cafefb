import { expect, test } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import {
  bank,
  becomes,
  carryPayouts,
  database,
  findingsOf,
  goAhead,
  payouts,
  request,
  stateOf,
  trailOf,
} from './carried-payouts.fixture.ts';
import { changeControl } from './control-store.ts';

carryPayouts();

test('a bank that is closed by its hours: the payout waits, and says until when', async () => {
  goAhead({ hours: 11, minutes: 45 });
  const { id } = await request(10_000n, 'closed');
  await eventually(async () => expect(await trailOf(id)).toContain('waits_for_opening → created'));
  const { rows } = await database.pool.query('select result_reason, next_at from payout where payout_id = $1', [id]);
  expect(rows).toEqual([{ result_reason: 'bank_closed', next_at: new Date('2026-11-20T15:30:00Z') }]);
  goAhead({ hours: 12, minutes: 31 });
  await becomes(id, 'succeeded');
});

test('a paused bank: nothing new until it is resumed', async () => {
  await changeControl(database.pool, bank.id, { paused: true }, { who: 'lee', reason: 'test' });
  const { id } = await request(10_000n, 'paused');
  await payouts.dispatcher.idle();
  expect(await stateOf(id)).toBe('created');
  await changeControl(database.pool, bank.id, { paused: false }, { who: 'lee', reason: 'test' });
  await becomes(id, 'succeeded');
});

test('a clock that was ahead gave a far time: the payout is not kept waiting for it', async () => {
  await changeControl(database.pool, bank.id, { paused: true }, { who: 'lee', reason: 'test' });
  goAhead({ hours: 9_600 });
  const { id } = await request(10_000n, 'jump');
  goAhead({ seconds: 0 });
  await changeControl(database.pool, bank.id, { paused: false }, { who: 'lee', reason: 'test' });
  await becomes(id, 'succeeded');
});

test('failures in a row open the circuit, and one transfer tries it again', async () => {
  bank.mood = () => ({ arrives: false, hears: { outcome: 'not_sent', reason: 'connection refused' } });
  const ids: bigint[] = [];
  for (let n = 0; n < 12; n += 1) ids.push((await request(100n, `circuit ${n}`)).id);
  await eventually(async () => expect(await findingsOf(`bank:${bank.id}`)).toEqual(['bank_circuit_open']));
  // What was under way when it opened goes to its end.
  await payouts.dispatcher.idle();
  const before = bank.calls.transfer;
  await payouts.dispatcher.idle();
  expect(bank.calls.transfer).toBe(before);
  bank.mood = () => ({ latencyMs: 50 });
  const peak = bank.calls.peak;
  bank.calls.peak = 0;
  goAhead({ minutes: 10 });
  for (const id of ids) await becomes(id, 'succeeded');
  expect(bank.calls.peak).toBeLessThanOrEqual(Math.max(peak, 10));
  expect(await findingsOf(`bank:${bank.id}`)).toEqual([]);
});

test('the limit is never exceeded, follows a change while running, and a slow transfer blocks nobody', async () => {
  await changeControl(database.pool, bank.id, { transferLimit: 2 }, { who: 'lee', reason: 'test' });
  await payouts.dispatcher.idle();
  bank.calls.peak = 0;
  const first = bank.calls.transfer + 1;
  let letGo = () => {};
  const slow = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  bank.mood = async (_, nth) => {
    if (nth === first) await slow;
    return { latencyMs: 20 };
  };
  const ids: bigint[] = [];
  for (let n = 0; n < 10; n += 1) ids.push((await request(100n, `limit ${n}`)).id);
  await eventually(async () => {
    const states = await Promise.all(ids.map(stateOf));
    expect(states.filter((state) => state === 'succeeded')).toHaveLength(9);
  });
  expect(bank.calls.peak).toBe(2);
  await changeControl(database.pool, bank.id, { transferLimit: 6 }, { who: 'lee', reason: 'test' });
  bank.mood = async (_, nth) => {
    if (nth === first) await slow;
    return { latencyMs: 300 };
  };
  for (let n = 10; n < 30; n += 1) ids.push((await request(100n, `limit ${n}`)).id);
  await eventually(() => expect(bank.calls.peak).toBe(6));
  letGo();
  for (const id of ids) await becomes(id, 'succeeded');
  expect(bank.calls.peak).toBe(6);
  await changeControl(database.pool, bank.id, { transferLimit: 10 }, { who: 'lee', reason: 'test' });
});
