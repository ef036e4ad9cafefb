/**
 * `npm run bench -- chaos [--slots 12] [--slot-ms 2500] [--workers 2] [--kill-ms 1500] [--sales 150] [--seed N] [--json]`:
 * test/simulation/chaos-hour.test.ts for as long as wanted. Prints what happened; ends with 1 where the books are wrong.
 */
import { parseArgs } from 'node:util';
import { liveChaos } from '../test/support/chaos.ts';
import { onServer } from './harness.ts';

const { values } = parseArgs({
  options: {
    slots: { type: 'string', default: '12' },
    'slot-ms': { type: 'string', default: '2500' },
    workers: { type: 'string', default: '2' },
    'kill-ms': { type: 'string', default: '1500' },
    sales: { type: 'string', default: '150' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    json: { type: 'boolean', default: false },
  },
});

await onServer(6, async ({ url, pool, home }) => {
  const outcome = await liveChaos({ url, pool }, home, {
    seed: values.seed,
    slots: Number(values.slots),
    slotMs: Number(values['slot-ms']),
    workers: Number(values.workers),
    killEveryMs: Number(values['kill-ms']),
    sales: Number(values.sales),
    endWithinMs: 60_000,
  });
  const result = { seed: values.seed, ...outcome };
  process.stdout.write(`${JSON.stringify(result, null, values.json ? 0 : 2)}\n`);
  if (outcome.broken.length > 0) process.exitCode = 1;
});
