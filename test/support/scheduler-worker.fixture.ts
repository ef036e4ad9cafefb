// A node that starts slots and nothing else, to be killed and to be measured. Its argument is the database's address.
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { collectJobs, registerJob } from '../../src/operations/job.ts';
import { startScheduler, worldPorts } from '../../src/operations/scheduler.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { createDurable } from '../../src/platform/durable/durable.ts';
import { runId, transaction } from '../../src/platform/durable/step.ts';

const [databaseUrl = ''] = process.argv.slice(2);
/** The kill comes between the slot's row, which has been committed, and the start of its run. */
const diesBeforeStart = process.env['DIE_BEFORE_START'] === 'yes';
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

const pool = createPool(databaseUrl, { applicationName: 'scheduler worker', max: 8 });
const durable = createDurable({ databaseUrl, pool, log, frozenAfterMs: 2_000, takeOverEveryMs: 100 });
const words = { ko: '세기', en: 'count' };
// No key: a slot that is run twice is there twice.
const counting = registerJob(durable, { name: 'count', words, parameters: z.object({}) }, ({ slot }) =>
  transaction('count', async (tx) => {
    await tx.query('insert into effect (run_id, slot, executor) values ($1, $2, $3)', [
      runId(),
      slot.toString(),
      durable.executorId,
    ]);
    return 1;
  }),
);
const job: typeof counting = {
  ...counting,
  async start(id, call) {
    if (diesBeforeStart) process.kill(process.pid, 'SIGKILL');
    return await counting.start(id, call);
  },
};
await durable.launch();
const scheduler = startScheduler({
  ...worldPorts,
  pool,
  log,
  jobs: collectJobs([job]),
  executorId: durable.executorId,
  noteClock: async () => {},
  resumed: async () => {},
});
process.stdout.write(`${durable.executorId}\n`);
for await (const line of createInterface({ input: process.stdin })) if (line === 'stop') break;
await scheduler.stop();
await durable.shutdown(5_000);
await pool.end();
process.stdout.write('stopped\n');
