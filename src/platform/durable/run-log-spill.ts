import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Pool } from '../database/pool.ts';
import { readLines, type SaidLine } from './run-log-line.ts';
import { keepRunLog } from './run-log-store.ts';

/** What a process leaves in a file whose end gave it no time for the database. */
export type Spill = {
  /** Lines that others left, into the table. */
  keepWhatWasLeft(pool: Pool): Promise<void>;
  close(): void;
};

const nothing: Spill = { keepWhatWasLeft: async () => {}, close() {} };
const ending = '.run-log';
/** Written at once. */
const chunk = 500;

/**
 * Writes the lines that wait when the process ends (by `process.exit`, or by an error that nobody caught) to a file of
 * `folder`, synchronously: there is no other way then. What a signal kills leaves nothing.
 */
export function openSpill(folder: string | undefined, executorId: string, waiting: () => readonly SaidLine[]): Spill {
  if (folder === undefined) return nothing;
  const onExit = () => {
    if (waiting().length === 0) return;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const name = `${executorId.replace(/[^\w.-]/g, '_')}${ending}`;
      writeFileSync(path.join(folder, name), JSON.stringify({ executorId, lines: waiting() }), { mode: 0o600 });
    } catch {
      // A disk that is full has nothing to do with the run.
    }
  };
  process.once('exit', onExit);
  return {
    async keepWhatWasLeft(pool) {
      for (const name of filesOf(folder)) {
        const file = path.join(folder, name);
        const mine = `${file}.${process.pid}`;
        try {
          // Whoever renames it keeps it: others may look at the same time.
          renameSync(file, mine);
        } catch {
          continue;
        }
        await keep(pool, mine).catch(() => {});
        rmSync(mine, { force: true });
      }
    },
    close: () => void process.off('exit', onExit),
  };
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(ending));
  } catch {
    return [];
  }
}

async function keep(pool: Pool, file: string): Promise<void> {
  const { executorId, lines } = JSON.parse(readFileSync(file, 'utf8')) as { executorId: string; lines: SaidLine[] };
  for (let first = 0; first < lines.length; first += chunk) {
    await keepRunLog(pool, readLines(lines.slice(first, first + chunk), executorId));
  }
}
