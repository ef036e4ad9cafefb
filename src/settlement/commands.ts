import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { seoul } from '../kernel/business-day.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { listCycles } from './cycle-list-store.ts';
import { cycleColumns, cycleRow, cycleText, cycleToJson } from './cycle-rows.ts';
import { dismissalCommands } from './dismissal-commands.ts';
import { dayOption, slotOption, wholeNumber } from './options.ts';
import { itemsText, itemToJson, settledColumns, settledRow, settledToJson } from './settled-rows.ts';
import { listSettled, settledItems } from './settled-store.ts';
import { formatSlot, slotAt } from './slot.ts';
import { unsettledColumns, unsettledRow, unsettledToJson } from './unsettled-rows.ts';
import { listUnsettled, unsettledTotals } from './unsettled-store.ts';
import { unsettledReasons } from './words.ts';
import type { Settlement } from './workflow.ts';

/** A process that can run workflows, opened for one command. */
export type SettleEngine = { readonly pool: Pool; readonly settlement: Settlement };

type Ports = { readonly output?: Writable; now?(): Temporal.Instant };
type Showing = { readonly output: Writable; readonly today: () => Temporal.PlainDate; readonly language: Language };

const itemsMost = 100_000;

/** `jeongsan settle` and `jeongsan settlement`: slots run by hand, and what became of them. */
export function settlementCommands(
  program: Command,
  context: CommandContext,
  withEngine: <T>(work: (engine: SettleEngine) => Promise<T>) => Promise<T>,
  { output = process.stdout, now = () => Temporal.Now.instant() }: Ports = {},
): void {
  const today = () => now().toZonedDateTimeISO(seoul).toPlainDate();
  const showing = { output, today, language: context.language };
  program
    .command('settle')
    .description('settle a slot now, or say what it came to: a slot runs once / 정산 실행')
    .option('--slot <slot>', 'like 2026-11-20T12:05+09:00 or 12:05; the latest one if not given / 회차')
    .option('--by <who>', 'who asks for it / 실행자')
    .option('--json', 'one JSON object / JSON 출력')
    .action((options: { slot?: string; by?: string; json?: true }) => {
      const slot = options.slot === undefined ? slotAt(now()) : slotOption(options.slot, today());
      const request = { who: options.by ?? context.who };
      return withEngine((engine) => settle(engine, slot, request, options.json ?? false, showing));
    });
  const settlement = program.command('settlement').description('slots and what they settled / 정산');
  addCycles(settlement, context, showing);
  addList(settlement, context, showing);
  addShow(settlement, context, showing);
  addUnsettled(settlement, context, showing);
  dismissalCommands(settlement, context, output);
}

async function settle(
  { pool, settlement }: SettleEngine,
  slot: Temporal.Instant,
  request: { readonly who: string },
  json: boolean,
  { output, language }: Showing,
): Promise<void> {
  await settlement.settle(slot, request);
  const [cycle] = await listCycles(pool, { slot, limit: 1 });
  if (cycle === undefined) throw new Problem('not_found', { what: 'slot', id: formatSlot(slot) });
  const totals = await unsettledTotals(pool);
  const shown = json ? `${JSON.stringify(cycleToJson(cycle), null, 2)}\n` : cycleText(cycle, totals, language);
  await writeOut(output, shown);
  if (cycle.state !== 'settled' || cycle.setAside > 0n) process.exitCode = exitStatus.incomplete;
}

type DayOptions = { readonly from?: string; readonly to?: string; readonly limit: string; readonly json?: true };

function daysOf({ from, to }: { readonly from?: string; readonly to?: string }, today: () => Temporal.PlainDate) {
  const last = to === undefined ? today() : dayOption('--to', to);
  return { from: from === undefined ? last : dayOption('--from', from), to: last };
}

function addCycles(settlement: Command, { withDatabase }: CommandContext, { output, today, language }: Showing): void {
  settlement
    .command('cycles')
    .description('slots, what they came to and how long they took; of today if not told otherwise / 회차 목록')
    .option('--from <day>', 'first day / 시작일')
    .option('--to <day>', 'last day / 종료일')
    .option('--limit <rows>', 'at most so many / 최대 건수', '300')
    .option('--json', 'one JSON array / JSON 출력')
    .action((options: DayOptions) => {
      const filter = { ...daysOf(options, today), limit: wholeNumber('--limit', options.limit) };
      return withDatabase(async (pool) => {
        const cycles = await listCycles(pool, filter);
        const table = () =>
          formatTable(
            cycleColumns(language),
            cycles.map((cycle) => cycleRow(cycle, language)),
          );
        await writeOut(output, options.json ? `${JSON.stringify(cycles.map(cycleToJson), null, 2)}\n` : table());
      });
    });
}

