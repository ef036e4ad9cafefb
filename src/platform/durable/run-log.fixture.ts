// A process that says something in a run and then dies of an error that nobody catches.
import { createPool } from '../database/pool.ts';
import { createLog } from '../log.ts';
import { createDurable } from './durable.ts';
import { step } from './step.ts';

const { DATABASE_URL: databaseUrl = '', SPILL: spillFolder = '' } = process.env;
const pool = createPool(databaseUrl, { applicationName: 'speaker' });
const log = createLog({ logLevel: 'error' });
const durable = createDurable({ databaseUrl, pool, log, spillFolder });
const dying = durable.register('dying', async () => {
  await step('speak', async () => {
    log.info({ rows: 7 }, 'said at the last');
    setImmediate(() => {
      throw new Error('nobody catches this');
    });
    await new Promise(() => {});
  });
});
await durable.launch();
await durable.start(dying, 'dying:1');
