import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { dayOf } from './break-options.ts';
import { reportFiles, standingReport } from './report-files.ts';
import { latestRun, reportRun } from './report-store.ts';

type Options = {
  readonly on?: string;
  readonly run?: string;
  readonly fresh?: true;
  readonly into?: string;
  readonly json?: true;
};

/** `jeongsan report`: where the report of a run lies; it is made again where it is not there any more. */
export function reportCommands(
  program: Command,
  context: CommandContext,
  { home, output = process.stdout }: { readonly home: string; readonly output?: Writable },
): void {
  program
    .command('report')
    .description('where the report of a run lies; the newest run if not told otherwise / 보고서')
    .option('--on <day>', 'of the newest run of this business day / 업무일')
    .option('--run <id>', 'of this run / 실행 ID')
    .option('--fresh', 'make it again as things stand now / 다시 만들기')
    .option('--into <file>', 'into a new file: .html the page, .csv and .xlsx the breaks / 새 파일로 저장')
    .option('--json', 'JSON output / JSON 출력')
    .action((options: Options) => {
      if (options.on !== undefined && options.run !== undefined) throw new Problem('usage', { reason: '--on | --run' });
      const on = dayOf('--on', options.on);
      return context.withDatabase(async (pool) => {
        const run = options.run === undefined ? await latestRun(pool, on) : await reportRun(pool, options.run);
        const folder = await standingReport({ pool, home, language: context.language }, run, options.fresh ?? false);
        if (options.into !== undefined) return await takeAlong(folder, options.into);
        await writeOut(
          output,
          options.json ? `${JSON.stringify({ run: run.runId, on: run.on, folder })}\n` : `${folder}\n`,
        );
      });
    });
}

const byEnding = { '.html': reportFiles.page, '.csv': reportFiles.csv, '.xlsx': reportFiles.xlsx } as const;

/** @throws Problem `usage` for another ending, where there is such a file already, or no place for it */
async function takeAlong(folder: string, into: string): Promise<void> {
  const ending = path.extname(into).toLowerCase();
  const found = Object.entries(byEnding).find(([each]) => each === ending)?.[1];
  if (found === undefined)
    throw new Problem('usage', { reason: `--into ${into} (${Object.keys(byEnding).join(', ')})` });
  try {
    await copyFile(path.join(folder, found), into, constants.COPYFILE_EXCL);
  } catch (error) {
    throw new Problem('usage', { reason: `--into ${(error as Error).message}` }, { cause: error });
  }
}
