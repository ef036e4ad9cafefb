import { afterEach, beforeEach, expect, test } from 'vitest';
import { breaksAsJson, bringWorld, createInstallation, type Installation } from '../support/installation.ts';
import { deviationsOf } from '../support/ledger.ts';
import { score } from '../support/score.ts';
import { jeongsan, startServer, type TestServer, until } from '../support/servers.ts';

const seoul = 'Asia/Seoul';
const today = () => Temporal.Now.plainDateISO(seoul);
let installation: Installation;
beforeEach(async () => {
  installation = await createInstallation();
});
afterEach(() => installation.close());

const rows = async <Row extends Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<Row[]> =>
  (await installation.db.pool.query<Row>(sql, values)).rows;

/** The server that carries a run. */
function carrierOf(servers: readonly TestServer[], executor: string): TestServer {
  const found = servers.find(({ process }) => executor.split(':').at(-2) === String(process.pid));
  if (found === undefined) throw new Error(`no server is ${executor}`);
  return found;
}

test('each slot of each second is one row and one run, whichever server fires first', async () => {
  const servers = await Promise.all([startServer(installation), startServer(installation)]);
  await jeongsan(installation, [
    ...['schedule', 'add', 'tick', '--job', 'payout-dispatch', '--cron', '* * * * * *'],
    ...['--overlap', 'allow', '--why', 'to see each second'],
  ]);
  type Slot = { at: Date; state: string; run: string; late: number };
  const done = await until('six slots that are done', async () => {
    const slots = await rows<Slot>(
      `select nominal_at as at, state, run_id as run, extract(epoch from started_at - nominal_at)::float8 as late
         from schedule_slot s join schedule using (schedule_id)
        where name = 'tick' and s.state not in ('claimed', 'running', 'queued') order by nominal_at`,
    );
    return slots.length >= 6 && slots;
  });
  expect(done.map(({ state }) => state)).toEqual(done.map(() => 'done'));
  const seconds = done.map(({ at }) => at.getTime() / 1000);
  expect(seconds).toEqual(seconds.map((_, n) => (seconds[0] as number) + n));
  expect(new Set(done.map(({ run }) => run)).size).toBe(done.length);
  expect(done.every(({ late }) => late >= 0)).toBe(true);
  const nodes = await rows<{ n: bigint }>(
    `select count(*) as n from node where stopped_at is null and lost_at is null`,
  );
  expect(nodes).toEqual([{ n: 2n }]);
  for (const { process } of servers) process.kill('SIGTERM');
  expect(await Promise.all(servers.map(({ process }) => process.ended))).toEqual([0, 0]);
});

test('one of two dies in the middle of the reconciliation of 08:00, and the other ends it without a gap or a double', async () => {
  const from = today().subtract({ days: 2 });
  const world = await bringWorld(installation, { seed: 'two', days: 2, payments: 4000, breaks: 1, from });
  const servers = await Promise.all([startServer(installation), startServer(installation)]);
  for (const on of world.days) {
    const daysBack = Temporal.PlainDate.from(on).until(today()).days;
    const parameters = JSON.stringify({ daysBack });
    const terms = ['--job', 'reconcile', '--cron', '0 8 * * *', '--parameters', parameters, '--why', 'test'];
    await jeongsan(installation, ['schedule', 'add', `days-${daysBack}`, ...terms]);
    await jeongsan(installation, ['schedule', 'run-now', `days-${daysBack}`, '--why', 'test']);
    const isLast = on === world.days.at(-1);
    if (isLast) {
      const { executor } = await until('run that has begun to load', async () => {
        const [found] = await rows<{ executor: string }>(
          `select executor_id as executor from dbos.workflow_status r
            where workflow_uuid = $1 and status = 'PENDING'
              and exists (select from dbos.operation_outputs o where o.workflow_uuid like $1 || '/%')`,
          [`reconcile:${on}:1`],
        );
        return found;
      });
      const doomed = carrierOf(servers, executor);
      doomed.process.kill('SIGKILL');
      expect(await doomed.process.ended).toBe('SIGKILL');
    }
    await until(`end of ${on}`, async () => {
      const [run] = await rows<{ outcome: string | null }>(
        'select outcome from reconciliation_run where run_id = $1 and outcome is not null',
        [`reconcile:${on}:1`],
      );
      return run;
    });
  }
  const attempts = await rows<{ n: bigint }>('select count(*) as n from reconciliation_run');
  expect(attempts).toEqual([{ n: BigInt(world.days.length) }]);
  expect(score(await breaksAsJson(installation.db), world.truth)).toMatchObject({ invented: [], missed: [] });
  await until('the slots closed', async () => {
    const open = await rows(
      `select from schedule_slot where state in ('claimed', 'running') and run_id like 'reconcile:%'`,
    );
    return open.length === 0;
  });
  const slots = await rows<{ state: string }>(`select state from schedule_slot where run_id like 'reconcile:%'`);
  expect(slots.map(({ state }) => state)).toEqual(['done', 'done']);
});

test('one of two dies in a settlement slot, and the other ends it: each capture is settled once, and the books balance', async () => {
  const from = today().subtract({ days: 3 });
  await bringWorld(installation, { seed: 'slot', days: 2, payments: 20_000, breaks: 0, from });
  const servers = await Promise.all([startServer(installation), startServer(installation)]);
  await jeongsan(installation, ['schedule', 'run-now', 'settle', '--why', 'test']);
  const { executor, run } = await until('slot that runs', async () => {
    const [found] = await rows<{ executor: string; run: string }>(
      `select executor_id as executor, workflow_uuid as run from dbos.workflow_status
        where name = 'settle' and status = 'PENDING'`,
    );
    return found;
  });
  carrierOf(servers, executor).process.kill('SIGKILL');
  await until('end of the slot', async () => {
    const [cycle] = await rows<{ state: string }>(
      `select state from settlement_cycle where run_id = $1 and state <> 'running'`,
      [run],
    );
    return cycle;
  });
  const [counts] = await rows<Record<string, bigint>>(
    `select (select count(*) from capture) as captures,
            (select count(*) from settlement_item) + (select count(*) from unsettled_capture) as kept`,
  );
  expect(counts?.['captures']).toBeGreaterThan(0n);
  expect(counts?.['kept']).toBe(counts?.['captures']);
  const credited = await rows<{ items: bigint; credited: bigint; wallets: bigint }>(
    `select (select sum(wallet_won) from settlement) as credited,
            (select coalesce(sum(balance_won), 0) from ledger_account where account like 'wallet:%')
              + (select coalesce(sum(amount_won), 0) from payout where state not in ('cancelled', 'rejected')) as wallets,
            (select count(*) from settlement_item) as items`,
  );
  expect(credited[0]?.items).toBeGreaterThan(0n);
  expect(credited[0]?.wallets).toBe(credited[0]?.credited);
  expect(await deviationsOf(installation.db.pool)).toEqual([]);
});
