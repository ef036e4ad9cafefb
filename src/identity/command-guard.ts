import { readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { recordAct } from '../audit/store.ts';
import { writtenCardNumber } from '../kernel/card-number.ts';
import { type Actor, mayDo, permissions } from '../kernel/permission.ts';
import { isProblem, Problem } from '../kernel/problem.ts';
import type { Acting } from '../platform/database/acting.ts';
import type { Pool } from '../platform/database/pool.ts';
import { auditableBody } from '../platform/http/audit-port.ts';
import { isAct, needOf } from './command-permissions.ts';
import { seeKey } from './key-store.ts';
import { hasAdministrator } from './person-store.ts';

/** 명령줄의 행위자. Who the command line acts as, whether they may, and what the trail keeps of it. */
export type CommandGuard = {
  /**
   * Before a command: finds out who acts. While there are no people, whoever holds the database may do everything; from
   * then on it takes a key, and the permission of the command, reading too.
   * @throws Problem `key_needed`, `by_another`, `permission_missing`, `key_file_open`, `card_number_given`
   */
  begin(command: Command): Promise<void>;
  /** After it, with what it threw. */
  end(error?: unknown): Promise<void>;
  /** Who acts. */
  actor(): Actor;
  /** The act that is under way; none while nothing is, or what is under way is a question. */
  acting(): Acting | undefined;
};

export type CommandGuardPorts = {
  pool(): Promise<Pool>;
  /** The operating system's user. */
  readonly user: string;
  readonly apiKey: string | undefined;
  readonly now: () => Temporal.Instant;
  /** The trail could not be written at the end, when the act was done. */
  onUnrecorded(error: Error): void;
};

type Asked = { readonly act: string; readonly subject: string; readonly reason?: string; readonly detail: object };

export const keyVariable = 'JEONGSAN_API_KEY';
const anybodyElse = 0o077;

export function createCommandGuard(ports: CommandGuardPorts): CommandGuard {
  const from = `cli@${hostname()}`;
  const holder: Actor = { who: `os:${ports.user}`, permissions: new Set(permissions), from };
  let current = holder;
  let asked: Asked | undefined;
  const record = async (actor: Actor, entry: Asked, outcome: 'asked' | 'done' | 'refused' | 'failed' | 'denied') =>
    recordAct(await ports.pool(), { actor, ...entry, detail: { ...entry.detail }, outcome });

  return {
    actor: () => current,
    acting: () => (asked === undefined ? undefined : { ...current, reason: asked.reason }),
    async begin(command) {
      const path = pathOf(command);
      const options = command.optsWithGlobals<Readonly<Record<string, unknown>>>();
      const need = needOf(path, options);
      // Before anything is kept of it, in the trail or elsewhere.
      const field = writtenCardNumber(options);
      if (field !== undefined) throw new Problem('card_number_given', { field: `--${field}` });
      if (need === 'open') return;
      const pool = await ports.pool();
      const entry = entryOf(path, command, options);
      if (await hasAdministrator(pool)) {
        const refuse = async (actor: Actor, problem: Problem): Promise<never> => {
          await record(actor, { ...entry, detail: { ...entry.detail, problem: problem.code } }, 'denied');
          throw problem;
        };
        const found = await seeKey(pool, await givenKey(options, ports.apiKey), ports.now(), from);
        if (found === undefined) return refuse(holder, new Problem('key_needed', { variable: keyVariable }));
        current = { who: found.who, permissions: found.permissions, from, key: found.id };
        const { by } = options;
        if (typeof by === 'string' && by.trim() !== current.who) {
          await refuse(current, new Problem('by_another', { by, who: current.who }));
        }
        // A command that nobody named is for nobody but who may do everything.
        const needed = need ?? 'administer';
        if (needed !== 'own read' && needed !== 'own act' && !mayDo(current, needed)) {
          await refuse(current, new Problem('permission_missing', { permission: needed }));
        }
      }
      if (!isAct(need)) return;
      await record(current, entry, 'asked');
      asked = entry;
    },
    async end(error) {
      if (asked === undefined) return;
      const outcome = error === undefined ? 'done' : isProblem(error) ? 'refused' : 'failed';
      const problem = isProblem(error) ? { problem: error.code } : {};
      const entry = { ...asked, detail: { ...asked.detail, ...problem } };
      asked = undefined;
      await record(current, entry, outcome).catch(ports.onUnrecorded);
    },
  };
}

/** `payout settle approve` */
export function pathOf(command: Command): string {
  const names: string[] = [];
  for (let each: Command | null = command; each?.parent; each = each.parent) names.unshift(each.name());
  return names.join(' ');
}

function entryOf(path: string, command: Command, options: Readonly<Record<string, unknown>>): Asked {
  const { why, reason, keyFile: _keyFile, ...rest } = options;
  const said = typeof why === 'string' ? why : reason;
  return {
    act: path.replaceAll(' ', '.'),
    subject: [path.split(' ')[0], ...command.args].join(' '),
    ...(typeof said === 'string' ? { reason: said } : {}),
    detail: { options: auditableBody(rest) ?? {} },
  };
}

/** The key of `--key-file`, or the one that the environment gave; empty without any. Throws Problem `key_file_open`, `key_needed`. */
export async function givenKey(options: Readonly<Record<string, unknown>>, given: string | undefined): Promise<string> {
  const { keyFile } = options;
  if (typeof keyFile !== 'string') return given?.trim() ?? '';
  try {
    const { mode } = await stat(keyFile);
    if ((mode & anybodyElse) !== 0) throw new Problem('key_file_open', { file: keyFile });
    return (await readFile(keyFile, 'utf8')).trim();
  } catch (error) {
    if (isProblem(error)) throw error;
    throw new Problem('key_needed', { variable: keyVariable }, { cause: error });
  }
}
