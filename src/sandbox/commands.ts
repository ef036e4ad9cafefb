import { once } from 'node:events';
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { parseDay } from '../kernel/business-day.ts';
import { Problem } from '../kernel/problem.ts';
import { bankIds } from '../payout/banks/registry.ts';
import { openCipher } from '../platform/cipher.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { loadConfig } from '../platform/config.ts';
import { formatSource, type SourceAddress, sourceVariable } from '../platform/source-address.ts';
import { createProgress, formatCount, formatRate, formatTable } from '../platform/terminal.ts';
import { reconciledProviders } from '../providers/registry.ts';
import { addBankCommands } from './bank-commands.ts';
import { addDifferentialCommands, type DifferentialMonthPorts } from './differential-commands.ts';
import { generateWorld, type WorldSummary } from './generate.ts';
import { loadWorld } from './load.ts';
import { openSandbox, type Sandbox } from './sandbox.ts';
import { defaultBreaks, defaultFrom } from './world.ts';

type WorldOptions = {
  readonly seed: string;
  readonly days: number;
  readonly payments: number;
  readonly from: Temporal.PlainDate;
  readonly breaks: number;
  readonly json?: boolean;
};

/** 샌드박스. `sandbox` serves a simulated world; `sandbox generate` writes one; `sandbox load` brings one in. */
export function sandboxCommands(
  program: Command,
  context: CommandContext,
  product: Pick<DifferentialMonthPorts, 'withProduct'>,
): void {
  const say = (ko: string, en: string): string => (context.language === 'ko' ? ko : en);
  const sandbox = program
    .command('sandbox')
    .description(
      say('가상 세계: 가맹점·결제·대사 파일·입금', 'a simulated world: merchants, payments, statements, deposits'),
    );
  withWorldOptions(
    sandbox.command('serve', { isDefault: true }).description(say('세계를 SFTP로 제공', 'serve a world by SFTP')),
    context,
  )
    .option('--port <port>', say('SFTP 포트 (0: 아무 포트)', 'SFTP port (0: any)'), wholeNumber(0, 65_535), 0)
    .action((options: WorldOptions & { port: number }) => serve(options, context));
  withWorldOptions(
    sandbox.command('generate').description(say('세계를 파일로 작성', 'write a world as plain files')),
    context,
  )
    .requiredOption('--into <folder>', say('작성할 폴더', 'folder to write into'))
    .option('--differential', say('차액정산용 세계', 'a world for differential settlement'))
    .action((options: WorldOptions & { into: string; differential?: boolean }) => generate(options, context));
  sandbox
    .command('load')
    .description(
      say(
        '세계의 우리 쪽을 적재하고 대사 파일을 수집처에 놓음',
        'import our side, put the statements where they are collected',
      ),
    )
    .argument('<folder>', say('generate가 작성한 폴더', 'folder that generate wrote'))
    .option('--json', say('결과를 JSON 하나로 출력', 'print the outcome as one JSON document'))
    .action((folder: string, options: { json?: boolean }) => load(folder, options.json === true, context));
  addBankCommands(sandbox, context, () => config().home);
  addDifferentialCommands(sandbox, context, { home: () => config().home, ...product });
}

function withWorldOptions(command: Command, { language }: CommandContext): Command {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  return command
    .option('--seed <seed>', say('시드: 같은 시드는 같은 바이트', 'seed: the same seed, the same bytes'), '1')
    .option('--days <days>', say('일수', 'days'), wholeNumber(1, 3_660), 3)
    .option('--payments <count>', say('하루 승인 건수', 'approvals a day'), wholeNumber(1, 80_000_000), 100_000)
    .option('--from <day>', say('첫날 YYYY-MM-DD', 'first day YYYY-MM-DD'), day, defaultFrom)
    .option(
      '--breaks <share>',
      say(
        '단계마다 심을 불일치 비율, 1 이상이면 종류마다 건수',
        'share of breaks in each stage, or from 1 on the count of each kind',
      ),
      breaksOption,
      defaultBreaks,
    )
    .option('--json', say('결과를 JSON 하나로 출력', 'print the outcome as one JSON document'));
}

async function serve(options: WorldOptions & { readonly port: number }, context: CommandContext): Promise<void> {
  const { home } = config();
  const progress = createProgress(process.stderr);
  const sandbox = await openSandbox({
    ...options,
    folder: path.join(home, 'sandbox'),
    progress,
    signal: context.signal,
  }).finally(() => progress.close());
  try {
    process.stdout.write(
      options.json === true ? `${JSON.stringify(servedJson(sandbox))}\n` : servedText(sandbox, context),
    );
    if (!context.signal.aborted) await once(context.signal, 'abort');
  } finally {
    await sandbox.close();
  }
}

function servedJson({ world, sources }: Sandbox): unknown {
  return { folder: world.folder, days: world.days, sources: urlsOf(sources) };
}

