import { actingAs } from '../audit/store.ts';
import { closeFinding } from '../findings/store.ts';
import type { Actor } from '../kernel/permission.ts';
import { Problem } from '../kernel/problem.ts';
import type { Cipher } from '../platform/cipher.ts';
import { inTransaction, type Pool } from '../platform/database/pool.ts';
import { faultOfUrl } from '../platform/http-signed-post.ts';
import {
  addEndpoint,
  changeEndpoint,
  type Endpoint,
  type EndpointChange,
  removeEndpoint,
  showEndpoint,
} from './endpoint-store.ts';
import { newSecret, wantedEvents } from './endpoint-wishes.ts';

/** What the acts on endpoints need; `allowed` are the hosts that may be reached in private networks. */
export type EndpointPorts = { readonly pool: Pool; readonly cipher: Cipher; readonly allowed: readonly string[] };

/** Who changes an endpoint, and why. */
export type By = { readonly actor: Pick<Actor, 'who' | 'from' | 'key'>; readonly reason?: string | undefined };

/**
 * Adds an endpoint with a secret of ours, which is told this once.
 * @throws Problem `webhook_address_refused`, `webhook_event_unknown`, `webhook_name_taken`
 */
export async function makeEndpoint(
  { pool, cipher, allowed }: EndpointPorts,
  wanted: { readonly name: string; readonly url: string; readonly events: readonly string[] },
  { actor, reason }: By,
): Promise<{ readonly endpoint: Endpoint; readonly secret: string }> {
  assertAddress(wanted.url, allowed);
  const events = wantedEvents(wanted.events);
  const secret = newSecret();
  const endpoint = await inTransaction(pool, async (tx) => {
    await actingAs(tx, actor, reason);
    const id = await addEndpoint(tx, cipher, { ...wanted, events, secret, madeBy: actor.who });
    return await showEndpoint(tx, id);
  });
  return { endpoint, secret };
}

/**
 * Changes an endpoint; a new secret, where one is asked for, is told this once.
 * @throws Problem `webhook_address_refused`, `webhook_event_unknown`, `not_found`, `version_differs`
 */
export async function editEndpoint(
  { pool, cipher, allowed }: EndpointPorts,
  wanted: {
    readonly id: bigint;
    readonly version: number;
    readonly change: Omit<EndpointChange, 'secret'> & { readonly newSecret?: boolean | undefined };
  },
  { actor, reason }: By,
): Promise<{ readonly endpoint: Endpoint; readonly secret?: string }> {
  const { newSecret: anew, ...change } = wanted.change;
  if (change.url !== undefined) assertAddress(change.url, allowed);
  const events = change.events === undefined ? undefined : wantedEvents(change.events);
  const secret = anew ? newSecret() : undefined;
  const endpoint = await inTransaction(pool, async (tx) => {
    await actingAs(tx, actor, reason);
    await changeEndpoint(tx, cipher, wanted.id, { version: wanted.version, change: { ...change, events, secret } });
    return await showEndpoint(tx, wanted.id);
  });
  return { endpoint, ...(secret === undefined ? {} : { secret }) };
}

/** @throws Problem `not_found`, `version_differs` */
export async function dropEndpoint(
  { pool }: Pick<EndpointPorts, 'pool'>,
  { id, version }: { readonly id: bigint; readonly version: number },
  { actor, reason }: By,
): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await actingAs(tx, actor, reason);
    const name = await removeEndpoint(tx, id, version);
    // Nobody waits for it any more.
    for (const kind of ['webhook_failing', 'webhook_given_up']) {
      await closeFinding(tx, { kind, subject: name, by: actor.who });
    }
  });
}

function assertAddress(url: string, allowed: readonly string[]): void {
  const fault = faultOfUrl(url, allowed);
  if (fault !== undefined) throw new Problem('webhook_address_refused', { reason: fault });
}
