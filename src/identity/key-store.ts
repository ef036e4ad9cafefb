import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { actingAs } from '../audit/store.ts';
import { type Actor, type Permission, permissionsOf, type Role } from '../kernel/permission.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Pool, type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import { checkKeyWish, type KeyWish, keyLimit, keyText, readKey, usualEnd } from './key-rule.ts';
import { getPerson, refusing } from './person-store.ts';

/** API 키. As it is shown: never what it holds. */
export type Key = {
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  readonly scopes: readonly Permission[];
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly lastUsedAt: Date | null;
  readonly lastUsedFrom: string | null;
  readonly revokedAt: Date | null;
  readonly revokedBy: string | null;
};

const columns = `k.key_id as id, k.person_id as owner, k.name, k.scopes, k.created_by as "createdBy", k.created_at as "createdAt",
  k.expires_at as "expiresAt", k.last_used_at as "lastUsedAt", k.last_used_from as "lastUsedFrom",
  k.revoked_at as "revokedAt", k.revoked_by as "revokedBy"`;

const usedEverySeconds = 60;
const cascadeLimit = 100;

const hashOf = (secret: string) => createHash('sha256').update(secret).digest();

/** `text` is shown this once and kept nowhere. */
export type MadeKey = {
  readonly key: Key;
  readonly text: string;
  /** The key that made it, where it ends sooner than usual because that one does. */
  readonly endsWith: string | null;
};

/**
 * Makes a key; one of which nobody says until when works for the usual time, and no longer than the key that makes it.
 * @throws Problem `not_found`, `person_disabled`, `key_of_another`, `key_scope_exceeds`, `key_expiry_exceeds`, `key_limit`
 */
