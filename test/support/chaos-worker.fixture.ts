// A process that settles and pays out by itself under a clock that runs fast, to be killed at any moment.
import { settleJob } from '../../src/operations/capability-jobs-workflow.ts';
import { collectJobs } from '../../src/operations/job.ts';
import { defaultSchedules } from '../../src/operations/schedule-defaults.ts';
import { seedSchedules } from '../../src/operations/schedule-store.ts';
import { startScheduler, worldPorts } from '../../src/operations/scheduler.ts';
import { openBanks } from '../../src/payout/banks/registry.ts';
import { registerPayouts } from '../../src/payout/workflow.ts';
import { openCipher } from '../../src/platform/cipher.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { createDurable } from '../../src/platform/durable/durable.ts';
import { createHttpClient } from '../../src/platform/http-client.ts';
import { Secret } from '../../src/platform/secret.ts';
import { registerSettlement } from '../../src/settlement/workflow.ts';
import { type ChaosWorker, fastClock } from './chaos-clock.ts';

const given = JSON.parse(process.argv[2] ?? '{}') as ChaosWorker;
const now = fastClock(given.clock);
/** In our time a second may be over in a few milliseconds: nobody need look at the database as often as that. */
const leastWaitMs = 50;
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const pool = createPool(given.databaseUrl, { applicationName: 'chaos worker', max: 8 });
const cipher = await openCipher({ home: given.home });
const address = { ...given.bank, secret: new Secret(given.secret) };
const { banks } = openBanks({ 'json-van': address }, createHttpClient);
const durable = createDurable({
  databaseUrl: given.databaseUrl,
  pool,
  log,
  frozenAfterMs: 1_500,
  takeOverEveryMs: 100,
});
const payouts = registerPayouts(durable, { pool, log, banks, cipher, now });
const afterCredit = payouts.createDirect;
const settlement = registerSettlement(durable, { pool, log: log as never, now, afterCredit });
await durable.launch();
await payouts.dispatcher.start();
const jobs = collectJobs([settleJob({ settlement })]);
await seedSchedules(pool, jobs, defaultSchedules(jobs, []), now());
startScheduler({
  ...worldPorts,
  pool,
  log,
  jobs,
  executorId: durable.executorId,
  now,
  // The database is in our time, not in the world's.
  databaseNow: async () => now(),
  monotonicMs: () => now().epochMilliseconds,
  timer: (afterMs, ring) => worldPorts.timer(Math.max(leastWaitMs, afterMs / given.clock.speed), ring),
  noteClock: async () => {},
  resumed: async () => {},
});
process.stdout.write('ready\n');
