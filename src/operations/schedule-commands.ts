import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { Problem } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { scheduleToJson, slotToJson } from './schedule-json.ts';
import { countOf, momentOf } from './schedule-options.ts';
import { pageOfSlots, scheduleOverviews } from './schedule-overview-store.ts';
import { type SlotState, slotStates } from './schedule-rows.ts';
import { listSchedules, previewSlots, scheduleNamed } from './schedule-store.ts';
import { scheduleColumns, scheduleFacts, scheduleRow, slotColumns, slotRow } from './schedule-text.ts';

type Json = { readonly json?: true };
type SlotOptions = Json & {
  readonly schedule?: string;
  readonly state?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly limit: string;
};

/** `jeongsan schedule`: what starts by itself. Returns the command, of which those that change something are a part. */
export function scheduleCommands(
  program: Command,
  context: CommandContext,
  {
    output = process.stdout,
    now = () => Temporal.Now.instant(),
  }: { readonly output?: Writable; now?(): Temporal.Instant } = {},
): Command {
  const { language } = context;
  const say = (ko: string, en: string) => ({ title: language === 'ko' ? ko : en });
  const write = (json: unknown, isJson: boolean, text: () => string) =>
    writeOut(output, isJson ? `${JSON.stringify(json, null, 2)}\n` : text());
  const noun = program.command('schedule').description('what starts by itself / 스케줄');
  noun
    .command('list', { isDefault: true })
    .description('schedules, with when they come next and what the last slot came to / 목록')
    .option('--json', 'one JSON array / JSON 출력')
    .action(async ({ json }: Json) => {
      const found = await context.withDatabase((pool) => scheduleOverviews(pool, now()));
      const table = () =>
        formatTable(
          scheduleColumns(language),
          found.map((each) => scheduleRow(each, language)),
        );
      await write(found.map(scheduleToJson), json === true, table);
    });
  noun
    .command('show')
    .description('everything about one schedule / 상세')
    .argument('<name>')
    .option('--json', 'one JSON object / JSON 출력')
    .action(async (name: string, { json }: Json) => {
      const [found] = await context.withDatabase((pool) => scheduleOverviews(pool, now(), name));
      if (found === undefined) throw new Problem('not_found', { what: 'schedule', id: name });
      const table = () => formatTable([say('항목', 'Field'), { title: '' }], scheduleFacts(found, language));
      await write(scheduleToJson(found), json === true, table);
    });
  noun
    .command('next')
    .description('when it, or everything, starts next / 다음 실행 미리 보기')
    .argument('[name]')
    .option('--count <slots>', 'so many / 건수', '10')
    .option('--json', 'one JSON array / JSON 출력')
    .action(async (name: string | undefined, { count, json }: Json & { readonly count: string }) => {
      const most = countOf('--count', count, 1000);
      const slots = await context.withDatabase(async (pool) => {
        const all = name === undefined ? await listSchedules(pool) : [await scheduleNamed(pool, name)];
        return await previewSlots(pool, all, { after: now(), count: most });
      });
      const rows = slots.map(({ schedule, at }) => ({ schedule: schedule.name, job: schedule.job, at: at.toString() }));
      const table = () =>
        formatTable(
          [say('시각', 'Time'), say('스케줄', 'Schedule'), say('작업', 'Job')],
          rows.map((row) => [formatSeoulTime(row.at), row.schedule, row.job]),
        );
      await write(rows, json === true, table);
    });
  noun
    .command('slots')
    .description('slots, those that did not run and why among them, newest first / 슬롯 이력')
    .option('--schedule <name>', 'of this one / 스케줄')
    .option('--state <states...>', `${slotStates.join(', ')} / 상태`)
    .option('--since <moment>', 'from YYYY-MM-DDTHH:MM on / 시작')
    .option('--until <moment>', 'before / 끝')
    .option('--limit <rows>', 'at most so many / 최대 건수', '20')
    .option('--json', 'one JSON array / JSON 출력')
    .action(async ({ json, ...options }: SlotOptions) => {
      const filter = {
        schedule: options.schedule,
        states: options.state === undefined ? undefined : statesOf(options.state),
        since: options.since === undefined ? undefined : momentOf('--since', options.since).toString(),
        until: options.until === undefined ? undefined : momentOf('--until', options.until).toString(),
      };
      const request = { after: undefined, limit: countOf('--limit', options.limit, 10_000), descending: true };
      const { rows } = await context.withDatabase((pool) => pageOfSlots(pool, filter, request));
      const table = () =>
        formatTable(
          slotColumns(language),
          rows.map((row) => slotRow(row, language)),
        );
      await write(rows.map(slotToJson), json === true, table);
    });
  return noun;
}

function statesOf(given: readonly string[]): SlotState[] {
  return given
    .flatMap((text) => text.split(','))
    .map((text) => {
      const found = slotStates.find((state) => state === text);
      if (found === undefined) throw new Problem('usage', { reason: `--state ${text} (${slotStates.join(', ')})` });
      return found;
    });
}
