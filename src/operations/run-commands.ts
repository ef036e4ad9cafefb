import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { parseDay } from '../kernel/business-day.ts';
import { Problem } from '../kernel/problem.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import type { RunState } from '../platform/durable/runs.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import {
  childColumns,
  childRow,
  factRows,
  inspectedToJson,
  listColumns,
  listedToJson,
  listRow,
  stepColumns,
  stepRow,
} from './run-rows.ts';
import { findRuns, inspectRun } from './run-store.ts';

/** How a run is made to run again, with a process that can do so; resolves when it has ended, rejects when it failed. */
export type RunPorts = { restart(runId: string): Promise<unknown>; readonly output?: Writable };

type ListOptions = {
  readonly on?: string;
  readonly state?: readonly string[];
  readonly limit: string;
  readonly json?: true;
};

const states: readonly RunState[] = ['waiting', 'running', 'done', 'failed', 'cancelled', 'exhausted'];

/** `jeongsan runs`: the history of runs, what happened in one, and how it is taken up again where it failed. */
export function runCommands(
  program: Command,
  context: CommandContext,
  { restart, output = process.stdout }: RunPorts,
): void {
  const runs = program.command('runs').description('runs of the jobs / 실행 이력');
  runs
    .command('list', { isDefault: true })
    .description('list runs, newest first / 목록')
    .option('--on <day>', 'runs of this business day / 업무일')
    .option('--state <states...>', `${states.join(', ')} / 상태`)
    .option('--limit <rows>', 'at most so many / 최대 건수', '20')
    .option('--json', 'one JSON array / JSON 출력')
    .action((options: ListOptions) => {
      const query = toQuery(options);
      return context.withDatabase(async (pool) => {
        const found = await findRuns(pool, query);
        const { language } = context;
        await writeOut(
          output,
          options.json
            ? `${JSON.stringify(
                found.map((run) => listedToJson(run, language)),
                null,
                2,
              )}\n`
            : formatTable(
                listColumns(language),
                found.map((run) => listRow(run, language)),
              ),
        );
      });
    });
  runs
    .command('show')
    .description('the steps of a run, its parts, and what went wrong / 상세')
    .argument('<id>')
    .option('--json', 'one JSON object / JSON 출력')
    .action((id: string, options: { json?: true }) =>
      context.withDatabase((pool) => show(pool, id, { json: options.json ?? false, output, context })),
    );
  runs
    .command('restart')
    .description('run again from the step that failed / 실패한 단계부터 다시 시작')
    .argument('<id>')
    .option('--json', 'one JSON object / JSON 출력')
    .action((id: string, options: { json?: true }) =>
      restartAndShow(id, restart, { json: options.json ?? false, output, context }),
    );
}

type Showing = { readonly json: boolean; readonly output: Writable; readonly context: CommandContext };

async function show(pool: Pool, id: string, { json, output, context: { language } }: Showing): Promise<void> {
  const inspected = await inspectRun(pool, id);
  if (json) return writeOut(output, `${JSON.stringify(inspectedToJson(inspected, language), null, 2)}\n`);
  const { run } = inspected;
  const tables = [
    formatTable([{ title: language === 'ko' ? '실행' : 'Run' }, { title: '' }], factRows(inspected, language)),
    ...(run.children.length === 0
      ? []
      : [
          formatTable(
            childColumns(language),
            run.children.map((child) => childRow(child, inspected, language)),
          ),
        ]),
    formatTable(
      stepColumns(language),
      run.steps.map((step) => stepRow(step, run.id, language)),
    ),
  ];
  await writeOut(output, tables.join('\n'));
}

/** Restarts and says how the run stands then: its exit status is that of the run. */
async function restartAndShow(id: string, restart: RunPorts['restart'], showing: Showing): Promise<void> {
  const { context } = showing;
  const refusal = await restart(id).then(
    () => undefined,
    (error: unknown) => error,
  );
  await context.withDatabase(async (pool) => {
    const { run, facts } = await inspectRun(pool, id);
    // What is not the run's own failure refused the restart, or kept it from beginning: there is nothing new to show.
    if (refusal instanceof Error && refusal.message !== run.error?.message) throw refusal;
    await show(pool, id, showing);
    const partFailed = run.children.some((child) => child.state === 'failed');
    if (partFailed || run.state === 'failed') process.exitCode = exitStatus.failed;
    else if (facts?.outcome === 'incomplete') process.exitCode = exitStatus.incomplete;
  });
}

function toQuery({ on, state, limit }: ListOptions): Parameters<typeof findRuns>[1] {
  if (on !== undefined && parseDay(on) === undefined) throw new Problem('usage', { reason: `--on ${on} (YYYY-MM-DD)` });
  if (!/^\d{1,6}$/.test(limit)) throw new Problem('usage', { reason: `--limit ${limit}` });
  const wanted = state
    ?.flatMap((name) => name.split(','))
    .map((name) => {
      const known = states.find((candidate) => candidate === name);
      if (known === undefined) throw new Problem('usage', { reason: `--state ${name} (${states.join(', ')})` });
      return known;
    });
  return {
    limit: Number(limit),
    ...(on === undefined ? {} : { on }),
    ...(wanted === undefined ? {} : { states: wanted }),
  };
}
