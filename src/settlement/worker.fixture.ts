// A process that settles the slots of its arguments, to be killed by killed-settlement.test.ts. Prints what each came to.
import { createPool, type PoolClient } from '../platform/database/pool.ts';
import { createDurable } from '../platform/durable/durable.ts';
import { parseSlot } from './slot.ts';
import { registerSettlement } from './workflow.ts';

const { DATABASE_URL: databaseUrl = '', DIE_BEFORE: dieBefore = '0', DIE_AFTER: dieAfter = '0' } = process.env;
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet } as never;

const pool = createPool(databaseUrl, { applicationName: 'worker' });
const counted = { statements: 0, counting: false };
pool.on('connect', interfere);

/** Dies before the n-th statement of its own slot is sent, or the moment that PostgreSQL has answered it. */
function interfere(client: PoolClient): void {
  const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
  const interfered = async (...args: unknown[]) => {
    if (counted.counting) counted.statements += 1;
    const { statements } = counted;
    if (counted.counting && statements === Number(dieBefore)) process.kill(process.pid, 'SIGKILL');
    const answer = await query(...args);
    if (counted.counting && statements === Number(dieAfter)) process.kill(process.pid, 'SIGKILL');
    return answer;
  };
  // The pool's own `query` calls with a callback and is left alone: it is not what is killed here.
  const own = (...args: unknown[]) =>
    typeof args.at(-1) === 'function' ? (query(...args) as never) : interfered(...args);
  Object.assign(client, { query: own });
}

const durable = createDurable({ databaseUrl, pool, log, frozenAfterMs: 2_000, takeOverEveryMs: 50 });
const settlement = registerSettlement(durable, {
  pool,
  log,
  now: () => Temporal.Instant.from('2026-11-21T00:00:00+09:00'),
  afterCredit: async (tx, { slot }) => {
    const { rowCount } = await tx.query('insert into paid_after (slot) values ($1)', [slot]);
    return rowCount ?? 0;
  },
});
await durable.launch();
const slots = process.argv.slice(2);
for (const [n, text] of slots.entries()) {
  counted.counting = n === slots.length - 1;
  const { state, items } = await settlement.settle(parseSlot(text) as Temporal.Instant, { who: 'test' });
  process.stdout.write(`${text} ${state} ${items} ${counted.statements}\n`);
}
await durable.shutdown(5_000);
await pool.end();
