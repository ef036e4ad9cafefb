import { Problem } from '../kernel/problem.ts';
import type { Cipher } from '../platform/cipher.ts';
import { type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import { sealedPlace } from '../platform/sealed-place.ts';

/** 웹훅 수신처. Its secret is never shown again once it was made. */
export type Endpoint = {
  readonly id: bigint;
  readonly name: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly enabled: boolean;
  readonly version: number;
  readonly madeBy: string;
  readonly madeAt: Date;
  readonly pending: bigint;
  /** In the last week. */
  readonly givenUp: bigint;
  readonly lastDeliveredAt: Date | null;
};

const columns = `e.endpoint_id as id, e.name, e.url, e.events, e.enabled, e.version, e.made_by as "madeBy", e.made_at as "madeAt",
  (select count(*) from webhook_delivery d where d.endpoint_id = e.endpoint_id and state = 'pending') as pending,
  (select count(*) from webhook_delivery d where d.endpoint_id = e.endpoint_id and state = 'given_up'
      and finished_at > now() - interval '7 days') as "givenUp",
  (select finished_at from webhook_delivery d where d.endpoint_id = e.endpoint_id and state = 'delivered'
    order by delivery_id desc limit 1) as "lastDeliveredAt"`;

export async function listEndpoints(db: Queryable): Promise<Endpoint[]> {
  return query<Endpoint>(
    db,
    `select ${columns} from webhook_endpoint e where e.removed_at is null order by e.endpoint_id`,
  );
}

/** @throws Problem `not_found` */
export async function showEndpoint(db: Queryable, id: bigint): Promise<Endpoint> {
  const [endpoint] = await query<Endpoint>(
    db,
    `select ${columns} from webhook_endpoint e where e.endpoint_id = $1 and e.removed_at is null`,
    [id],
  );
  if (endpoint === undefined) throw new Problem('not_found', { what: 'webhook', id: String(id) });
  return endpoint;
}

/**
 * Adds an endpoint; `secret` is sealed.
 * @throws Problem `webhook_name_taken`
 */
export async function addEndpoint(
  tx: PoolClient,
  cipher: Cipher,
  added: Pick<Endpoint, 'name' | 'url' | 'events' | 'madeBy'> & { readonly secret: string },
): Promise<bigint> {
  const { sealed, keyId } = cipher.seal(added.secret, secretOf(added.name));
  const [row] = await query<{ id: bigint }>(
    tx,
    `insert into webhook_endpoint (name, url, events, sealed, key_id, made_by) values ($1, $2, $3, $4, $5, $6)
     on conflict (name) where removed_at is null do nothing returning endpoint_id as id`,
    [added.name, added.url, added.events, sealed, keyId, added.madeBy],
  );
  if (row === undefined) throw new Problem('webhook_name_taken', { name: added.name });
  return row.id;
}

/** What may be changed of one; what is not named stays. */
export type EndpointChange = {
  readonly url?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly enabled?: boolean | undefined;
  readonly secret?: string | undefined;
};

/**
 * Changes the version that the caller saw. What waits for an endpoint that is switched off waits on.
 * @throws Problem `not_found`, `version_differs`
 */
export async function changeEndpoint(
  tx: PoolClient,
  cipher: Cipher,
  id: bigint,
  { version, change }: { readonly version: number; readonly change: EndpointChange },
): Promise<void> {
  const { name } = await holdVersion(tx, id, version, 'no key update');
  const sealed = change.secret === undefined ? undefined : cipher.seal(change.secret, secretOf(name));
  await tx.query(
    `update webhook_endpoint set url = coalesce($2, url), events = coalesce($3, events), enabled = coalesce($4, enabled),
            sealed = coalesce($5, sealed), key_id = coalesce($6, key_id), version = version + 1
      where endpoint_id = $1`,
    [
      id,
      change.url ?? null,
      change.events ?? null,
      change.enabled ?? null,
      sealed?.sealed ?? null,
      sealed?.keyId ?? null,
    ],
  );
}

/**
 * Takes it off the list; what still waited for it is dropped, and its deliveries stay to be read. Returns its name.
 * @throws Problem `not_found`, `version_differs`
 */
export async function removeEndpoint(tx: PoolClient, id: bigint, version: number): Promise<string> {
  // Whoever is just writing down what it is to hear goes first, so that nothing is left to wait for it.
  const { name } = await holdVersion(tx, id, version, 'update');
  await tx.query(
    `update webhook_endpoint set enabled = false, removed_at = clock_timestamp(), version = version + 1
      where endpoint_id = $1`,
    [id],
  );
  await tx.query(
    `update webhook_delivery set state = 'dropped', finished_at = clock_timestamp()
      where endpoint_id = $1 and state = 'pending'`,
    [id],
  );
  return name;
}

/** What a secret is bound to; an endpoint keeps its name. */
export function secretOf(name: string): string {
  return `webhook_endpoint:${name}`;
}

/** The secrets, for the change of keys. */
export const sealedEndpoints = sealedPlace({
  words: { ko: '웹훅 비밀', en: 'webhook secrets' },
  table: 'webhook_endpoint',
  owner: `name || '#' || endpoint_id`,
  parts: [{ sealed: 'sealed', keyId: 'key_id', belongsTo: (owner) => secretOf(owner.replace(/#\d+$/, '')) }],
});

async function holdVersion(
  tx: PoolClient,
  id: bigint,
  version: number,
  strength: 'update' | 'no key update',
): Promise<{ readonly name: string }> {
  const [held] = await query<{ version: number; name: string }>(
    tx,
    `select version, name from webhook_endpoint where endpoint_id = $1 and removed_at is null for ${strength}`,
    [id],
  );
  if (held === undefined) throw new Problem('not_found', { what: 'webhook', id: String(id) });
  if (held.version !== version) throw new Problem('version_differs', { given: version, current: held.version });
  return held;
}
