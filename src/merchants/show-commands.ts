import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { businessCalendar } from '../calendar/store.ts';
import { seoul } from '../kernel/business-day.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { lastPublishedYear } from '../platform/holidays.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { nextDates, type SettlementDate } from './cycle.ts';
import { merchantTerms, type SettlementTerms } from './terms-store.ts';
import {
  accountToJson,
  contractsInForce,
  contractText,
  contractToJson,
  dateCells,
  dateToJson,
  inForceOn,
  maskedAccount,
  methodText,
  termsText,
  termsToJson,
} from './terms-text.ts';
import { subMerchantTable, tiersTable, tierToJson } from './tier-rows.ts';
import { type SubMerchantRow, subMerchantOf, type TierRow, tiersOf } from './tier-store.ts';

/** Where the commands write, and when they are asked; tests give their own. */
export type ShowSurroundings = { readonly output: Writable; readonly now: Temporal.Instant };

const datesShown = 5;
const datesMost = 400;

type Merchant = Awaited<ReturnType<typeof merchantTerms>>;
/** What is known of a merchant as a sub-merchant: its facts, and the tiers of its business. */
type Small = { readonly subMerchant: readonly SubMerchantRow[]; readonly tiers: readonly TierRow[] };
type Asked = { readonly now: Temporal.Instant; readonly on: string; readonly language: Language };

/** Adds `merchants show ID` and `merchants dates ID`. */
export function addShowCommands(
  noun: Command,
  context: CommandContext,
  surroundings: () => ShowSurroundings = () => ({ output: process.stdout, now: Temporal.Now.instant() }),
): void {
  const { language } = context;
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const ask = (): Asked & { readonly output: Writable } => {
    const { output, now } = surroundings();
    return { output, now, on: now.toZonedDateTimeISO(seoul).toPlainDate().toString(), language };
  };
  noun
    .command('show')
    .description(say('가맹점의 계약·정산 조건·계좌·정산 예정일', 'contracts, terms, account and next dates'))
    .argument('<id>', say('가맹점 ID', 'merchant ID'))
    .option('--json', say('JSON 출력', 'one JSON object'))
    .action(async (id: string, options: { readonly json?: true }) => {
      const { output, ...asked } = ask();
      await context.withDatabase(async (pool) => {
        const merchant = await merchantTerms(pool, id);
        const terms = termsOf(merchant, asked.on);
        const dates = terms === undefined ? [] : await datesOf(pool, terms, asked, datesShown);
        const small = {
          subMerchant: await subMerchantOf(pool, id),
          tiers: await tiersOf(pool, merchant.businessNo, asked.now),
        };
        const shown = options.json
          ? merchantJson(id, merchant, small, dates, asked)
          : merchantText(id, merchant, small, dates, asked);
        await writeOut(output, shown);
      });
    });
  noun
    .command('dates')
    .description(say('정산 예정일 미리 보기', 'the next settlement dates'))
    .argument('<id>', say('가맹점 ID', 'merchant ID'))
    .option('--count <n>', say(`건수 (기본 10, 최대 ${datesMost})`, `how many (10; at most ${datesMost})`), '10')
    .option('--json', say('JSON 출력', 'one JSON array'))
    .action(async (id: string, options: { readonly count: string; readonly json?: true }) => {
      const { output, ...asked } = ask();
      const count = countOf(options.count);
      await context.withDatabase(async (pool) => {
        const merchant = await merchantTerms(pool, id);
        const terms = termsOf(merchant, asked.on);
        if (terms === undefined) throw new Problem('not_found', { what: say('정산 조건', 'settlement terms'), id });
        const dates = await datesOf(pool, terms, asked, count);
        const shown = options.json
          ? `${JSON.stringify(dates.map(dateToJson), null, 2)}\n`
          : datesText(merchant, dates, asked);
        await writeOut(output, shown);
      });
    });
}

function termsOf(merchant: Merchant, on: string): SettlementTerms | undefined {
  return [...inForceOn(merchant.terms, on)][0];
}

