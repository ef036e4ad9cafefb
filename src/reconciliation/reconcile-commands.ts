import { once } from 'node:events';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { parseDay, seoul } from '../kernel/business-day.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { createProgress, formatCount, formatRate, type Progress, padText } from '../platform/terminal.ts';
import { providerNamed, reconciledProviders } from '../providers/registry.ts';
import { type Stage, stages } from '../providers/stage.ts';
import { daySummary } from './day-summary.ts';
import { openRun, type ReconcileRequest } from './run-store.ts';
import { summaryToJson, summaryToText } from './summary-text.ts';
import { stageWords, stepName } from './words.ts';
import { expectedOf, type ReconcileResult, type StageEvent } from './workflow.ts';

/** A process that can run workflows, opened for one command. */
export type ReconcileEngine = {
  readonly pool: Pool;
  /** Starts, or joins, the run and waits for its end. */
  run(runId: string, request: ReconcileRequest, watch: (event: StageEvent) => void): Promise<ReconcileResult>;
};

type Options = {
  readonly on?: string;
  readonly provider?: string[];
  readonly stage?: string[];
  readonly by?: string;
  readonly json?: true;
};

/** `jeongsan reconcile`: any day, at any time, as often as one likes. */
export function reconcileCommands(
  program: Command,
  context: CommandContext,
  withEngine: <T>(work: (engine: ReconcileEngine) => Promise<T>) => Promise<T>,
): void {
  program
    .command('reconcile')
    .description("reconcile a business day against the providers' statements / 대사 실행")
    .option('--on <day>', 'business day YYYY-MM-DD; yesterday if not given / 거래일')
    .option('--provider <id...>', 'only these providers / 원천사')
    .option('--stage <stage...>', `only these stages (${stages.join(', ')}) / 단계`)
    .option('--by <who>', 'who asks for it / 실행자')
    .option('--json', 'one JSON document / JSON 출력')
    .action((options: Options) => {
      const request = toRequest(options, context.who);
      return withEngine((engine) => reconcile(engine, request, options.json ?? false, context));
    });
}

async function reconcile(
  engine: ReconcileEngine,
  request: ReconcileRequest,
  json: boolean,
  context: CommandContext,
): Promise<void> {
  const { runId, joined } = await openRun(engine.pool, request);
  const progress = createProgress(process.stderr);
  if (joined) progress.finish(runId, say(context, `${runId} 실행에 합류합니다`, `joined ${runId}, which runs already`));
  const running = engine.run(runId, request, (event) => showEvent(progress, event, context.language));
  const result = await Promise.race([running, parked(runId, context.signal)]).finally(() => progress.close());
  const day = await daySummary(engine.pool, Temporal.PlainDate.from(request.on), expectedOf(request), context.language);
  await writeOut(
    process.stdout,
    json
      ? `${JSON.stringify({ run: runId, ...summaryToJson(day), report: result.report }, null, 2)}\n`
      : `${summaryToText(day, context.language)}${say(context, '보고서', 'report')}: ${result.report}\n`,
  );
  if (day.stages.some((stage) => stage.state === 'failed')) process.exitCode = exitStatus.failed;
  else if (day.outcome === 'incomplete') process.exitCode = exitStatus.incomplete;
}

/** Rejects when we are told to end: what runs is finished as far as its step, the rest waits for the next process. */
async function parked(run: string, signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw new Problem('run_parked', { run });
}

/** One line by provider and stage: the step, rows so far and a second; the last one stays. */
function showEvent(progress: Progress, event: StageEvent, language: Language): void {
  const key = `${event.provider} ${event.stage}`;
  const stage = event.stage === 'report' ? stepName(event.stage, language) : stageWords[event.stage][language];
  const rows = event.rows === undefined ? '' : formatCount(event.rows);
  const rate = event.rows && event.milliseconds !== undefined ? formatRate(event.rows, event.milliseconds) : '';
  const columns = [
    padText(`${event.provider} ${stage}`.trim(), 28),
    padText(stepName(event.step, language), 8),
    padText(rows, 12, 'right'),
    padText(rate, 13, 'right'),
    event.detail ?? '',
  ];
  const text = columns.join(' ').trimEnd();
  if (event.step === 'done' || event.step === 'failed') progress.finish(key, text);
  else progress.update(key, text);
}

function toRequest(options: Options, who: string): ReconcileRequest {
  const on = options.on === undefined ? yesterday() : parseDay(options.on);
  if (on === undefined) throw new Problem('usage', { reason: `--on ${options.on} (YYYY-MM-DD)` });
  const chosen =
    options.provider?.map((id) => providerNamed(id, reconciledProviders).id) ??
    reconciledProviders.map((provider) => provider.id);
  for (const stage of options.stage ?? []) {
    if (!isStage(stage)) throw new Problem('usage', { reason: `--stage ${stage} (${stages.join(', ')})` });
  }
  return {
    on: on.toString(),
    providers: [...new Set(chosen)],
    stages: stages.filter((stage) => options.stage?.includes(stage) ?? true),
    who: options.by ?? who,
  };
}

function isStage(text: string): text is Stage {
  return (stages as readonly string[]).includes(text);
}

function yesterday(): Temporal.PlainDate {
  return Temporal.Now.plainDateISO(seoul).subtract({ days: 1 });
}

function say(context: CommandContext, ko: string, en: string): string {
  return context.language === 'ko' ? ko : en;
}
