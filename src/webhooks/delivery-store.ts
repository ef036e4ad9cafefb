import { Problem } from '../kernel/problem.ts';
import { keysetPage } from '../platform/database/keyset.ts';
import { inTransaction, type Pool, type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import { changeEngineTable } from '../platform/durable/engine-table.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';

export const deliveryStates = ['pending', 'delivered', 'given_up', 'dropped'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** 전달. An event on its way to an endpoint, or arrived. */
export type Delivery = {
  readonly id: bigint;
  readonly eventId: bigint;
  readonly type: string;
  readonly subject: string;
  readonly happenedAt: Date;
  readonly endpointId: bigint;
  readonly endpoint: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAt: Date;
  readonly finishedAt: Date | null;
  readonly askedBy: string | null;
};

/** One try, and what was answered. */
export type Attempt = {
  readonly attempt: number;
  readonly at: Date;
  readonly tookMs: number;
  readonly status: number | null;
  readonly fault: string | null;
};

/** What is sent: a delivery with the event and where it goes. */
export type Due = {
  readonly id: bigint;
  readonly eventId: bigint;
  readonly attempt: number;
  readonly type: string;
  readonly subject: string;
  readonly at: Date;
  readonly data: unknown;
  readonly endpointId: bigint;
  readonly name: string;
  readonly url: string;
  readonly sealed: Buffer;
  readonly keyId: string;
};

/** Longer than any try may take: what is held for longer was held by a process that is gone. */
const holdSeconds = 60;

/**
 * Takes up to `most` due deliveries in hand, and of one endpoint no more than `mostEach` at a time whoever sends them, so
 * that one which hangs keeps no other waiting. Of an endpoint the oldest first; which endpoints go first is drawn by lot, so
 * that many with a backlog keep none from its turn.
 */
export function takeDue(pool: Pool, most: number, mostEach: number): Promise<Due[]> {
  return inTransaction(pool, async (tx) => {
    // Who counts what is in hand sees what everybody else took: one process at a time, and no other waits for it.
    const held = await query<{ id: bigint }>(
      tx,
      `select endpoint_id as id from webhook_endpoint e
        where enabled and exists (select from webhook_delivery where endpoint_id = e.endpoint_id and state = 'pending'
                                     and next_at <= clock_timestamp()
                                     and (held_until is null or held_until <= clock_timestamp()))
          for no key update skip locked`,
    );
    const endpoints = held.map(({ id }) => id);
    return endpoints.length === 0 ? [] : take(tx, endpoints, most, mostEach);
  });
}

function take(tx: PoolClient, endpoints: readonly bigint[], most: number, mostEach: number): Promise<Due[]> {
  return query<Due>(
    tx,
    `with due as (
       select d.delivery_id
         from webhook_endpoint e
              cross join lateral (select count(*) as held from webhook_delivery
                                   where endpoint_id = e.endpoint_id and state = 'pending'
                                     and held_until > clock_timestamp()) h
              cross join lateral (select delivery_id from webhook_delivery
                                   where endpoint_id = e.endpoint_id and state = 'pending' and next_at <= clock_timestamp()
                                     and (held_until is null or held_until <= clock_timestamp())
                                   order by next_at, delivery_id limit greatest($2 - h.held, 0)) d
        where e.enabled and e.endpoint_id = any ($3) order by random() limit $1
     ), mine as (
       select w.delivery_id from webhook_delivery w join due using (delivery_id)
        where w.state = 'pending' and (w.held_until is null or w.held_until <= clock_timestamp())
          for update of w skip locked
     ), taken as (
       update webhook_delivery w set held_until = clock_timestamp() + make_interval(secs => ${holdSeconds}),
              attempts = w.attempts + 1
         from mine where w.delivery_id = mine.delivery_id
       returning w.delivery_id, w.event_id, w.endpoint_id, w.attempts
     )
     select t.delivery_id as id, t.event_id as "eventId", t.attempts as attempt, v.type, v.subject, v.at, v.data,
            e.endpoint_id as "endpointId", e.name, e.url, e.sealed, e.key_id as "keyId"
       from taken t join webhook_event v using (event_id) join webhook_endpoint e using (endpoint_id)
      order by t.delivery_id`,
    [most, mostEach, endpoints],
  );
}

/**
 * What a try came to. `nextInSeconds` undefined: it is the last one, whichever way it went. False where nobody waits for it
 * any more: another process has it in hand, or its endpoint was removed meanwhile.
 */
export async function noteAttempt(
  tx: PoolClient,
  due: Pick<Due, 'id' | 'attempt'>,
  came: {
    readonly delivered: boolean;
    readonly tookMs: number;
    readonly status: number | undefined;
    readonly fault: string | undefined;
    readonly nextInSeconds: number | undefined;
  },
): Promise<boolean> {
  await tx.query(
    `insert into webhook_attempt (delivery_id, attempt, took_ms, status, fault) values ($1, $2, $3, $4, $5)
     on conflict (delivery_id, attempt) do nothing`,
    [due.id, due.attempt, Math.round(came.tookMs), came.status ?? null, came.fault ?? null],
  );
  const ends = came.delivered || came.nextInSeconds === undefined;
  // Its attempt names it: a process that was given up for dead and wakes up changes nothing.
  const { rowCount } = await tx.query(
    `update webhook_delivery
        set state = $3, held_until = null, finished_at = case when $4 then clock_timestamp() end,
            next_at = clock_timestamp() + make_interval(secs => $5)
      where delivery_id = $1 and attempts = $2 and state = 'pending'`,
    [due.id, due.attempt, came.delivered ? 'delivered' : ends ? 'given_up' : 'pending', ends, came.nextInSeconds ?? 0],
  );
  return rowCount === 1;
}

export type DeliveryFilter = {
  readonly endpoint?: bigint | undefined;
  readonly states?: readonly DeliveryState[] | undefined;
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
};

const columns = `d.delivery_id as id, d.event_id as "eventId", v.type, v.subject, v.at as "happenedAt",
  d.endpoint_id as "endpointId", e.name as endpoint, d.state, d.attempts, d.next_at as "nextAt",
  d.finished_at as "finishedAt", d.asked_by as "askedBy"`;
const from = 'webhook_delivery d join webhook_event v using (event_id) join webhook_endpoint e using (endpoint_id)';
const where = `($1::bigint is null or d.endpoint_id = $1) and ($2::text[] is null or d.state = any ($2))
  and ($3::text is null or v.type = $3) and ($4::text is null or v.subject = $4)
  and ($5::timestamptz is null or v.at >= $5) and ($6::timestamptz is null or v.at < $6)`;
const valuesOf = (filter: DeliveryFilter): unknown[] => [
  filter.endpoint ?? null,
  filter.states ?? null,
  filter.type ?? null,
  filter.subject ?? null,
  filter.since ?? null,
  filter.until ?? null,
];

/** The newest first; `before` is the number that the page before ended with. */
export async function listDeliveries(
  db: Queryable,
  filter: DeliveryFilter,
  page: { readonly limit: number; readonly before?: bigint | undefined },
): Promise<Delivery[]> {
  return query<Delivery>(
    db,
    `select ${columns} from ${from} where ${where} and ($7::bigint is null or d.delivery_id < $7)
      order by d.delivery_id desc limit $8`,
    [...valuesOf(filter), page.before ?? null, page.limit],
  );
}

/** A page of deliveries by their numbers. @throws Problem `cursor_invalid` */
export function deliveryPage(
  db: Queryable,
  filter: DeliveryFilter,
  request: Pick<PageRequest<string>, 'after' | 'limit' | 'descending'>,
): Promise<Page<Delivery>> {
  return keysetPage<Delivery>(
    db,
    [{ sql: 'd.delivery_id', type: 'bigint' }],
    request,
    valuesOf(filter),
    ({ key, after, order, limit }) =>
      `select ${columns}, ${key} from ${from} where ${where} and ${after} order by ${order} limit ${limit}`,
  );
}

/** @throws Problem `not_found` */
export async function showDelivery(
  db: Queryable,
  id: bigint,
): Promise<Delivery & { readonly data: unknown; readonly tries: readonly Attempt[] }> {
  const [delivery] = await query<Delivery & { data: unknown }>(
    db,
    `select ${columns}, v.data from ${from} where d.delivery_id = $1`,
    [id],
  );
  if (delivery === undefined) throw new Problem('not_found', { what: 'delivery', id: String(id) });
  const tries = await query<Attempt>(
    db,
    'select attempt, at, took_ms as "tookMs", status, fault from webhook_attempt where delivery_id = $1 order by attempt',
    [id],
  );
  return { ...delivery, tries };
}

/** At most so many are told again at once. */
export const mostReplayed = 100_000;

/**
 * Tells again what these deliveries told, under numbers of their own; what still waits is only told at once. An endpoint
 * hears an event's number again, and knows by it that it is the same. Those of removed endpoints are left out.
 * @throws Problem `webhook_replay_too_wide`
 */
export async function replay(
  tx: PoolClient,
  asked: { readonly filter: DeliveryFilter & { readonly ids?: readonly bigint[] | undefined }; readonly by: string },
): Promise<{ readonly again: number; readonly hurried: number }> {
  const values = [...valuesOf(asked.filter), asked.filter.ids ?? null];
  const chosen = `select d.delivery_id, d.event_id, d.endpoint_id, d.state from ${from}
    where ${where} and ($7::bigint[] is null or d.delivery_id = any ($7)) and e.removed_at is null`;
  const [count] = await query<{ many: boolean }>(
    tx,
    `select count(*) > ${mostReplayed} as many from (${chosen} limit ${mostReplayed + 1}) c`,
    values,
  );
  if (count?.many) throw new Problem('webhook_replay_too_wide', { most: mostReplayed });
  const [done] = await query<{ again: number; hurried: number }>(
    tx,
    `with chosen as (${chosen}), hurried as (
       update webhook_delivery w set next_at = clock_timestamp() from chosen c
        where w.delivery_id = c.delivery_id and w.state = 'pending' returning 1
     ), again as (
       insert into webhook_delivery (event_id, endpoint_id, asked_by)
       select distinct event_id, endpoint_id, $8 from chosen c where state <> 'pending'
          and not exists (select from webhook_delivery p
                           where p.event_id = c.event_id and p.endpoint_id = c.endpoint_id and p.state = 'pending')
        order by event_id returning 1
     ) select (select count(*)::int from again) as again, (select count(*)::int from hurried) as hurried`,
    [...values, asked.by],
  );
  return done ?? { again: 0, hurried: 0 };
}

/**
 * Removes events of before `until` whose deliveries have all ended, at most `most`; returns how many. What was written for an
 * endpoint while it was being removed waits for nothing.
 */
export async function forgetEvents(tx: PoolClient, until: Temporal.Instant, most: number): Promise<number> {
  const gone = await query<{ event_id: bigint }>(
    tx,
    `with old as (
       select event_id from webhook_event v where at < $1
          and not exists (select from webhook_delivery d join webhook_endpoint e using (endpoint_id)
                           where d.event_id = v.event_id and d.state = 'pending' and e.removed_at is null)
        order by at limit $2
     ), deliveries as (delete from webhook_delivery d using old where d.event_id = old.event_id returning 1)
     select event_id from old`,
    [until.toString(), most],
  );
  if (gone.length === 0) return 0;
  await tx.query('delete from webhook_event where event_id = any ($1::bigint[])', [gone.map((row) => row.event_id)]);
  return gone.length;
}

/** How long another process may take for an index on the engine's table. */
const engineTablePatienceMs = 60_000;

/**
 * Attaches what tells of runs to the engine's table, which is there once a process launches the engine. Again: nothing.
 * @throws Problem `engine_table_busy`
 */
export async function tellOfRuns(pool: Pool): Promise<void> {
  const [attached] = await query(
    pool,
    `select from pg_trigger where tgrelid = to_regclass('dbos.workflow_status') and tgname = 'workflow_told'`,
  );
  if (attached !== undefined) return;
  const done = await changeEngineTable(pool, engineTablePatienceMs, async (client) => {
    await client.query(`create or replace trigger workflow_told after update of status on dbos.workflow_status
      for each row when (new.parent_workflow_id is null and old.status is distinct from new.status and new.status in
        ('SUCCESS', 'ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED') and new.name not in ('payout'))
      execute function webhook_of_runs()`);
  });
  if (!done) throw new Problem('engine_table_busy', { seconds: engineTablePatienceMs / 1000 });
}
