import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Clock } from '../differential/ports.ts';
import { parseDay } from '../kernel/business-day.ts';
import { Problem } from '../kernel/problem.ts';
import type { Cipher } from '../platform/cipher.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import type { RemoteAddress } from '../platform/remote-address.ts';
import { createProgress } from '../platform/terminal.ts';
import { receivables, standingClaims } from './differential-ends-store.ts';
import { factsInTurn } from './differential-load.ts';
import { type DifferentialProduct, liveMonth, monthClock, patientClock } from './differential-month.ts';
import { endsWell, monthOutcome, outcomeToJson, outcomeToText } from './differential-report.ts';
import { openDifferentialSandbox, sandboxBusinessNo } from './differential-sandbox.ts';
import { writeClaimTruth } from './differential-truth.ts';
import { generateWorld } from './generate.ts';
import { readWorld } from './load.ts';
import type { WorldSpec } from './world.ts';

/** What a simulation puts in the place of the world's own. */
export type SimulatedSurroundings = {
  /** Of the installation that lives through it: whatever it keeps is there, and its database where none is given. */
  readonly home: string;
  readonly addresses: Readonly<Record<string, RemoteAddress>>;
  readonly businessNo: string;
  readonly clock: Clock;
};

/** The product, opened for a simulation. */
export type SimulatedProduct = DifferentialProduct & {
  readonly cipher: Cipher;
  /** How many deviations the ledger's own check finds. */
  verifyLedger(): Promise<number>;
};

export type DifferentialMonthPorts = {
  /** Where worlds, keys and what providers received are kept. */
  home(): string;
  /** Opens the product with simulated surroundings for as long as the work takes. */
  withProduct<T>(surroundings: SimulatedSurroundings, work: (product: SimulatedProduct) => Promise<T>): Promise<T>;
};

type MonthCommand = {
  readonly days: number;
  readonly payments: number;
  readonly from: Temporal.PlainDate;
  readonly seed: string;
  readonly json?: true;
};

/** A Monday; the half-year changes on the twelfth day. */
const firstDay = Temporal.PlainDate.from('2026-08-03');

/** `jeongsan sandbox differential`: a month of differential settlement with simulated providers, and its truth. */
export function addDifferentialCommands(
  sandbox: Command,
  context: CommandContext,
  ports: DifferentialMonthPorts,
): void {
  const say = (ko: string, en: string): string => (context.language === 'ko' ? ko : en);
  const noun = sandbox
    .command('differential')
    .description(say('차액정산 모의 원천사', 'simulated providers of differential settlement'));
  noun
    .command('run', { isDefault: true })
    .description(
      say('한 달을 모의로 살고 결과를 정답과 대조', 'live through a month and compare every claim with the truth'),
    )
    .option('--days <days>', say('일수', 'days'), wholeNumber(1, 120), 30)
    .option('--payments <count>', say('하루 승인 건수', 'approvals a day'), wholeNumber(30, 20_000), 600)
    .option('--from <day>', say('첫날 YYYY-MM-DD', 'first day YYYY-MM-DD'), day, firstDay)
    .option('--seed <seed>', say('시드: 같은 시드는 같은 한 달', 'seed: the same seed, the same month'), '1')
    .option('--json', say('JSON 출력', 'print one JSON document'))
    .action((options: MonthCommand) => live(options, context, ports));
  noun
    .command('serve')
    .description(say('모의 원천사를 실행 (변수를 출력)', 'run the simulated providers and print their variables'))
    .argument('<world>', say('generate --differential이 작성한 폴더', 'folder that generate --differential wrote'))
    .option('--json', say('JSON 출력', 'print one JSON document'))
    .action((folder: string, options: { json?: true }) =>
      serve(path.resolve(folder), options.json ?? false, context, ports),
    );
}

