import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { Problem } from '../kernel/problem.ts';
import type { Cipher } from '../platform/cipher.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { channelKinds, channelPurposes } from './channel.ts';
import { listChannels, removeChannel, saveChannel } from './channel-store.ts';
import { limitNames } from './limit.ts';
import { listLimits, saveLimit } from './limit-store.ts';
import { toJson } from './row-json.ts';
import { checkedRule, usualRule } from './rule-fields.ts';
import { listRules, removeRule, type SettingAct, saveRule } from './rule-store.ts';
import { channelChanges, checkedName, oneOf, ruleChanges } from './setting-options.ts';
import { channelColumns, channelRow, limitColumns, limitRow, ruleColumns, ruleRow } from './setting-rows.ts';

export type AlertSettingPorts = { cipher(): Promise<Cipher>; readonly allowed: readonly string[] };

type Acting = { readonly by?: string; readonly reason?: string; readonly json?: true };

/** `jeongsan alerts rules|channels|limits`: who is told of what, by which way, and what is too much. */
export function alertSettingCommands(
  alerts: Command,
  context: CommandContext,
  ports: AlertSettingPorts,
  output: Writable = process.stdout,
): void {
  const { language } = context;
  const print = (json: true | undefined, value: unknown, text: string) =>
    writeOut(output, json ? `${toJson(value)}\n` : text);
  const act = ({ by = context.who, reason }: Acting): SettingAct => ({ actor: { who: by, from: 'cli' }, reason });
  const removed = (name: string) => (language === 'ko' ? `삭제: ${name}\n` : `Removed: ${name}\n`);
  addRuleCommands();
  addChannelCommands();
  addLimitCommands();

  function addRuleCommands(): void {
    const rules = alerts.command('rules').description('who is told of what / 알림 규칙');
    rules
      .command('list', { isDefault: true })
      .description('in the order in which they are asked / 목록')
      .option('--json', 'JSON output / JSON 출력')
      .action(({ json }: Acting) =>
        context.withDatabase(async (pool) => {
          const found = await listRules(pool);
          await print(
            json,
            found,
            formatTable(
              ruleColumns(language),
              found.map((rule) => ruleRow(rule, language)),
            ),
          );
        }),
      );
    type RuleOptions = Acting & Readonly<Record<string, string | boolean | undefined>>;
    acting(rules.command('set'))
      .description('make or change a rule; what is not named stays / 추가·변경')
      .argument('<rule>', 'its name / 이름')
      .option('--position <n>', 'the first that fits speaks / 순서')
      .option('--kinds <patterns>', 'bank_*,payout_unknown; empty: any / 종류')
      .option('--subjects <patterns>', 'bank:json*; empty: any / 대상')
      .option('--severities <names>', 'notice,warning,urgent; empty: any / 긴급도')
      .option('--audience <who>', 'in_charge, operations, any / 알릴 사람')
      .option('--as <severity>', 'instead of the kind’s own; own / 긴급도 바꾸기')
      .option('--channels <names>', 'who is told / 채널')
      .option('--group-by <what>', 'kind, rule / 묶는 단위')
      .option('--gather <time>', 'before the first word: 30s, 5m / 모으는 시간')
      .option('--update <time>', 'between words of new ones / 추가 알림 간격')
      .option('--repeat <time>', 'while nobody acknowledges; 0: never / 재알림 간격')
      .option('--escalate <time>', 'when nobody has acknowledged; 0: never / 상향까지')
      .option('--escalate-to <names>', 'who then is told too / 상향 채널')
      .option('--calm <time>', 'nothing open for so long is over / 종결까지')
      .option('--quiet <hours>', '22:00-07:00, or none / 조용한 시간')
      .option('--continues <yes>', 'yes, no: later rules speak too / 다음 규칙도')
      .option('--on', 'switch on / 사용')
      .option('--off', 'switch off / 사용 안 함')
      .action((rule: string, options: RuleOptions) =>
        context.withDatabase(async (pool) => {
          const known = (await listRules(pool)).find((each) => each.rule === rule);
          const draft = checkedRule(rule, { ...usualRule, ...known, ...ruleChanges(options) });
          const saved = await saveRule(pool, draft, { ...act(options), version: known?.version ?? 0 });
          await print(options.json, saved, formatTable(ruleColumns(language), [ruleRow(saved, language)]));
        }),
      );
    acting(rules.command('remove'))
      .description('take a rule away / 삭제')
      .argument('<rule>', 'its name / 이름')
      .action((rule: string, options: Acting) =>
        context.withDatabase(async (pool) => {
          await removeRule(pool, rule, act(options));
          await print(options.json, { removed: rule }, removed(rule));
        }),
      );
  }

  function addChannelCommands(): void {
    const channels = alerts.command('channels').description('ways to reach people / 알림 채널');
    channels
      .command('list', { isDefault: true })
      .description('and how they fare / 목록')
      .option('--json', 'JSON output / JSON 출력')
      .action(({ json }: Acting) =>
        context.withDatabase(async (pool) => {
          const found = await listChannels(pool);
          await print(
            json,
            found,
            formatTable(
              channelColumns(language),
              found.map((each) => channelRow(each, language)),
            ),
          );
        }),
      );
    type ChannelOptions = Acting & Readonly<Record<string, string | true | undefined>>;
    acting(channels.command('set'))
      .description('make or change a channel; what is not named stays / 추가·변경')
      .argument('<channel>', 'its name / 이름')
      .option('--kind <kind>', `${channelKinds.join(', ')} / 종류`)
      .option('--to <addresses>', 'mailboxes, split by commas; empty: nobody / 메일 주소')
      .option('--url <url>', 'of a webhook or Slack / 주소')
      .option('--secret <variable>', 'environment variable that holds the HMAC secret / 비밀을 담은 환경 변수')
      .option('--language <language>', 'ko, en / 언어')
      .option('--also <purposes>', `${channelPurposes.join(',')}; empty: alerts alone / 추가 발송`)
      .option('--on', 'switch on / 사용')
      .option('--off', 'switch off / 사용 안 함')
      .action((channel: string, options: ChannelOptions) =>
        context.withDatabase(async (pool) => {
          const cipher = await ports.cipher();
          const draft = { channel: checkedName(channel), ...channelChanges(options) };
          const saved = await saveChannel({ pool, cipher, allowed: ports.allowed }, draft, act(options));
          await print(options.json, saved, formatTable(channelColumns(language), [channelRow(saved, language)]));
        }),
      );
    acting(channels.command('remove'))
      .description('take a channel away that no rule names / 삭제')
      .argument('<channel>', 'its name / 이름')
      .action((channel: string, options: Acting) =>
        context.withDatabase(async (pool) => {
          await removeChannel(pool, channel, act(options));
          await print(options.json, { removed: channel }, removed(channel));
        }),
      );
  }

  function addLimitCommands(): void {
    const limits = alerts.command('limits').description('what is too much, too old or too late / 감시 한도');
    limits
      .command('list', { isDefault: true })
      .description('all limits / 목록')
      .option('--json', 'JSON output / JSON 출력')
      .action(({ json }: Acting) =>
        context.withDatabase(async (pool) => {
          const found = await listLimits(pool);
          await print(
            json,
            found,
            formatTable(
              limitColumns(language),
              found.map((limit) => limitRow(limit, language)),
            ),
          );
        }),
      );
    acting(limits.command('set'))
      .description('set a limit / 변경')
      .argument('<name>', limitNames.join(', '))
      .argument('<value>', 'a whole number, or none: not watched / 값')
      .option('--provider <id>', 'for this provider alone / 원천사')
      .action((name: string, value: string, options: Acting & { readonly provider?: string }) =>
        context.withDatabase(async (pool) => {
          if (value !== 'none' && !/^\d{1,18}$/.test(value)) throw new Problem('usage', { reason: `<value> ${value}` });
          const limit = {
            name: oneOf(name, limitNames, '<name>'),
            provider: options.provider ?? '',
            value: value === 'none' ? null : BigInt(value),
          };
          const all = await saveLimit(pool, limit, act(options));
          await print(
            options.json,
            all,
            formatTable(
              limitColumns(language),
              all.map((each) => limitRow(each, language)),
            ),
          );
        }),
      );
  }
}

function acting(command: Command): Command {
  return command
    .option('--reason <text>', 'why; it stands in the trail / 사유')
    .option('--by <who>', 'who acts / 처리자')
    .option('--json', 'JSON output / JSON 출력');
}
