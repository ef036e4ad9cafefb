import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';
import { countsOf, createRunObserver, metricStep } from './run-observer.ts';

test.each([
  ['load', 'load'],
  ['match 2026-11-20', 'match'],
  ['settle-3', 'settle'],
  ['apply 12 1/2', 'apply'],
  ['deposits of ksnet', 'deposits'],
  ['7', 'step'],
])('the step %s is measured as %s', (name, expected) => {
  expect(metricStep(name)).toBe(expected);
});

test('a step counts its whole numbers, and no identity, day or amount', () => {
  expect(
    countsOf({ lines: 12, breaks: 3, id: 7, statementId: 8, part: 2, netWon: 1_000_000, share: 0.5, on: '2026-11-20' }),
  ).toEqual({ lines: 12, breaks: 3 });
  expect(countsOf([1, 2])).toEqual({});
  expect(countsOf(null)).toEqual({});
});

test('what ran is in the metrics, with its outcome and its counts', async () => {
  const metrics = createMetrics();
  const observer = createRunObserver(metrics);
  await observer.run('reconcile', 'reconcile:2026-11-20:1', () =>
    observer.step('reconcile', 'load 7', async () => ({ lines: 12, loadId: 7 })),
  );
  await expect(
    observer.run('settle', 'settle:x', async () => {
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  const { body } = await metrics.text();
  expect(body).toMatch(/^jeongsan_run_duration_seconds_count\{job="reconcile",outcome="done"\} 1$/m);
  expect(body).toMatch(/^jeongsan_run_duration_seconds_count\{job="settle",outcome="failed"\} 1$/m);
  expect(body).toMatch(/^jeongsan_step_duration_seconds_count\{job="reconcile",step="load",outcome="done"\} 1$/m);
  expect(body).toMatch(/^jeongsan_rows_total\{job="reconcile",step="load",what="lines"\} 12$/m);
  expect(body).not.toContain('loadId');
});

test('the database is asked once in ten seconds, and what it does not say is not there', async () => {
  let nowMs = 0;
  let asked = 0;
  const metrics = createMetrics(() => nowMs);
  metrics.ask([{ name: 'jeongsan_breaks', help: 'x', labels: ['provider'] }], async () => {
    asked += 1;
    if (asked === 2) throw new Error('away');
    return new Map([['jeongsan_breaks', [{ labels: { provider: 'ksnet' }, value: 3 }]]]);
  });
  expect((await metrics.text()).body).toMatch(/^jeongsan_breaks\{provider="ksnet"\} 3$/m);
  nowMs = 9_999;
  await metrics.text();
  expect(asked).toBe(1);
  nowMs = 10_000;
  const away = (await metrics.text()).body;
  expect(away).toMatch(/^jeongsan_database_metrics_failed 1$/m);
  expect(away).not.toMatch(/^jeongsan_breaks\{/m);
  nowMs = 20_000;
  expect((await metrics.text()).body).toMatch(/^jeongsan_database_metrics_failed 0$/m);
});
