import type { Command } from 'commander';
import { type Actor, type Permission, permissions } from '../kernel/permission.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { CommandContext } from '../platform/command.ts';
import type { Pool } from '../platform/database/pool.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import type { IdentityCommandPorts } from './commands.ts';
import { usualDays } from './key-rule.ts';
import { createKey, type Key, listKeys, revokeKey } from './key-store.ts';

type Options = {
  readonly name: string;
  readonly scopes?: readonly string[];
  readonly days?: string;
  readonly owner?: string;
  readonly valid?: true;
  readonly why?: string;
  readonly json?: true;
};

const pageRows = 1000;
const hoursOfDay = 24;

/** `jeongsan keys`: what other systems, and the command line, act by. */
export function keyCommands(program: Command, context: CommandContext, ports: IdentityCommandPorts): void {
  const { output = process.stdout, now } = ports;
  const { language, withDatabase } = context;
  const keys = program.command('keys').description('API keys / API 키');
  keys
    .command('list', { isDefault: true })
    .description("one's own, or everybody's to who looks after people / 목록")
    .option('--owner <who>', 'only theirs / 주인')
    .option('--valid', 'only those that work / 유효한 것만')
    .option('--json', 'one JSON array / JSON 출력')
    .action(({ owner, valid, json }: Partial<Options>) =>
      withDatabase(async (pool) => {
        const actor = ports.actor();
        const whose = actor.permissions.has('administer') ? owner : actor.who;
        const validAt = valid ? now() : undefined;
        const found: Key[] = [];
        for (;;) {
          const page = await listKeys(pool, { owner: whose, validAt, after: found.at(-1)?.id, limit: pageRows });
          found.push(...page);
          if (page.length < pageRows) break;
        }
        const table = () =>
          formatTable(
            columns[language],
            found.map((key) => row(key, now(), language)),
          );
        await writeOut(output, json ? `${JSON.stringify(found, null, 2)}\n` : table());
      }),
    );
  making(keys.command('create').description('a key, shown this once / 만들기'))
    .option('--owner <who>', 'a service; oneself if not told otherwise / 주인 (서비스 계정)')
    .option('--why <text>', 'the reason / 사유')
    .action((options: Options) => withDatabase((pool) => make(pool, ports.actor(), options)));
  making(
    keys
      .command('sign-in')
      .description('sign in and make a key for the command line / 로그인하여 키 만들기')
      .argument('<email>'),
  ).action((email: string, options: Options) =>
    withDatabase(async (pool) => {
      // Read when it is needed: what signs people in is large.
      const { signInAtTerminal } = await import('./terminal-sign-in.ts');
      await make(pool, await signInAtTerminal(pool, email, language, ports), options);
    }),
  );
  keys
    .command('revoke')
    .description('end a key, and all that it made / 폐기')
    .argument('<id>', 'as the list shows it / 키 ID')
    .requiredOption('--why <text>', 'the reason / 사유')
    .option('--json', 'one JSON object / JSON 출력')
    .action((id: string, { why = '', json }: Partial<Options>) =>
      withDatabase(async (pool) => {
        const key = await revokeKey(pool, id, ports.actor(), why);
        const table = formatTable(columns[language], [row(key, now(), language)]);
        await writeOut(output, json ? `${JSON.stringify(key, null, 2)}\n` : table);
      }),
    );

  async function make(pool: Pool, actor: Actor, options: Options): Promise<void> {
    const { name, owner = actor.who, why = name } = options;
    const scopes =
      options.scopes === undefined
        ? permissions.filter((each) => actor.permissions.has(each))
        : scopesOf(options.scopes);
    const expiresAt = options.days === undefined ? undefined : now().add({ hours: hoursOfDay * daysOf(options.days) });
    const wish = { name, owner, scopes, expiresAt, reason: why };
    const { key, text, endsWith } = await createKey(pool, wish, actor, now());
    if (options.json) return await writeOut(output, `${JSON.stringify({ ...key, key: text, endsWith }, null, 2)}\n`);
    await writeOut(output, `${text}\n`);
    // Scripts take the key from what is printed: what is for people stands beside it.
    if (endsWith !== null) process.stderr.write(`${endText(endsWith, key.expiresAt, language)}\n`);
  }
}

function making(command: Command): Command {
  return command
    .requiredOption('--name <text>', 'what it is for / 용도')
    .option('--scopes <permissions...>', `all that one may if not told otherwise: ${permissions.join(', ')} / 권한`)
    .option(
      '--days <days>',
      `how long it works, at most 366; ${usualDays}, and no longer than the key that makes it, if not told otherwise / 기한`,
    )
    .option('--json', 'one JSON object / JSON 출력');
}

function endText(endsWith: string, expiresAt: Date, language: Language): string {
  const until = formatSeoulTime(expiresAt.toISOString());
  return language === 'ko'
    ? `기한 ${until}: 이 키를 만든 키 ${endsWith}과(와) 함께 끝납니다`
    : `valid until ${until}, when the key ${endsWith} that made it ends`;
}

const columns = {
  ko: ['키', '주인', '용도', '권한', '기한', '마지막 사용', '상태'].map((title) => ({ title })),
  en: ['Key', 'Owner', 'For', 'Scopes', 'Until', 'Last used', 'State'].map((title) => ({ title })),
};
const states = {
  ko: { revoked: '폐기', expired: '만료', valid: '유효' },
  en: { revoked: 'revoked', expired: 'expired', valid: 'valid' },
} as const;

function row(key: Key, now: Temporal.Instant, language: Language): string[] {
  const at = (when: Date | null) => (when === null ? '-' : formatSeoulTime(when.toISOString()));
  const isExpired = key.expiresAt.getTime() <= now.epochMilliseconds;
  const state = key.revokedAt !== null ? 'revoked' : isExpired ? 'expired' : 'valid';
  return [
    key.id,
    key.owner,
    key.name,
    key.scopes.join(', '),
    at(key.expiresAt),
    at(key.lastUsedAt),
    states[language][state],
  ];
}

/** @throws Problem `usage` */
function scopesOf(given: readonly string[]): Permission[] {
  const names = given.flatMap((each) => each.split(',')).filter((name) => name !== '');
  return [...new Set(names)].map((name) => {
    const scope = permissions.find((each) => each === name);
    if (scope === undefined) throw new Problem('usage', { reason: `--scopes ${name} (${permissions.join(', ')})` });
    return scope;
  });
}

/** @throws Problem `usage` */
function daysOf(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new Problem('usage', { reason: `--days ${text} (1–366)` });
  return Number(text);
}
