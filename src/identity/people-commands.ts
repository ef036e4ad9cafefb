import type { Command } from 'commander';
import { type Role, roles } from '../kernel/permission.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { addressOf } from './address.ts';
import type { IdentityCommandPorts } from './commands.ts';
import { joinByLink } from './link-handler.ts';
import { linkUrl } from './link-page.ts';
import { addService, invitePerson, keyFates, recoverPerson } from './link-store.ts';
import { changeRoles, listPeople, type Person, setDisabled } from './person-store.ts';
import { endSessions, listSessions } from './session-store.ts';

type Options = {
  readonly name?: string;
  readonly email?: string;
  readonly roles?: readonly string[];
  readonly responsible?: string;
  readonly role?: string;
  readonly kind?: string;
  readonly end?: true;
  readonly keys?: string;
  readonly why?: string;
  readonly json?: true;
};

const pageRows = 1000;
const kinds = ['person', 'service'] as const;

/** `jeongsan people`: who there is, what they may do, and how they come in. */
export function peopleCommands(program: Command, context: CommandContext, ports: IdentityCommandPorts): void {
  const { output = process.stdout, now } = ports;
  const { language, withDatabase } = context;
  const people = program.command('people').description('who may sign in and do what / 사용자');
  const change = ({ why }: Options) => ({ actor: ports.actor(), reason: reasonOf(why) });
  const say = (text: string, json: unknown, options: Options) =>
    writeOut(output, options.json ? `${JSON.stringify(json, null, 2)}\n` : text);
  const sayPerson = (person: Person, options: Options) =>
    say(formatTable(columns[language], [row(person, language)]), person, options);

  common(people.command('list', { isDefault: true }).description('people and services / 목록'))
    .option('--role <role>', roles.join(', '))
    .option('--kind <kind>', 'person, service')
    .action((options: Options) => {
      const wanted = { role: oneOf('--role', roles, options.role), kind: oneOf('--kind', kinds, options.kind) };
      return withDatabase(async (pool) => {
        const found: Person[] = [];
        for (;;) {
          const page = await listPeople(pool, { ...wanted, after: found.at(-1)?.who, limit: pageRows });
          found.push(...page);
          if (page.length < pageRows) break;
        }
        await say(
          formatTable(
            columns[language],
            found.map((each) => row(each, language)),
          ),
          found,
          options,
        );
      });
    });
  common(people.command('invite').description('a link that works once, to be passed on / 초대').argument('<email>'))
    .requiredOption('--name <name>', 'how they are called / 이름')
    .requiredOption('--roles <roles...>', roles.join(', '))
    .option('--why <text>', 'the reason / 사유')
    .action((given: string, options: Options) =>
      withDatabase(async (pool) => {
        const who = addressOf(given);
        const invited = { name: options.name ?? '', email: who, roles: rolesOf(options.roles) };
        const link = linkUrl(ports.publicUrl, await invitePerson(pool, invited, change(options), now()));
        await say(`${link}\n`, { who, link }, options);
      }),
    );
  common(
    people.command('service').description('another system, which acts by keys alone / 서비스 계정').argument('<id>'),
  )
    .requiredOption('--name <name>', 'what it is / 이름')
    .requiredOption('--responsible <who>', 'the person who answers for it / 책임자')
    .requiredOption('--roles <roles...>', 'viewer, operator')
    .option('--why <text>', 'the reason / 사유')
    .action((id: string, options: Options) =>
      withDatabase(async (pool) => {
        const { name = '', responsible = '' } = options;
        const added = { id, name, responsible, roles: rolesOf(options.roles) };
        await sayPerson(await addService(pool, added, change(options)), options);
      }),
    );
  common(people.command('roles').description('give exactly these roles; none takes all / 역할').argument('<who>'))
    .argument('[roles...]', roles.join(', '))
    .option('--why <text>', 'the reason / 사유')
    .action((who: string, given: string[], options: Options) =>
      withDatabase(async (pool) => sayPerson(await changeRoles(pool, who, rolesOf(given), change(options)), options)),
    );
  for (const [name, disabled, description] of [
    ['disable', true, 'sessions end, keys stop; the trail stays / 사용 중지'],
    ['enable', false, 'let them in again / 사용 재개'],
  ] as const) {
    common(people.command(name).description(description).argument('<who>'))
      .option('--why <text>', 'the reason / 사유')
      .action((who: string, options: Options) =>
        withDatabase(async (pool) => sayPerson(await setDisabled(pool, who, disabled, change(options)), options)),
      );
  }
  common(
    people
      .command('recover')
      .description('a link to set password and second factor anew; API keys end / 계정 복구')
      .argument('<who>'),
  )
    .option(
      '--keys <fate>',
      `what becomes of their API keys: ${keyFates.join(', ')}; end if not told otherwise / API 키`,
    )
    .option('--why <text>', 'the reason / 사유')
    .action((who: string, options: Options) => {
      const keys = oneOf('--keys', keyFates, options.keys);
      return withDatabase(async (pool) => {
        const { token, endedKeys } = await recoverPerson(pool, { who, keys }, change(options), now());
        const link = linkUrl(ports.publicUrl, token);
        await say(`${link}\n`, { who, link, endedKeys }, options);
        // The link is taken from what is printed: what is for people stands beside it.
        const ended = language === 'ko' ? `API 키 ${endedKeys}개를 끝냈습니다` : `API keys that ended: ${endedKeys}`;
        if (!options.json) process.stderr.write(`${ended}\n`);
      });
    });
  addSessions(people, context, ports);
  addJoin(people, context, ports);
}

