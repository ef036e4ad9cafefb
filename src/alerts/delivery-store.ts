import { Problem } from '../kernel/problem.ts';
import { keysetPage } from '../platform/database/keyset.ts';
import { inTransaction, type Pool, type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import type { Content } from './content.ts';
import { type DeliveryPurpose, putDelivery } from './outbox-store.ts';

export const deliveryStates = ['waiting', 'sent', 'failed', 'dropped'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** 발송. One message for one channel, and whether it is through. */
export type Delivery = {
  readonly id: bigint;
  /** With the mail's domain behind it, the Message-ID. */
  readonly key: string;
  readonly channel: string;
  readonly purpose: DeliveryPurpose;
  readonly alert: bigint | null;
  readonly state: DeliveryState;
  readonly madeAt: Date;
  readonly attempts: number;
  readonly nextAt: Date;
  readonly sentAt: Date | null;
  /** What the other side said last. */
  readonly answer: string | null;
};

export type DeliveryFilter = {
  readonly states?: readonly DeliveryState[] | undefined;
  readonly channel?: string | undefined;
  readonly alert?: bigint | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
};

const columns = `delivery_id as id, key, channel_id as channel, purpose, alert_id as alert, state, made_at as "madeAt", attempts,
  next_at as "nextAt", sent_at as "sentAt", answer`;

export function pageOfDeliveries(
  db: Queryable,
  { states, channel, alert, since, until }: DeliveryFilter,
  request: Pick<PageRequest<string>, 'after' | 'limit' | 'descending'>,
): Promise<Page<Delivery>> {
  const values = [states ?? null, channel ?? null, alert ?? null, since ?? null, until ?? null];
  return keysetPage<Delivery>(
    db,
    [{ sql: 'delivery_id', type: 'bigint' }],
    request,
    values,
    ({ key, after, order, limit }) =>
      `select ${columns}, ${key} from alert_delivery
        where ($1::text[] is null or state = any ($1)) and ($2::text is null or channel_id = $2)
          and ($3::bigint is null or alert_id = $3) and ($4::timestamptz is null or made_at >= $4)
          and ($5::timestamptz is null or made_at < $5) and ${after}
        order by ${order} limit ${limit}`,
  );
}

/** 시도. `outcome` null: a process was killed in it, and the message may have arrived. */
export type Try = {
  readonly attempt: number;
  readonly beganAt: Date;
  readonly endedAt: Date | null;
  readonly node: string;
  readonly outcome: 'sent' | 'deferred' | 'refused' | 'unclear' | null;
  readonly answer: string | null;
};

/** @throws Problem `not_found` */
export async function showDelivery(
  db: Queryable,
  id: bigint,
): Promise<Delivery & { readonly content: Content; readonly tries: readonly Try[] }> {
  const [delivery] = await query<Delivery & { content: Content }>(
    db,
    `select ${columns}, content from alert_delivery where delivery_id = $1`,
    [id],
  );
  if (delivery === undefined) throw new Problem('not_found', { what: 'delivery', id: String(id) });
  const tries = await query<Try>(
    db,
    `select attempt, began_at as "beganAt", ended_at as "endedAt", node, outcome, answer from alert_attempt
      where delivery_id = $1 order by attempt`,
    [id],
  );
  return { ...delivery, tries };
}

/**
 * 재발송. Lets what failed be tried again, now: these, or all of a channel, or all. Returns how many. Where nobody says which,
 * a channel is told of an alert only what it does not know: what a later word to it says too is dropped.
 */
export async function retryDeliveries(
  pool: Pool,
  {
    ids,
    channel,
    now,
  }: {
    readonly ids?: readonly bigint[] | undefined;
    readonly channel?: string | undefined;
    readonly now: Temporal.Instant;
  },
): Promise<number> {
  return await inTransaction(pool, async (db) => {
    if (ids === undefined) await dropOvertaken(db, channel);
    return await retry(db, { ids, channel, now });
  });
}

/** Each word about an alert says how it stands then: whoever has, or will have, a later one needs none of before. */
async function dropOvertaken(db: PoolClient, channel: string | undefined): Promise<void> {
  await db.query(
    `update alert_delivery d set state = 'dropped'
      where state = 'failed' and ($1::text is null or channel_id = $1)
        and exists (select from alert_delivery l
                     where l.alert_id = d.alert_id and l.channel_id = d.channel_id and l.delivery_id > d.delivery_id
                       and l.state in ('sent', 'waiting', 'failed'))`,
    [channel ?? null],
  );
}

async function retry(db: PoolClient, { ids, channel, now }: Parameters<typeof retryDeliveries>[1]): Promise<number> {
  const again = await query<{ channel: string }>(
    db,
    // Made anew, so that it does not fail at once for its age.
    `update alert_delivery set state = 'waiting', next_at = $3, tries_left = default, made_at = $3, holder = null, held_until = null
      where state = 'failed' and ($1::bigint[] is null or delivery_id = any ($1)) and ($2::text is null or channel_id = $2)
     returning channel_id as channel`,
    [ids ?? null, channel ?? null, now.toString()],
  );
  await db.query('update alert_channel_state set next_at = null where channel_id = any ($1)', [
    [...new Set(again.map((each) => each.channel))],
  ]);
  return again.length;
}

/** 시험 발송. Puts a test message into the outbox; returns its key. */
export async function putTest(
  db: Queryable,
  { channel, by, now }: { readonly channel: string; readonly by: string; readonly now: Temporal.Instant },
): Promise<string> {
  const key = `test.${channel}.${now.epochMilliseconds.toString(36)}`;
  const content = { type: 'test', at: now.toString(), by, channel } as const;
  await putDelivery(db, { key, about: key, channel, purpose: 'test', alert: null, content, now });
  await db.query('update alert_channel_state set next_at = null where channel_id = $1', [channel]);
  return key;
}

/** @throws Problem `not_found` */
export async function deliveryByKey(db: Queryable, key: string): Promise<Delivery> {
  const [delivery] = await query<Delivery>(db, `select ${columns} from alert_delivery where key = $1`, [key]);
  if (delivery === undefined) throw new Problem('not_found', { what: 'delivery', id: key });
  return delivery;
}
