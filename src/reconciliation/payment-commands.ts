import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { formatWon, wonToJson } from '../kernel/money.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { type Column, formatTable } from '../platform/terminal.ts';
import { providerNamed, providers } from '../providers/registry.ts';
import { findPayments, type PaymentStanding } from './payment-store.ts';
import { kindWords, type Words, wordOf } from './words.ts';

type Options = { readonly provider?: string; readonly json?: true };

/** `payments show TID`: what every stage says of a payment and of its cancels. Joins what `payments` has already. */
export function paymentShowCommand(program: Command, context: CommandContext, output: Writable = process.stdout): void {
  const noun = program.commands.find((command) => command.name() === 'payments') ?? program.command('payments');
  noun
    .command('show')
    .description('what every stage says of a payment and its cancels / 건별 대사 현황')
    .argument('<tid>', 'provider TID / 거래고유번호')
    .option('--provider <id>', 'only this provider / 원천사')
    .option('--json', 'one JSON array / JSON 출력')
    .action((providerTid: string, options: Options) => {
      const among = options.provider === undefined ? providers : [providerNamed(options.provider)];
      return context.withDatabase(async (pool) => {
        const found = await findPayments(pool, { providerTid, providers: among.map((provider) => provider.id) });
        if (found.length === 0) throw new Problem('not_found', { what: 'payment', id: providerTid });
        await writeOut(output, options.json ? toJson(found) : toText(found, context.language));
      });
    });
}

function toJson(found: readonly PaymentStanding[]): string {
  const won = (amount: bigint | null) => (amount === null ? null : wonToJson(amount));
  const rows = found.map(({ amountWon, settlement, ...rest }) => ({
    ...rest,
    amountWon: wonToJson(amountWon),
    settlement: {
      ...settlement,
      feeWon: won(settlement.feeWon),
      vatWon: won(settlement.vatWon),
      netWon: won(settlement.netWon),
    },
  }));
  return `${JSON.stringify(rows, null, 2)}\n`;
}

const verdictWords: Readonly<Record<string, Words>> = {
  ...kindWords,
  matched: { ko: '일치', en: 'matched' },
  timing: { ko: '시차', en: 'timing' },
  awaiting: { ko: '대기', en: 'awaiting' },
  not_reconciled: { ko: '미대사', en: 'not reconciled' },
};

const captureWords: Readonly<Record<string, Words>> = {
  accepted: { ko: '매입 승인', en: 'accepted' },
  rejected: { ko: '매입반송', en: 'rejected' },
  held: { ko: '매입보류', en: 'held' },
  released: { ko: '보류해제', en: 'released' },
  unconfirmed: { ko: '미확인', en: 'unconfirmed' },
  none: { ko: '미매입', en: 'not captured' },
};

const settlementWords: Readonly<Record<string, Words>> = {
  settled: { ko: '정산', en: 'settled' },
  differs: { ko: '불일치', en: 'differs' },
  held: { ko: '보류', en: 'held' },
  open: { ko: '미정산', en: 'open' },
  none: { ko: '미매입', en: 'not captured' },
};

function toText(found: readonly PaymentStanding[], language: Language): string {
  const ko = language === 'ko';
  const left = (title: string): Column => ({ title });
  const right = (title: string): Column => ({ title, align: 'right' });
  const columns = ko
    ? [left('거래일'), left('원천사'), right('취소 순번'), right('금액'), left('거래 대사'), left('매입'), left('정산')]
    : [
        left('Day'),
        left('Provider'),
        right('Cancel'),
        right('Amount'),
        left('Transaction'),
        left('Capture'),
        left('Settlement'),
      ];
  const money = [right(ko ? '수수료' : 'Fee'), right(ko ? '부가세' : 'VAT'), right(ko ? '정산금액' : 'Net')];
  const won = (amount: bigint | null) => (amount === null ? '' : formatWon(amount));
  const join = (...parts: readonly (string | null)[]) => parts.filter((part) => part !== null).join(' ');
  const named = (kinds: string) =>
    kinds
      .split(',')
      .map((kind) => wordOf(verdictWords, kind, language))
      .join(', ');
  return formatTable(
    [...columns, ...money, left(ko ? '입금일' : 'Pay-in')],
    found.map(({ capture, settlement, ...payment }) => [
      payment.tradedOn,
      payment.provider,
      String(payment.cancelSeq),
      formatWon(payment.amountWon),
      named(payment.verdict),
      join(wordOf(captureWords, capture.state, language), capture.on, capture.resultCode),
      join(wordOf(settlementWords, settlement.state, language), settlement.kinds && named(settlement.kinds)),
      won(settlement.feeWon),
      won(settlement.vatWon),
      won(settlement.netWon),
      settlement.payInOn ?? '',
    ]),
  );
}
