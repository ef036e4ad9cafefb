import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { actingAs } from '../audit/store.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Pool, type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import { serviceAddressOf } from './address.ts';
import { endKeysOf } from './key-store.ts';
import { addPerson, type Change, getPerson, hasAdministrator, type Person, setRoles } from './person-store.ts';

/** How long a link works: the first one is used by who sees it appear, others are passed on. */
const setupHours = 24;
const passedOnHours = 72;

type Purpose = 'setup' | 'invite' | 'recover';
export type Link = {
  readonly purpose: Purpose;
  /** Of nobody yet, where it is for setting up. */
  readonly who: string | null;
  readonly name: string | null;
  /** Who made it. */
  readonly by: string;
};
/** What becomes of the API keys of somebody who is recovered. */
export const keyFates = ['end', 'keep'] as const;
export type KeyFate = (typeof keyFates)[number];
export type LinkUse = {
  readonly token: string;
  /** Of who sets the product up; who was invited is known by address, and may spell their name otherwise. */
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly passwordHash: string;
  readonly from: string;
};

/** So a token begins whose use leaves keys as they are; its hash holds it to that. */
const keeping = 'keep.';

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/**
 * 최초 설정 링크. What the link holds by which the first administrator comes in; undefined where there is an administrator,
 * or a link that still works, unless `renew` puts another in its place. Processes that ask at once get one link together.
 */
export function createSetupLink(
  pool: Pool,
  wish: { readonly by: string; readonly from: string; readonly renew: boolean; readonly now: Temporal.Instant },
): Promise<string | undefined> {
  return inTransaction(pool, async (tx) => {
    await query(tx, `select pg_advisory_xact_lock(hashtext('jeongsan.setup-link'))`);
    if (await hasAdministrator(tx)) return undefined;
    await actingAs(tx, { who: wish.by, from: wish.from });
    await query(
      tx,
      `update sign_in_link set ended_at = $1, ended_as = case when expires_at <= $1 then 'expired' else 'replaced' end
        where purpose = 'setup' and ended_at is null and (expires_at <= $1 or $2)`,
      [wish.now.toString(), wish.renew],
    );
    return insertLink(tx, 'setup', null, wish.by, wish.now.add({ hours: setupHours }));
  });
}

/** A link for somebody to set their password by, in the place of the one before; the link's token. */
export async function createPersonLink(
  tx: PoolClient,
  link: {
    readonly purpose: 'invite' | 'recover';
    readonly who: string;
    readonly by: string;
    readonly now: Temporal.Instant;
    readonly keys?: KeyFate;
  },
): Promise<string> {
  await query(
    tx,
    `update sign_in_link set ended_at = $2, ended_as = 'replaced' where person_id = $1 and ended_at is null`,
    [link.who, link.now.toString()],
  );
  const expiresAt = link.now.add({ hours: passedOnHours });
  const token = await insertLink(tx, link.purpose, link.who, link.by, expiresAt, link.keys);
  if (token === undefined) throw new Problem('link_invalid');
  return token;
}

async function insertLink(
  tx: PoolClient,
  purpose: Purpose,
  who: string | null,
  by: string,
  expiresAt: Temporal.Instant,
  keys: KeyFate = 'end',
): Promise<string | undefined> {
  const token = `${keys === 'keep' ? keeping : ''}${randomBytes(32).toString('base64url')}`;
  const made = await query(
    tx,
    `insert into sign_in_link (purpose, person_id, hash, created_by, expires_at) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning link_id`,
    [purpose, who, hashOf(token), by, expiresAt.toString()],
  );
  return made.length === 1 ? token : undefined;
}

/** Invites somebody with roles: they are known at once, and come in by the link or by the identity provider. */
export function invitePerson(
  pool: Pool,
  invited: { readonly name: string; readonly email: string; readonly roles: Parameters<typeof setRoles>[2] },
  change: Change,
  now: Temporal.Instant,
): Promise<string> {
  return inTransaction(pool, async (tx) => {
    await actingAs(tx, change.actor, change.reason);
    const who = await addPerson(tx, invited);
    const by = change.actor.who;
    await setRoles(tx, who, invited.roles, { by, reason: change.reason });
    return createPersonLink(tx, { purpose: 'invite', who, by, now });
  });
}

/**
 * 서비스 계정. Adds another system of ours, which acts by keys alone, and for which a person answers.
 * @throws Problem `address_unusable`, `person_exists`, `role_of_a_person`, `not_found` of who is to answer for it
 */
