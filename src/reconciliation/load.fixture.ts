import { setTimeout as wait } from 'node:timers/promises';
import { openArchive } from '../platform/archive.ts';
import { createPool } from '../platform/database/pool.ts';
import { loadStatement } from './load.ts';

/** A process that loads a statement, stops at the named moment, says so, and waits to be killed. */
const [url = '', folder = '', statementId = '', stopAt = ''] = process.argv.slice(2);
const forever = 2 ** 31 - 1;
const chunksBeforeStop = 20;

const kept = openArchive(folder);
const archive = {
  ...kept,
  async *read(...what: Parameters<typeof kept.read>) {
    let chunks = 0;
    for await (const chunk of kept.read(...what)) {
      yield chunk;
      chunks += 1;
      if (stopAt === 'copying' && chunks === chunksBeforeStop) await stop();
    }
  },
};

async function stop(): Promise<void> {
  process.stdout.write(`${stopAt}\n`);
  await wait(forever);
}

const pool = createPool(url, { applicationName: 'load-fixture' });
await loadStatement({ pool, archive, statementId: Number(statementId) });
await stop();