function addSessions(
  people: Command,
  context: CommandContext,
  { actor, now, output = process.stdout }: IdentityCommandPorts,
) {
  const { language } = context;
  common(
    people
      .command('sessions')
      .description('where one is signed in, oneself if not told otherwise / 세션')
      .argument('[who]'),
  )
    .option('--end', 'end them all / 모두 끝내기')
    .action((given: string | undefined, options: Options) =>
      context.withDatabase(async (pool) => {
        const who = given ?? actor().who;
        if (who !== actor().who && !actor().permissions.has('administer')) {
          throw new Problem('permission_missing', { permission: 'administer' });
        }
        const found = await listSessions(pool, who, now());
        if (options.end) await endSessions(pool, who);
        const rows = found.map((each) => [
          each.from ?? '-',
          formatSeoulTime(each.startedAt.toISOString()),
          formatSeoulTime(each.lastSeenAt.toISOString()),
          each.userAgent?.slice(0, 60) ?? '-',
        ]);
        await writeOut(
          output,
          options.json ? `${JSON.stringify(found, null, 2)}\n` : formatTable(sessionColumns[language], rows),
        );
      }),
    );
}

function addJoin(people: Command, context: CommandContext, ports: IdentityCommandPorts) {
  const { output = process.stdout, now } = ports;
  common(people.command('join').description('come in by a link: set the password / 링크로 참여').argument('<link>'))
    .option('--name <name>', 'how one is called / 이름')
    .option('--email <email>', 'of who sets the product up / 이메일')
    .action((link: string, options: Options) =>
      context.withDatabase(async (pool) => {
        const ask = ports.openAsk();
        try {
          const password = await ask.line(context.language === 'ko' ? '비밀번호' : 'Password', { hidden: true });
          const { name, email } = options;
          // Read when it is needed: it is large.
          const { hashPassword: hash } = await import('better-auth/crypto');
          const address = ports.actor().from;
          const who = await joinByLink(
            link.split('/').at(-1) ?? '',
            { name, email, password },
            { pool, hash, address, now },
          );
          await writeOut(output, options.json ? `${JSON.stringify({ who })}\n` : `${who}\n`);
        } finally {
          ask.close();
        }
      }),
    );
}

function common(command: Command): Command {
  return command.option('--json', 'JSON output / JSON 출력');
}

const columns = {
  ko: ['사용자', '이름', '역할', '2단계', '상태', '책임자'].map((title) => ({ title })),
  en: ['Who', 'Name', 'Roles', '2nd factor', 'State', 'Responsible'].map((title) => ({ title })),
};
const sessionColumns = {
  ko: ['주소', '시작', '마지막', '브라우저'].map((title) => ({ title })),
  en: ['From', 'Since', 'Last seen', 'Browser'].map((title) => ({ title })),
};
const states = {
  ko: { disabled: '중지', invited: '초대됨', active: '사용 중' },
  en: { disabled: 'disabled', invited: 'invited', active: 'active' },
} as const;

function row(person: Person, language: Language): string[] {
  const isIn = person.joined || person.kind === 'service';
  const state = person.disabledAt !== null ? 'disabled' : isIn ? 'active' : 'invited';
  return [
    person.who,
    person.name,
    person.roles.join(', ') || '-',
    person.secondFactor ? '✓' : '-',
    states[language][state],
    person.responsible ?? '-',
  ];
}

/** @throws Problem `usage` */
function rolesOf(given: readonly string[] | undefined): Role[] {
  const names = (given ?? []).flatMap((each) => each.split(',')).filter((name) => name !== '');
  return [...new Set(names)].map((name) => {
    const role = roles.find((each) => each === name);
    if (role === undefined) throw new Problem('usage', { reason: `--roles ${name} (${roles.join(', ')})` });
    return role;
  });
}

/** @throws Problem `usage` */
function oneOf<T extends string>(option: string, known: readonly T[], given: string | undefined): T | undefined {
  const found = known.find((each) => each === given);
  if (given !== undefined && found === undefined) {
    throw new Problem('usage', { reason: `${option} ${given} (${known.join(', ')})` });
  }
  return found;
}

/** @throws Problem `usage` */
function reasonOf(why: string | undefined): string {
  if (why === undefined || why.trim() === '') throw new Problem('usage', { reason: '--why TEXT' });
  return why.trim();
}
