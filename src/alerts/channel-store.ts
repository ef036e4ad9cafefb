import { actingAs } from '../audit/store.ts';
import type { Language } from '../kernel/problem.ts';
import { Problem } from '../kernel/problem.ts';
import type { Cipher } from '../platform/cipher.ts';
import { inTransaction, type Pool, type Queryable, query } from '../platform/database/pool.ts';
import { faultOfUrl } from '../platform/http-signed-post.ts';
import { isMailbox } from '../platform/mail-address.ts';
import { sealedPlace } from '../platform/sealed-place.ts';
import { Secret } from '../platform/secret.ts';
import type { AlertChannel, ChannelKind, ChannelPurpose } from './channel.ts';
import { refuseOtherVersion, type SettingAct } from './rule-store.ts';

/** What a channel is to be; `undefined` leaves what is there, which for a new one is nothing. */
export type ChannelDraft = {
  readonly channel: string;
  readonly kind?: ChannelKind | undefined;
  readonly recipients?: readonly string[] | undefined;
  readonly url?: string | undefined;
  readonly secret?: string | undefined;
  readonly language?: Language | undefined;
  readonly purposes?: readonly ChannelPurpose[] | undefined;
  readonly enabled?: boolean | undefined;
};

/** `allowed`: hosts in our own networks that may be posted to. */
export type ChannelPorts = { readonly pool: Pool; readonly cipher: Cipher; readonly allowed: readonly string[] };

const selectChannel = `
  select c.channel_id as channel, kind, recipients, host, secret_sealed is not null as signed, language, purposes, enabled,
         version, changed_by as "changedBy", changed_at as "changedAt", coalesce(s.failures, 0) as failures,
         s.failing_since as "failingSince", s.last_sent_at as "lastSentAt", s.last_error as "lastError",
         (select count(*)::int from alert_delivery d where d.channel_id = c.channel_id and d.state = 'waiting') as waiting
    from alert_channel c left join alert_channel_state s using (channel_id)`;

export function listChannels(db: Queryable): Promise<AlertChannel[]> {
  return query<AlertChannel>(db, `${selectChannel} order by c.channel_id`);
}

/** @throws Problem `not_found` */
export async function showChannel(db: Queryable, channel: string): Promise<AlertChannel> {
  const [found] = await query<AlertChannel>(db, `${selectChannel} where c.channel_id = $1`, [channel]);
  if (found === undefined) throw new Problem('not_found', { what: 'alert channel', id: channel });
  return found;
}

/**
 * Makes or changes a channel. Its kind never changes.
 * @throws Problem `alert_channel_invalid`, `version_differs`
 */
export function saveChannel(ports: ChannelPorts, draft: ChannelDraft, act: SettingAct): Promise<AlertChannel> {
  return inTransaction(ports.pool, async (tx) => {
    await actingAs(tx, act.actor, act.reason);
    const row = { table: 'alert_channel', key: 'channel_id', id: draft.channel } as const;
    await refuseOtherVersion(tx, row, act.version);
    const [known] = await query<{ kind: ChannelKind }>(tx, 'select kind from alert_channel where channel_id = $1', [
      draft.channel,
    ]);
    const kind = known?.kind ?? draft.kind;
    refuseInvalid(draft, kind, known !== undefined, ports.allowed);
    const url = draft.url === undefined ? undefined : ports.cipher.seal(draft.url, partOf(draft.channel, 'url'));
    const secret =
      draft.secret === undefined ? undefined : ports.cipher.seal(draft.secret, partOf(draft.channel, 'secret'));
    const { rowCount } = await tx.query(
      `insert into alert_channel (channel_id, kind, recipients, url_sealed, url_key_id, host, secret_sealed, secret_key_id,
                                  language, purposes, enabled, changed_by)
       values ($1, $2, coalesce($3, '{}'::text[]), $4, $5, $6, $7, $8, coalesce($9, 'ko'), coalesce($10, '{}'::text[]),
               coalesce($11, true), $12)
       on conflict (channel_id) do update set recipients = coalesce($3, alert_channel.recipients),
         url_sealed = coalesce($4, alert_channel.url_sealed), url_key_id = coalesce($5, alert_channel.url_key_id),
         host = coalesce($6, alert_channel.host), secret_sealed = coalesce($7, alert_channel.secret_sealed),
         secret_key_id = coalesce($8, alert_channel.secret_key_id), language = coalesce($9, alert_channel.language),
         purposes = coalesce($10, alert_channel.purposes), enabled = coalesce($11, alert_channel.enabled),
         changed_by = $12, changed_at = clock_timestamp(), version = alert_channel.version + 1
       where $13::int is null or alert_channel.version = $13`,
      [
        draft.channel,
        kind,
        draft.recipients ?? null,
        url?.sealed ?? null,
        url?.keyId ?? null,
        draft.url === undefined ? null : new URL(draft.url).host,
        secret?.sealed ?? null,
        secret?.keyId ?? null,
        draft.language ?? null,
        draft.purposes ?? null,
        draft.enabled ?? null,
        act.actor.who,
        act.version ?? null,
      ],
    );
    // Somebody else made one of that name since we looked.
    if (rowCount === 0) await refuseOtherVersion(tx, row, act.version);
    return await showChannel(tx, draft.channel);
  });
}

