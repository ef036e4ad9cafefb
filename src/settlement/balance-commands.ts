import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { anyWonToJson, formatWon, wonToJson } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatCount, formatTable } from '../platform/terminal.ts';
import { type MerchantBalance, merchantBalance } from './balance-store.ts';
import { formatSlot } from './slot.ts';
import { unsettledWord } from './words.ts';

type Ports = { readonly output?: Writable; now?(): Temporal.Instant };

/** `jeongsan merchant balance ID`: added to the command `merchants`, which is called `merchant` too. */
export function balanceCommands(
  program: Command,
  { withDatabase, language }: CommandContext,
  { output = process.stdout, now = () => Temporal.Now.instant() }: Ports = {},
): void {
  const merchants =
    program.commands.find((command) => command.name() === 'merchants') ??
    program.command('merchants').description('merchants / 가맹점');
  merchants
    .alias('merchant')
    .command('balance')
    .description('wallet, held, debt, in flight, and what is settled when / 잔액')
    .argument('<id>', 'merchant ID / 가맹점')
    .option('--json', 'one JSON object / JSON 출력')
    .action((merchantId: string, options: { json?: true }) =>
      withDatabase(async (pool) => {
        const balance = await merchantBalance(pool, merchantId, now(), language);
        const shown = options.json ? `${JSON.stringify(toJson(balance), null, 2)}\n` : toText(balance, language);
        await writeOut(output, shown);
      }),
    );
}

function toText(balance: MerchantBalance, language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const { merchantId, name, walletWon, heldWon, owedWon, inFlightWon, waiting, holds, terms, next } = balance;
  const rows: [string, bigint][] = [
    [say('지갑 (출금 가능)', 'Wallet (may be withdrawn)'), walletWon],
    [say('지급 진행', 'Payouts in flight'), inFlightWon],
    [say('지급보류', 'Held'), heldWon],
    [say('미수금', 'Owed to us'), owedWon],
  ];
  const holdLines = holds.map((hold) => {
    const amount = hold.amountWon === null ? say('전액', 'all') : formatWon(hold.amountWon);
    return `${say('보류', 'hold')} ${hold.id}: ${amount}, ${hold.reason} (${hold.placedBy})\n`;
  });
  const waitingTable = formatTable(
    [
      { title: say('정산 예정', 'Due') },
      { title: say('건수', 'Captures'), align: 'right' },
      { title: say('매입액', 'Gross won'), align: 'right' },
      { title: say('상태', 'State') },
    ],
    waiting.map((each) => [
      each.dueAt === null || each.dueAt.getTime() <= next.epochMilliseconds
        ? say(`빠르면 ${seoulTime(next)}`, `${seoulTime(next)} at the earliest`)
        : time(each.dueAt),
      formatCount(each.captures),
      formatWon(each.amountWon),
      each.dueAt === null ? say('새로 들어옴', 'just came in') : unsettledWord(each.reason, language),
    ]),
  );
  return [
    `${merchantId} ${name}\n`,
    `${say('정산 조건', 'Terms')}: ${terms ?? say('없음', 'none')}\n\n`,
    formatTable(
      [{ title: say('잔액', 'Balance') }, { title: say('원', 'Won'), align: 'right' }],
      rows.map(([title, won]) => [title, formatWon(won)]),
    ),
    ...holdLines,
    waiting.length === 0
      ? `\n${say('정산을 기다리는 매입 없음', 'No captures wait to be settled')}\n`
      : `\n${waitingTable}`,
  ].join('');
}

function toJson(balance: MerchantBalance): object {
  const { merchantId, name, terms, next } = balance;
  return {
    merchantId,
    name,
    walletWon: wonToJson(balance.walletWon),
    inFlightWon: wonToJson(balance.inFlightWon),
    heldWon: wonToJson(balance.heldWon),
    owedWon: wonToJson(balance.owedWon),
    terms,
    nextSlot: formatSlot(next),
    waiting: balance.waiting.map(({ dueAt, reason, captures, amountWon }) => ({
      dueAt: dueAt?.toISOString() ?? null,
      reason,
      captures: Number(captures),
      amountWon: anyWonToJson(amountWon),
    })),
    holds: balance.holds.map(({ id, amountWon, reason }) => ({
      id: Number(id),
      amountWon: amountWon === null ? null : wonToJson(amountWon),
      reason,
    })),
  };
}

function time(at: Date): string {
  return seoulTime(at.toTemporalInstant());
}

function seoulTime(at: Temporal.Instant): string {
  return formatSeoulTime(at).slice(0, 16);
}