export function addService(
  pool: Pool,
  added: {
    readonly id: string;
    readonly name: string;
    readonly responsible: string;
    readonly roles: Parameters<typeof setRoles>[2];
  },
  change: Change,
): Promise<Person> {
  return inTransaction(pool, async (tx) => {
    await actingAs(tx, change.actor, change.reason);
    const { kind } = await getPerson(tx, added.responsible);
    if (kind !== 'person') throw new Problem('not_found', { what: 'person', id: added.responsible });
    const who = await addPerson(tx, { ...added, email: serviceAddressOf(added.id) });
    await setRoles(tx, who, added.roles, { by: change.actor.who, reason: change.reason });
    return getPerson(tx, who);
  });
}

/**
 * A new link for who did not come in yet or cannot any more. Who uses it sets a new password; sessions and the second
 * factor of before end then. Keys end at once, and those that are made until then with the others, unless they are kept.
 * @throws Problem `not_found`, `not_yourself`, `person_disabled`
 */
export async function recoverPerson(
  pool: Pool,
  { who, keys = 'end' }: { readonly who: string; readonly keys?: KeyFate | undefined },
  change: Change,
  now: Temporal.Instant,
): Promise<{ readonly token: string; readonly endedKeys: number }> {
  const by = change.actor.who;
  if (by === who) throw new Problem('not_yourself', { who });
  return inTransaction(pool, async (tx) => {
    await actingAs(tx, change.actor, change.reason);
    const person = await getPerson(tx, who);
    if (person.kind !== 'person') throw new Problem('not_found', { what: 'person', id: who });
    if (person.disabledAt !== null) throw new Problem('person_disabled', { who });
    const token = await createPersonLink(tx, { purpose: person.joined ? 'recover' : 'invite', who, by, now, keys });
    return { token, endedKeys: keys === 'end' ? await endKeysOf(tx, who, by) : 0 };
  });
}

/** The link of a token that still works. @throws Problem `link_invalid` */
export async function findLink(db: Queryable, token: string, now: Temporal.Instant, lock = false): Promise<Link> {
  const [found] = await query<Link>(
    db,
    `select l.purpose, l.person_id as who, p.name, l.created_by as by
       from sign_in_link l left join person p on p.id = l.person_id
      where l.hash = $1 and l.ended_at is null and l.expires_at > $2 and p.disabled_at is null
      ${lock ? 'for update of l' : ''}`,
    [hashOf(token), now.toString()],
  );
  if (found === undefined) throw new Problem('link_invalid');
  return found;
}

/**
 * Uses a link, once: who holds it can sign in by this password from now on. Returns how trails name them.
 * @throws Problem `link_invalid`, `setup_done`, `address_unusable`
 */
export function consumeLink(pool: Pool, use: LinkUse, now: Temporal.Instant): Promise<string> {
  return inTransaction(pool, async (tx) => {
    const link = await findLink(tx, use.token, now, true);
    const who = link.who ?? use.email ?? '';
    await actingAs(tx, { who: who === '' ? 'system:setup' : who, from: use.from }, link.purpose);
    await query(tx, `update sign_in_link set ended_at = $2, ended_as = 'used' where hash = $1`, [
      hashOf(use.token),
      now.toString(),
    ]);
    if (link.who === null) await addFirstAdministrator(tx, use.name ?? '', who);
    await query(
      tx,
      `insert into credential (id, account_id, provider_id, person_id, password) values ($1, $2, 'credential', $2, $3)
       on conflict (person_id, provider_id) do update set password = $3, updated_at = clock_timestamp()`,
      [randomUUID(), who, use.passwordHash],
    );
    if (link.who !== null && !use.token.startsWith(keeping)) await endKeysOf(tx, who, link.by);
    await query(tx, 'delete from person_session where person_id = $1', [who]);
    await query(tx, 'delete from second_factor where person_id = $1', [who]);
    await query(
      tx,
      `update person set two_factor_enabled = false, name = coalesce(nullif(btrim($2), ''), name),
                         updated_at = clock_timestamp() where id = $1`,
      [who, use.name ?? ''],
    );
    return who;
  });
}

async function addFirstAdministrator(tx: PoolClient, name: string, email: string): Promise<void> {
  if (await hasAdministrator(tx)) throw new Problem('setup_done');
  const who = await addPerson(tx, { name, email });
  await setRoles(tx, who, ['administrator'], { by: 'system:setup', reason: 'setup' });
}
