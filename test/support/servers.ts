import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { repositoryRoot } from '../../src/platform/config.ts';
import type { Installation } from './installation.ts';
import { type AtEnd, runProcess, type TestProcess } from './processes.ts';

const cli = path.join(repositoryRoot, 'src/cli.ts');

/** A `jeongsan serve` of a test's own, on an installation's database. */
export type TestServer = { readonly url: string; readonly setupLink: string | null; readonly process: TestProcess };

export async function startServer(
  { home, db }: Installation,
  env: Readonly<Record<string, string>> = {},
  atEnd?: AtEnd,
): Promise<TestServer> {
  const given = { JEONGSAN_HOME: home, DATABASE_URL: db.url, PORT: '0', LOG_LEVEL: 'warn', ...env };
  const process = runProcess(cli, ['serve', '--json'], given, atEnd);
  const { url, setupLink } = JSON.parse(await process.line()) as { url: string; setupLink: string | null };
  return { url, setupLink, process };
}

/** What a command said; throws where it failed, unless that is expected. */
export async function jeongsan(
  { home, db }: Installation,
  line: readonly string[],
  { env = {}, status = 0 }: { readonly env?: Readonly<Record<string, string>>; readonly status?: number } = {},
): Promise<string> {
  const process = runProcess(cli, line, { JEONGSAN_HOME: home, DATABASE_URL: db.url, ...env });
  const lines: string[] = [];
  const reading = (async () => {
    for (;;) {
      const text = await process.line().catch(() => undefined);
      if (text === undefined) return;
      lines.push(text);
    }
  })();
  const ended = await process.ended;
  await reading;
  if (ended !== status) throw new Error(`jeongsan ${line.join(' ')} ended with ${ended}: ${process.errors()}`);
  return lines.join('\n');
}

/** Looks until something is so; `what` is for whoever reads that it never was. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  const began = performance.now();
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() - began > withinMs) throw new Error(`within ${withinMs} ms there was no ${what}`);
    await pause(5);
  }
}
