import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Pool } from '../../src/platform/database/pool.ts';
import { draw, drawBase } from '../../src/sandbox/draw.ts';
import type { ChaosWorker } from './chaos-clock.ts';

const worker = path.join(import.meta.dirname, 'chaos-worker.fixture.ts');
const frozenMs = 2_500;

export type CrewOptions = {
  readonly seed: string;
  readonly workers: number;
  /** A worker is killed, or worse, about so often. */
  readonly killEveryMs: number;
};

/** The processes: started, killed at random and started again, and what else befalls them. */
export function createCrew(pool: Pool, told: ChaosWorker, { seed, workers, killEveryMs }: CrewOptions) {
  const children: ChildProcess[] = [];
  const deaths: string[] = [];
  const base = drawBase(seed, 'chaos');
  let [kills, isOver] = [0, false];
  const begin = async (n: number): Promise<void> => {
    if (isOver) return;
    const child = spawn(process.execPath, [worker, JSON.stringify(told)], { stdio: ['ignore', 'pipe', 'pipe'] });
    children[n] = child;
    let errors = '';
    child.once('exit', (status) => {
      if (status !== null) deaths.push(`a worker ended by itself: ${errors.slice(0, 2_000)}`);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString('utf8');
    });
    const ended = once(child, 'exit');
    await Promise.race([once(child.stdout as NonNullable<typeof child.stdout>, 'data'), ended]);
  };
  const kill = async (n: number): Promise<void> => {
    const child = children[n];
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  /** So long that its work is taken over; then it goes on where it was, and must not. */
  const freeze = async (n: number): Promise<void> => {
    children[n]?.kill('SIGSTOP');
    await wait(frozenMs);
    children[n]?.kill('SIGCONT');
  };
  return {
    kills: () => kills,
    start: async () => void (await Promise.all(Array.from({ length: workers }, (_, n) => begin(n)))),
    async killUntil(isEnough: () => boolean): Promise<void> {
      const starting: Promise<void>[] = [];
      while (!isEnough()) {
        await wait(killEveryMs / 2 + (draw(base, kills, 0) % killEveryMs));
        const n = draw(base, kills, 1) % workers;
        // Now and then while it is still starting.
        if (kills % 3 !== 0) await Promise.all(starting.splice(0));
        kills += 1;
        if (kills % 4 === 0) await freeze(n);
        else if (kills % 7 === 0) await cutConnections(pool);
        else {
          await kill(n);
          starting.push(begin(n));
        }
      }
      await Promise.all(starting);
    },
    /** Processes that ended without being killed. */
    deaths: () => deaths,
    async stop(): Promise<void> {
      isOver = true;
      await Promise.all(children.map((_, n) => kill(n)));
    },
  };
}

/** As when the database's server is restarted: what was under way fails, whoever was connected connects anew. */
async function cutConnections(pool: Pool): Promise<void> {
  await pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
        and application_name not like 'test%' and application_name <> 'bench'`,
  );
}
