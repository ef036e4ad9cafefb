import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { listRunLog } from '../platform/durable/run-log-store.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import type { Backfills } from './backfill-workflow.ts';
import type { RunActPorts } from './run-acts.ts';
import { followRun } from './run-follow-store.ts';
import { inspectedToJson, isOver, listedToJson } from './run-json.ts';
import { type FilterOptions, levelsFrom, readFilter, readNumber, runStates } from './run-options.ts';
import {
  childColumns,
  childRow,
  factRows,
  fileColumns,
  fileRow,
  listColumns,
  listRow,
  logText,
  stateWords,
  stepColumns,
  stepRow,
  stepText,
  tookText,
} from './run-rows.ts';
import { findRuns, inspectRun } from './run-store.ts';

/** A process that can act on runs: it has the engine. */
export type RunEngine = RunActPorts & {
  readonly backfills: Backfills;
  /** Waits for the end of a run, whoever carries it out; rejects where it failed. */
  result(runId: string): Promise<unknown>;
};
export type RunPorts = {
  withEngine<T>(work: (engine: RunEngine) => Promise<T>): Promise<T>;
  readonly output?: Writable;
  now(): Temporal.Instant;
};

export type Showing = {
  readonly json: boolean;
  readonly output: Writable;
  readonly context: CommandContext;
  now(): Temporal.Instant;
};

/** Filters of a list and of bulk acts. */
export function addFilters(command: Command): Command {
  return command
    .option('--job <jobs...>', 'of these jobs: reconcile, settle, …; payout runs only where named / 작업')
    .option('--on <day>', 'of this business day / 업무일')
    .option('--provider <id>', 'of this provider, or with a part for it / 원천사')
    .option('--state <states...>', `${runStates.join(', ')} / 상태`)
    .option('--node <name>', 'worked on by this host or process / 노드')
    .option('--since <moment>', 'begun since / 이후')
    .option('--until <moment>', 'begun before / 이전')
    .option('--longer-than <time>', 'took at least: 90s, 15m, 2h / 소요 이상')
    .option('--shorter-than <time>', 'took at most / 소요 이하')
    .option('--text <words>', 'whose error says this / 오류 내용');
}

/** `jeongsan runs`: the history of runs, and what happened and happens in one. */
export function runCommands(
  program: Command,
  context: CommandContext,
  { output = process.stdout, now }: Pick<RunPorts, 'output' | 'now'>,
): Command {
  const runs = program.command('runs').description('runs of the jobs / 실행 이력');
  const showing = (json: true | undefined): Showing => ({ json: json ?? false, output, context, now });
  addFilters(runs.command('list', { isDefault: true }).description('list runs, newest first / 목록'))
    .option('--all', 'payout runs too / 지급 실행 포함')
    .option('--limit <rows>', 'at most so many / 최대 건수', '20')
    .option('--json', 'one JSON array / JSON 출력')
    .action(({ limit, json, ...options }: FilterOptions & { limit: string; json?: true }) => {
      const filter = { ...readFilter(options), now: now(), limit: readNumber('--limit', limit, 100_000) };
      return context.withDatabase(async (pool) => {
        const { rows } = await findRuns(pool, filter);
        const { language } = context;
        await writeOut(
          output,
          json
            ? jsonText(rows.map((run) => listedToJson(run, language, now())))
            : formatTable(
                listColumns(language),
                rows.map((run) => listRow(run, language, now())),
              ),
        );
      });
    });
  runs
    .command('show')
    .description('the steps of a run, its parts, files and counts, and what went wrong / 상세')
    .argument('<id>')
    .option('--json', 'one JSON object / JSON 출력')
    .action((id: string, { json }: { json?: true }) =>
      context.withDatabase((pool) => showRunAs(pool, id, showing(json))),
    );
  runs
    .command('logs')
    .description('what was said in a run and its parts / 실행 기록')
    .argument('<id>')
    .option('--level <level>', 'from this level up: info, warn, error / 수준', 'info')
    .option('--limit <lines>', 'at most so many / 최대 건수', '1000')
    .option('--json', 'one JSON array / JSON 출력')
    .action((id: string, { level, limit, json }: { level: string; limit: string; json?: true }) => {
      const wanted = {
        runId: id,
        parts: true,
        levels: levelsFrom(level),
        limit: readNumber('--limit', limit, 100_000),
      };
      return context.withDatabase(async (pool) => {
        const lines = await listRunLog(pool, wanted);
        // Nothing said is not the same as nothing there.
        if (lines.length === 0) await inspectRun(pool, id, now());
        const text = json
          ? jsonText(lines.map((line) => ({ ...line, id: Number(line.id) })))
          : lines.map((line) => `${logText(line, id)}\n`).join('');
        await writeOut(output, text);
      });
    });
  runs
    .command('follow')
    .description('what happens in a run, until it is over / 실시간 보기')
    .argument('<id>')
    .option('--json', 'one JSON object a line / 한 줄에 JSON 하나')
    .action((id: string, { json }: { json?: true }) => context.withDatabase((pool) => follow(pool, id, showing(json))));
  return runs;
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Says all that is known of a run, and what its end makes of the exit status. */
export async function showRunAs(pool: Pool, id: string, { json, output, context, now }: Showing): Promise<void> {
  const { language } = context;
  const inspected = await inspectRun(pool, id, now());
  if (json) return writeOut(output, jsonText(inspectedToJson(inspected, language, now())));
  const { run, files } = inspected;
  const factColumns = [{ title: language === 'ko' ? '실행' : 'Run' }, { title: '' }];
  const table = (columns: Parameters<typeof formatTable>[0], rows: readonly (readonly string[])[]) =>
    rows.length === 0 ? [] : [formatTable(columns, rows)];
  const tables = [
    formatTable(factColumns, factRows(inspected, language, now())),
    ...table(
      childColumns(language),
      run.children.map((child) => childRow(child, inspected, language, now())),
    ),
    formatTable(
      stepColumns(language),
      run.steps.map((step) => stepRow(step, inspected, language)),
    ),
    ...table(
      fileColumns(language),
      files.map((file) => fileRow(file, language)),
    ),
  ];
  await writeOut(output, tables.join('\n'));
}

/** The exit status of a command that waited for a run is the run's. */
export async function exitAs(pool: Pool, id: string, now: Temporal.Instant): Promise<void> {
  const { run, listed } = await inspectRun(pool, id, now);
  const partFailed = run.children.some((child) => child.state === 'failed');
  if (partFailed || (isOver(run.state) && run.state !== 'done')) process.exitCode = exitStatus.failed;
  else if (listed.facts?.outcome === 'incomplete') process.exitCode = exitStatus.incomplete;
}

async function follow(pool: Pool, id: string, { json, output, context, now }: Showing): Promise<void> {
  const { language, signal } = context;
  for await (const happened of followRun(pool, id, { signal })) {
    if (json) {
      const text = JSON.stringify(happened, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));
      await writeOut(output, `${text}\n`);
    } else if (happened.event === 'log') {
      await writeOut(output, `${logText(happened.line, id)}\n`);
    } else if (happened.event === 'step') {
      const { number, startedAt, completedAt, error } = happened.step;
      const took = startedAt && completedAt ? tookText(completedAt.since(startedAt).total('milliseconds')) : '';
      await writeOut(
        output,
        `${error === undefined ? '✓' : '✗'} ${number} ${stepText(happened.step, id, language)} ${took}\n`,
      );
    } else {
      await writeOut(output, `${happened.run.id}: ${stateWords[happened.run.state][language]}\n`);
    }
  }
  if (!signal.aborted) await exitAs(pool, id, now());
}
