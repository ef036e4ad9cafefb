import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { createPool, type Pool } from '../database/pool.ts';
import { decodeCheckpoint } from './checkpoint.ts';
import { type Server, startServer } from './server.fixture.ts';
import type { Command, Report } from './worker.fixture.ts';

type Worker = {
  process: ChildProcess;
  executorId: string;
  tell(command: Command): void;
  heard(is: Report['is']): Report[];
};

const workerFile = fileURLToPath(new URL('./worker.fixture.ts', import.meta.url));

let server: Server;
let databaseUrl: string;
let pool: Pool;
const workers: Worker[] = [];

beforeAll(async () => {
  server = await startServer();
  databaseUrl = server.url;
  pool = createPool(databaseUrl, { applicationName: 'test' });
  // No key: a row that is written twice is there twice.
  await pool.query('create table effect (run_id text, place int, executor text)');
});

afterEach(async () => {
  for (const worker of workers.splice(0)) {
    if (worker.process.exitCode !== null || worker.process.signalCode !== null) continue;
    worker.process.kill('SIGKILL');
    await once(worker.process, 'exit');
  }
});

afterAll(async () => {
  await pool.end();
  await server.stop();
});

async function startWorker(environment: Record<string, string> = {}): Promise<Worker> {
  const child = fork(workerFile, { env: { ...process.env, DATABASE_URL: databaseUrl, ...environment } });
  const reports: Report[] = [];
  child.on('message', (report: Report) => reports.push(report));
  const heard = (is: Report['is']) => reports.filter((report) => report.is === is);
  await eventually(() => expect(heard('ready')).toHaveLength(1));
  const [ready] = heard('ready');
  const executorId = ready?.is === 'ready' ? ready.executorId : '';
  const worker = { process: child, executorId, heard, tell: (command: Command) => void child.send(command) };
  workers.push(worker);
  return worker;
}

test('several processes may be the first on an empty database', async () => {
  await pool.query('create database empty');
  const empty = new URL(databaseUrl);
  empty.pathname = '/empty';
  const first = await Promise.all([1, 2, 3].map(() => startWorker({ DATABASE_URL: empty.href })));
  expect(new Set(first.map(({ executorId }) => executorId)).size).toBe(3);
});

async function rowsOf(prefix: string): Promise<{ run_id: string; place: number; executor: string }[]> {
  const { rows } = await pool.query('select * from effect where starts_with(run_id, $1) order by 1, 2', [prefix]);
  return rows;
}

async function stateOf(prefix: string): Promise<string[]> {
  const { rows } = await pool.query<{ status: string }>(
    'select status from dbos.workflow_status where starts_with(workflow_uuid, $1)',
    [prefix],
  );
  return rows.map(({ status }) => status);
}

const allDone = (prefix: string, runs: number) =>
  eventually(async () => expect(await stateOf(prefix)).toEqual(Array(runs).fill('SUCCESS')));

function everyPlaceOnce(prefix: string, runs: number, places: number): string[] {
  const ids = Array.from({ length: runs }, (_, run) => `${prefix}${run}`);
  return ids.flatMap((id) => Array.from({ length: places }, (_, place) => `${id} ${place}`));
}

const places = async (prefix: string) => (await rowsOf(prefix)).map(({ run_id, place }) => `${run_id} ${place}`);