export function createKey(
  pool: Pool,
  wish: Omit<KeyWish, 'expiresAt'> & { readonly expiresAt?: Temporal.Instant | undefined; readonly reason: string },
  actor: Actor,
  now: Temporal.Instant,
): Promise<MadeKey> {
  return inTransaction(pool, async (tx) => {
    await actingAs(tx, actor, wish.reason);
    // Whoever counts the owner's keys waits for who does so already.
    await query(tx, 'select from person where id = $1 for no key update', [wish.owner]);
    const owner = await getPerson(tx, wish.owner);
    const maker = actor.key === undefined ? undefined : await getKey(tx, actor.key);
    const isOwn = owner.who === actor.who;
    const expiresAt = wish.expiresAt ?? usualEnd(now, isOwn ? maker?.expiresAt : undefined);
    checkKeyWish({ ...wish, expiresAt }, { owner, actor, now, makerExpiresAt: maker?.expiresAt });
    const [held] = await query<{ count: number }>(
      tx,
      'select count(*)::int as count from api_key where person_id = $1 and revoked_at is null and expires_at > $2',
      [owner.who, now.toString()],
    );
    if ((held?.count ?? 0) >= keyLimit) throw new Problem('key_limit', { who: wish.owner, limit: keyLimit });
    const id = randomBytes(16).toString('hex').slice(0, 10);
    const secret = randomBytes(32).toString('base64url');
    const scopes = [...new Set(wish.scopes)];
    const madeWith = isOwn ? (actor.key ?? null) : null;
    await refusing(
      {
        key_within_its_maker: () => new Problem('key_scope_exceeds', { scopes: scopes.join(), allowed: '' }),
      },
      () =>
        query(
          tx,
          `insert into api_key (key_id, person_id, name, hash, scopes, made_with, created_by, created_at, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
          [id, owner.who, wish.name, hashOf(secret), scopes, madeWith, actor.who, now.toString(), expiresAt.toString()],
        ),
    );
    const isCut = wish.expiresAt === undefined && Temporal.Instant.compare(expiresAt, usualEnd(now, undefined)) < 0;
    return { key: await getKey(tx, id), text: keyText(id, secret), endsWith: isCut ? madeWith : null };
  });
}

/** @throws Problem `not_found` */
export async function getKey(db: Queryable, id: string): Promise<Key> {
  const [found] = await query<Key>(db, `select ${columns} from api_key k where k.key_id = $1`, [id]);
  if (found === undefined) throw new Problem('not_found', { what: 'key', id });
  return found;
}

/** Keys, by id: of one owner, or of all. */
export async function listKeys(
  db: Queryable,
  filter: {
    readonly owner?: string | undefined;
    /** Only those that work at this moment. */
    readonly validAt?: Temporal.Instant | undefined;
    readonly after?: string | undefined;
    readonly descending?: boolean;
    readonly limit: number;
  },
): Promise<Key[]> {
  const [beyond, direction] = filter.descending ? ['<', 'desc'] : ['>', 'asc'];
  return query<Key>(
    db,
    `select ${columns} from api_key k join person p on p.id = k.person_id
      where ($1::text is null or k.person_id = $1) and ($2::text is null or k.key_id ${beyond} $2)
        and ($3::timestamptz is null
             or (k.revoked_at is null and k.expires_at > $3 and p.disabled_at is null))
      order by k.key_id ${direction} limit $4`,
    [filter.owner ?? null, filter.after ?? null, filter.validAt?.toString() ?? null, filter.limit],
  );
}

/**
 * Ends a key and all that it made. Its owner may, who answers for the service that owns it, and who looks after people.
 * @throws Problem `not_found`, `key_of_another`
 */
export function revokeKey(pool: Pool, id: string, actor: Actor, reason: string): Promise<Key> {
  return inTransaction(pool, async (tx) => {
    await actingAs(tx, actor, reason);
    const key = await getKey(tx, id);
    const owner = await getPerson(tx, key.owner);
    if (key.owner !== actor.who && owner.responsible !== actor.who && !actor.permissions.has('administer')) {
      throw new Problem('key_of_another', { who: key.owner, owner: key.owner });
    }
    await query(
      tx,
      'update api_key set revoked_at = clock_timestamp(), revoked_by = $2 where key_id = $1 and revoked_at is null',
      [id, actor.who],
    );
    // A key that was just being made is seen by the next statement, once its maker's row was waited for.
    for (let generation = 0; generation < cascadeLimit; generation += 1) {
      const more = await query(
        tx,
        `update api_key set revoked_at = clock_timestamp(), revoked_by = $1
          where revoked_at is null
            and made_with in (select key_id from api_key where person_id = $2 and revoked_at is not null)
          returning key_id`,
        [actor.who, owner.who],
      );
      if (more.length === 0) break;
    }
    return getKey(tx, id);
  });
}

/** Ends all keys of a person; one that is just being made is waited for. Returns how many. */
export async function endKeysOf(tx: PoolClient, who: string, by: string): Promise<number> {
  await query(tx, 'select from person where id = $1 for no key update', [who]);
  const ended = await query(
    tx,
    `update api_key set revoked_at = clock_timestamp(), revoked_by = $2 where person_id = $1 and revoked_at is null
     returning key_id`,
    [who, by],
  );
  return ended.length;
}

/** Whose key a text is, and what it may do at this moment; undefined where it works no more, or never did. */
export async function seeKey(
  db: Queryable,
  text: string,
  now: Temporal.Instant,
  from: string,
): Promise<{ readonly id: string; readonly who: string; readonly permissions: ReadonlySet<Permission> } | undefined> {
  const given = readKey(text);
  if (given === undefined) return undefined;
  const [found] = await query<{ who: string; hash: Buffer; scopes: Permission[]; roles: Role[]; stale: boolean }>(
    db,
    `select p.id as who, k.hash, k.scopes, array(select role from person_role g where g.person_id = p.id) as roles,
            (k.last_used_at is null or k.last_used_at < $2::timestamptz - make_interval(secs => $3)
             or k.last_used_from is distinct from $4) as stale
       from api_key k join person p on p.id = k.person_id
      where k.key_id = $1 and k.revoked_at is null and k.expires_at > $2 and p.disabled_at is null`,
    [given.id, now.toString(), usedEverySeconds, from],
  );
  if (found === undefined || !timingSafeEqual(found.hash, hashOf(given.secret))) return undefined;
  if (found.stale) {
    await query(
      db,
      `update api_key set last_used_at = $2, last_used_from = $3
        where key_id = $1 and (last_used_at is null or last_used_at < $2::timestamptz - make_interval(secs => $4))`,
      [given.id, now.toString(), from, usedEverySeconds],
    );
  }
  const allowed = permissionsOf(found.roles);
  return {
    id: given.id,
    who: found.who,
    permissions: new Set(found.scopes.filter((scope) => allowed.has(scope))),
  };
}
