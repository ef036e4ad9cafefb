import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { businessCalendar } from '../calendar/store.ts';
import { Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { addActCommands } from './break-act-commands.ts';
import { ageCounter } from './break-age.ts';
import { csvHeader, csvRow } from './break-csv.ts';
import type { BreakFilter } from './break-filter.ts';
import { addFilterOptions, type FilterOptions, toFilter, wholeNumber } from './break-options.ts';
import {
  type AgeOf,
  breakDetailToJson,
  breakToJson,
  detailSections,
  listColumns,
  listRow,
  totalLine,
} from './break-rows.ts';
import { listBreaks, showBreak, sumBreaks } from './break-store.ts';
import { type BreakSurroundings, breakSurroundings } from './break-surroundings.ts';
import { columnWords } from './words.ts';

type ListOptions = FilterOptions & {
  readonly limit?: string;
  readonly all?: true;
  readonly json?: true;
  readonly csv?: true;
};

/** Breaks that a person is shown unless they ask for more. */
const limitDefault = 100;
const limitMost = 100_000_000;

/** `jeongsan breaks`: what differs, listed, shown, and brought to its end. */
export function breakCommands(
  program: Command,
  context: CommandContext,
  surroundings: () => BreakSurroundings = breakSurroundings,
): void {
  const breaks = program.command('breaks').description('differences and their life / 불일치');
  addFilterOptions(breaks.command('list').description('list breaks; unresolved ones if not told otherwise / 목록'))
    .option('--limit <rows>', `at most so many (${limitDefault} in a table) / 최대 건수`)
    .option('--all', 'without a limit / 전체')
    .option('--json', 'one JSON array / JSON 출력')
    .option('--csv', 'CSV / CSV 출력')
    .action((options: ListOptions) => {
      const { output, world } = surroundings();
      const filterOf = toFilter(options, world);
      const limit = limitOf(options);
      return context.withDatabase(async (pool) => {
        const holidays = await businessCalendar(pool);
        const filter = filterOf(holidays);
        return list({ pool, filter, limit, options, output, ageOf: ageCounter(world.today, holidays), context });
      });
    });
  breaks
    .command('show')
    .description('ours beside theirs, where it stands, and the whole trail / 상세')
    .argument('<id>')
    .option('--json', 'one JSON object / JSON 출력')
    .action((id: string, options: { json?: true }) => {
      const { output, world } = surroundings();
      const breakId = wholeNumber('ID', id, 999_999_999);
      return context.withDatabase(async (pool) => {
        const ageOf = ageCounter(world.today, await businessCalendar(pool));
        return show({ pool, breakId, json: options.json ?? false, output, ageOf, context });
      });
    });
  addActCommands(breaks, context, surroundings);
}

type List = {
  readonly pool: Pool;
  readonly filter: BreakFilter;
  readonly limit: number | undefined;
  readonly options: ListOptions;
  readonly output: Writable;
  readonly ageOf: AgeOf;
  readonly context: CommandContext;
};

async function list({ pool, filter, limit, options, output, ageOf, context: { language } }: List): Promise<void> {
  // Whoever asks by amount wants the largest first; else it is the newest day.
  const order = options.minWon === undefined ? 'day' : 'amount';
  const batches = listBreaks(pool, filter, { ...(limit === undefined ? {} : { limit }), order });
  if (options.json) {
    let separator = '[\n';
    for await (const batch of batches) {
      await writeOut(output, separator + batch.map((found) => JSON.stringify(breakToJson(found, ageOf))).join(',\n'));
      separator = ',\n';
    }
    await writeOut(output, separator === '[\n' ? '[]\n' : '\n]\n');
    return;
  }
  if (options.csv) {
    await writeOut(output, csvHeader(language));
    for await (const batch of batches) {
      await writeOut(output, batch.map((found) => csvRow(found, ageOf, language)).join(''));
    }
    return;
  }
  let shown = 0;
  for await (const batch of batches) {
    shown += batch.length;
    await writeOut(
      output,
      formatTable(
        listColumns(language),
        batch.map((found) => listRow(found, ageOf, language)),
      ),
    );
  }
  await writeOut(output, `${totalLine(shown, await sumBreaks(pool, filter), language)}\n`);
}

type Show = {
  readonly pool: Pool;
  readonly breakId: number;
  readonly json: boolean;
  readonly output: Writable;
  readonly ageOf: AgeOf;
  readonly context: CommandContext;
};

async function show({ pool, breakId, json, output, ageOf, context: { language } }: Show): Promise<void> {
  const found = await showBreak(pool, breakId);
  if (json) return writeOut(output, `${JSON.stringify(breakDetailToJson(found, ageOf), null, 2)}\n`);
  const { facts, sides, trail } = detailSections(found, ageOf, language);
  const title = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  await writeOut(
    output,
    [
      formatTable(
        [{ title: title('불일치', 'Break') }, { title: '' }],
        facts.map((row) => [...row]),
      ),
      formatTable(
        [
          { title: title('항목', 'Field') },
          { title: columnWords.ours[language], align: 'right' },
          { title: columnWords.theirs[language], align: 'right' },
          { title: '' },
        ],
        sides,
      ),
      formatTable(
        [
          { title: title('시각', 'When') },
          { title: title('누가', 'Who') },
          { title: title('행위', 'What') },
          { title: columnWords.state[language] },
          { title: title('내용', 'Note') },
        ],
        trail,
      ),
    ].join('\n'),
  );
}

function limitOf({ limit, all, json, csv }: ListOptions): number | undefined {
  if (limit !== undefined && all) throw new Problem('usage', { reason: '--limit | --all' });
  if (json && csv) throw new Problem('usage', { reason: '--json | --csv' });
  if (limit !== undefined) return wholeNumber('--limit', limit, limitMost);
  return all || json || csv ? undefined : limitDefault;
}
