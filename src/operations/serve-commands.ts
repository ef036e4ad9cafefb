import type { Command } from 'commander';

/** Where a server is reached, and the one-time link by which the first administrator comes in, if there is none. */
export type Ready = { readonly url: string; readonly port: number; readonly setupLink: string | null };

/**
 * 서버. `jeongsan serve`: the interface and all that a server does by itself, until a signal ends it. `serve` reads what
 * serves when it is needed, since other commands start in less time without it, and returns when it answers; undefined
 * where it was ended before.
 */
export function serveCommand(program: Command, serve: () => Promise<Ready | undefined>): void {
  program
    .command('serve')
    .description('serve the API and do what is due by itself; any number of servers may share a database / 서버')
    .option('--json', 'say where as JSON')
    .action(async ({ json }: { readonly json?: true }) => {
      const ready = await serve();
      if (ready === undefined) return;
      process.stdout.write(json === true ? `${JSON.stringify(ready)}\n` : readyText(ready));
    });
}

/** The first administrator comes in by a link that works once; there is no password to begin with. */
export function readyText({ url, setupLink }: Pick<Ready, 'url' | 'setupLink'>): string {
  return `${setupLink === null ? '' : `set up / 최초 설정: ${setupLink}\n`}ready: ${url}\n`;
}
