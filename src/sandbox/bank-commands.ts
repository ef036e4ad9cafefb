import { once } from 'node:events';
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { formatWon, wonToJson } from '../kernel/money.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { bankVariable } from '../platform/bank-address.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { bankUrl, openSandboxBank } from './bank.ts';
import { type BankTransfer, readTransfers } from './bank-journal.ts';
import { type BankMoods, parseMoods, type Range } from './bank-moods.ts';
import { journalFile } from './bank-server.ts';
import { bankAccountsFile } from './generate.ts';

type ServeOptions = {
  readonly port: number;
  readonly seed: string;
  readonly mood: BankMoods;
  readonly latency?: Range;
  readonly accounts?: string;
  readonly callback?: string;
  readonly closed: { from: string; to: string };
  readonly json?: true;
};

/** The bank's folder below the sandbox's. */
export const bankFolder = (home: string): string => path.join(home, 'sandbox', 'bank');

/** `jeongsan sandbox bank`: the simulated VAN as a process, and what it really moved. `home`: where it keeps its books. */
export function addBankCommands(sandbox: Command, { language, signal }: CommandContext, home: () => string): void {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const bank = sandbox.command('bank').description(say('모의 은행(VAN)', 'the simulated bank (VAN)'));
  bank
    .command('serve', { isDefault: true })
    .description(say('모의 은행 실행', 'run it'))
    .option('--port <port>', say('HTTPS 포트 (0: 아무 포트)', 'HTTPS port (0: any)'), port, 0)
    .option('--seed <seed>', say('시드: 같은 시드는 같은 변덕', 'seed: the same seed, the same moods'), '1')
    .option('--mood <moods>', 'everyday | calm | stormy, drop_after=0.05, …', parseMoods, parseMoods('everyday'))
    .option('--latency <ms-ms>', say('응답 지연', 'time to answer'), range)
    .option('--accounts <file>', say('계좌와 예금주 CSV', 'CSV of accounts and holders'))
    .option('--callback <url>', say('결과 통지를 받을 주소', 'origin that is called back'), origin)
    .option('--closed <hours>', say('점검 시간', 'maintenance hours'), hours, { from: '23:30', to: '00:30' })
    .option('--json', say('JSON 출력', 'print one JSON document'))
    .action((options: ServeOptions) => serve(options, home(), { say, signal }));
  bank
    .command('list')
    .description(say('은행이 실제로 처리한 이체', 'what the bank really did'))
    .option('--json', say('JSON 출력', 'print one JSON array'))
    .action((options: { json?: true }) => list(options.json ?? false, home(), say));
}

type Surroundings = { readonly say: (ko: string, en: string) => string; readonly signal: AbortSignal };

async function serve(options: ServeOptions, home: string, { say, signal }: Surroundings): Promise<void> {
  const { seed, mood, latency, callback } = options;
  const server = await openSandboxBank({
    folder: bankFolder(home),
    seed,
    moods: latency === undefined ? mood : { ...mood, latencyMs: latency },
    accountsFile: options.accounts ?? path.join(home, 'sandbox', encodeURIComponent(seed), bankAccountsFile),
    closed: options.closed,
    port: options.port,
    callbackUrl: () => callback,
  });
  try {
    const variable = bankVariable('json-van');
    const url = bankUrl(server.address);
    const text = say(
      `모의 은행 (Ctrl-C로 종료):\n  export ${variable}='${url}'\n`,
      `the simulated bank (Ctrl-C ends it):\n  export ${variable}='${url}'\n`,
    );
    const known = { port: server.port, journal: journalFile(bankFolder(home)), banks: { [variable]: url } };
    await writeOut(process.stdout, options.json ? `${JSON.stringify(known)}\n` : text);
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await server.close();
  }
}

async function list(json: boolean, home: string, say: Surroundings['say']): Promise<void> {
  const transfers = readTransfers(journalFile(bankFolder(home)));
  await writeOut(process.stdout, json ? `${JSON.stringify(transfers.map(toJson), null, 2)}\n` : toText(transfers, say));
}

function toText(transfers: readonly BankTransfer[], say: Surroundings['say']): string {
  const titles = [
    say('전문일', 'day'),
    say('전문번호', 'message'),
    say('금액', 'won'),
    say('결과', 'outcome'),
    say('계좌', 'account'),
    say('확정', 'definite at'),
  ];
  return formatTable(
    titles.map((title, n) => ({ title, align: n === 2 ? 'right' : 'left' })),
    transfers.map(({ messageOn, messageNo, amountWon, outcome, bankCode, last4, definiteAt }) => [
      messageOn,
      messageNo,
      formatWon(amountWon),
      outcome,
      `${bankCode} *${last4}`,
      formatSeoulTime(definiteAt),
    ]),
  );
}

function toJson({ amountWon, receivedAt, definiteAt, ...rest }: BankTransfer): unknown {
  return { ...rest, amountWon: wonToJson(amountWon), receivedAt: String(receivedAt), definiteAt: String(definiteAt) };
}

function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('0–65535');
}

function range(text: string): Range {
  const [, from, to] = /^(\d{1,6})-(\d{1,6})$/.exec(text) ?? [];
  if (from !== undefined && to !== undefined && Number(from) <= Number(to)) return [Number(from), Number(to)];
  throw new InvalidArgumentError('200-4000');
}

function hours(text: string): { from: string; to: string } {
  const [, from, to] = /^((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)$/.exec(text) ?? [];
  if (from !== undefined && to !== undefined) return { from, to };
  throw new InvalidArgumentError('23:30-00:30');
}

function origin(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError('http://127.0.0.1:4000');
}