function addList(settlement: Command, { withDatabase }: CommandContext, { output, today, language }: Showing): void {
  settlement
    .command('list')
    .description('what merchants were settled; of today if not told otherwise / 정산 내역')
    .option('--slot <slot>', 'only this slot / 회차')
    .option('--merchant <id>', 'only this merchant / 가맹점')
    .option('--from <day>', 'first day of the slots / 시작일')
    .option('--to <day>', 'last day of the slots / 종료일')
    .option('--limit <rows>', 'at most so many / 최대 건수', '300')
    .option('--json', 'one JSON array / JSON 출력')
    .action((options: DayOptions & { slot?: string; merchant?: string }) => {
      const slot = options.slot === undefined ? undefined : slotOption(options.slot, today());
      const day = slot?.toZonedDateTimeISO(seoul).toPlainDate();
      const filter = {
        ...(day === undefined ? daysOf(options, today) : { from: day, to: day }),
        ...(slot === undefined ? {} : { slot }),
        ...(options.merchant === undefined ? {} : { merchantId: options.merchant }),
        limit: wholeNumber('--limit', options.limit),
      };
      return withDatabase(async (pool) => {
        const settled = await listSettled(pool, filter);
        const table = () => formatTable(settledColumns(language), settled.map(settledRow));
        await writeOut(output, options.json ? `${JSON.stringify(settled.map(settledToJson), null, 2)}\n` : table());
      });
    });
}

function addShow(settlement: Command, { withDatabase }: CommandContext, { output, today, language }: Showing): void {
  settlement
    .command('show')
    .description('a merchant in a slot, each item with the working of its amounts / 정산 건 상세')
    .argument('<merchant>', 'merchant ID / 가맹점')
    .requiredOption('--slot <slot>', 'like 2026-11-20T12:05+09:00 or 12:05 / 회차')
    .option('--json', 'one JSON object / JSON 출력')
    .action((merchantId: string, options: { slot: string; json?: true }) => {
      const slot = slotOption(options.slot, today());
      const day = slot.toZonedDateTimeISO(seoul).toPlainDate();
      return withDatabase(async (pool) => {
        const [settled] = await listSettled(pool, { from: day, to: day, slot, merchantId, limit: 1 });
        const id = `${merchantId} ${formatSlot(slot)}`;
        if (settled === undefined) throw new Problem('not_found', { what: 'settlement', id });
        const items = await settledItems(pool, { slot, merchantId, limit: itemsMost });
        const json = () => ({ ...settledToJson(settled), details: items.map((item) => itemToJson(item, language)) });
        const text = () =>
          `${formatTable(settledColumns(language), [settledRow(settled)])}\n${itemsText(items, language)}`;
        await writeOut(output, options.json ? `${JSON.stringify(json(), null, 2)}\n` : text());
      });
    });
}

type UnsettledOptions = {
  readonly merchant?: string;
  readonly reason?: string;
  readonly setAside?: true;
  readonly limit: string;
  readonly json?: true;
};

function addUnsettled(settlement: Command, { withDatabase }: CommandContext, { output, language }: Showing): void {
  settlement
    .command('unsettled')
    .description('captures that wait: set aside for a reason, or not due yet / 미정산 매입')
    .option('--merchant <id>', 'only this merchant / 가맹점')
    .option('--reason <code>', unsettledReasons.join(', '))
    .option('--set-aside', 'only those set aside / 보류만')
    .option('--limit <rows>', 'at most so many / 최대 건수', '100')
    .option('--json', 'one JSON array / JSON 출력')
    .action((options: UnsettledOptions) => {
      if (options.reason !== undefined && !unsettledReasons.includes(options.reason)) {
        throw new Problem('usage', { reason: `--reason ${options.reason} (${unsettledReasons.join(', ')})` });
      }
      const filter = {
        ...(options.merchant === undefined ? {} : { merchantId: options.merchant }),
        ...(options.reason === undefined ? {} : { reason: options.reason }),
        ...(options.setAside ? { kept: 'set_aside' as const } : {}),
        limit: wholeNumber('--limit', options.limit),
      };
      return withDatabase(async (pool) => {
        const found = await listUnsettled(pool, filter);
        const table = () =>
          formatTable(
            unsettledColumns(language),
            found.map((capture) => unsettledRow(capture, language)),
          );
        await writeOut(
          output,
          options.json
            ? `${JSON.stringify(
                found.map((capture) => unsettledToJson(capture, language)),
                null,
                2,
              )}\n`
            : table(),
        );
      });
    });
}
