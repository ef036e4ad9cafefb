import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { parseDay, seoul } from '../kernel/business-day.ts';
import { failureText, isProblem, type Language, Problem } from '../kernel/problem.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { createProgress, formatTable, type Progress } from '../platform/terminal.ts';
import { differentialProviderNamed, differentialProviders } from '../providers/differential-registry.ts';
import { isWaiting } from './batch-end-store.ts';
import { batchColumns, batchRow, batchToJson, eventText } from './batch-rows.ts';
import type { DifferentialEvent } from './ports.ts';
import { type BatchResult, type DifferentialSettlement, differentialRunId } from './workflow.ts';

/** A process that can run workflows, opened for one command. */
export type DifferentialEngine = {
  readonly pool: Pool;
  readonly differential: DifferentialSettlement;
  watchDifferential(watcher: (event: DifferentialEvent) => void): () => void;
};

type Options = {
  readonly on?: string;
  readonly provider?: readonly string[];
  readonly by?: string;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  readonly json?: true;
};

/** How often the command looks whether all files are out, where it waits for no more. */
const lookEveryMs = 500;

/** `configured`: the providers that have an address. */
type Ports = { readonly output?: Writable; now?(): Temporal.Instant; readonly configured: readonly string[] };

/** What a provider's day came to, or why it failed. */
type End = { readonly provider: string; readonly on: string } & (
  | { readonly result: BatchResult }
  | { readonly error: unknown }
);

/** `jeongsan differential`: the five steps of a day. Returns the command, of which the others of the capability are a part. */
export function differentialCommands(
  program: Command,
  context: CommandContext,
  withEngine: <T>(work: (engine: DifferentialEngine) => Promise<T>) => Promise<T>,
  { output = process.stdout, now = () => Temporal.Now.instant(), configured }: Ports,
): Command {
  const differential = program.command('differential').description('claims of overcharged card fees / 차액정산');
  // A command of its own: options of the parent would be taken away from every other command beside it.
  differential
    .command('run', { isDefault: true })
    .description('claim overcharged card fees of a day: select, write, send, receive, apply / 차액정산 실행')
    .option('--on <day>', 'day of capture YYYY-MM-DD; yesterday if not given / 매입일')
    .option('--provider <id...>', `only these (${differentialProviders.map(({ id }) => id).join(', ')}) / 원천사`)
    .option('--no-wait', 'end once the files are sent: a running server waits for the answers / 송신까지만')
    .option('--by <who>', 'who asks for it / 실행자')
    .option('--json', 'one JSON document / JSON 출력')
    .action((options: Options) => {
      const day = options.on === undefined ? yesterday(now()) : parseDay(options.on);
      if (day === undefined) throw new Problem('usage', { reason: `--on ${options.on} (YYYY-MM-DD)` });
      // Where none has an address, each says which variable it wants.
      const usual = configured.length > 0 ? configured : differentialProviders.map(({ id }) => id);
      const chosen = options.provider?.map((id) => differentialProviderNamed(id).id) ?? usual;
      const request = { on: day.toString(), providers: [...new Set(chosen)], who: options.by ?? context.who };
      return withEngine((engine) => run(engine, request, options, { output, context }));
    });
  return differential;
}

async function run(
  engine: DifferentialEngine,
  { on, providers, who }: { readonly on: string; readonly providers: readonly string[]; readonly who: string },
  options: Options,
  { output, context }: { readonly output: Writable; readonly context: CommandContext },
): Promise<void> {
  const { language, signal } = context;
  const progress = createProgress(process.stderr);
  const unwatch = engine.watchDifferential((event) => showEvent(progress, event, language));
  const over = new AbortController();
  // One that fails harms only itself.
  const ends = providers.map((provider) => endOf(engine, { provider, on, who }));
  const waited = ends.map((end, n) => {
    const batch = { provider: providers[n] ?? '', on };
    return options.wait ? end : Promise.race([end, whenWaiting(engine.pool, batch, over.signal)]);
  });
  const runs = providers.map((provider) => differentialRunId({ provider, on })).join(', ');
  const came = await Promise.race([Promise.all(waited), parked(runs, signal)]).finally(() => {
    over.abort();
    unwatch();
    progress.close();
  });
  const ended = came.filter((end) => end !== 'waiting');
  await writeOut(output, options.json ? `${JSON.stringify(toJson(ended), null, 2)}\n` : toText(ended, language));
  const left = providers.filter((_, n) => came[n] === 'waiting').map((provider) => differentialRunId({ provider, on }));
  for (const id of left) {
    process.stderr.write(
      language === 'ko'
        ? `${id}: 송신했고, 결과는 실행 중인 서버가 기다립니다\n`
        : `${id}: sent; a running server waits for the answers\n`,
    );
  }
  if (ended.some((end) => 'error' in end)) process.exitCode = exitStatus.failed;
  else if (ended.some((end) => 'result' in end && end.result.outcome === 'expired'))
    process.exitCode = exitStatus.incomplete;
}

/** Asked of the database: the run may be another process's. */
async function whenWaiting(
  pool: Pool,
  batch: { readonly provider: string; readonly on: string },
  signal: AbortSignal,
): Promise<'waiting'> {
  while (!signal.aborted && !(await isWaiting(pool, batch))) await wait(lookEveryMs);
  return 'waiting';
}

async function endOf(
  { differential }: DifferentialEngine,
  request: { readonly provider: string; readonly on: string; readonly who: string },
): Promise<End> {
  const { provider, on } = request;
  try {
    return { provider, on, result: await differential.run(request) };
  } catch (error) {
    return { provider, on, error };
  }
}

function toJson(ends: readonly End[]): unknown {
  return ends.map((end) => {
    if ('result' in end) return batchToJson(end.result);
    const { provider, on, error } = end;
    const run = differentialRunId({ provider, on });
    const code = isProblem(error) ? error.code : 'error';
    return { run, provider, on, outcome: 'failed', error: { code, message: failureText(error, 'en') } };
  });
}

function toText(ends: readonly End[], language: Language): string {
  const results = ends.flatMap((end) => ('result' in end ? [end.result] : []));
  const table =
    results.length === 0
      ? ''
      : formatTable(
          batchColumns(language),
          results.map((result) => batchRow(result, language)),
        );
  const failures = ends.flatMap((end) => {
    if ('result' in end) return [];
    const failed = language === 'ko' ? '실패' : 'failed';
    return [`${differentialRunId(end)} ${failed}: ${failureText(end.error, language)}\n`];
  });
  return table + failures.join('');
}

/** A line by provider and step; what is done stays. */
function showEvent(progress: Progress, event: DifferentialEvent, language: Language): void {
  const key = `${event.provider} ${event.on} ${event.step}`;
  const text = eventText(event, language);
  if (event.state === 'done' || event.state === 'failed') progress.finish(key, text);
  else progress.update(key, text);
}

/** Rejects when we are told to end: what runs is finished as far as its step, the rest waits for the next process. */
async function parked(run: string, signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw new Problem('run_parked', { run });
}

function yesterday(now: Temporal.Instant): Temporal.PlainDate {
  return now.toZonedDateTimeISO(seoul).toPlainDate().subtract({ days: 1 });
}
