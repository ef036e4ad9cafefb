import type { Pool } from 'pg';
import { z } from 'zod';
import { seoul } from '../kernel/business-day.ts';
import type { Cipher } from '../platform/cipher.ts';
import { day, instant, reason, rowId, someOf, term } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { acknowledgeAlert, alertStates, alertStatus, pageOfAlerts, showAlert } from './alert-store.ts';
import { deliveryStates, pageOfDeliveries, retryDeliveries, showDelivery } from './delivery-store.ts';
import { digestOf, putDigest } from './digest-store.ts';
import { severities } from './finding-words.ts';
import { deliveryPurposes } from './outbox-store.ts';
import { alertSettingRoutes } from './setting-api.ts';

export type AlertApiPorts = {
  readonly pool: Pool;
  readonly cipher: Cipher;
  now(): Temporal.Instant;
  /** Hosts in our own networks that may be posted to. */
  readonly allowed: readonly string[];
  readonly mailConfigured: boolean;
};

const byId = z.object({ id: rowId() });
const count = z.number().int();
const tag = 'alerts';

const alert = z.object({
  id: rowId(),
  rule: z.string(),
  group: z.string().meta({ description: 'The kind of finding, or * where the rule groups all' }),
  severity: z.enum(severities),
  state: z.enum(alertStates),
  openedAt: instant(),
  findings: count,
  open: count,
  firstToldAt: instant().nullable(),
  toldAt: instant().nullable(),
  toldChannels: z.array(z.string()),
  escalatedAt: instant().nullable(),
  acknowledgedAt: instant().nullable(),
  acknowledgedBy: z.string().nullable(),
  note: z.string().nullable(),
  closedAt: instant().nullable(),
  closedBy: z.string().nullable(),
});
const alertDetail = alert.extend({
  held: z.array(
    z.object({
      id: rowId(),
      kind: z.string(),
      subject: z.string(),
      detail: z.record(z.string(), z.unknown()),
      openedAt: instant(),
      times: count,
      closedAt: instant().nullable(),
      closedBy: z.string().nullable(),
    }),
  ),
});
const delivery = z.object({
  id: rowId(),
  key: z.string(),
  channel: z.string(),
  purpose: z.enum(deliveryPurposes),
  alert: rowId().nullable(),
  state: z.enum(deliveryStates),
  madeAt: instant(),
  attempts: count,
  nextAt: instant(),
  sentAt: instant().nullable(),
  answer: z.string().nullable(),
});
const status = z.object({
  alerts: z.object({ open: count, urgent: count, unacknowledged: count, untold: count }),
  deliveries: z.object({ waiting: count, failed: count, oldestWaitingAt: instant().nullable() }),
  channels: z.object({
    working: z.array(z.string()),
    empty: z.array(z.string()),
    failing: z.array(z.string()),
  }),
  mailConfigured: z.boolean(),
  faults: z.array(
    z.enum(['nobody_is_told', 'mail_not_configured', 'channel_failing', 'deliveries_failed', 'alerts_untold']),
  ),
});
const digest = z.object({ on: day(), at: instant() }).catchall(z.unknown());

/** `/v1/alerts`, `/v1/alert-rules`, `/v1/channels`, `/v1/alert-limits`, `/v1/deliveries`, `/v1/digest`. */
export function alertRoutes(ports: AlertApiPorts): Route[] {
  return [...alertsRoutes(ports), ...deliveryRoutes(ports), ...digestRoutes(ports), ...alertSettingRoutes(ports)];
}