describe('a row is written exactly once', () => {
  test('when the process is killed between the commit and the checkpoint of the engine', async () => {
    const killed = await startWorker({ AT_COMMIT: 'die' });
    killed.tell({ do: 'start', id: 'kill:0', places: 1 });
    const [, signal] = await once(killed.process, 'exit');
    expect(signal).toBe('SIGKILL');
    expect(await rowsOf('kill:')).toHaveLength(1);
    const { rows: known } = await pool.query(
      "select function_name from dbos.operation_outputs where workflow_uuid = 'kill:0'",
    );
    expect(known).toEqual([{ function_name: 'begin' }]);

    await startWorker();
    await allDone('kill:', 1);
    expect(await rowsOf('kill:')).toEqual([{ run_id: 'kill:0', place: 0, executor: killed.executorId }]);
  });

  test('when its owner is frozen in the transaction, taken over, and comes back', async () => {
    const frozen = await startWorker({ WAIT_INSIDE: 'yes' });
    frozen.tell({ do: 'start', id: 'freeze:0', places: 1 });
    await eventually(() => expect(frozen.heard('waiting inside the transaction')).toHaveLength(1));
    frozen.process.kill('SIGSTOP');

    const other = await startWorker();
    await allDone('freeze:', 1);
    frozen.process.kill('SIGCONT');
    frozen.tell({ do: 'go' });
    await eventually(() => expect(frozen.heard('ended')).toHaveLength(1));
    expect(frozen.heard('ended')).toEqual([{ is: 'ended', id: 'freeze:0', result: 1 }]);
    expect(await rowsOf('freeze:')).toEqual([{ run_id: 'freeze:0', place: 0, executor: other.executorId }]);
  });

  test('when its owner is frozen with the commit ready, and whoever took over has to wait for it', async () => {
    const frozen = await startWorker({ AT_COMMIT: 'freeze' });
    frozen.tell({ do: 'start', id: 'ready:0', places: 1 });
    const other = await startWorker();
    await eventually(async () => {
      const { rows } = await pool.query("select from pg_stat_activity where wait_event = 'transactionid'");
      expect(rows).toHaveLength(1);
    });
    frozen.process.kill('SIGCONT');
    await allDone('ready:', 1);
    expect(await rowsOf('ready:')).toEqual([{ run_id: 'ready:0', place: 0, executor: frozen.executorId }]);
    const { rows } = await pool.query("select executor_id from dbos.workflow_status where workflow_uuid = 'ready:0'");
    expect(rows).toEqual([{ executor_id: other.executorId }]);
  });

  test('when one of two workers is killed under load', async () => {
    const [killed, other] = [await startWorker(), await startWorker()];
    for (let run = 0; run < 8; run += 1) {
      (run % 2 ? killed : other).tell({ do: 'start', id: `two:${run}`, places: 25 });
    }
    await eventually(async () => expect((await rowsOf('two:')).length).toBeGreaterThan(40));
    killed.process.kill('SIGKILL');
    const killedAt = performance.now();
    const { rows } = await pool.query<{ runs: number }>(
      "select count(*)::int as runs from dbos.workflow_status where status = 'PENDING' and executor_id = $1",
      [killed.executorId],
    );
    expect(rows[0]?.runs).toBeGreaterThan(0);
    await allDone('two:', 8);
    expect(performance.now() - killedAt).toBeLessThan(30_000);
    expect(await places('two:')).toEqual(everyPlaceOnce('two:', 8, 25));
  });

  test('when its process is told to end before it is through, and another goes on with it', async () => {
    const [ending, other] = [await startWorker(), await startWorker()];
    ending.tell({ do: 'start', id: 'end:0', places: 200 });
    await eventually(async () => expect((await rowsOf('end:')).length).toBeGreaterThan(20));
    ending.tell({ do: 'end', timeoutMs: 50 });
    const [status] = await once(ending.process, 'exit');
    expect(status).toBe(0);
    await allDone('end:', 1);
    expect(await places('end:')).toEqual(everyPlaceOnce('end:', 1, 200));
    expect((await rowsOf('end:')).at(-1)?.executor).toBe(other.executorId);
  });

  test('when PostgreSQL is restarted under load', async () => {
    const two = [await startWorker(), await startWorker()];
    for (let run = 0; run < 6; run += 1) two[run % 2]?.tell({ do: 'start', id: `restart:${run}`, places: 40 });
    await eventually(async () => expect((await rowsOf('restart:')).length).toBeGreaterThan(40));
    expect(await stateOf('restart:')).toContain('PENDING');
    await server.restart();
    await eventually(async () => expect(await stateOf('restart:')).toEqual(Array(6).fill('SUCCESS')));
    expect(await places('restart:')).toEqual(everyPlaceOnce('restart:', 6, 40));
    for (const worker of two) {
      await eventually(() => {
        worker.tell({ do: 'health' });
        expect(worker.heard('health').at(-1)).toEqual({ is: 'health', healthy: true });
      });
    }
  });
});

describe('a run that sleeps until an instant', () => {
  const anHour = '3600000';
  const napping = (id: string) =>
    eventually(async () => {
      const { rows } = await pool.query<{ output: string }>(
        "select output from dbos.operation_outputs where workflow_uuid = $1 and function_name = 'nap'",
        [id],
      );
      expect(rows).toHaveLength(1);
      return rows[0]?.output ?? '';
    });

  test('goes on waiting for the same instant when its process is killed', async () => {
    const killed = await startWorker({ NAP_MS: '3000' });
    killed.tell({ do: 'nap', id: 'nap:killed' });
    const until = await napping('nap:killed');
    killed.process.kill('SIGKILL');
    // Started over it would sleep for an hour.
    const other = await startWorker({ NAP_MS: anHour });
    await allDone('nap:killed', 1);
    expect(await rowsOf('nap:killed')).toEqual([{ run_id: 'nap:killed', place: 0, executor: other.executorId }]);
    expect(await napping('nap:killed')).toBe(until);
    const woken = await pool.query<{ ms: bigint }>(
      "select completed_at as ms from dbos.workflow_status where workflow_uuid = 'nap:killed'",
    );
    expect(Number(woken.rows[0]?.ms)).toBeGreaterThanOrEqual(
      Temporal.Instant.from(decodeCheckpoint(until)).epochMilliseconds,
    );
  });

  test('is not waited for when its process is told to end, and sleeps on in another', async () => {
    const ending = await startWorker({ NAP_MS: anHour });
    ending.tell({ do: 'nap', id: 'nap:ending' });
    await napping('nap:ending');
    ending.tell({ do: 'end', timeoutMs: 3_600_000 });
    const [status] = await once(ending.process, 'exit');
    expect(status).toBe(0);
    expect(await stateOf('nap:ending')).toEqual(['PENDING']);
    const other = await startWorker({ NAP_MS: '0' });
    await eventually(async () => {
      const { rows } = await pool.query(
        "select executor_id from dbos.workflow_status where workflow_uuid = 'nap:ending'",
      );
      expect(rows).toEqual([{ executor_id: other.executorId }]);
    });
    expect(await rowsOf('nap:ending')).toEqual([]);
  });
});
