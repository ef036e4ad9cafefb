// The bank's limit while a run is in two processes: one that only seems to be dead, and the one that took it over.
import { beforeEach, expect, test } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import { bank, becomes, carryPayouts, database, payouts, request } from './carried-payouts.fixture.ts';
import { changeControl } from './control-store.ts';

carryPayouts();

beforeEach(async () => {
  await changeControl(database.pool, bank.id, { transferLimit: 1 }, { who: 'lee', reason: 'test' });
  bank.patienceMs = 60_000;
  bank.calls.peak = 0;
});

/** Takes the first run of a payout from the process that carries it, which lives and does not know of it. */
async function takeOver(id: bigint): Promise<void> {
  const run = `payout:${id}:1`;
  await database.pool.query(`update dbos.workflow_status set executor_id = 'seems dead' where workflow_uuid = $1`, [
    run,
  ]);
  await eventually(async () => {
    const { rows } = await database.pool.query('select status from dbos.workflow_status where workflow_uuid = $1', [
      run,
    ]);
    expect(rows).toEqual([{ status: 'SUCCESS' }]);
  });
}

const holderOf = async (id: bigint) => {
  const { rows } = await database.pool.query<{ run: string | null }>(
    'select claimed_by as run from payout where payout_id = $1',
    [id],
  );
  return rows[0]?.run;
};

test('a transfer that is under way takes its room until its answer, whoever has taken its run over', async () => {
  const answer = Promise.withResolvers<void>();
  bank.mood = async () => {
    await answer.promise;
    return {};
  };
  const { id } = await request(10_000n, 'under way');
  await eventually(() => expect(bank.calls.flying).toBe(1));
  const next = await request(10_000n, 'waits for room');
  await takeOver(id);
  expect(await holderOf(id)).toBe(`payout:${id}:1`);
  expect(await holderOf(next.id)).toBeNull();
  answer.resolve();
  await becomes(id, 'succeeded');
  await becomes(next.id, 'succeeded');
  expect(bank.calls.peak).toBe(1);
});

test('who comes second to the sending of a payout does not let go of the one who sends it', async () => {
  const [holder, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { holderOf: said } = bank;
  let checks = 0;
  bank.holderOf = async (account) => {
    checks += 1;
    if (checks === 1) await holder.promise;
    return await said(account);
  };
  bank.mood = async () => {
    await answer.promise;
    return {};
  };
  const first = Promise.withResolvers<void>();
  const { ended } = payouts.dispatcher;
  Object.assign(payouts.dispatcher, {
    ended(...of: Parameters<typeof ended>) {
      ended(...of);
      if (of[1].endsWith(':1')) first.resolve();
    },
  });
  const { id } = await request(10_000n, 'first');
  await eventually(() => expect(checks).toBe(1));
  const next = await request(10_000n, 'second');
  // Who took it over sends it, and then the one who seemed to be dead comes to it.
  await database.pool.query(`update dbos.workflow_status set executor_id = 'seems dead' where workflow_uuid = $1`, [
    `payout:${id}:1`,
  ]);
  await eventually(() => expect(bank.calls.flying).toBe(1));
  const sender = await holderOf(id);
  holder.resolve();
  await first.promise;
  expect(await holderOf(id)).toBe(sender);
  expect(await holderOf(next.id)).toBeNull();
  answer.resolve();
  await becomes(id, 'succeeded');
  await becomes(next.id, 'succeeded');
  expect(bank.calls.peak).toBe(1);
  bank.holderOf = said;
  Object.assign(payouts.dispatcher, { ended });
});