function alertsRoutes({ pool, now, mailConfigured }: AlertApiPorts): Route[] {
  return [
    route({
      id: 'showAlertStatus',
      method: 'get',
      path: '/alerts/status',
      tag,
      summary: { ko: '알림이 전달되는지', en: 'Whether anybody is told' },
      permission: 'read',
      answer: status,
      handle: () => alertStatus(pool, mailConfigured),
    }),
    list({
      id: 'listAlerts',
      path: '/alerts',
      tag,
      summary: { ko: '알림 목록', en: 'Alerts' },
      permission: 'read',
      filter: z.object({
        state: someOf(alertStates),
        severity: someOf(severities),
        kind: term().optional(),
        since: instant().optional(),
        until: instant().optional(),
      }),
      sorts: ['id'],
      descendingFirst: true,
      row: alert,
      page: ({ query: { state, severity, ...rest } }, request) =>
        pageOfAlerts(pool, { ...rest, states: state, severities: severity }, request),
    }),
    route({
      id: 'showAlert',
      method: 'get',
      path: '/alerts/{id}',
      tag,
      summary: { ko: '알림 상세', en: 'An alert with what was found' },
      permission: 'read',
      params: byId,
      answer: alertDetail,
      problems: ['not_found'],
      handle: ({ params }) => showAlert(pool, BigInt(params.id)),
    }),
    route({
      id: 'acknowledgeAlert',
      method: 'post',
      path: '/alerts/{id}/acknowledge',
      tag,
      summary: { ko: '알림 확인', en: 'Say that you look after it' },
      permission: 'act',
      params: byId,
      body: z.object({ note: reason().optional() }),
      answer: alertDetail,
      problems: ['not_found', 'alert_not_open'],
      handle: ({ actor, params, body }) =>
        acknowledgeAlert(pool, { id: BigInt(params.id), by: actor.who, note: body.note, now: now() }),
    }),
  ];
}

function deliveryRoutes({ pool, now }: AlertApiPorts): Route[] {
  return [
    list({
      id: 'listDeliveries',
      path: '/deliveries',
      tag,
      summary: { ko: '알림 발송 기록', en: 'What was sent' },
      permission: 'read',
      filter: z.object({
        state: someOf(deliveryStates),
        channel: term().optional(),
        alert: rowId().optional(),
        since: instant().optional(),
        until: instant().optional(),
      }),
      sorts: ['id'],
      descendingFirst: true,
      row: delivery,
      page: ({ query: { state, alert: of, ...rest } }, request) =>
        pageOfDeliveries(pool, { ...rest, states: state, alert: of === undefined ? undefined : BigInt(of) }, request),
    }),
    route({
      id: 'retryDeliveries',
      method: 'post',
      path: '/deliveries/retry',
      tag,
      summary: { ko: '알림 재발송', en: 'Send what failed again' },
      permission: 'act',
      body: z.object({ ids: z.array(rowId()).min(1).max(1000).optional(), channel: term().optional() }),
      answer: z.object({ again: count }),
      subject: ({ body }) => body.channel ?? body.ids?.join(',').slice(0, 200) ?? 'deliveries',
      handle: async ({ body: { ids, channel } }) => ({
        again: await retryDeliveries(pool, { ids: ids?.map(BigInt), channel, now: now() }),
      }),
    }),
    route({
      id: 'showDelivery',
      method: 'get',
      path: '/deliveries/{id}',
      tag,
      summary: { ko: '알림 발송 상세', en: 'A message with each try' },
      permission: 'read',
      params: byId,
      answer: delivery.extend({
        content: z.record(z.string(), z.unknown()),
        tries: z.array(
          z.object({
            attempt: count,
            beganAt: instant(),
            endedAt: instant().nullable(),
            node: z.string(),
            outcome: z.enum(['sent', 'deferred', 'refused', 'unclear']).nullable(),
            answer: z.string().nullable(),
          }),
        ),
      }),
      problems: ['not_found'],
      async handle({ params }) {
        const { content, ...shown } = await showDelivery(pool, BigInt(params.id));
        return { ...shown, content: { ...content } };
      },
    }),
  ];
}

function digestRoutes({ pool, now }: AlertApiPorts): Route[] {
  const yesterday = () => now().toZonedDateTimeISO(seoul).toPlainDate().subtract({ days: 1 });
  const dayOf = (on: string | undefined) => (on === undefined ? yesterday() : Temporal.PlainDate.from(on));
  return [
    route({
      id: 'showDigest',
      method: 'get',
      path: '/digest',
      tag,
      summary: { ko: '일일 요약', en: 'How a day went and what waits' },
      permission: 'read',
      query: z.object({ on: day().optional() }),
      answer: digest,
      handle: async ({ query, language }) => ({ ...(await digestOf(pool, dayOf(query.on), language, now())) }),
    }),
    route({
      id: 'sendDigest',
      method: 'post',
      path: '/digest',
      tag,
      summary: { ko: '일일 요약 발송', en: 'Send the digest to whoever is to have it' },
      permission: 'act',
      body: z.object({ on: day().optional() }),
      answer: z.object({ on: day(), channels: count }),
      status: 202,
      subject: ({ body }) => body.on ?? 'yesterday',
      async handle({ body }) {
        const on = dayOf(body.on);
        return { on: on.toString(), channels: await putDigest(pool, on, now()) };
      },
    }),
  ];
}
