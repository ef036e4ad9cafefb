import { z } from 'zod';
import { serveRoutes } from '../../../test/support/served-routes.ts';
import { createPool } from '../database/pool.ts';
import { createProofOfLife } from '../durable/proof-of-life.ts';
import { createLog } from '../log.ts';
import { route } from './route.ts';

/**
 * A server whose one act writes a row and then, asked to `die`, is killed before it can answer; asked to `break` it
 * throws what nobody expects, and asked to `hang` it says so and never answers. Prints its URL.
 */
const [databaseUrl = '', holder = ''] = process.argv.slice(2);
const log = createLog({ logLevel: 'silent' });
const pool = createPool(databaseUrl, { applicationName: holder });
const proof = createProofOfLife({ databaseUrl, executorId: holder, frozenAfterMs: 60_000, log });
await proof.query('select 1', []);
const write = route({
  id: 'write',
  method: 'post',
  path: '/write',
  tag: 'rows',
  summary: { ko: '쓰기', en: 'Write' },
  permission: 'act',
  body: z.object({ afterwards: z.enum(['answer', 'break', 'die', 'hang']) }),
  answer: z.object({}),
  async handle({ body }) {
    await pool.query('insert into written (by) values ($1)', [holder]);
    if (body.afterwards === 'break') throw new Error('a bug after the row was written');
    if (body.afterwards === 'die') process.kill(process.pid, 'SIGKILL');
    if (body.afterwards !== 'answer') {
      process.stdout.write('inside\n');
      await new Promise(() => {});
    }
    return {};
  },
});
const api = await serveRoutes([write], { pool, holder });
process.stdout.write(`${api.url}\n`);
