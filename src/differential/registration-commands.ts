import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { parseDay, seoul } from '../kernel/business-day.ts';
import { failureText, isProblem, type Language, Problem } from '../kernel/problem.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatCount, formatTable } from '../platform/terminal.ts';
import { differentialProviderNamed } from '../providers/differential-registry.ts';
import { isOut } from './file-store.ts';
import {
  countRegistrations,
  listRegistrations,
  type RegistrationFilter,
  type RegistrationState,
  registrationStates,
} from './registration-list-store.ts';
import {
  registrationColumns,
  registrationRow,
  registrationToJson,
  resultColumns,
  resultRow,
  resultToJson,
} from './registration-rows.ts';
import {
  type RegistrationRequest,
  type RegistrationResult,
  type Registrations,
  registrationRunId,
} from './registration-workflow.ts';

/** A process that can run workflows, opened for one command. */
type Engine = { readonly pool: Pool; readonly registrations: Pick<Registrations, 'register'> };
type Ports = { readonly output?: Writable; now?(): Temporal.Instant; readonly configured: readonly string[] };

type RegisterOptions = {
  readonly on?: string;
  readonly provider?: readonly string[];
  readonly by?: string;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  readonly json?: true;
};
type ListOptions = {
  readonly provider?: readonly string[];
  readonly merchant?: string;
  readonly state?: readonly string[];
  readonly limit?: string;
  readonly json?: true;
};

/** What a provider's day came to, or why it failed. */
type End = { readonly provider: string; readonly on: string } & (
  | { readonly result: RegistrationResult }
  | { readonly error: unknown }
);

/** How often the command looks whether the files are out, where it waits for no more. */
const lookEveryMs = 500;
/** Requests that a person is shown unless they ask for more. */
const limitDefault = 100;

/** `differential register` and `differential registrations`. */
export function addRegistrationCommands(
  noun: Command,
  context: CommandContext,
  withEngine: <T>(work: (engine: Engine) => Promise<T>) => Promise<T>,
  { output = process.stdout, now = () => Temporal.Now.instant(), configured }: Ports,
): void {
  const { language } = context;
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  noun
    .command('register')
    .description(say('하위가맹점을 카드사에 등록·변경·해지', 'tell the card companies whom we claim for'))
    .option('--on <day>', say('신청일 YYYY-MM-DD (기본: 오늘)', 'day of the request YYYY-MM-DD (today)'))
    .option('--provider <ids...>', say('원천사', 'only these providers'))
    .option('--no-wait', say('송신까지만', 'end once the files are sent: a running server waits for the answers'))
    .option('--by <who>', say('실행자', 'who asks for it'))
    .option('--json', say('JSON 출력', 'one JSON array'))
    .action((options: RegisterOptions) => {
      const day = options.on === undefined ? now().toZonedDateTimeISO(seoul).toPlainDate() : parseDay(options.on);
      if (day === undefined) throw new Problem('usage', { reason: `--on ${options.on} (YYYY-MM-DD)` });
      const chosen = options.provider?.map((id) => differentialProviderNamed(id).id) ?? configured;
      if (chosen.length === 0) {
        const reason = say(
          '차액정산 주소가 설정된 원천사가 없습니다',
          'no provider has an address for differential settlement',
        );
        throw new Problem('usage', { reason });
      }
      const who = options.by ?? context.who;
      const requests = [...new Set(chosen)].map((provider) => ({ provider, on: day.toString(), who }));
      return withEngine((engine) => register(engine, requests, options, { output, context }));
    });
  noun
    .command('registrations')
    .description(say('등록 신청과 결과', 'requests to the card companies, and what became of them'))
    .option('--provider <ids...>', say('원천사', 'only these providers'))
    .option('--merchant <id>', say('가맹점 ID', 'merchant ID'))
    .option('--state <states...>', registrationStates.join(', '))
    .option('--limit <rows>', say(`최대 건수 (표는 ${limitDefault})`, `at most so many (${limitDefault} in a table)`))
    .option('--json', say('JSON 출력', 'one JSON array'))
    .action((options: ListOptions) => list(options, context, output));
}

