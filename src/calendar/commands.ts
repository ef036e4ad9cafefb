import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { parseDay, seoul } from '../kernel/business-day.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { addHoliday, type CalendarDay, calendarDays, removeHoliday } from './store.ts';

type ListOptions = { readonly from?: string; readonly to?: string; readonly json?: true };
type AddOptions = { readonly name: string; readonly reason: string; readonly by?: string; readonly json?: true };
type RemoveOptions = Omit<AddOptions, 'name'>;

/** 영업일 달력. `calendar list|add|remove`: the gazette's holidays, and the days on which an operator knows better. */
export function calendarCommands(program: Command, context: CommandContext, output: Writable = process.stdout): void {
  const { language } = context;
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const noun = program.command('calendar').description(say('영업일 달력', 'the business-day calendar'));
  noun
    .command('list')
    .description(say('휴일 목록 (기본: 올해)', 'the closed days, of this year if not told otherwise'))
    .option('--from <day>', say('시작일 YYYY-MM-DD', 'from this day on, YYYY-MM-DD'))
    .option('--to <day>', say('종료일 YYYY-MM-DD', 'up to and including this day'))
    .option('--json', say('JSON 출력', 'one JSON array'))
    .action(async (options: ListOptions) => {
      const { year } = Temporal.Now.plainDateISO(seoul);
      const from = options.from === undefined ? `${year}-01-01` : dayOf('--from', options.from);
      const to = options.to === undefined ? `${from.slice(0, 4)}-12-31` : dayOf('--to', options.to);
      const days = await context.withDatabase((pool) => calendarDays(pool, { from, to }));
      await writeOut(output, options.json ? `${JSON.stringify(days, null, 2)}\n` : daysText(days, language));
    });
  noun
    .command('add')
    .description(say('임시 공휴일 등록', 'add a holiday that the gazette of this release does not have'))
    .argument('<day>', 'YYYY-MM-DD')
    .requiredOption('--name <name>', say('이름', 'its name'))
    .requiredOption('--reason <text>', say('사유', 'the reason, which is kept'))
    .option('--by <who>', say('등록자', 'who says so'))
    .option('--json', say('JSON 출력', 'one JSON object'))
    .action(async (typed: string, options: AddOptions) => {
      const [name, reason] = [said('--name', options.name), said('--reason', options.reason)];
      const day = dayOf('<day>', typed);
      const override = { day, name, reason, recordedBy: options.by ?? context.who };
      const text = say(`휴일로 등록했습니다 (${name})`, `is now a holiday (${name})`);
      await context.withDatabase(async (pool) => {
        await addHoliday(pool, override);
        await writeOut(output, options.json ? await dayJson(pool, day) : `${day}: ${text}\n`);
      });
    });
  noun
    .command('remove')
    .description(say('휴일을 영업일로 변경', 'make a holiday a business day after all'))
    .argument('<day>', 'YYYY-MM-DD')
    .requiredOption('--reason <text>', say('사유', 'the reason, which is kept'))
    .option('--by <who>', say('등록자', 'who says so'))
    .option('--json', say('JSON 출력', 'one JSON object'))
    .action(async (typed: string, options: RemoveOptions) => {
      const reason = said('--reason', options.reason);
      const day = dayOf('<day>', typed);
      const override = { day, name: say('영업일', 'business day'), reason, recordedBy: options.by ?? context.who };
      const text = say('더 이상 휴일이 아닙니다', 'is no holiday any more');
      await context.withDatabase(async (pool) => {
        await removeHoliday(pool, override);
        await writeOut(output, options.json ? await dayJson(pool, day) : `${day}: ${text}\n`);
      });
    });
}

/** What is known of the day now, as a server answers. */
async function dayJson(pool: Pool, day: string): Promise<string> {
  const [known] = await calendarDays(pool, { from: day, to: day });
  return `${JSON.stringify(known, null, 2)}\n`;
}

function daysText(days: readonly CalendarDay[], language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const weekday = (day: string) =>
    Temporal.PlainDate.from(day).toLocaleString(language === 'ko' ? 'ko-KR' : 'en-GB', { weekday: 'short' });
  return formatTable(
    [
      { title: say('일자', 'Day') },
      { title: say('요일', 'Weekday') },
      { title: '' },
      { title: say('이름', 'Name') },
      { title: say('출처', 'Source') },
      { title: say('사유', 'Reason') },
    ],
    days.map(({ day, closed, name, recordedBy, reason }) => [
      day,
      weekday(day),
      closed ? say('휴일', 'closed') : say('영업', 'open'),
      name,
      recordedBy ?? say('관보', 'gazette'),
      reason ?? '',
    ]),
  );
}

function dayOf(option: string, text: string): string {
  const day = parseDay(text);
  if (day === undefined) throw new Problem('usage', { reason: `${option} ${text} (YYYY-MM-DD)` });
  return day.toString();
}

function said(option: string, text: string): string {
  if (text.trim() === '') throw new Problem('usage', { reason: option });
  return text.trim();
}
