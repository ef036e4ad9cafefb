import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { type Actor, permissions } from '../kernel/permission.ts';
import { Problem } from '../kernel/problem.ts';
import type { Cipher } from '../platform/cipher.ts';
import type { CommandContext } from '../platform/command.ts';
import type { Pool } from '../platform/database/pool.ts';
import type { Log } from '../platform/log.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import type { Ask } from './ask-port.ts';
import { linkUrl } from './link-page.ts';
import { createSetupLink } from './link-store.ts';
import { findPerson } from './person-store.ts';

/** What the commands of this folder need besides the context. */
export type IdentityCommandPorts = {
  /** Who acts, as the guard found out. */
  actor(): Actor;
  cipher(): Promise<Cipher>;
  readonly log: Log;
  /** Where people reach the server: links begin with it. */
  readonly publicUrl: string;
  readonly now: () => Temporal.Instant;
  openAsk(): Ask;
  readonly output?: Writable;
};

/** `jeongsan whoami`, `jeongsan setup-link`: who the command line acts as, and how the first administrator comes in. */
export function identityCommands(program: Command, context: CommandContext, ports: IdentityCommandPorts): void {
  const { output = process.stdout } = ports;
  const { language } = context;
  program
    .command('whoami')
    .description('who the command line acts as, and what they may do / 현재 행위자')
    .option('--json', 'one JSON object / JSON 출력')
    .action(({ json }: { json?: true }) =>
      context.withDatabase(async (pool) => {
        const me = await whoIs(pool, ports.actor());
        const rows = Object.entries(me).map(([name, value]) => [name, [value ?? '-'].flat().join(', ')]);
        const columns = [{ title: language === 'ko' ? '행위자' : 'Actor' }, { title: '' }];
        await writeOut(output, json ? `${JSON.stringify(me, null, 2)}\n` : formatTable(columns, rows));
      }),
    );
  program
    .command('setup-link')
    .description('a one-time link for the first administrator; the one before works no more / 최초 설정 링크')
    .option('--json', 'one JSON object / JSON 출력')
    .action(({ json }: { json?: true }) =>
      context.withDatabase(async (pool) => {
        const { who, from } = ports.actor();
        const token = await createSetupLink(pool, { by: who, from, renew: true, now: ports.now() });
        if (token === undefined) throw new Problem('setup_done');
        const link = linkUrl(ports.publicUrl, token);
        await writeOut(output, json ? `${JSON.stringify({ link })}\n` : `${link}\n`);
      }),
    );
}

async function whoIs(pool: Pool, actor: Actor) {
  const person = await findPerson(pool, actor.who);
  return {
    who: actor.who,
    name: person?.name ?? null,
    roles: person?.roles ?? [],
    permissions: permissions.filter((each) => actor.permissions.has(each)),
    key: actor.key ?? null,
    from: actor.from,
  };
}
