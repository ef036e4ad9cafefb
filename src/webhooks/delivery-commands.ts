import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { writeOut } from '../platform/output.ts';
import { jsonText, numberOf } from './commands.ts';
import {
  type DeliveryFilter,
  type DeliveryState,
  deliveryStates,
  listDeliveries,
  replay,
  showDelivery,
} from './delivery-store.ts';
import { deliveriesTable, deliveryJson, triesTable } from './webhook-rows.ts';

type Filters = {
  readonly webhook?: string;
  readonly state?: string;
  readonly event?: string;
  readonly subject?: string;
  readonly since?: string;
  readonly until?: string;
  readonly json?: true;
};

/** Adds `deliveries`, `show` and `replay` to `jeongsan webhooks`. */
export function addDeliveryCommands(
  webhooks: Command,
  context: CommandContext,
  output: Writable = process.stdout,
): void {
  const { language } = context;
  filtering(webhooks.command('deliveries'))
    .description('what was told, and whether it arrived; newest first / 전달 기록')
    .option('--limit <rows>', 'at most so many / 최대 건수', '50')
    .action((options: Filters & { readonly limit: string }) =>
      context.withDatabase(async (pool) => {
        const limit = Math.min(Number(numberOf(options.limit)), 10_000);
        const found = await listDeliveries(pool, filterOf(options), { limit });
        await writeOut(output, options.json ? jsonText(found.map(deliveryJson)) : deliveriesTable(found, language));
      }),
    );
  webhooks
    .command('show')
    .description('a delivery, what it said, and each try / 전달 상세')
    .argument('<id>', 'its number / 전달 번호')
    .option('--json', 'one JSON object / JSON 출력')
    .action((id: string, options: { json?: true }) =>
      context.withDatabase(async (pool) => {
        const shown = await showDelivery(pool, numberOf(id));
        const text = [
          deliveriesTable([shown], language),
          `${JSON.stringify(shown.data, null, 2)}\n`,
          triesTable(shown.tries, language),
        ].join('\n');
        await writeOut(output, options.json ? jsonText(deliveryJson(shown)) : text);
      }),
    );
  filtering(webhooks.command('replay'))
    .description('tell again: these, or all that a filter names / 다시 전달')
    .argument('[ids...]', 'their numbers / 전달 번호')
    .option('--by <who>', 'who acts / 처리자')
    .action((ids: string[], { by = context.who, json, ...options }: Filters & { readonly by?: string }) => {
      const filter = filterOf(options);
      if (ids.length === 0 && Object.values(filter).every((each) => each === undefined)) {
        throw new Problem('usage', { reason: 'webhooks replay IDS, --webhook, --state, --event, --since …' });
      }
      return context.withDatabase(async (pool) => {
        const chosen = ids.length === 0 ? filter : { ...filter, ids: ids.map(numberOf) };
        const { again, hurried } = await inTransaction(pool, (tx) => replay(tx, { filter: chosen, by }));
        const said =
          language === 'ko'
            ? `${again}건을 다시 전달하고, 대기 중인 ${hurried}건을 바로 전달합니다`
            : `${again} told again, ${hurried} that waited are told at once`;
        await writeOut(output, json ? jsonText({ again, hurried }) : `${said}\n`);
      });
    });
}

function filtering(command: Command): Command {
  return command
    .option('--webhook <id>', 'to this one / 수신처 번호')
    .option('--state <states>', `${deliveryStates.join(', ')} / 상태`)
    .option('--event <type>', 'of this event / 사건')
    .option('--subject <subject>', 'about this / 대상')
    .option('--since <instant>', 'happened since (ISO 8601) / 시작 시각')
    .option('--until <instant>', 'happened before (ISO 8601) / 종료 시각')
    .option('--json', 'JSON output / JSON 출력');
}

function filterOf({ webhook, state, event, subject, since, until }: Filters): DeliveryFilter {
  return {
    endpoint: webhook === undefined ? undefined : numberOf(webhook),
    states: state?.split(',').map(stateOf),
    type: event,
    subject,
    since: instantOf(since),
    until: instantOf(until),
  };
}

function stateOf(text: string): DeliveryState {
  const state = deliveryStates.find((each) => each === text);
  if (state === undefined) throw new Problem('usage', { reason: `--state ${text} (${deliveryStates.join(', ')})` });
  return state;
}

function instantOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return Temporal.Instant.from(text).toString();
  } catch {
    throw new Problem('usage', { reason: `${text} (2026-11-20T08:00:00+09:00)` });
  }
}