async function register(
  engine: Engine,
  requests: readonly RegistrationRequest[],
  { wait, json }: RegisterOptions,
  { output, context }: { readonly output: Writable; readonly context: CommandContext },
): Promise<void> {
  const { language, signal } = context;
  const over = new AbortController();
  // One that fails harms only itself.
  const ends = requests.map((request) => {
    const end = endOf(engine, request);
    return wait ? end : Promise.race([end, whenOut(engine.pool, request, over.signal)]);
  });
  const came = await Promise.race([
    Promise.all(ends),
    parked(requests.map(registrationRunId).join(', '), signal),
  ]).finally(() => over.abort());
  const ended = came.filter((end) => end !== 'waiting');
  await writeOut(output, json ? `${JSON.stringify(ended.map(toJson), null, 2)}\n` : toText(ended, language));
  for (const request of requests.filter((_, n) => came[n] === 'waiting')) {
    const text =
      language === 'ko'
        ? '송신했고, 결과는 실행 중인 서버가 기다립니다'
        : 'sent; a running server waits for the answers';
    process.stderr.write(`${registrationRunId(request)}: ${text}\n`);
  }
  if (ended.some((end) => 'error' in end)) process.exitCode = exitStatus.failed;
  else if (ended.some((end) => 'result' in end && end.result.outcome === 'expired')) {
    process.exitCode = exitStatus.incomplete;
  }
}

/** Asked of the database: the run may be another process's. */
async function whenOut(pool: Pool, { provider, on }: RegistrationRequest, signal: AbortSignal): Promise<'waiting'> {
  const file = { provider, kind: 'registration', on } as const;
  while (!signal.aborted && !(await isOut(pool, file))) await pause(lookEveryMs);
  return 'waiting';
}

async function endOf({ registrations }: Engine, request: RegistrationRequest): Promise<End> {
  const { provider, on } = request;
  try {
    return { provider, on, result: await registrations.register(request) };
  } catch (error) {
    return { provider, on, error };
  }
}

function toJson(end: End): unknown {
  if ('result' in end) return resultToJson(end.result);
  const { provider, on, error } = end;
  const code = isProblem(error) ? error.code : 'error';
  const message = failureText(error, 'en');
  return { run: registrationRunId(end), provider, on, outcome: 'failed', error: { code, message } };
}

function toText(ends: readonly End[], language: Language): string {
  const rows = ends.flatMap((end) => ('result' in end ? [resultRow(end.result, language)] : []));
  const failures = ends.flatMap((end) => {
    if ('result' in end) return [];
    const failed = language === 'ko' ? '실패' : 'failed';
    return [`${registrationRunId(end)} ${failed}: ${failureText(end.error, language)}\n`];
  });
  return (rows.length === 0 ? '' : formatTable(resultColumns(language), rows)) + failures.join('');
}

/** Rejects when we are told to end: what runs is finished as far as its step, the rest waits for the next process. */
async function parked(run: string, signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw new Problem('run_parked', { run });
}

async function list(options: ListOptions, { withDatabase, language }: CommandContext, output: Writable): Promise<void> {
  const filter = filterOf(options);
  const limit = limitOf(options);
  const [rows, count] = await withDatabase(async (pool) => [
    await listRegistrations(pool, filter, limit),
    await countRegistrations(pool, filter),
  ]);
  if (options.json) {
    await writeOut(output, `${JSON.stringify(rows.map(registrationToJson), null, 2)}\n`);
    return;
  }
  const cells = rows.map((row) => registrationRow(row, language));
  await writeOut(output, formatTable(registrationColumns(language), cells));
  const [shown, all] = [formatCount(rows.length), formatCount(count)];
  if (BigInt(rows.length) < count) {
    await writeOut(output, language === 'ko' ? `전체 ${all}건 중 ${shown}건\n` : `${shown} of ${all}\n`);
  }
}

function filterOf({ provider, merchant, state }: ListOptions): RegistrationFilter {
  const states = state?.map((name) => {
    if ((registrationStates as readonly string[]).includes(name)) return name as RegistrationState;
    throw new Problem('usage', { reason: `--state ${name} (${registrationStates.join(', ')})` });
  });
  return {
    ...(provider === undefined ? {} : { providers: provider.map((id) => differentialProviderNamed(id).id) }),
    ...(merchant === undefined ? {} : { merchantId: merchant }),
    ...(states === undefined ? {} : { states }),
  };
}

function limitOf({ limit, json }: ListOptions): number | null {
  if (limit === undefined) return json ? null : limitDefault;
  if (!/^\d{1,9}$/.test(limit)) throw new Problem('usage', { reason: `--limit ${limit}` });
  return Number(limit);
}