async function datesOf(pool: Pool, terms: SettlementTerms, { now }: Asked, count: number): Promise<SettlementDate[]> {
  return nextDates(terms, now, count, await businessCalendar(pool));
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text) || Number(text) > datesMost) {
    throw new Problem('usage', { reason: `--count ${text} (1–${datesMost})` });
  }
  return Number(text);
}

function merchantJson(
  id: string,
  merchant: Merchant,
  { subMerchant, tiers }: Small,
  dates: readonly SettlementDate[],
  { on }: Asked,
): string {
  const contracts = contractsInForce(merchant.contracts, on);
  const terms = inForceOn(merchant.terms, on);
  const accounts = inForceOn(merchant.accounts, on);
  const facts = inForceOn(subMerchant, on);
  const shown = {
    merchantId: id,
    name: merchant.name,
    businessNo: merchant.businessNo,
    contracts: merchant.contracts.map((each) => contractToJson(each, contracts.has(each))),
    terms: merchant.terms.map((each) => termsToJson(each, terms.has(each))),
    accounts: merchant.accounts.map((each) => accountToJson(each, accounts.has(each))),
    subMerchant: subMerchant.map((each) => ({ ...each, inForce: facts.has(each) })),
    tiers: tiers.map(tierToJson),
    dates: dates.map(dateToJson),
  };
  return `${JSON.stringify(shown, null, 2)}\n`;
}

function merchantText(
  id: string,
  merchant: Merchant,
  { subMerchant, tiers }: Small,
  dates: readonly SettlementDate[],
  asked: Asked,
): string {
  const { on, language } = asked;
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const mark = (inForce: boolean): string => (inForce ? '●' : '');
  const contracts = contractsInForce(merchant.contracts, on);
  const terms = inForceOn(merchant.terms, on);
  const accounts = inForceOn(merchant.accounts, on);
  const since = [{ title: '' }, { title: say('적용 시작', 'From') }];
  return [
    `${id} ${merchant.name} (${merchant.businessNo})\n`,
    formatTable(
      [
        ...since,
        { title: say('종료', 'To') },
        { title: say('수단', 'Method') },
        { title: say('수수료 계약', 'Fee contract') },
      ],
      merchant.contracts.map((each) => [
        mark(contracts.has(each)),
        each.validFrom,
        each.validTo ?? '',
        methodText(each, language),
        contractText(each, language),
      ]),
    ),
    formatTable(
      [...since, { title: say('정산 조건', 'Settlement terms') }],
      merchant.terms.map((each) => [mark(terms.has(each)), each.validFrom, termsText(each, language)]),
    ),
    formatTable(
      [...since, { title: say('지급 계좌', 'Account') }, { title: say('예금주', 'Holder') }],
      merchant.accounts.map((each) => [mark(accounts.has(each)), each.validFrom, maskedAccount(each), each.holder]),
    ),
    // Most merchants are not small, and nothing is said of them here.
    ...(subMerchant.length === 0 ? [] : [subMerchantTable(subMerchant, inForceOn(subMerchant, on), language)]),
    ...(tiers.length === 0 ? [] : [tiersTable(tiers, language)]),
    datesText(merchant, dates, asked),
  ].join('\n');
}

function datesText(merchant: Merchant, dates: readonly SettlementDate[], { on, language }: Asked): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const titles = [say('정산 예정', 'Settled at'), '', say('매입일', 'Captures of')];
  const table = formatTable(
    titles.map((title) => ({ title })),
    dates.map((date) => dateCells(date, language)),
  );
  const later = merchant.terms.find(({ validFrom }) => validFrom > on);
  const last = dates.at(-1)?.dueAt.toZonedDateTimeISO(seoul).year ?? 0;
  const known = lastPublishedYear();
  return [
    table,
    ...(later === undefined
      ? []
      : [
          `${say(`${later.validFrom}부터는 다른 정산 조건이 적용됩니다`, `From ${later.validFrom} on other terms apply`)}\n`,
        ]),
    ...(last > known
      ? [
          `${say(`${known + 1}년부터의 공휴일은 아직 공표되지 않았습니다`, `The holidays from ${known + 1} on are not published yet`)}\n`,
        ]
      : []),
  ].join('');
}
