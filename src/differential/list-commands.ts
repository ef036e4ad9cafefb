import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { addFilterOptions, type FilterOptions, toFilter } from './claim-options.ts';
import { claimToJson, csvHeader, csvRow, listColumns, listRow, totalLine } from './list-rows.ts';
import { type BatchLeaves, batchIdOf, leavesOf, listClaims, sumClaims } from './list-store.ts';

type Options = FilterOptions & {
  readonly limit?: string;
  readonly all?: true;
  readonly json?: true;
  readonly csv?: true;
};

/** Claims that a person is shown unless they ask for more. */
const limitDefault = 100;

/** `differential list`: the claims with where each stands, in constant memory however many they are. */
export function addListCommand(noun: Command, context: CommandContext, output: Writable = process.stdout): void {
  const { language } = context;
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  addFilterOptions(noun.command('list').description(say('신청 건 목록', 'claims with where each stands')), language)
    .option('--limit <rows>', say(`최대 건수 (표는 ${limitDefault})`, `at most so many (${limitDefault} in a table)`))
    .option('--all', say('전체', 'without a limit'))
    .option('--json', say('JSON 출력', 'one JSON array'))
    .option('--csv', say('CSV 출력', 'CSV'))
    .action((options: Options) => {
      const told = toFilter(options);
      const limit = limitOf(options);
      return context.withDatabase(async (pool) => {
        const filter = options.batch === undefined ? told : { ...told, batch: await batchOf(pool, options.batch) };
        const claims = listClaims(pool, filter, limit === undefined ? {} : { limit });
        if (options.json) {
          let separator = '[\n';
          for await (const batch of claims) {
            await writeOut(output, separator + batch.map((claim) => JSON.stringify(claimToJson(claim))).join(',\n'));
            separator = ',\n';
          }
          return writeOut(output, separator === '[\n' ? '[]\n' : '\n]\n');
        }
        if (options.csv) {
          await writeOut(output, csvHeader(language));
          for await (const batch of claims) {
            await writeOut(output, batch.map((claim) => csvRow(claim, language)).join(''));
          }
          return;
        }
        let shown = 0;
        for await (const batch of claims) {
          shown += batch.length;
          await writeOut(
            output,
            formatTable(
              listColumns(language),
              batch.map((claim) => listRow(claim, language)),
            ),
          );
        }
        await writeOut(output, `${totalLine(shown, await sumClaims(pool, filter), language)}\n`);
      });
    });
}

/** @throws Problem `not_found` */
async function batchOf(pool: Pool, name: string): Promise<BatchLeaves> {
  const batchId = await batchIdOf(pool, name);
  if (batchId === undefined) throw new Problem('not_found', { what: 'batch', id: name });
  return leavesOf(pool, batchId);
}

function limitOf({ limit, all, json, csv }: Options): number | undefined {
  if (limit !== undefined && all) throw new Problem('usage', { reason: '--limit | --all' });
  if (json && csv) throw new Problem('usage', { reason: '--json | --csv' });
  if (limit === undefined) return all || json || csv ? undefined : limitDefault;
  if (!/^\d{1,9}$/.test(limit)) throw new Problem('usage', { reason: `--limit ${limit}` });
  return Number(limit);
}
