import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { parseDay } from '../kernel/business-day.ts';
import { formatWon } from '../kernel/money.ts';
import { Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { listPayouts, type PayoutFilter, showPayout } from './list-store.ts';
import {
  eventColumns,
  eventRow,
  payoutColumns,
  payoutFacts,
  payoutRow,
  payoutStateWords,
  payoutToJson,
} from './payout-rows.ts';
import { cancelPayout, decidePayout, type Payout, requestPayout, retryPayout } from './request-store.ts';
import { type PayoutState, transitions } from './states.ts';

/** The bank that sends what is requested here, by its id, and the clock. */
export type PayoutCommandPorts = {
  readonly bank: string | undefined;
  now(): Temporal.Instant;
  readonly output?: Writable;
};

type ActOptions = { readonly by?: string; readonly why?: string; readonly json?: true };

/** `jeongsan payout`: requests, what became of them, and what a person decides. Each is safe to repeat. */
export function payoutCommands(program: Command, context: CommandContext, ports: PayoutCommandPorts): Command {
  const payout = program.command('payout').description('payouts to merchants / 지급');
  addRequest(payout, context, ports);
  addLooks(payout, context, ports);
  addActs(payout, context, ports);
  return payout;
}

function addRequest(payout: Command, context: CommandContext, ports: PayoutCommandPorts): void {
  payout
    .command('request')
    .description('withdraw from a wallet; the same key again is the same payout / 출금 요청')
    .argument('<merchant>', 'merchant ID / 가맹점')
    .argument('<won>', 'amount in won / 금액(원)')
    .requiredOption('--key <key>', 'what makes the request safe to repeat / 멱등 키')
    .option('--by <who>', 'who requests / 요청자')
    .option('--json', 'JSON output / JSON 출력')
    .action((merchantId: string, won: string, options: ActOptions & { readonly key: string }) => {
      const amountWon = parseWon(won);
      const rules = { bank: bankOf(ports), now: ports.now() };
      const wanted = { merchantId, amountWon, key: parseKey(options.key), who: options.by ?? context.who };
      return actOnPayout(context, ports, options, (pool) => requestPayout(pool, wanted, rules));
    });
}

function addLooks(payout: Command, context: CommandContext, ports: PayoutCommandPorts): void {
  const { language } = context;
  const output = ports.output ?? process.stdout;
  const states = Object.keys(transitions).join(', ');
  payout
    .command('list')
    .description('list payouts, newest first / 목록')
    .option('--merchant <id>', 'of this merchant / 가맹점')
    .option('--state <states...>', `${states} / 상태`)
    .option('--on <day>', 'requested on this day / 요청일')
    .option('--limit <rows>', 'at most so many / 최대 건수', '100')
    .option('--json', 'one JSON array / JSON 출력')
    .action((options: ListOptions) => {
      const filter = toFilter(options);
      return context.withDatabase(async (pool) => {
        const found = await listPayouts(pool, filter);
        const text = options.json
          ? `${JSON.stringify(found.map(payoutToJson), null, 2)}\n`
          : formatTable(
              payoutColumns(language),
              found.map((each) => payoutRow(each, language)),
            );
        await writeOut(output, text);
      });
    });
  payout
    .command('show')
    .description('one payout with its trail / 상세')
    .argument('<id>', 'payout ID / 지급 번호')
    .option('--json', 'JSON output / JSON 출력')
    .action((id: string, options: { readonly json?: true }) =>
      context.withDatabase(async (pool) => {
        const found = await showPayout(pool, parsePayoutId(id));
        const facts = payoutFacts(found, language).map(([name, value]) => `${name}: ${value}\n`);
        const trail = formatTable(
          eventColumns(language),
          found.events.map((event) => eventRow(event, language)),
        );
        const text = options.json ? `${JSON.stringify(payoutToJson(found), null, 2)}\n` : `${facts.join('')}\n${trail}`;
        await writeOut(output, text);
      }),
    );
}

function addActs(payout: Command, context: CommandContext, ports: PayoutCommandPorts): void {
  const add = (name: string, description: string, work: (pool: Pool, id: bigint, by: By) => Promise<Payout>) =>
    payout
      .command(name)
      .description(description)
      .argument('<id>', 'payout ID / 지급 번호')
      .option('--by <who>', 'who acts / 처리자')
      .option('--why <text>', 'the reason, kept in the trail / 사유')
      .option('--json', 'JSON output / JSON 출력')
      .action((id: string, options: ActOptions) => {
        const payoutId = parsePayoutId(id);
        const by = { who: options.by ?? context.who, ...(options.why === undefined ? {} : { why: options.why }) };
        return actOnPayout(context, ports, options, (pool) => work(pool, payoutId, by));
      });
  const decided =
    (decision: 'approved' | 'refused') =>
    (pool: Pool, id: bigint, { who, why }: By) =>
      decidePayout(pool, id, { who, decision, ...(why === undefined ? {} : { note: why }) }, ports.now());
  add('approve', 'the second person agrees / 승인', decided('approved'));
  add('refuse', 'the second person refuses; the money is back in the wallet / 승인 거절', decided('refused'));
  add('cancel', 'before it was sent / 취소', (pool, id, by) => cancelPayout(pool, id, by, ports.now()));
  add('retry', 'at once; what was rejected is requested anew / 재시도', (pool, id, { who }) =>
    retryPayout(pool, id, who, { bank: bankOf(ports), now: ports.now() }),
  );
}

type By = { readonly who: string; readonly why?: string };

/** Does something about a payout, and says how it stands then. */
export async function actOnPayout(
  { withDatabase, language }: CommandContext,
  { output = process.stdout }: PayoutCommandPorts,
  options: { readonly json?: true },
  work: (pool: Pool) => Promise<{ readonly id: bigint }>,
): Promise<void> {
  await withDatabase(async (pool) => {
    const { id } = await work(pool);
    const payout = await showPayout(pool, id);
    const state = payoutStateWords[payout.state][language];
    const won = `${formatWon(payout.amountWon)}${language === 'ko' ? '원' : ' won'}`;
    const said = `${language === 'ko' ? '지급' : 'payout'} ${id}: ${payout.merchantId} ${won} · ${state}\n`;
    await writeOut(output, options.json ? `${JSON.stringify(payoutToJson(payout), null, 2)}\n` : said);
  });
}

type ListOptions = {
  readonly merchant?: string;
  readonly state?: readonly string[];
  readonly on?: string;
  readonly limit: string;
  readonly json?: true;
};

function toFilter({ merchant, state, on, limit }: ListOptions): PayoutFilter {
  const wrong = state?.find((each) => !(each in transitions));
  if (wrong !== undefined) throw new Problem('usage', { reason: `--state ${wrong}` });
  if (on !== undefined && parseDay(on) === undefined) throw new Problem('usage', { reason: `--on ${on}` });
  if (!/^[1-9]\d{0,5}$/.test(limit)) throw new Problem('usage', { reason: `--limit ${limit}` });
  return {
    limit: Number(limit),
    ...(merchant === undefined ? {} : { merchantId: merchant }),
    ...(state === undefined ? {} : { states: state as readonly PayoutState[] }),
    ...(on === undefined ? {} : { on }),
  };
}

/** Digits, grouped by commas or not. A sign is left to the rules, which refuse it by name. */
function parseWon(text: string): bigint {
  if (!/^-?(\d{1,18}|\d{1,3}(,\d{3}){0,5})$/.test(text)) throw new Problem('usage', { reason: `WON: ${text}` });
  return BigInt(text.replaceAll(',', ''));
}

/** Keys of what is paid by itself name its slot or its day: nobody else's may stand in their way. */
function parseKey(text: string): string {
  if (text.length > 200 || /^(direct|scheduled):/.test(text)) throw new Problem('usage', { reason: `--key ${text}` });
  return text;
}

/** @throws Problem `usage` */
export function parsePayoutId(text: string): bigint {
  if (!/^\d{1,18}$/.test(text)) throw new Problem('usage', { reason: `ID: ${text}` });
  return BigInt(text);
}

function bankOf({ bank }: PayoutCommandPorts): string {
  if (bank === undefined) throw new Problem('not_found', { what: 'bank', id: 'JEONGSAN_BANK_…' });
  return bank;
}
