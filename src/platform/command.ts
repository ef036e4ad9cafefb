import type { Pool } from 'pg';
import type { Language } from '../kernel/problem.ts';

/** What the composition root hands to the commands of each capability. */
export type CommandContext = {
  /** Opens the database (starting the embedded server if need be), runs `work`, and closes it again. */
  withDatabase<T>(work: (pool: Pool) => Promise<T>): Promise<T>;
  readonly language: Language;
  /** Who acts: the operating system's user unless `--by` says otherwise. */
  readonly who: string;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
};

/** Exit statuses of every command. */
export const exitStatus = { done: 0, failed: 1, usage: 2, incomplete: 3 } as const;
