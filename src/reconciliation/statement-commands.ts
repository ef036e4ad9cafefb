import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { parseDay } from '../kernel/business-day.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import type { Archive } from '../platform/archive.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { providerNamed, reconciledProviders } from '../providers/registry.ts';
import { type Stage, stages } from '../providers/stage.ts';
import { addStatementByHand } from './collect.ts';
import { listStatements } from './statement-list-store.ts';
import { listColumns, listRow, showRows, statementToJson } from './statement-rows.ts';
import { findStatement } from './statement-store.ts';

/** Where the commands about statements write, and where originals are kept. */
export type StatementSurroundings = { readonly output: Writable; readonly archive: Archive };

/** Statements that a list shows at most. */
const limitMost = 10_000;

type AddOptions = { provider: string; stage: string; on: string; why: string; by?: string; json?: true };
type ListOptions = { provider?: string; stage?: string; on?: string; json?: true };

/** `jeongsan statement`: 대사 파일을 등록하고 찾아본다. */
export function statementCommands(
  program: Command,
  context: CommandContext,
  surroundings: () => StatementSurroundings,
): void {
  const statement = program.command('statement').description("providers' statement files / 대사 파일");
  addCommand(statement, context, surroundings);
  listCommand(statement, context, surroundings);
  showCommand(statement, context, surroundings);
}

function addCommand(statement: Command, context: CommandContext, surroundings: () => StatementSurroundings): void {
  statement
    .command('add')
    .description('add a file by hand; the next reconcile takes it in / 수기 등록')
    .argument('<file>')
    .requiredOption('--provider <id>', 'provider / 원천사')
    .requiredOption('--stage <stage>', `${stages.join(', ')} / 단계`)
    .requiredOption('--on <day>', 'business day YYYY-MM-DD / 업무일')
    .requiredOption('--why <text>', 'the reason, kept with the file / 사유')
    .option('--by <who>', 'who brought it / 등록자')
    .option('--json', 'JSON output / JSON 출력')
    .action((file: string, options: AddOptions) => {
      if (options.why.trim() === '') throw new Problem('usage', { reason: '--why TEXT' });
      const { output, archive } = surroundings();
      const day = {
        provider: providerNamed(options.provider, reconciledProviders).id,
        stage: toStage(options.stage),
        on: toDay(options.on),
      };
      return context.withDatabase(async (pool) => {
        const by = { who: options.by ?? context.who, why: options.why.trim() };
        const added = await addStatementByHand({ pool, archive, file, ...day, ...by });
        await writeOut(output, options.json ? `${JSON.stringify(added)}\n` : addedText(added, context.language));
      });
    });
}

function listCommand(statement: Command, context: CommandContext, surroundings: () => StatementSurroundings): void {
  statement
    .command('list')
    .description('list every version of every file, the newest days first / 목록')
    .option('--on <day>', 'business day YYYY-MM-DD / 업무일')
    .option('--provider <id>', 'provider / 원천사')
    .option('--stage <stage>', `${stages.join(', ')} / 단계`)
    .option('--json', 'one JSON array / JSON 출력')
    .action((options: ListOptions) => {
      const filter = {
        provider: options.provider === undefined ? undefined : providerNamed(options.provider, reconciledProviders).id,
        stage: options.stage === undefined ? undefined : toStage(options.stage),
        on: options.on === undefined ? undefined : toDay(options.on),
      };
      return context.withDatabase(async (pool) => {
        const found = await listStatements(pool, filter, limitMost);
        const { language } = context;
        const text = options.json
          ? `${JSON.stringify(
              found.map((each) => statementToJson(each, language)),
              null,
              2,
            )}\n`
          : formatTable(
              listColumns(language),
              found.map((each) => listRow(each, language)),
            );
        await writeOut(surroundings().output, text);
      });
    });
}

function showCommand(statement: Command, context: CommandContext, surroundings: () => StatementSurroundings): void {
  statement
    .command('show')
    .description('one version of a file, its original compared with its hash / 상세')
    .argument('<id>')
    .option('--json', 'one JSON object / JSON 출력')
    .action((id: string, options: { json?: true }) => {
      if (!/^[1-9]\d{0,14}$/.test(id)) throw new Problem('usage', { reason: `ID ${id}` });
      const { output, archive } = surroundings();
      const { language } = context;
      return context.withDatabase(async (pool) => {
        const found = await findStatement(pool, Number(id));
        await archive.verify(found);
        const text = options.json
          ? `${JSON.stringify(statementToJson(found, language), null, 2)}\n`
          : formatTable(
              [{ title: language === 'ko' ? '대사 파일' : 'Statement' }, { title: '' }],
              showRows(found, language),
            );
        await writeOut(output, text);
      });
    });
}

function addedText(
  { statementId, version, isNew, fileName }: Awaited<ReturnType<typeof addStatementByHand>>,
  language: Language,
): string {
  const which =
    language === 'ko'
      ? `${fileName} ${version}판 (번호 ${statementId})`
      : `${fileName} version ${version} (id ${statementId})`;
  if (isNew) return `${which} ${language === 'ko' ? '등록했습니다' : 'added'}\n`;
  return `${which} ${language === 'ko' ? '이미 있는 파일과 같아 등록하지 않았습니다' : 'has these very bytes already; nothing was added'}\n`;
}

function toStage(text: string): Stage {
  const stage = stages.find((known) => known === text);
  if (!stage) throw new Problem('usage', { reason: `--stage ${text} (${stages.join(', ')})` });
  return stage;
}

function toDay(text: string): Temporal.PlainDate {
  const day = parseDay(text);
  if (!day) throw new Problem('usage', { reason: `--on ${text} (YYYY-MM-DD)` });
  return day;
}
