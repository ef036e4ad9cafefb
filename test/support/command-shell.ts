import path from 'node:path';
import { repositoryRoot } from '../../src/platform/config.ts';
import type { Installation } from './installation.ts';
import { type AtEnd, runProcess } from './processes.ts';

/** Nothing that a command prints begins with it. */
export const overMark = '\u001eover ';

export type Said = { readonly status: number; readonly out: string; readonly refusal: string };

type Given = { readonly key?: string; readonly server?: string | undefined; readonly typed?: string };

/** A process in which command lines run one after the other, each as `jeongsan` runs it. */
export type CommandShell = {
  /** Runs `words` by the key; `server` is asked where one is given, the database otherwise. `typed` is piped in. */
  run(words: readonly string[], by?: Given): Promise<Said>;
};

export function openCommandShell(
  { home, db }: Installation,
  env: Readonly<Record<string, string>>,
  atEnd: AtEnd,
): CommandShell {
  const process = runProcess(
    path.join(repositoryRoot, 'test/support/command-shell.fixture.ts'),
    [],
    { JEONGSAN_HOME: home, DATABASE_URL: db.url, ...env },
    atEnd,
  );
  let before: Promise<unknown> = Promise.resolve();
  const run = async (words: readonly string[], { key = '', typed = '' }: Given): Promise<Said> => {
    process.tell(JSON.stringify({ words, typed, env: { JEONGSAN_API_KEY: key } }));
    const lines: string[] = [];
    for (;;) {
      const line = await process.line();
      if (line.startsWith(overMark)) {
        const { status, refusal } = JSON.parse(line.slice(overMark.length)) as Omit<Said, 'out'>;
        return { status, refusal, out: lines.join('\n').trimEnd() };
      }
      lines.push(line);
    }
  };
  return {
    run(words, given = {}) {
      const all = given.server === undefined ? words : ['--server', given.server, ...words];
      const said = before.then(() => run(all, given));
      before = said.catch(() => undefined);
      return said;
    },
  };
}
