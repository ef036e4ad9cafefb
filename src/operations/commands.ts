import type { Command } from 'commander';
import type { CommandContext } from '../platform/command.ts';
import type { Pool } from '../platform/database/pool.ts';
import { dailyCloseCommands } from './daily-close-commands.ts';
import type { Jobs } from './job.ts';
import { maintenanceCommands } from './maintenance-commands.ts';
import { nodeCommands } from './node-commands.ts';
import type { Expiring } from './retention.ts';
import { retentionCommands } from './retention-commands.ts';
import { usualCommands } from './rule-commands.ts';
import { runActCommands } from './run-act-commands.ts';
import { type RunEngine, runCommands } from './run-commands.ts';
import { scheduleChangeCommands } from './schedule-change-commands.ts';
import { scheduleCommands } from './schedule-commands.ts';

export type OperationPorts = {
  /** A process that can run workflows, opened for one command. */
  withApp<T>(
    work: (app: { readonly pool: Pool; readonly jobs: Jobs; readonly runs: RunEngine }) => Promise<T>,
  ): Promise<T>;
  readonly banks: readonly string[];
  expiring(pool: Pool): readonly Expiring[];
  now(): Temporal.Instant;
};

/** What an operator does to all of the product: runs, schedules, maintenance, nodes, and how long records are kept. */
export function operationCommands(program: Command, context: CommandContext, ports: OperationPorts): void {
  const { withApp, now } = ports;
  const runs = runCommands(program, context, { now });
  runActCommands(runs, context, { now, withEngine: (work) => withApp((app) => work(app.runs)) });
  usualCommands(runs, context);
  retentionCommands(program, context, ports);
  scheduleChangeCommands(scheduleCommands(program, context, { now }), context, { now, withJobs: withApp });
  maintenanceCommands(program, context, ports);
  nodeCommands(program, context);
  dailyCloseCommands(program, context);
}
