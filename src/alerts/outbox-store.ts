import { closeFinding, openFinding } from '../findings/store.ts';
import { storableJson } from '../kernel/exact-json.ts';
import { inTransaction, type Pool, type Queryable, query } from '../platform/database/pool.ts';
import { channelFailing, deadAfterFailures } from './channel.ts';
import type { Content } from './content.ts';
import { noteReached, noteUnreached } from './reader-store.ts';

export const deliveryPurposes = [
  'first',
  'update',
  'repeat',
  'escalation',
  'all_clear',
  'digest',
  'report',
  'test',
] as const;
export type DeliveryPurpose = (typeof deliveryPurposes)[number];

/** For how long a message is tried, and how many of a channel one process takes at a time. */
const most = { hours: 72, atATime: 4 } as const;
const backOffSeconds = { first: 5, most: 900 } as const;

const itself = 'system:alerts';

export type NewDelivery = {
  /** What it says, to whom: written once, whoever writes it. */
  readonly key: string;
  /** The key of the first message about the same matter. */
  readonly about: string;
  readonly channel: string;
  readonly purpose: DeliveryPurpose;
  readonly alert: bigint | null;
  readonly content: Content;
  readonly now: Temporal.Instant;
};

/**
 * 발송 대기. Writes what has to reach a channel, with what it is about; false where it was written before. What is
 * `dropped` is only remembered as said.
 */
export async function putDelivery(
  db: Queryable,
  delivery: NewDelivery,
  state: 'waiting' | 'dropped' = 'waiting',
): Promise<boolean> {
  const rows = await query(
    db,
    `insert into alert_delivery (key, about, channel_id, purpose, alert_id, content, made_at, next_at, state)
     values ($1, $2, $3, $4, $5, $6::jsonb, $7, $7, $8) on conflict (key) do nothing returning delivery_id`,
    [
      delivery.key,
      delivery.about,
      delivery.channel,
      delivery.purpose,
      delivery.alert,
      storableJson(delivery.content),
      delivery.now.toString(),
      state,
    ],
  );
  return rows.length > 0;
}

/** What a process has taken to send, until `heldUntil`. */
export type TakenDelivery = {
  readonly id: bigint;
  readonly key: string;
  readonly about: string;
  readonly channel: string;
  readonly purpose: DeliveryPurpose;
  readonly content: Content;
  readonly attempt: number;
  readonly holder: string;
};

export type Taking = {
  readonly now: Temporal.Instant;
  /** Names this take; the process's node stands in the log. */
  readonly holder: string;
  readonly node: string;
  /** Longer than any sending may take: after it another process may try. */
  readonly holdMs: number;
};

/**
 * Takes what is due, the oldest of each channel first; of a channel that reached nobody at its last try only one, and not
 * before its time. The try is noted before its first byte, so that one that is killed is seen.
 */
export function takeDeliveries(pool: Pool, { now, holder, node, holdMs }: Taking): Promise<TakenDelivery[]> {
  return inTransaction(pool, async (tx) => {
    const taken = await query<TakenDelivery>(
      tx,
      `with due as (
         select d.delivery_id from alert_channel c left join alert_channel_state s using (channel_id)
          cross join lateral (
            select delivery_id from alert_delivery
             where channel_id = c.channel_id and state = 'waiting' and next_at <= $1
               and (held_until is null or held_until <= $1)
             order by next_at, delivery_id limit case when coalesce(s.failures, 0) > 0 then 1 else ${most.atATime} end
             for update skip locked) d
          where c.enabled and (s.next_at is null or s.next_at <= $1)
       )
       update alert_delivery d set attempts = attempts + 1, tries_left = tries_left - 1, holder = $2, held_until = $3
         from due where d.delivery_id = due.delivery_id
       returning d.delivery_id as id, key, about, channel_id as channel, purpose, content, attempts as attempt, holder`,
      [now.toString(), holder, now.add({ milliseconds: holdMs }).toString()],
    );
    await tx.query(
      `insert into alert_attempt (delivery_id, attempt, began_at, node)
       select id, attempt, $3, $4 from unnest($1::bigint[], $2::int[]) t(id, attempt)`,
      [taken.map(({ id }) => id), taken.map(({ attempt }) => attempt), now.toString(), node],
    );
    return taken;
  });
}

