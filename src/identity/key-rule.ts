import { type Actor, type Permission, permissionsOf } from '../kernel/permission.ts';
import { Problem } from '../kernel/problem.ts';
import type { Person } from './person-store.ts';

/** What a key is to be. */
export type KeyWish = {
  readonly owner: string;
  readonly name: string;
  readonly scopes: readonly Permission[];
  readonly expiresAt: Temporal.Instant;
};

/** Valid keys that somebody may have. */
export const keyLimit = 50;
/** How long a key works where nobody says. */
export const usualDays = 30;
const longestDays = 366;

/** Until when a key works where nobody says: the usual time, and no longer than the key that makes it. */
export function usualEnd(now: Temporal.Instant, makerExpiresAt: Date | undefined): Temporal.Instant {
  const usual = now.add({ hours: 24 * usualDays });
  const makers = makerExpiresAt?.toTemporalInstant() ?? usual;
  return Temporal.Instant.compare(makers, usual) < 0 ? makers : usual;
}

/** `jsk_3f9c02ab71_…`: a name that leak scanners find, the id that is shown, and 256 bits that are not. */
export function keyText(id: string, secret: string): string {
  return `jsk_${id}_${secret}`;
}

/** The parts of a key's text; undefined where it is none. */
export function readKey(text: string): { readonly id: string; readonly secret: string } | undefined {
  const [, id, secret] = /^jsk_([a-z0-9]{10})_([A-Za-z0-9_-]{43})$/.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/**
 * Whether somebody may make such a key: for themselves, of what they may do at this moment, with the key that they use
 * neither for more nor for longer than that key; or, who looks after people, for a service, of what its roles allow.
 * @throws Problem `person_disabled`, `key_of_another`, `key_scope_exceeds`, `key_expiry_exceeds`
 */
export function checkKeyWish(
  wish: KeyWish,
  by: {
    readonly owner: Person;
    readonly actor: Actor;
    readonly now: Temporal.Instant;
    readonly makerExpiresAt: Date | undefined;
  },
): void {
  const { owner, actor } = by;
  if (owner.disabledAt !== null) throw new Problem('person_disabled', { who: owner.who });
  const own = owner.who === actor.who;
  if (!own && !(owner.kind === 'service' && actor.permissions.has('administer'))) {
    throw new Problem('key_of_another', { who: owner.who, owner: owner.responsible ?? owner.who });
  }
  const allowed = own ? actor.permissions : permissionsOf(owner.roles);
  const beyond = wish.scopes.filter((scope) => !allowed.has(scope));
  if (beyond.length > 0 || wish.scopes.length === 0) {
    throw new Problem('key_scope_exceeds', {
      scopes: beyond.join(', ') || '-',
      allowed: [...allowed].join(', ') || '-',
    });
  }
  const longest = by.now.add({ hours: 24 * longestDays });
  const makers = own && by.makerExpiresAt !== undefined ? by.makerExpiresAt.toISOString() : longest;
  const latest = Temporal.Instant.compare(makers, longest) < 0 ? Temporal.Instant.from(makers) : longest;
  if (Temporal.Instant.compare(wish.expiresAt, by.now) <= 0 || Temporal.Instant.compare(wish.expiresAt, latest) > 0) {
    throw new Problem('key_expiry_exceeds', { latest: latest.toString() });
  }
}
