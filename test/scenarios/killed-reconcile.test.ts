import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { drawBase, drawBelow } from '../../src/sandbox/draw.ts';
import { breaksAsJson, bringWorld, createInstallation, type Installation } from '../support/installation.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { score } from '../support/score.ts';

const cli = path.resolve(import.meta.dirname, '../../src/cli.ts');
const from = Temporal.PlainDate.from('2026-11-18');

/** `jeongsan reconcile --on DAY` in a process of its own. */
function reconcile({ home, db }: Installation, on: string): TestProcess {
  return runProcess(cli, ['reconcile', '--on', on, '--json'], { JEONGSAN_HOME: home, DATABASE_URL: db.url });
}

/** Waits until the process has told of so many steps, or has ended. */
async function toldSteps(process: TestProcess, steps: number): Promise<void> {
  let over = false;
  void process.ended.then(() => {
    over = true;
  });
  while (!over && process.errors().split('\n').length <= steps) await pause(2);
}

test.each(['a', 'b', 'c'])('killed at any moment and started again, a day comes out the same (%s)', async (seed) => {
  const installation = await createInstallation();
  try {
    const { days, truth } = await bringWorld(installation, { seed, days: 2, payments: 1200, breaks: 1, from });
    const base = drawBase('kills', seed);
    for (const [n, on] of days.entries()) {
      for (let kill = 0; kill < 3; kill += 1) {
        const doomed = reconcile(installation, on);
        await toldSteps(doomed, 1 + drawBelow(base, n * 3 + kill, 0, 16));
        doomed.kill('SIGKILL');
        await doomed.ended;
      }
      const last = reconcile(installation, on);
      expect(await last.ended, last.errors()).toBe(0);
    }
    const { rows } = await installation.db.pool.query<{ leftovers: bigint }>(
      `select count(*) as leftovers from dbos.workflow_status where status <> 'SUCCESS'`,
    );
    expect(rows[0]?.leftovers).toBe(0n);
    expect(score(await breaksAsJson(installation.db), truth)).toMatchObject({ invented: [], missed: [] });
  } finally {
    await installation.close();
  }
});

test('told to end, a reconciliation parks its run, and the next process goes on with it', async () => {
  const installation = await createInstallation();
  try {
    const { days, truth } = await bringWorld(installation, { seed: 'd', days: 2, payments: 1200, breaks: 1, from });
    for (const on of days) {
      const ended = reconcile(installation, on);
      await toldSteps(ended, 1);
      ended.kill('SIGINT');
      expect(await ended.ended).toBe(1);
      expect(ended.errors()).toContain(`reconcile:${on}:1`);
      const next = reconcile(installation, on);
      expect(await next.ended, next.errors()).toBe(0);
    }
    expect(score(await breaksAsJson(installation.db), truth)).toMatchObject({ invented: [], missed: [] });
  } finally {
    await installation.close();
  }
});
