import type { Command } from 'commander';
import { Problem } from '../kernel/problem.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { showBackfill } from './backfill-store.ts';
import { backfillToJson, outcomesToJson } from './run-act-json.ts';
import { actOnRuns, type BulkAct, bulkDefault, bulkMost, cancelRun, refuseWide, restartRun } from './run-acts.ts';
import { addFilters, exitAs, jsonText, type RunEngine, type RunPorts, showRunAs } from './run-commands.ts';
import { type FilterOptions, readFilter, readNumber } from './run-options.ts';

type ActOptions = FilterOptions & {
  readonly everything?: true;
  readonly most: string;
  readonly dryRun?: true;
  readonly json?: true;
};

/** `jeongsan runs cancel|restart|backfill`: acts on one run, on many, or for a range of days. */
export function runActCommands(
  runs: Command,
  context: CommandContext,
  { withEngine, output = process.stdout, now }: RunPorts,
): void {
  const { language } = context;
  const actCommand = (act: BulkAct, description: string, one: (engine: RunEngine, id: string) => Promise<void>) =>
    addFilters(runs.command(act).description(description).argument('[id]'))
      .option('--everything', 'all that it is for, whichever they are / 전부')
      .option('--most <runs>', 'nothing is done where there are more / 한도', String(bulkDefault))
      .option('--dry-run', 'say only which they are / 대상만 보기')
      .option('--reason <text>', 'why, for the trail and the log of the run / 사유')
      .option('--json', 'JSON output / JSON 출력')
      .action((id: string | undefined, { everything, most, dryRun, json, ...options }: ActOptions) => {
        if (id !== undefined) {
          return withEngine(async (engine) => {
            await one(engine, id);
            await showRunAs(engine.pool, id, { json: json ?? false, output, context, now });
          });
        }
        const request = {
          filter: readFilter(options),
          everything: everything ?? false,
          most: readNumber('--most', most, bulkMost),
          dryRun: dryRun ?? false,
        };
        // Before an engine is opened for nothing.
        refuseWide(act, request);
        return withEngine(async (engine) => {
          const outcomes = outcomesToJson(await actOnRuns(engine, act, request), language);
          if (outcomes.some(({ outcome }) => outcome === 'failed')) process.exitCode = exitStatus.failed;
          const rows = outcomes.map(({ id: run, outcome, error }) => [run, outcome, error?.message ?? '']);
          const columns = (language === 'ko' ? ['실행', '결과', '오류'] : ['Run', 'Outcome', 'Error']).map((title) => ({
            title,
          }));
          await writeOut(output, json ? jsonText(outcomes) : formatTable(columns, rows));
        });
      });
  actCommand('cancel', 'end a run before its next step, or the runs that a filter means / 취소', async (engine, id) => {
    await cancelRun(engine, id);
  });
  actCommand(
    'restart',
    'run again from the step that failed, one run or those that a filter means / 실패한 단계부터 다시 시작',
    restartAndWait,
  );
  const backfill = runs
    .command('backfill')
    .description('run a job again for a range of days / 기간 소급 실행')
    .argument('<job>')
    .requiredOption('--from <day>', 'the first day / 첫날')
    .requiredOption('--to <day>', 'the last day / 마지막 날')
    .option('--parallel <days>', 'so many days at a time / 동시 실행', '2')
    .option('--parameters <json>', "the job's parameters / 매개변수", '{}')
    .option('--reason <text>', 'why / 사유')
    .option('--no-wait', 'begin it and leave it to the servers / 기다리지 않음')
    .option('--json', 'one JSON object / JSON 출력');
  type BackfillOptions = {
    readonly from: string;
    readonly to: string;
    readonly parallel: string;
    readonly parameters: string;
    readonly reason?: string;
    readonly wait: boolean;
    readonly json?: true;
  };
  backfill.action((job: string, options: BackfillOptions) => {
    const asked = {
      job,
      from: options.from,
      to: options.to,
      parallel: readNumber('--parallel', options.parallel, 16),
      parameters: readParameters(options.parameters),
      who: context.who,
      reason: options.reason ?? null,
    };
    return withEngine(async (engine) => {
      const { id, result } = await engine.backfills.start(asked);
      // Its days tell what went wrong; the run itself fails only where the engine does.
      if (options.wait) await result();
      const shown = backfillToJson(await showBackfill(engine.pool, id), language);
      if (shown.days.some(({ state }) => state === 'failed' || state === 'cancelled')) {
        process.exitCode = exitStatus.failed;
      }
      const columns = (language === 'ko' ? ['업무일', '상태', '실행', '오류'] : ['Day', 'State', 'Run', 'Error']).map(
        (title) => ({ title }),
      );
      const rows = shown.days.map((day) => [day.on, day.state, day.runId ?? '', day.error?.message ?? '']);
      await writeOut(output, options.json ? jsonText(shown) : `${id}\n${formatTable(columns, rows)}`);
    });
  });

  /** What refuses a restart is said; what the run itself fails by is shown with it. */
  async function restartAndWait(engine: RunEngine, id: string): Promise<void> {
    await restartRun(engine, id);
    await engine.result(id).catch(() => {});
    await exitAs(engine.pool, id, now());
  }
}

/** @throws Problem `usage` */
function readParameters(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new Problem('usage', { reason: `--parameters ${text} ({"name": value})` });
}
