/**
 * `npm run bench -- settle [--captures 100000] [--merchants 20000] [--poisoned 10] [--history DAYS] [--history-captures
 * 30000] [--slots 7] [--json]`: slots through the durable engine, from the slot to the last wallet credited, against the
 * bare set in one transaction that judges nothing and against a transaction for each capture, on one server.
 */
import { parseArgs } from 'node:util';
import { query } from '../src/platform/database/pool.ts';
import { createDurable } from '../src/platform/durable/durable.ts';
import { listSteps } from '../src/platform/durable/runs.ts';
import { createLog } from '../src/platform/log.ts';
import { formatSlot } from '../src/settlement/slot.ts';
import { registerSettlement, type Settlement } from '../src/settlement/workflow.ts';
import { type Bench, median, onServer, print } from './harness.ts';
import { makeBatch, makeMerchants, on } from './settle/data.ts';
import { bareSet, perItemRate } from './settle/floor.ts';

const { values } = parseArgs({
  options: {
    captures: { type: 'string', default: '100000' },
    merchants: { type: 'string', default: '20000' },
    poisoned: { type: 'string', default: '10' },
    history: { type: 'string', default: '0' },
    'history-captures': { type: 'string', default: '30000' },
    slots: { type: 'string', default: '7' },
    'per-item-sample': { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});
const captures = Number(values.captures);
const merchants = Number(values.merchants);
const poisoned = Number(values.poisoned);
print(await onServer(6, measure), values.json);

type Round = {
  readonly bareSeconds: number;
  readonly oursSeconds: number;
  readonly slotToCreditSeconds: number;
  readonly perItemRate: number;
};

async function measure({ url, pool }: Bench) {
  await makeMerchants(pool, merchants);
  const log = createLog({ logLevel: 'warn' });
  const durable = createDurable({ databaseUrl: url, pool, log });
  const now = () => Temporal.Instant.from('2027-01-01T00:00Z');
  const settlement = registerSettlement(durable, { pool, log, now, afterCredit: async () => 0 });
  await durable.launch();
  try {
    await liveThrough(pool, settlement, Number(values.history));
    const rounds: Round[] = [];
    for (let n = 0; n < Number(values.slots); n += 1) rounds.push(await round(pool, settlement, n));
    const middle = median(rounds, ({ bareSeconds, oursSeconds }) => oursSeconds / bareSeconds);
    const perItem = median(rounds, ({ oursSeconds, perItemRate: rate }) => oursSeconds * rate);
    const credits = rounds.map(({ slotToCreditSeconds }) => slotToCreditSeconds).sort((a, b) => a - b);
    return {
      captures,
      merchants,
      poisoned,
      historyDays: Number(values.history),
      bareSeconds: middle.bareSeconds,
      oursSeconds: middle.oursSeconds,
      ratio: Number((middle.oursSeconds / middle.bareSeconds).toFixed(3)),
      perItemRatePerSecond: Math.round(perItem.perItemRate),
      timesPerItem: Math.round(captures / perItem.perItemRate / perItem.oursSeconds),
      slotToCreditP50: quantile(credits, 0.5),
      slotToCreditP99: quantile(credits, 0.99),
      rounds: rounds.map((each) => [each.bareSeconds, each.oursSeconds, each.slotToCreditSeconds]),
    };
  } finally {
    await durable.shutdown(5_000);
  }
}

/** One after the other, so that a machine that others use is as slow for both. */
async function round(pool: Bench['pool'], settlement: Settlement, n: number): Promise<Round> {
  const slot = Temporal.Instant.from(`${on}T09:00+09:00`).add({ minutes: 5 * n });
  const bare = await makeBatch(pool, { name: `B${n}`, day: on, captures, merchants });
  await pool.query('checkpoint');
  const bareSeconds = await bareSet(pool, bare, slot.add({ seconds: 1 }).toString());
  await makeBatch(pool, { name: `O${n}`, day: on, captures, merchants, poisoned });
  await pool.query('checkpoint');
  const began = Date.now();
  const { items, setAside } = await settlement.settle(slot, { who: 'bench' });
  const oursSeconds = (Date.now() - began) / 1000;
  const [cycle] = await query<{ credited: Date }>(
    pool,
    'select credited_at as credited from settlement_cycle where slot = $1',
    [slot.toString()],
  );
  const slotToCreditSeconds = ((cycle?.credited.getTime() ?? 0) - began) / 1000;
  const steps = await listSteps(pool, `settle:${formatSlot(slot)}`);
  process.stderr.write(
    `${formatSlot(slot)}: ${items} items, ${setAside} set aside; bare ${bareSeconds.toFixed(2)} s, ours ${oursSeconds} s (${steps
      .map(
        ({ name, startedAt, completedAt }) =>
          `${name} ${completedAt?.since(startedAt ?? completedAt).total('milliseconds')}`,
      )
      .join(', ')})\n`,
  );
  const sample = Number(values['per-item-sample']);
  const few = await makeBatch(pool, { name: `P${n}`, day: on, captures: sample * 2, merchants });
  const rate = await perItemRate(pool, few, sample, slot.add({ seconds: 2 }).toString());
  await pool.query('update capture_arrival set taken_by = $2 where import_id = $1', [few, 'per item']);
  return { bareSeconds, oursSeconds, slotToCreditSeconds, perItemRate: rate };
}

/** Days before the measured one, settled by the product itself. */
async function liveThrough(pool: Bench['pool'], settlement: Settlement, days: number): Promise<void> {
  for (let back = days; back >= 1; back -= 1) {
    const day = Temporal.PlainDate.from(on).subtract({ days: back }).toString();
    await makeBatch(pool, { name: `H${back}x`, day, captures: Number(values['history-captures']), merchants });
    await settlement.settle(Temporal.Instant.from(`${day}T12:00+09:00`), { who: 'bench' });
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] as number;
}