async function live(options: MonthCommand, context: CommandContext, ports: DifferentialMonthPorts): Promise<void> {
  const { who, language, signal } = context;
  const spec: WorldSpec = { ...options, breaks: 0, differential: true };
  const name = [spec.seed, spec.from, spec.days, spec.payments].map(String).map(encodeURIComponent).join('-');
  const folder = path.join(ports.home(), 'sandbox', 'differential', name);
  const progress = createProgress(process.stderr);
  try {
    const into = path.join(folder, 'world');
    if ((await readWorld(into, spec)) === undefined) await generateWorld({ ...spec, into, signal });
    const world = await readWorld(into, spec);
    if (world === undefined) throw new Problem('world_missing', { folder: into });
    const sandbox = await openDifferentialSandbox({ folder, world: spec, pace: 'calendar' });
    try {
      await writeClaimTruth(path.join(into, 'claims.ndjson'), sandbox.fates);
      const clock = monthClock(folder, world.days[0] ?? '', (now) => sandbox.look(now));
      const home = path.join(folder, 'home');
      const surroundings = {
        home,
        addresses: sandbox.addresses,
        businessNo: sandboxBusinessNo,
        clock: patientClock(clock),
      };
      const outcome = await ports.withProduct(surroundings, async (product) => {
        const facts = await factsInTurn(world, { who, cipher: product.cipher, language, signal });
        const onDay = (on: string): void => progress.update('month', `sandbox differential  ${on}`);
        await liveMonth(product, { days: world.days, facts, clock, who, signal, onDay });
        const standing = await standingClaims(product.pool);
        const ledger = { booked: await receivables(product.pool), deviations: await product.verifyLedger() };
        return monthOutcome(sandbox.fates, standing, ledger, sandbox.strays());
      });
      progress.finish('month', `sandbox differential  ${into}`);
      const said = options.json
        ? `${JSON.stringify({ home, world: into, ...outcomeToJson(outcome) }, null, 2)}\n`
        : `${outcomeToText(outcome, language)}export JEONGSAN_HOME='${home}'\n`;
      process.stdout.write(said);
      process.exitCode = endsWell(outcome) ? exitStatus.done : exitStatus.failed;
    } finally {
      await sandbox.close();
    }
  } finally {
    progress.close();
  }
}

/** How often the simulated providers look for what has come, by the wall clock. */
const lookEveryMs = 500;

async function serve(
  folder: string,
  json: boolean,
  { language, signal }: CommandContext,
  ports: DifferentialMonthPorts,
): Promise<void> {
  const world = await readWorld(folder);
  if (world === undefined) throw new Problem('world_missing', { folder });
  const { seed, days, paymentsPerDay, breaks, from } = world;
  const spec = { seed, days: days.length, payments: paymentsPerDay, breaks, from: Temporal.PlainDate.from(from) };
  const own = path.join(ports.home(), 'sandbox', 'differential', `serve-${encodeURIComponent(seed)}`);
  const sandbox = await openDifferentialSandbox({ folder: own, world: spec, pace: 'at_once' });
  const look = setInterval(() => sandbox.look(Temporal.Now.instant()), lookEveryMs);
  try {
    const lines = Object.entries(sandbox.variables).map(([variable, value]) => `  export ${variable}='${value}'\n`);
    const title =
      language === 'ko'
        ? '모의 원천사 (Ctrl-C로 종료). 아래 변수를 설정하면 이곳과 차액정산합니다:\n'
        : 'the simulated providers (Ctrl-C ends them). With these variables differences are claimed from them:\n';
    process.stdout.write(json ? `${JSON.stringify({ variables: sandbox.variables })}\n` : title + lines.join(''));
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    clearInterval(look);
    await sandbox.close();
  }
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`${min}–${max}`);
  };
}

function day(text: string): Temporal.PlainDate {
  const parsed = parseDay(text);
  if (parsed === undefined) throw new InvalidArgumentError('YYYY-MM-DD');
  return parsed;
}