/**
 * Takes a channel away; what waits for it is dropped.
 * @throws Problem `not_found`, `version_differs`, `alert_channel_used`
 */
export function removeChannel(pool: Pool, channel: string, act: SettingAct): Promise<{ readonly version: number }> {
  return inTransaction(pool, async (tx) => {
    await actingAs(tx, act.actor, act.reason);
    const { version } = await showChannel(tx, channel);
    await refuseOtherVersion(tx, { table: 'alert_channel', key: 'channel_id', id: channel }, act.version);
    const [rule] = await query<{ rule: string }>(
      tx,
      'select rule_id as rule from alert_rule where $1 = any (channels || escalation_channels) order by 1 limit 1',
      [channel],
    );
    if (rule !== undefined) throw new Problem('alert_channel_used', { channel, rule: rule.rule });
    await tx.query(`update alert_delivery set state = 'dropped' where channel_id = $1 and state = 'waiting'`, [
      channel,
    ]);
    await tx.query('delete from alert_channel where channel_id = $1', [channel]);
    return { version };
  });
}

/** Where a channel leads to, unsealed: for whoever sends, and nobody else. */
export type ChannelTarget = {
  readonly kind: ChannelKind;
  readonly recipients: readonly string[];
  readonly language: Language;
  readonly url: Secret | undefined;
  readonly secret: Secret | undefined;
};

/** Undefined where the channel is gone or switched off. */
export async function channelTarget(
  db: Queryable,
  cipher: Cipher,
  channel: string,
): Promise<ChannelTarget | undefined> {
  type Sealed = ChannelTarget & { [part in 'urlSealed' | 'secretSealed']: Buffer | null } & {
    [part in 'urlKey' | 'secretKey']: string | null;
  };
  const [row] = await query<Sealed>(
    db,
    `select kind, recipients, language, url_sealed as "urlSealed", url_key_id as "urlKey", secret_sealed as "secretSealed",
            secret_key_id as "secretKey" from alert_channel where channel_id = $1 and enabled`,
    [channel],
  );
  if (row === undefined) return undefined;
  const unseal = (sealed: Buffer | null, key: string | null, part: 'url' | 'secret'): Secret | undefined =>
    sealed === null || key === null ? undefined : new Secret(cipher.unseal(sealed, key, partOf(channel, part)));
  const { kind, recipients, language } = row;
  const [url, secret] = [unseal(row.urlSealed, row.urlKey, 'url'), unseal(row.secretSealed, row.secretKey, 'secret')];
  return { kind, recipients, language, url, secret };
}

/** What an address or a secret is bound to. */
function partOf(channel: string, part: 'url' | 'secret'): string {
  return `alert_channel:${channel}:${part}`;
}

/** Addresses and secrets, for the change of keys. */
export const sealedChannels = sealedPlace({
  words: { ko: '알림 채널의 주소와 비밀', en: 'addresses and secrets of alert channels' },
  table: 'alert_channel',
  owner: 'channel_id',
  parts: [
    { sealed: 'url_sealed', keyId: 'url_key_id', belongsTo: (channel) => partOf(channel, 'url') },
    { sealed: 'secret_sealed', keyId: 'secret_key_id', belongsTo: (channel) => partOf(channel, 'secret') },
  ],
});

function refuseInvalid(
  draft: ChannelDraft,
  kind: ChannelKind | undefined,
  isKnown: boolean,
  allowed: readonly string[],
): asserts kind is ChannelKind {
  const refuse = (reason: string): never => {
    throw new Problem('alert_channel_invalid', { channel: draft.channel, reason });
  };
  if (kind === undefined) return refuse('kind: smtp, webhook, slack');
  if (draft.kind !== undefined && draft.kind !== kind) refuse(`kind ${kind} ≠ ${draft.kind}`);
  const wrong = draft.recipients?.find((each) => !isMailbox(each));
  if (wrong !== undefined) refuse(wrong);
  if (kind === 'smtp' && (draft.url !== undefined || draft.secret !== undefined)) refuse('smtp: url, secret');
  if (kind !== 'smtp' && (draft.recipients?.length ?? 0) > 0) refuse(`${kind}: recipients`);
  if (kind !== 'smtp' && !isKnown && draft.url === undefined) refuse(`${kind}: url`);
  if (kind === 'webhook' && !isKnown && draft.secret === undefined) refuse('webhook: secret');
  if (draft.secret !== undefined && draft.secret.length < 16) refuse('secret: ≥ 16');
  const fault = draft.url === undefined ? undefined : faultOfUrl(draft.url, allowed);
  if (fault !== undefined) refuse(fault);
}
