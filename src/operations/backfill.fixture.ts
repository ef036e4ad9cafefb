// A process that carries out backfills of the job `count`, and is told on which day to stop in the middle. It says
// `ready`, `at <day>` when it has come there, and `over <id>` when the backfill that it began is through.
import { z } from 'zod';
import { Problem } from '../kernel/problem.ts';
import { createPool } from '../platform/database/pool.ts';
import { createDurable } from '../platform/durable/durable.ts';
import { step, transaction } from '../platform/durable/step.ts';
import { registerBackfills } from './backfill-workflow.ts';
import { collectJobs, type Jobs, registerJob } from './job.ts';

const { DATABASE_URL: databaseUrl = '', STOP_ON: stopOn, FAIL_ON: failOn, START: start } = process.env;
const say = (text: string) => void process.stdout.write(`${text}\n`);
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

const pool = createPool(databaseUrl, { applicationName: 'backfill' });
const durable = createDurable({ databaseUrl, pool, log });
const parameters = z.strictObject({ daysBack: z.number().int().default(1) });
const job = registerJob(
  durable,
  { name: 'count', words: { ko: '세기', en: 'count' }, parameters },
  async ({ on, parameters: { daysBack } }) => {
    const day = on.subtract({ days: daysBack }).toString();
    await transaction('write', (tx) => tx.query('insert into effect values ($1)', [day]).then(() => 1));
    await step('work', async () => {
      if (day === failOn) throw new Problem('not_found', { what: 'file', id: day });
      if (day !== stopOn) return;
      say(`at ${day}`);
      await new Promise(() => {});
    });
    return { days: 1 };
  },
);
const jobs: Jobs = collectJobs([job]);
const backfills = registerBackfills(durable, { pool, jobs: () => jobs, now: () => Temporal.Now.instant() });
await durable.launch();
say('ready');
if (start !== undefined) {
  const { id, result } = await backfills.start(JSON.parse(start));
  say(`id ${id}`);
  result().then(() => say(`over ${id}`), quiet);
}
process.stdin.resume();
