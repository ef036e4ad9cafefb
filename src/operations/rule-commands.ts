import { hostname } from 'node:os';
import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { actingAs } from '../audit/store.ts';
import { readDuration } from '../kernel/duration.ts';
import { Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { inTransaction, type Pool } from '../platform/database/pool.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { changeUsualRule, listUsualRules } from './rule-store.ts';
import { readNumber } from './run-options.ts';
import { tookText } from './run-rows.ts';

type Asked = {
  readonly sameHour?: boolean;
  readonly samplesLeast?: string;
  readonly samplesMost?: string;
  readonly spreads?: string;
  readonly slackPercent?: string;
  readonly slack?: string;
  readonly stuckTimes?: string;
  readonly stuckAfter?: string;
  readonly reason: string;
  readonly by?: string;
  readonly json?: true;
};

/** `jeongsan runs usual`: when a run is out of the usual or stuck, by job. */
export function usualCommands(runs: Command, context: CommandContext, output: Writable = process.stdout): void {
  const { language } = context;
  const usual = runs.command('usual').description('when a run is out of the usual or stuck / 평소 기준');
  const titles =
    language === 'ko'
      ? ['작업', '같은 시각', '표본', '산포', '여유 %', '여유', '멈춤 배수', '멈춤']
      : ['Job', 'Same hour', 'Samples', 'Spreads', 'Slack %', 'Slack', 'Stuck ×', 'Stuck after'];
  const show = async (pool: Pool, json: boolean): Promise<void> => {
    const rules = await listUsualRules(pool);
    const rows = rules.map((rule) => [
      rule.job,
      rule.sameHour ? '✓' : '',
      `${rule.samplesLeast}–${rule.samplesMost}`,
      String(rule.spreads),
      String(rule.slackPercent),
      tookText(rule.slackMs),
      String(rule.stuckTimes),
      tookText(rule.stuckMs),
    ]);
    const table = formatTable(
      titles.map((title) => ({ title })),
      rows,
    );
    await writeOut(output, json ? `${JSON.stringify(rules, null, 2)}\n` : table);
  };
  usual
    .command('list', { isDefault: true })
    .description('the rules of all jobs; * is every other job / 목록')
    .option('--json', 'JSON output / JSON 출력')
    .action(({ json }: { json?: true }) => context.withDatabase((pool) => show(pool, json ?? false)));
  usual
    .command('set')
    .description('change the rule of a job, or give it one / 변경')
    .argument('<job>')
    .option('--same-hour', 'compared with runs of the same hour only / 같은 시각만 비교')
    .option('--no-same-hour', 'compared with runs of any hour / 시각 무관')
    .option('--samples-least <runs>', 'with fewer nothing is said / 최소 표본')
    .option('--samples-most <runs>', 'the last so many / 최대 표본')
    .option('--spreads <number>', 'so many spreads from the median are usual / 산포 배수')
    .option('--slack-percent <percent>', 'of the median: never unusual / 여유 비율')
    .option('--slack <time>', 'of the duration: never unusual / 여유 시간')
    .option('--stuck-times <number>', 'so many times the usual bound is stuck / 멈춤 배수')
    .option('--stuck-after <time>', 'where too little is known / 멈춤 시간')
    .requiredOption('--reason <text>', 'why / 사유')
    .option('--by <who>', 'who acts / 처리자')
    .option('--json', 'JSON output / JSON 출력')
    .action((typed: string, { reason, by = context.who, json, ...asked }: Asked) => {
      const job = jobOf(typed);
      const change = {
        sameHour: asked.sameHour,
        samplesLeast: whole('--samples-least', asked.samplesLeast),
        samplesMost: whole('--samples-most', asked.samplesMost),
        spreads: factor('--spreads', asked.spreads, 100),
        slackPercent: whole('--slack-percent', asked.slackPercent),
        slackMs: readDuration('--slack', asked.slack),
        stuckTimes: factor('--stuck-times', asked.stuckTimes, 1000),
        stuckMs: stuckOf(asked.stuckAfter),
      };
      return context.withDatabase(async (pool) => {
        await inTransaction(pool, async (tx) => {
          await actingAs(tx, { who: by, from: `cli@${hostname()}` }, reason);
          await changeUsualRule(tx, job, change);
        });
        await show(pool, json ?? false);
      });
    });
}

/** @throws Problem `usage` */
function jobOf(text: string): string {
  if (!/^(\*|[a-z][a-z0-9-]{0,59})$/.test(text))
    throw new Problem('usage', { reason: `<job> ${text} (reconcile, settle, …, *)` });
  return text;
}

/** @throws Problem `usage` */
function stuckOf(text: string | undefined): number | undefined {
  const stuckMs = readDuration('--stuck-after', text);
  if (stuckMs === 0) throw new Problem('usage', { reason: `--stuck-after ${text} (1s, 15m, 2h)` });
  return stuckMs;
}

function whole(option: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : readNumber(option, text, 1000);
}

/** @throws Problem `usage` */
function factor(option: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) throw new Problem('usage', { reason: `${option} ${text} (1–${most})` });
  return value;
}
