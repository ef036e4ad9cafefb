import { type Command, Option } from 'commander';
import type { Pool } from 'pg';
import type { Language } from '../kernel/problem.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { createProgress, formatBytes, formatCount, formatRate, printable } from '../platform/terminal.ts';
import { type ImportOptions, type ImportOutcome, type ImportProgress, refusalText } from './import-records.ts';
import { type ImportSource, openImportSource } from './import-source.ts';
import type { RecordFormat } from './record-scanner.ts';

/** So many refusals are printed; `import_refusal` keeps them all, `--json` prints the first thousand. */
const refusalsPrinted = 20;

type CommandOptions = {
  readonly format?: RecordFormat;
  readonly strict?: boolean;
  readonly json?: boolean;
  readonly by?: string;
};

/** Adds `import FILE` to a noun. `bring` is the import of its kind. */
export function addImportCommand(
  noun: Command,
  context: CommandContext,
  description: { readonly ko: string; readonly en: string },
  bring: (pool: Pool, source: ImportSource, options: ImportOptions) => Promise<ImportOutcome>,
): void {
  const say = (ko: string, en: string): string => (context.language === 'ko' ? ko : en);
  noun
    .command('import')
    .description(description[context.language])
    .argument('<file>', say('CSV 또는 NDJSON 파일, 표준 입력은 -', 'CSV or NDJSON file, - for standard input'))
    .addOption(new Option('--format <format>', say('파일 형식', 'format of the file')).choices(['csv', 'ndjson']))
    .option('--strict', say('하나라도 거절되면 아무것도 넣지 않음', 'with any refusal nothing goes in'))
    .option('--json', say('결과를 JSON 하나로 출력', 'print the outcome as one JSON document'))
    .option('--by <who>', say('적재한 사람', 'who imports'))
    .action(async (file: string, options: CommandOptions) => {
      const source = await openImportSource(file, options.format);
      const startedAt = performance.now();
      const progress = createProgress(process.stderr);
      const outcome = await context
        .withDatabase((pool) =>
          bring(pool, source, {
            who: options.by ?? context.who,
            strict: options.strict === true,
            signal: context.signal,
            onProgress: (at) =>
              progress.update('import', progressText(at, performance.now() - startedAt, context.language)),
          }),
        )
        .finally(() => progress.close());
      process.stderr.write(refusalLines(outcome, context.language));
      process.stdout.write(
        options.json === true
          ? `${JSON.stringify(outcomeJson(outcome, context.language))}\n`
          : `${summary(source.name, outcome, performance.now() - startedAt, context.language)}\n`,
      );
      process.exitCode = importExitStatus(outcome);
    });
}

/** Done; done without what was refused; or failed, because `--strict` kept everything out. */
function importExitStatus(outcome: ImportOutcome): number {
  if (!outcome.entered) return exitStatus.failed;
  return outcome.refused > 0 ? exitStatus.incomplete : exitStatus.done;
}

function outcomeJson(outcome: ImportOutcome, language: Language): unknown {
  return {
    importId: Number(outcome.importId),
    entered: outcome.entered,
    added: outcome.added,
    same: outcome.same,
    refused: outcome.refused,
    refusals: outcome.refusals.map((refusal) => ({
      line: refusal.line,
      code: refusal.code,
      message: refusalText(refusal, language),
    })),
  };
}

function progressText(at: ImportProgress, elapsedMs: number, language: Language): string {
  const phases = {
    reading: { ko: '읽는 중', en: 'reading' },
    checking: { ko: '대조하는 중', en: 'checking' },
    adding: { ko: '넣는 중', en: 'adding' },
  };
  const size =
    at.totalBytes === undefined ? formatBytes(at.bytes) : `${formatBytes(at.bytes)} / ${formatBytes(at.totalBytes)}`;
  const rows = `${formatCount(at.rows)}${language === 'ko' ? '행' : ' rows'}`;
  return `${phases[at.phase][language]}  ${size}  ${rows}  ${formatRate(at.rows, elapsedMs)}`;
}

function refusalLines(outcome: ImportOutcome, language: Language): string {
  const lines = outcome.refusals
    .slice(0, refusalsPrinted)
    .map((refusal) =>
      language === 'ko'
        ? `${refusal.line}행: ${refusalText(refusal, language)} [${refusal.code}]`
        : `line ${refusal.line}: ${refusalText(refusal, language)} [${refusal.code}]`,
    );
  const more = outcome.refused - lines.length;
  if (more > 0) {
    const count = formatCount(more);
    lines.push(
      language === 'ko'
        ? `… 그 밖에 ${count}건 (import_refusal, import_id ${outcome.importId})`
        : `… and ${count} more (import_refusal, import_id ${outcome.importId})`,
    );
  }
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function summary(name: string, outcome: ImportOutcome, elapsedMs: number, language: Language): string {
  const [added, same, refused] = [outcome.added, outcome.same, outcome.refused].map(formatCount);
  const rate = formatRate(outcome.added + outcome.same + outcome.refused, elapsedMs);
  const counts =
    language === 'ko'
      ? `추가 ${added} · 동일 ${same} · 거절 ${refused} · ${rate} · 적재 번호 ${outcome.importId}`
      : `${added} added · ${same} the same · ${refused} refused · ${rate} · import ${outcome.importId}`;
  if (outcome.entered) return printable(`${name}: ${counts}`);
  const nothing =
    language === 'ko' ? '거절이 있어 아무것도 넣지 않았습니다' : 'nothing went in, since there were refusals';
  return printable(`${name}: ${nothing} · ${counts}`);
}
