import { afterEach, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { type BreakKind, breakKinds } from '../../src/reconciliation/outcome.ts';
import {
  breaksAsJson,
  bringWorld,
  createInstallation,
  type Installation,
  reconcileDay,
} from '../support/installation.ts';
import { differenceText, type ScoredBreak, score } from '../support/score.ts';

const from = Temporal.PlainDate.from('2026-11-18');
const world = { days: 3, payments: 1500, breaks: 2, from };

let installation: Installation | undefined;
let app: App | undefined;

afterEach(async () => {
  await app?.close();
  await installation?.close();
  app = undefined;
  installation = undefined;
});

async function begin(spec: typeof world & { seed: string }) {
  installation = await createInstallation();
  const made = await bringWorld(installation, spec);
  app = await installation.open();
  return { ...made, app, installation };
}

/** What the truth says a stage of a day must count, by kind; timing with it. */
function countsOf(truth: readonly ScoredBreak[]): string[] {
  const counts = new Map<string, number>();
  for (const { provider, stage, on, kind } of truth) {
    const key = `${on} ${provider} ${stage} ${kind}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, count]) => `${key} ${count}`).sort();
}

describe.each(['1', '2', '3', '4', '5', '6', '7', '8'])('seed %s', (seed) => {
  test('every planted difference is found, named and measured, and nothing else', async () => {
    const { app, days, truth } = await begin({ ...world, seed });
    for (const on of days) await reconcileDay(app, on);
    const result = score(await breaksAsJson(app), truth);
    expect(result.invented.map(differenceText)).toEqual([]);
    expect(result.missed.map(differenceText)).toEqual([]);
    expect(result.timingAsBreaks).toEqual([]);
    for (const kind of Object.values(result.kinds)) expect(kind).toMatchObject({ precision: 1, recall: 1 });

    const counted: string[] = [];
    for (const on of days) {
      const day = await reconcileDay(app, on);
      expect(day.reasons).toEqual([]);
      expect(day.outcome).toBe('complete');
      for (const { provider, stage, timing, breaks } of day.stages) {
        if (timing > 0) counted.push(`${on} ${provider} ${stage} timing ${timing}`);
        for (const kind of breakKinds) {
          const sum = breaks[kind as BreakKind];
          if (sum !== undefined) counted.push(`${on} ${provider} ${stage} ${kind} ${sum.count}`);
        }
      }
    }
    expect(counted.sort()).toEqual(countsOf(truth));
  });
});

test('a larger world, whose joins the planner sees with other eyes', async () => {
  const { app, days, truth } = await begin({ ...world, seed: '7', payments: 5000 });
  for (const on of days) await reconcileDay(app, on);
  expect(score(await breaksAsJson(app), truth)).toMatchObject({ invented: [], missed: [] });
});

test('the order of the days changes nothing, nor does running again', async () => {
  const { app, days, truth } = await begin({ ...world, seed: 'order' });
  for (const on of [...days].reverse()) await reconcileDay(app, on);
  for (const on of days) await reconcileDay(app, on);
  const first = (await breaksAsJson(app)).map(differenceText).sort();
  expect(score(await breaksAsJson(app), truth)).toMatchObject({ invented: [], missed: [] });
  for (const on of days) await reconcileDay(app, on);
  expect((await breaksAsJson(app)).map(differenceText).sort()).toEqual(first);
});