/**
 * `sent`: somebody has it. `deferred`: not now. `refused`: never. `unclear`: it may have arrived; it is tried again under
 * the same name, by which the reader's side knows it as the same.
 */
export type Sent = {
  readonly outcome: 'sent' | 'deferred' | 'refused' | 'unclear';
  readonly answer: string;
  readonly retryAfterMs?: number;
  /** Those of the channel's readers whom the mail server would not take it for. */
  readonly unreached?: readonly string[];
};

/**
 * Notes what a try came to, unless another process has taken it over meanwhile. A channel that reaches nobody is found by
 * people through the others, and found well again by its first success.
 */
export function noteTry(pool: Pool, taken: TakenDelivery, sent: Sent, now: Temporal.Instant): Promise<void> {
  return inTransaction(pool, async (tx) => {
    const answer = sent.answer.replaceAll('\0', '').slice(0, 1_000).toWellFormed();
    await tx.query(
      `update alert_attempt set ended_at = $3, outcome = $4, answer = $5 where delivery_id = $1 and attempt = $2`,
      [taken.id, taken.attempt, now.toString(), sent.outcome, answer],
    );
    const { readers } = taken.content;
    const left = sent.unreached ?? [];
    // Some of those whom it is tried for alone have it: it goes on for the others.
    const outcome = readers !== undefined && sent.outcome === 'sent' && left.length > 0 ? 'deferred' : sent.outcome;
    const waitMs = Math.max(backOffMs(taken.attempt), Math.min(sent.retryAfterMs ?? 0, backOffSeconds.most * 1000));
    const nextAt = now.add({ milliseconds: waitMs }).toString();
    const kept = await query<{ state: string }>(
      tx,
      `update alert_delivery
          set holder = null, held_until = null, content = content || $7::jsonb, answer = $4, next_at = $5, sent_at = case when $3 = 'sent' then $6::timestamptz end,
              state = case when $3 = 'sent' then 'sent'
                           when $3 = 'refused' or tries_left <= 0
                                or made_at < $6::timestamptz - interval '${most.hours} hours' then 'failed'
                           else 'waiting' end
        where delivery_id = $1 and holder = $2 and state = 'waiting' returning state`,
      [
        taken.id,
        taken.holder,
        outcome,
        answer,
        nextAt,
        now.toString(),
        storableJson(outcome === sent.outcome ? {} : { readers: left }),
      ],
    );
    if (sent.outcome !== 'sent') await giveUpOld(tx, taken.channel, now);
    const isLost = kept[0]?.state === 'failed';
    if (readers !== undefined) return await noteReaders(tx, taken, { sent, isLost });
    if (kept[0]?.state === 'sent' && left.length > 0) await putForReaders(tx, taken, left, now);
    if (isLost) await sayElsewhere(tx, taken.id, now);
    await noteChannel(tx, taken.channel, { sent, answer, now, isLost });
  });
}

/** Those whom the mail server would not take it for are tried again, alone: the others have it. */
async function putForReaders(
  tx: Queryable,
  { key, about, channel, purpose, id, content }: TakenDelivery,
  readers: readonly string[],
  now: Temporal.Instant,
): Promise<void> {
  const [{ alert } = { alert: null }] = await query<{ alert: bigint | null }>(
    tx,
    'select alert_id as alert from alert_delivery where delivery_id = $1',
    [id],
  );
  const later = now.add({ milliseconds: backOffMs(1) });
  await putDelivery(tx, {
    key: `${key}.readers`,
    about,
    channel,
    purpose,
    alert,
    content: { ...content, readers },
    now: later,
  });
}

