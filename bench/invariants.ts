/**
 * `npm run bench -- invariants [--runs 100] [--seed N] [--json]`: random histories of a gateway, as in
 * test/simulation/ledger-invariants.test.ts, until one breaks an invariant; ends with 1 then, and names the seed.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { openCipher } from '../src/platform/cipher.ts';
import { migrate } from '../src/platform/database/migrate.ts';
import { createPool, type Pool } from '../src/platform/database/pool.ts';
import { brokenBy } from '../test/support/history-verdict.ts';
import { randomHistory } from '../test/support/random-history.ts';
import { onServer } from './harness.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    json: { type: 'boolean', default: false },
  },
});

await onServer(2, async ({ url, pool, home }) => {
  const cipher = await openCipher({ home });
  const startedAt = performance.now();
  const open = async <T>(name: string, template: string, work: (own: { url: string; pool: Pool }) => Promise<T>) => {
    await pool.query(`create database ${name} template ${template}`);
    const address = Object.assign(new URL(url), { pathname: `/${name}` });
    const own = createPool(address.href, { applicationName: name });
    try {
      return await work({ url: address.href, pool: own });
    } finally {
      await own.end();
    }
  };
  await open('empty_history', 'template1', (own) => migrate(own.pool));
  let histories = 0;
  const property = fc.asyncProperty(randomHistory, async (history) => {
    histories += 1;
    const name = `history_${histories}`;
    try {
      const broken = await open(name, 'empty_history', (own) => brokenBy(own, cipher, history));
      if (broken.length > 0) throw new Error(broken.join('\n'));
    } finally {
      await pool.query(`drop database ${name} with (force)`);
    }
  });
  const seed = Number(values.seed);
  const outcome = await fc.check(property, { seed, numRuns: Number(values.runs), endOnFailure: true });
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const result = { runs: outcome.numRuns, seed, seconds, failed: outcome.failed };
  const fault = outcome.failed ? `\n${fc.defaultReportMessage(outcome) ?? ''}` : '';
  process.stdout.write(
    values.json ? `${JSON.stringify(result)}\n` : `${result.runs} histories, seed ${seed}, ${seconds} s${fault}\n`,
  );
  if (outcome.failed) process.exitCode = 1;
});
