import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { parseDay, seoul } from '../kernel/business-day.ts';
import { Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { exitStatus } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import {
  alertColumns,
  alertRow,
  alertText,
  deliveryColumns,
  deliveryRow,
  deliveryText,
  statusText,
} from './alert-rows.ts';
import { acknowledgeAlert, alertStates, alertStatus, pageOfAlerts, showAlert } from './alert-store.ts';
import { showChannel } from './channel-store.ts';
import { deliveryStates, pageOfDeliveries, putTest, retryDeliveries, showDelivery } from './delivery-store.ts';
import { digestMessage } from './digest-message.ts';
import { digestOf, putDigest } from './digest-store.ts';
import { severities } from './finding-words.ts';
import { toJson } from './row-json.ts';
import { oneOf } from './setting-options.ts';

export type AlertCommandPorts = {
  now(): Temporal.Instant;
  readonly mailConfigured: boolean;
};

/** Rows that a list of the command line shows; more are asked for by filters. */
const listMost = 1_000;

/** `jeongsan alerts`: what people are told of, who looks after it, and whether word reached them. Returns the command. */
export function alertCommands(
  program: Command,
  context: CommandContext,
  { now, mailConfigured }: AlertCommandPorts,
  output: Writable = process.stdout,
): Command {
  const { language } = context;
  const alerts = program.command('alerts').description('what people are told of / 알림');
  const print = (json: true | undefined, value: unknown, text: string) =>
    writeOut(output, json ? `${toJson(value)}\n` : text);

  alerts
    .command('list', { isDefault: true })
    .description('alerts that are not over, newest first / 목록')
    .option('--state <state>', `${alertStates.join(', ')} / 상태`)
    .option('--severity <severity>', `${severities.join(', ')} / 긴급도`)
    .option('--kind <kind>', 'of this kind / 종류')
    .option('--all', 'those that are over too / 종결된 것 포함')
    .option('--json', 'JSON output / JSON 출력')
    .action((options: { state?: string; severity?: string; kind?: string; all?: true; json?: true }) =>
      context.withDatabase(async (pool) => {
        const states =
          options.state === undefined
            ? options.all
              ? undefined
              : (['open', 'acknowledged'] as const)
            : [oneOf(options.state, alertStates, '--state')];
        const filter = {
          states,
          severities: options.severity === undefined ? undefined : [oneOf(options.severity, severities, '--severity')],
          kind: options.kind,
        };
        const { rows } = await pageOfAlerts(pool, filter, { after: undefined, limit: listMost, descending: true });
        await print(
          options.json,
          rows,
          formatTable(
            alertColumns(language),
            rows.map((row) => alertRow(row, language)),
          ),
        );
      }),
    );

  alerts
    .command('show')
    .description('one alert with what was found / 상세')
    .argument('<id>', 'its number / 번호')
    .option('--json', 'JSON output / JSON 출력')
    .action((id: string, { json }: { json?: true }) =>
      context.withDatabase(async (pool) => {
        const alert = await showAlert(pool, numberOf(id));
        await print(json, alert, alertText(alert, language));
      }),
    );

  alerts
    .command('ack')
    .description('say that you look after it: it is neither repeated nor escalated any more / 확인')
    .argument('<ids...>', 'their numbers / 번호')
    .option('--note <text>', 'what is being done / 메모')
    .option('--by <who>', 'who acts / 처리자')
    .option('--json', 'JSON output / JSON 출력')
    .action((ids: string[], { note, by = context.who, json }: { note?: string; by?: string; json?: true }) =>
      context.withDatabase(async (pool) => {
        const done = [];
        for (const id of [...new Set(ids)].map(numberOf)) {
          done.push(await acknowledgeAlert(pool, { id, by, note, now: now() }));
        }
        const text = done.map((alert) => `${alertText(alert, language)}\n`).join('');
        await print(json, done, text);
      }),
    );

  alerts
    .command('status')
    .description('whether anybody is told, and whether word reaches them / 상태')
    .option('--json', 'JSON output / JSON 출력')
    .action(({ json }: { json?: true }) =>
      context.withDatabase(async (pool) => {
        const status = await alertStatus(pool, mailConfigured);
        if (status.faults.length > 0) process.exitCode = exitStatus.incomplete;
        await print(json, status, statusText(status, language));
      }),
    );

  const deliveries = alerts.command('deliveries').description('what was sent, and to whom / 발송 기록');
  deliveries
    .command('list', { isDefault: true })
    .description('newest first / 목록')
    .option('--state <state>', `${deliveryStates.join(', ')} / 상태`)
    .option('--channel <name>', 'of this channel / 채널')
    .option('--alert <id>', 'of this alert / 알림')
    .option('--json', 'JSON output / JSON 출력')
    .action((options: { state?: string; channel?: string; alert?: string; json?: true }) =>
      context.withDatabase(async (pool) => {
        const filter = {
          states: options.state === undefined ? undefined : [oneOf(options.state, deliveryStates, '--state')],
          channel: options.channel,
          alert: options.alert === undefined ? undefined : numberOf(options.alert),
        };
        const { rows } = await pageOfDeliveries(pool, filter, { after: undefined, limit: listMost, descending: true });
        await print(
          options.json,
          rows,
          formatTable(
            deliveryColumns(language),
            rows.map((row) => deliveryRow(row, language)),
          ),
        );
      }),
    );
  deliveries
    .command('show')
    .description('one message with each try / 상세')
    .argument('<id>', 'its number / 번호')
    .option('--json', 'JSON output / JSON 출력')
    .action((id: string, { json }: { json?: true }) =>
      context.withDatabase(async (pool) => {
        const delivery = await showDelivery(pool, numberOf(id));
        await print(json, delivery, deliveryText(delivery, language));
      }),
    );

  alerts
    .command('retry')
    .description('send what failed again / 재발송')
    .argument('[ids...]', 'numbers of deliveries; none means all that failed / 번호')
    .option('--channel <name>', 'of this channel / 채널')
    .option('--json', 'JSON output / JSON 출력')
    .action((ids: string[], { channel, json }: { channel?: string; json?: true }) =>
      context.withDatabase(async (pool) => {
        const some = ids.length === 0 ? undefined : ids.map(numberOf);
        const again = await retryDeliveries(pool, { ids: some, channel, now: now() });
        await print(json, { again }, language === 'ko' ? `다시 보냅니다: ${again}건\n` : `Sent again: ${again}\n`);
      }),
    );

  alerts
    .command('test')
    .description('send a test message through a channel / 시험 발송')
    .argument('<channel>', 'its name / 채널')
    .option('--by <who>', 'who acts / 처리자')
    .option('--json', 'JSON output / JSON 출력')
    .action((channel: string, { by = context.who, json }: { by?: string; json?: true }) =>
      context.withDatabase(async (pool) => {
        await showChannel(pool, channel);
        const key = await putTest(pool, { channel, by, now: now() });
        const how = `jeongsan alerts deliveries --channel ${channel}`;
        await print(json, { key }, language === 'ko' ? `보낼 차례입니다: ${how}\n` : `It will be sent: ${how}\n`);
      }),
    );

  alerts
    .command('digest')
    .description('how a day went and what waits / 일일 요약')
    .option('--on <day>', 'business day; yesterday unless given / 영업일')
    .option('--send', 'send it to whoever is to have it / 발송')
    .option('--json', 'JSON output / JSON 출력')
    .action(({ on, send, json }: { on?: string; send?: true; json?: true }) =>
      context.withDatabase(async (pool) => {
        const day = on === undefined ? now().toZonedDateTimeISO(seoul).toPlainDate().subtract({ days: 1 }) : dayOf(on);
        const content = await digestOf(pool, day, language, now());
        const channels = send ? await putDigest(pool, day, now()) : 0;
        await print(json, send ? { ...content, channels } : content, digestMessage(content, language).text);
      }),
    );
  return alerts;
}

/** @throws Problem `usage` */
function numberOf(text: string): bigint {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new Problem('usage', { reason: `ID ${text}` });
  return BigInt(text);
}

/** @throws Problem `usage` */
function dayOf(text: string): Temporal.PlainDate {
  const day = parseDay(text);
  if (day === undefined) throw new Problem('usage', { reason: `--on ${text} (YYYY-MM-DD)` });
  return day;
}
