// A process that pays out, to be killed at a step of a transfer. It says `ready`, and ends when its input does.
import { createInterface } from 'node:readline';
import { openCipher } from '../platform/cipher.ts';
import { createPool, type PoolClient } from '../platform/database/pool.ts';
import { createDurable } from '../platform/durable/durable.ts';
import { createJournalBank } from './payout.fixture.ts';
import { registerPayouts } from './workflow.ts';

/** `claimed`: before the run begins; `noted`: committed, and the engine does not know of it. */
export type DeathAt = 'claimed' | 'before_storing' | 'stored' | 'moved' | 'answered' | 'noted';

const { DATABASE_URL: databaseUrl = '', CIPHER_HOME: home = '', DIE_AT: dieAt, LATENCY_MS: latency } = process.env;
const die = () => process.kill(process.pid, 'SIGKILL');
const dieIf = (at: DeathAt) => {
  if (dieAt === at) die();
};
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

const pool = createPool(databaseUrl, { applicationName: 'payout worker', max: 6 });
pool.on('connect', interfere);

/** Dies around the statements of a transfer. */
function interfere(client: PoolClient) {
  const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
  let notes = false;
  const interfered = async (...args: unknown[]) => {
    const sql = typeof args[0] === 'string' ? args[0] : '';
    const stores = sql.includes("set state = 'sent'");
    notes ||= sql.includes('set state = c.to_state');
    if (stores) dieIf('before_storing');
    const answer = await query(...args);
    if (sql.includes('claim_payouts') && (answer as { rows: unknown[] }).rows.length > 0) dieIf('claimed');
    if (stores) dieIf('stored');
    if (sql === 'commit' && notes) dieIf('noted');
    return answer;
  };
  // The pool itself queries with a callback, and gets its answer as it is used to.
  const either = (...args: unknown[]) => {
    const callback = args.at(-1);
    if (typeof callback !== 'function') return interfered(...args);
    interfered(...args.slice(0, -1)).then(
      (answer) => callback(null, answer),
      (error: unknown) => callback(error),
    );
    return undefined;
  };
  Object.assign(client, { query: either });
}

const bankPool = createPool(databaseUrl, { applicationName: 'journal bank', max: 4 });
const bank = createJournalBank(bankPool);
bank.mood = () => ({ latencyMs: Number(latency ?? '0'), moved: () => dieIf('moved') });
const { transfer } = bank;
bank.transfer = async (order) => {
  await bankPool.query('insert into bank_flight (delta) values (1)');
  const answer = await transfer(order);
  await bankPool.query('insert into bank_flight (delta) values (-1)');
  dieIf('answered');
  return answer;
};

const cipher = await openCipher({ home });
const durable = createDurable({ databaseUrl, pool, log, frozenAfterMs: 1_500 });
const payouts = registerPayouts(durable, { pool, log, banks: [bank], cipher, now: () => Temporal.Now.instant() });
await durable.launch();
await payouts.dispatcher.start();
process.stdout.write('ready\n');

for await (const _ of createInterface({ input: process.stdin })) {
  // Told to end, in order.
  await payouts.dispatcher.stop();
  await durable.shutdown(10_000);
  await bankPool.end();
  await pool.end();
  process.stdout.write('ended\n');
  break;
}
