// A process to be killed, frozen and cut off by crash.test.ts. It speaks over the IPC channel of `fork`.
import { createPool, type PoolClient } from '../database/pool.ts';
import type { Handle } from './durable.ts';
import { createDurable } from './durable.ts';
import { sleepUntil } from './sleep.ts';
import { runId, step, transaction } from './step.ts';

export type Command =
  | { do: 'start'; id: string; places: number }
  | { do: 'nap'; id: string }
  | { do: 'go' }
  | { do: 'end'; timeoutMs: number }
  | { do: 'health' };
export type Report =
  | { is: 'ready'; executorId: string }
  | { is: 'waiting inside the transaction' }
  | { is: 'ended'; id: string; result: unknown; error: string | undefined }
  | { is: 'health'; healthy: boolean };

const { DATABASE_URL: databaseUrl = '', AT_COMMIT: atCommit, WAIT_INSIDE: waitInside, NAP_MS: napMs } = process.env;
const frozenAfterMs = 1_500;
const say = (report: Report) => process.send?.(report);

const pool = createPool(databaseUrl, { applicationName: 'worker' });
if (atCommit) pool.on('connect', (client) => interfere(client, atCommit));

/** Dies the moment PostgreSQL has confirmed a commit, before the engine hears of it; or freezes with the commit ready. */
function interfere(client: PoolClient, signal: string) {
  const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
  const interfered = async (...args: unknown[]) => {
    if (args[0] === 'commit' && signal === 'freeze') process.kill(process.pid, 'SIGSTOP');
    const answer = await query(...args);
    if (args[0] === 'commit' && signal === 'die') process.kill(process.pid, 'SIGKILL');
    return answer;
  };
  Object.assign(client, { query: interfered });
}

let go = () => {};
const told = new Promise<void>((resolve) => {
  go = resolve;
});

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const durable = createDurable({ databaseUrl, pool, log, frozenAfterMs });

const write = durable.register('write', async (places: number) => {
  await step('begin', async () => places);
  for (let place = 0; place < places; place += 1) {
    await transaction(`write ${place}`, async (tx) => {
      await tx.query('insert into effect (run_id, place, executor) values ($1, $2, $3)', [
        runId(),
        place,
        durable.executorId,
      ]);
      if (!waitInside) return;
      say({ is: 'waiting inside the transaction' });
      await told;
    });
  }
  await step('end', async () => places);
  return places;
});

/** Each execution names another instant: the first one counts. */
const nap = durable.register('nap', async () => {
  await sleepUntil(Temporal.Now.instant().add({ milliseconds: Number(napMs) }), 'nap');
  await transaction('wake', (tx) =>
    tx.query('insert into effect values ($1, 0, $2)', [runId(), durable.executorId]).then(() => 1),
  );
});

function report({ id, result }: Handle<unknown>) {
  result().then(
    (value) => say({ is: 'ended', id, result: value, error: undefined }),
    (error: Error) => say({ is: 'ended', id, result: undefined, error: `${error.name}: ${error.message}` }),
  );
}

process.on('message', async (command: Command) => {
  if (command.do === 'go') go();
  if (command.do === 'start') report(await durable.start(write, command.id, command.places));
  if (command.do === 'nap') await durable.start(nap, command.id);
  if (command.do === 'health') say({ is: 'health', healthy: durable.isHealthy() });
  if (command.do === 'end') {
    await durable.shutdown(command.timeoutMs);
    await pool.end();
    process.disconnect?.();
  }
});

await durable.launch();
say({ is: 'ready', executorId: durable.executorId });