/** How it goes for some readers says nothing about how their channel goes. */
async function noteReaders(
  tx: Queryable,
  { channel, content: { readers = [] } }: TakenDelivery,
  { sent, isLost }: { readonly sent: Sent; readonly isLost: boolean },
): Promise<void> {
  const isOver = sent.unreached === undefined ? sent.outcome === 'sent' : sent.unreached.length === 0;
  if (isOver) await noteReached(tx, channel, readers);
  else if (isLost) await noteUnreached(tx, channel, readers);
}

/** An urgent word that its channel lost goes at once to whoever can be reached and has not been told, and so does its end. */
async function sayElsewhere(tx: Queryable, id: bigint, now: Temporal.Instant): Promise<void> {
  await tx.query(
    `with others as (
       insert into alert_delivery (key, about, channel_id, purpose, alert_id, content, made_at, next_at)
       select d.key || '.for.' || c.channel_id, d.about, c.channel_id, d.purpose, d.alert_id, d.content, $2, $2
         from alert_delivery d join alert a using (alert_id)
         join alert_channel c on c.enabled and (c.kind <> 'smtp' or cardinality(c.recipients) > 0)
              and c.channel_id <> d.channel_id and c.channel_id <> all (a.told_channels)
         left join alert_channel_state s on s.channel_id = c.channel_id
        where d.delivery_id = $1 and a.severity = 'urgent' and a.closed_at is null and coalesce(s.failures, 0) = 0
       on conflict (key) do nothing returning alert_id, channel_id
     )
     update alert a set told_channels = a.told_channels || (select array_agg(channel_id order by channel_id) from others)
      where alert_id in (select alert_id from others)`,
    [id, now.toString()],
  );
}

/** Of a channel that is down for days, what waited too long needs no try of its own. */
async function giveUpOld(tx: Queryable, channel: string, now: Temporal.Instant): Promise<void> {
  await tx.query(
    `update alert_delivery set state = 'failed'
      where channel_id = $1 and state = 'waiting' and holder is null and made_at < $2::timestamptz - interval '${most.hours} hours'`,
    [channel, now.toString()],
  );
}

async function noteChannel(
  tx: Queryable,
  channel: string,
  { sent, answer, now, isLost }: { sent: Sent; answer: string; now: Temporal.Instant; isLost: boolean },
): Promise<void> {
  const isSent = sent.outcome === 'sent';
  const [state] = await query<{ failures: number; since: Date | null }>(
    tx,
    `insert into alert_channel_state as s (channel_id, failures, failing_since, next_at, last_sent_at, last_error)
     select channel_id, case when $2 then 0 else 1 end, case when not $2 then $3::timestamptz end,
            case when not $2 then $3::timestamptz + interval '${backOffSeconds.first} seconds' end,
            case when $2 then $3::timestamptz end, case when not $2 then $4 end
       from alert_channel where channel_id = $1
     on conflict (channel_id) do update set
       failures = case when $2 then 0 else s.failures + 1 end,
       failing_since = case when $2 then null else coalesce(s.failing_since, $3) end,
       next_at = case when not $2 then $3::timestamptz
                   + make_interval(secs => least(${backOffSeconds.first} * 2 ^ least(s.failures, 20), ${backOffSeconds.most})) end,
       last_sent_at = case when $2 then $3::timestamptz else s.last_sent_at end,
       last_error = case when $2 then s.last_error else $4 end
     returning failures, failing_since as since`,
    [channel, isSent, now.toString(), answer],
  );
  if (state === undefined) return;
  const finding = { kind: channelFailing, subject: `channel:${channel}` };
  if (isSent) {
    await closeFinding(tx, { ...finding, by: itself });
    await noteUnreached(tx, channel, sent.unreached ?? []);
    return;
  }
  if (state.failures < deadAfterFailures && !isLost) return;
  const detail = { channel, failures: state.failures, since: state.since?.toISOString(), lost: isLost, answer };
  await openFinding(tx, { ...finding, audience: 'operations', detail });
}

/** 5 s, then twice as long each time, up to 15 minutes. */
function backOffMs(attempt: number): number {
  return Math.min(backOffSeconds.first * 2 ** Math.min(attempt - 1, 20), backOffSeconds.most) * 1000;
}
