import { actingAs } from '../audit/store.ts';
import type { Actor, Role } from '../kernel/permission.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Pool, type PoolClient, type Queryable, query } from '../platform/database/pool.ts';

/** 사람. Who may sign in (`person`), or act by keys alone (`service`). */
export type Person = {
  /** As every trail names them: an e-mail address, or `service:nightly-import`. */
  readonly who: string;
  readonly kind: 'person' | 'service';
  readonly name: string;
  readonly roles: readonly Role[];
  readonly secondFactor: boolean;
  /** Whether there is a way to sign in: a password, or an account at the identity provider. */
  readonly joined: boolean;
  /** Who answers for a service. */
  readonly responsible: string | null;
  readonly disabledAt: Date | null;
  readonly createdAt: Date;
  /** Rises with each change of name, roles or state. */
  readonly version: number;
};

/** Who changes something, and why: both stand in the trail. */
export type Change = {
  readonly actor: Pick<Actor, 'who' | 'from' | 'key'>;
  readonly reason: string;
  /** What was seen when it was decided on; whatever it is now, where undefined. */
  readonly version?: number | undefined;
};

const columns = `p.id as who, p.kind, p.name, p.two_factor_enabled as "secondFactor", p.disabled_at as "disabledAt",
  p.created_at as "createdAt", p.version, p.responsible,
  exists (select from credential c where c.person_id = p.id) as joined,
  array(select role from person_role g where g.person_id = p.id order by role) as roles`;

/** Whether there is somebody who may look after people: from then on the command line needs a key. */
export async function hasAdministrator(db: Queryable): Promise<boolean> {
  const [row] = await query<{ found: boolean }>(
    db,
    `select exists (select from person_role where role = 'administrator') as found`,
  );
  return row?.found ?? false;
}

/** Somebody by how trails name them; undefined where there is nobody. */
export async function findPerson(db: Queryable, who: string): Promise<Person | undefined> {
  const [found] = await query<Person>(db, `select ${columns} from person p where p.id = $1`, [who]);
  return found;
}

/** @throws Problem `not_found` */
export async function getPerson(db: Queryable, who: string): Promise<Person> {
  const found = await findPerson(db, who);
  if (found === undefined) throw new Problem('not_found', { what: 'person', id: who });
  return found;
}

/** Everybody by name in trails, `limit` of them after `after`. */
export async function listPeople(
  db: Queryable,
  filter: {
    readonly kind?: string | undefined;
    readonly role?: string | undefined;
    readonly disabled?: boolean | undefined;
    readonly after?: string | undefined;
    readonly descending?: boolean;
    readonly limit: number;
  },
): Promise<Person[]> {
  const [beyond, direction] = filter.descending ? ['<', 'desc'] : ['>', 'asc'];
  return query<Person>(
    db,
    `select ${columns} from person p
      where ($1::text is null or p.kind = $1) and ($3::boolean is null or (p.disabled_at is not null) = $3)
        and ($2::text is null or exists (select from person_role g where g.person_id = p.id and g.role = $2))
        and ($4::text is null or p.id collate "C" ${beyond} $4)
      order by p.id collate "C" ${direction} limit $5`,
    [filter.kind ?? null, filter.role ?? null, filter.disabled ?? null, filter.after ?? null, filter.limit],
  );
}

/**
 * Adds somebody, whose address is as trusted as who adds them; they cannot sign in yet.
 * @throws Problem `address_unusable`, `person_exists`
 */
export async function addPerson(
  tx: PoolClient,
  added: { readonly name: string; readonly email: string; readonly responsible?: string },
): Promise<string> {
  const service = added.responsible !== undefined;
  const who = service ? `service:${added.email.split('@')[0]}` : added.email;
  await refusing(
    {
      person_pkey: () => new Problem('person_exists', { who }),
      person_email_spelt: () => new Problem('address_unusable', { email: added.email }),
      person_email_of_its_kind: () => new Problem('address_unusable', { email: added.email }),
    },
    () =>
      query(
        tx,
        `insert into person (id, kind, name, email, email_verified, responsible)
         values ($1, $2, $3, $4, true, $5)`,
        [who, service ? 'service' : 'person', added.name, added.email, added.responsible ?? null],
      ),
  );
  return who;
}

/**
 * Gives exactly these roles. What was granted before and stays, stays as it was granted.
 * @throws Problem `not_yourself`, `role_of_a_person`, `last_administrator`
 */
export async function setRoles(
  tx: PoolClient,
  who: string,
  roles: readonly Role[],
  grant: { readonly by: string; readonly reason: string },
): Promise<void> {
  if (grant.by.trim().toLowerCase() === who) throw new Problem('not_yourself', { who });
  await refusing(
    {
      role_by_another: () => new Problem('not_yourself', { who }),
      role_of_a_person: () => new Problem('role_of_a_person', { who }),
      last_administrator: () => new Problem('last_administrator', { who }),
    },
    async () => {
      await query(tx, 'delete from person_role where person_id = $1 and role <> all ($2)', [who, [...roles]]);
      await query(
        tx,
        `insert into person_role (person_id, role, granted_by, reason)
         select $1, role, $3, $4 from unnest($2::text[]) role on conflict do nothing`,
        [who, [...roles], grant.by, grant.reason],
      );
    },
  );
}

/** Gives somebody exactly these roles. @throws Problem as `setRoles`, `not_found` */
export function changeRoles(pool: Pool, who: string, roles: readonly Role[], change: Change): Promise<Person> {
  return inTransaction(pool, async (tx) => {
    await actingAs(tx, change.actor, change.reason);
    await beginChange(tx, who, change.version);
    await setRoles(tx, who, roles, { by: change.actor.who, reason: change.reason });
    return getPerson(tx, who);
  });
}

/**
 * Disables somebody, whose sessions end with it and whose keys no longer work, or enables them again.
 * @throws Problem `not_found`, `not_yourself`, `last_administrator`
 */
export async function setDisabled(pool: Pool, who: string, disabled: boolean, change: Change): Promise<Person> {
  if (change.actor.who === who) throw new Problem('not_yourself', { who });
  return inTransaction(pool, async (tx) => {
    await actingAs(tx, change.actor, change.reason);
    await beginChange(tx, who, change.version);
    await refusing({ last_administrator: () => new Problem('last_administrator', { who }) }, () =>
      query(
        tx,
        `update person set disabled_at = case when $2 then coalesce(disabled_at, clock_timestamp()) end,
                           updated_at = clock_timestamp() where id = $1`,
        [who, disabled],
      ),
    );
    if (disabled) await query(tx, 'delete from person_session where person_id = $1', [who]);
    return getPerson(tx, who);
  });
}

/** Nobody else changes them until the transaction ends. @throws Problem `not_found`, `version_differs` */
async function beginChange(tx: PoolClient, who: string, seen: number | undefined): Promise<void> {
  const [found] = await query<{ version: number }>(
    tx,
    'update person set version = version + 1 where id = $1 returning version - 1 as version',
    [who],
  );
  if (found === undefined) throw new Problem('not_found', { what: 'person', id: who });
  if (seen !== undefined && seen !== found.version) {
    throw new Problem('version_differs', { given: seen, current: found.version });
  }
}

/** Runs `work`, and says a constraint's refusal as a problem. */
export async function refusing<T>(
  problems: Readonly<Record<string, () => Problem>>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const problem = problems[String((error as { constraint?: unknown }).constraint)];
    throw problem?.() ?? error;
  }
}
