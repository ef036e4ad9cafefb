import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProcess, type TestProcess } from '../../test/support/processes.ts';
import { createActiveWork } from './active-work.ts';

const fixture = join(import.meta.dirname, 'shutdown.fixture.ts');

async function until(process: TestProcess, message: string): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = [];
  while (lines.at(-1)?.['msg'] !== message) lines.push(JSON.parse(await process.line()) as Record<string, unknown>);
  return lines;
}

describe('a process that is asked to end', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: finishes what runs, closes in order, ends by itself',
    async (signal) => {
      const server = runProcess(fixture, []);
      const [started] = await until(server, 'started');
      expect(started?.['active']).toEqual([{ name: 'reconcile:2026-11-20:1', sinceMs: expect.any(Number) }]);
      server.kill(signal);
      const lines = await until(server, 'shut down');
      expect(lines.map((line) => line['closed'] ?? line['closer'] ?? line['msg'])).toEqual([
        'shutting down',
        'http',
        'broken',
        'database closed',
        'database',
        'shut down',
      ]);
      expect(lines[0]).toMatchObject({ reason: signal, active: [{ name: 'reconcile:2026-11-20:1' }] });
      expect(lines.at(-1)).toMatchObject({ active: [] });
      expect(await server.ended).toBe(0);
    },
  );

  test('work that does not end in time is named, and everything is closed all the same', async () => {
    const server = runProcess(fixture, ['stubborn', '100']);
    await until(server, 'started');
    server.kill('SIGTERM');
    const lines = await until(server, 'shut down');
    expect(lines.find((line) => String(line['msg']).startsWith('still active'))).toMatchObject({
      active: [{ name: 'reconcile:2026-11-20:1' }],
    });
    expect(await server.ended).toBe(0);
  });

  test('a second signal ends it at once', async () => {
    const server = runProcess(fixture, ['stubborn']);
    await until(server, 'started');
    server.kill('SIGTERM');
    await until(server, 'shutting down');
    server.kill('SIGTERM');
    await until(server, 'second signal: ending now');
    expect(await server.ended).toBe(143);
  });

  test('a shutdown that hangs is ended by its limit', async () => {
    const server = runProcess(fixture, ['hanging', '50', '300']);
    await until(server, 'started');
    server.kill('SIGTERM');
    await until(server, 'shutdown took too long: ending now');
    expect(await server.ended).toBe(1);
  });
});

describe('active work', () => {
  test('is listed by name and age, oldest first, until it ends', () => {
    let now = 0;
    const active = createActiveWork(() => now);
    const first = active.begin('import');
    now = 500;
    active.begin('match');
    expect(active.list()).toEqual([
      { name: 'import', sinceMs: 500 },
      { name: 'match', sinceMs: 0 },
    ]);
    first.end();
    first.end();
    expect(active.list()).toEqual([{ name: 'match', sinceMs: 0 }]);
  });

  test('is awaited until the last has ended, or the time is up', async () => {
    const active = createActiveWork();
    expect(await active.whenIdle(0)).toBe(true);
    const work = active.begin('import');
    expect(await active.whenIdle(1)).toBe(false);
    const idle = active.whenIdle(60_000);
    work.end();
    expect(await idle).toBe(true);
  });
});