function servedText({ world, sources }: Sandbox, { language }: CommandContext): string {
  const title =
    language === 'ko'
      ? `샌드박스: ${world.folder}\n아래 변수를 설정하면 대사 파일을 SFTP로 수집합니다 (Ctrl-C로 종료):\n`
      : `sandbox: ${world.folder}\nWith these variables statements are collected from it by SFTP (Ctrl-C ends it):\n`;
  const lines = Object.entries(urlsOf(sources)).map(([variable, url]) => `  export ${variable}='${url}'\n`);
  return title + lines.join('');
}

/** The sandbox's addresses with their password: it guards nothing but made-up files on this machine. */
function urlsOf(sources: Sandbox['sources']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(sources).map(([provider, { user, password, host, port, folder, hostKeys }]) => [
      sourceVariable(provider),
      `sftp://${user}:${password?.reveal() ?? ''}@${host}:${port}${folder}?hostKey=${hostKeys[0]}`,
    ]),
  );
}

async function generate(
  options: WorldOptions & { readonly into: string; readonly differential?: boolean },
  context: CommandContext,
): Promise<void> {
  const progress = createProgress(process.stderr);
  const startedAt = performance.now();
  const summary = await generateWorld({
    ...options,
    into: path.resolve(options.into),
    signal: context.signal,
    onProgress: ({ file, records }) => progress.update('generate', `${file}  ${formatCount(records)}`),
  })
    .catch((error: unknown) => {
      throw context.signal.aborted ? new Problem('interrupted', { what: options.into }, { cause: error }) : error;
    })
    .finally(() => progress.close());
  const elapsedMs = performance.now() - startedAt;
  process.stdout.write(
    options.json === true ? `${JSON.stringify(summary)}\n` : summaryText(summary, options.into, elapsedMs, context),
  );
}

function summaryText(summary: WorldSummary, into: string, elapsedMs: number, { language }: CommandContext): string {
  const titles =
    language === 'ko'
      ? ['날짜', '원천사', '승인', '취소', '매입', '대사 파일 행']
      : ['day', 'provider', 'approvals', 'cancels', 'captures', 'statement lines'];
  const rows = summary.days.flatMap((on) =>
    summary.providers.map((provider) => {
      const records = summary.records[provider]?.[on] ?? { approvals: 0, cancels: 0, captures: 0 };
      const lines = Object.values(summary.lines[provider]?.[on] ?? {}).reduce((sum, count) => sum + count, 0);
      const counts = [records.approvals, records.cancels, records.captures, lines];
      return [on, provider, ...counts.map(formatCount)];
    }),
  );
  const all = Object.values(summary.records).flatMap((days) => Object.values(days));
  const payments = all.reduce((sum, { approvals, cancels }) => sum + approvals + cancels, 0);
  const columns = titles.map((title, n) => ({ title, align: n < 2 ? ('left' as const) : ('right' as const) }));
  return `${formatTable(columns, rows)}${path.resolve(into)}  ${formatCount(payments)}  ${formatRate(payments, elapsedMs)}\n`;
}

async function load(folder: string, json: boolean, context: CommandContext): Promise<void> {
  const { sources, home, dataKeys } = config();
  const inboxes = Object.fromEntries(
    Object.entries(sources).map(([provider, source]) => [provider, inboxOf(provider, source)]),
  );
  const progress = createProgress(process.stderr);
  const { who, language, signal } = context;
  const cipher = await openCipher({ home, ...dataKeys });
  const outcome = await context
    .withDatabase((pool) => loadWorld(pool, path.resolve(folder), { who, cipher, language, signal, progress, inboxes }))
    .finally(() => progress.close());
  const { statements, ...imported } = outcome;
  const counts = Object.entries(imported);
  const refused = counts.reduce((sum, [, { refused: count }]) => sum + count, 0);
  if (json) {
    const imports = counts.map(([name, { added, same, refused: count }]) => [name, { added, same, refused: count }]);
    process.stdout.write(`${JSON.stringify({ ...Object.fromEntries(imports), statements, inboxes })}\n`);
  } else {
    const text =
      context.language === 'ko' ? '대사 파일을 수집처에 놓았습니다' : 'statements put where they are collected';
    process.stdout.write(`${formatCount(statements)} ${text}: ${path.dirname(Object.values(inboxes)[0] ?? '')}\n`);
  }
  process.exitCode = refused > 0 ? exitStatus.incomplete : exitStatus.done;
}

function inboxOf(provider: string, source: SourceAddress): string {
  if (source.kind === 'folder') return source.folder;
  const reason = `${provider} is collected from ${formatSource(source)}: unset ${sourceVariable(provider)} to load into its folder`;
  throw new Problem('usage', { reason });
}

function config() {
  return loadConfig(
    process.env,
    reconciledProviders.map(({ id }) => id),
    bankIds,
  );
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`${min}–${max}`);
  };
}

function breaksOption(text: string): number {
  const value = /^\d{1,6}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && (value < 1 || Number.isInteger(value))) return value;
  throw new InvalidArgumentError('0, 0.002, 5');
}

function day(text: string): Temporal.PlainDate {
  const parsed = parseDay(text);
  if (parsed === undefined) throw new InvalidArgumentError('YYYY-MM-DD');
  return parsed;
}
