import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { Problem } from '../kernel/problem.ts';
import type { Cipher } from '../platform/cipher.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { dropEndpoint, type EndpointPorts, editEndpoint, makeEndpoint } from './endpoint-acts-store.ts';
import { type Endpoint, listEndpoints, showEndpoint } from './endpoint-store.ts';
import { eventTypes } from './event-types.ts';
import { endpointJson, endpointsTable, eventTypesTable } from './webhook-rows.ts';

/** What changes an endpoint needs besides the database. */
export type WebhookPorts = {
  cipher(): Promise<Cipher>;
  readonly allowed: readonly string[];
  readonly output?: Writable;
};

type Act = { readonly by?: string; readonly reason?: string; readonly json?: true };
type Change = Act & {
  readonly url?: string;
  readonly events?: string;
  readonly on?: true;
  readonly off?: true;
  readonly newSecret?: true;
};

/** `jeongsan webhooks`: other systems that are told what happens; `addDeliveryCommands` adds what became of it. */
export function webhookCommands(program: Command, context: CommandContext, ports: WebhookPorts): Command {
  const { language } = context;
  const { output = process.stdout, allowed } = ports;
  const webhooks = program.command('webhooks').description('other systems that are told what happens / 웹훅');
  const print = (endpoint: Endpoint, secret: string | undefined, json: boolean) =>
    writeOut(
      output,
      json
        ? jsonText({ ...endpointJson(endpoint), secret })
        : `${endpointsTable([endpoint], language)}${secretText(secret, context)}`,
    );
  const by = (options: Act) => ({
    actor: { who: options.by ?? context.who, from: 'cli' },
    reason: options.reason,
  });
  const withPorts = <T>(work: (each: EndpointPorts) => Promise<T>): Promise<T> =>
    context.withDatabase(async (pool: Pool) => work({ pool, cipher: await ports.cipher(), allowed }));
  webhooks
    .command('list', { isDefault: true })
    .description('who is told of what / 목록')
    .option('--json', 'one JSON array / JSON 출력')
    .action((options: { json?: true }) =>
      context.withDatabase(async (pool) => {
        const found = await listEndpoints(pool);
        await writeOut(output, options.json ? jsonText(found.map(endpointJson)) : endpointsTable(found, language));
      }),
    );
  webhooks
    .command('events')
    .description('what may be told of / 사건 목록')
    .option('--json', 'one JSON array / JSON 출력')
    .action((options: { json?: true }) =>
      writeOut(output, options.json ? jsonText(eventTypes) : eventTypesTable(language)),
    );
  acting(webhooks.command('add'))
    .description('tell another system; its secret is shown this once / 추가')
    .argument('<name>', 'what you call it / 이름')
    .argument('<url>', 'https://…')
    .requiredOption('--events <events>', 'payout.succeeded,break.* or * / 사건')
    .action((name: string, url: string, options: Act & { readonly events: string }) =>
      withPorts(async (each) => {
        const wanted = { name: ofLength('<name>', name, 100), url: ofLength('<url>', url, 2000) };
        const made = await makeEndpoint(each, { ...wanted, events: [options.events] }, by(options));
        await print(made.endpoint, made.secret, options.json ?? false);
      }),
    );
  acting(webhooks.command('edit'))
    .description('change where and of what it is told / 변경')
    .argument('<id>', 'its number / 번호')
    .option('--url <url>', 'another address / 주소')
    .option('--events <events>', 'other events / 사건')
    .option('--on', 'switch on / 사용')
    .option('--off', 'switch off; what waits waits on / 중지')
    .option('--new-secret', 'another secret, shown this once / 비밀키 교체')
    .action((id: string, options: Change) =>
      withPorts(async (each) => {
        const { version } = await showEndpoint(each.pool, numberOf(id));
        const changed = await editEndpoint(each, { id: numberOf(id), version, change: changeOf(options) }, by(options));
        await print(changed.endpoint, changed.secret, options.json ?? false);
      }),
    );
  acting(webhooks.command('remove'))
    .description('tell it no more; what still waits for it is dropped / 삭제')
    .argument('<id>', 'its number / 번호')
    .action((id: string, options: Act) =>
      withPorts(async (each) => {
        const { name, version } = await showEndpoint(each.pool, numberOf(id));
        await dropEndpoint(each, { id: numberOf(id), version }, by(options));
        const said = language === 'ko' ? `${name} 웹훅을 삭제했습니다` : `webhook ${name} was removed`;
        await writeOut(output, options.json ? jsonText({ removed: id }) : `${said}\n`);
      }),
    );
  return webhooks;
}

function acting(command: Command): Command {
  return command
    .option('--reason <text>', 'why / 사유')
    .option('--by <who>', 'who acts / 처리자')
    .option('--json', 'JSON output / JSON 출력');
}

function changeOf({ url, events, on, off, newSecret }: Change) {
  if (on && off) throw new Problem('usage', { reason: '--on --off' });
  const enabled = on ? true : off ? false : undefined;
  return {
    url: url && ofLength('--url', url, 2000),
    events: events === undefined ? undefined : [events],
    enabled,
    newSecret,
  };
}

/** A row's number as it is typed. */
export function numberOf(text: string): bigint {
  if (!/^[1-9]\d{0,17}$/.test(text)) throw new Problem('usage', { reason: `<id> ${text} (1, 2, …)` });
  return BigInt(text);
}

/** @throws Problem `usage` */
function ofLength(typed: string, text: string, most: number): string {
  const said = text.trim();
  if (said.length > most) throw new Problem('usage', { reason: `${typed}: ${said.length} > ${most}` });
  return said;
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function secretText(secret: string | undefined, { language }: CommandContext): string {
  if (secret === undefined) return '';
  const said = language === 'ko' ? '비밀키 (다시 보여 주지 않습니다)' : 'Secret (it is not shown again)';
  return `\n${said}: ${secret}\n`;
}
