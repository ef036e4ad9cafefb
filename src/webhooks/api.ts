import { z } from 'zod';
import { pageOfFew } from '../platform/database/keyset.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { instant, reason, rowId, someOf } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { type DeliveryFilter, deliveryPage, deliveryStates, replay, showDelivery } from './delivery-store.ts';
import { dropEndpoint, type EndpointPorts, editEndpoint, makeEndpoint } from './endpoint-acts-store.ts';
import { listEndpoints, showEndpoint } from './endpoint-store.ts';
import { eventTypes } from './event-types.ts';
import { deliveryJson, endpointJson } from './webhook-rows.ts';

const tag = 'webhooks';
const byId = z.object({ id: rowId() });
const name = z.string().trim().min(1).max(100);
const address = z.string().min(1).max(2000);
const events = z.array(z.string().min(1).max(100)).min(1).max(50);

const endpoint = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  enabled: z.boolean(),
  version: z.number().int(),
  madeBy: z.string(),
  madeAt: instant(),
  pending: z.number().int(),
  givenUp: z.number().int(),
  lastDeliveredAt: instant().nullable(),
});
const secret = z.string().meta({ description: 'Signs what is sent. Told this once.' });
const delivery = z.object({
  id: z.string(),
  event: z.string(),
  type: z.string(),
  subject: z.string(),
  happenedAt: instant(),
  endpointId: z.string(),
  endpoint: z.string(),
  state: z.enum(deliveryStates),
  attempts: z.number().int(),
  nextAt: instant(),
  finishedAt: instant().nullable(),
  askedBy: z.string().nullable(),
});
const filters = z.object({
  webhook: rowId().optional(),
  state: someOf(deliveryStates),
  kind: z.string().max(100).optional(),
  subject: z.string().max(200).optional(),
  since: instant().optional(),
  until: instant().optional(),
});

/** `/v1/webhooks`: who is told of what, and whether word reached them. */
export function webhookRoutes(ports: EndpointPorts): Route[] {
  const { pool } = ports;
  return [
    list({
      id: 'listWebhookEvents',
      path: '/webhooks/events',
      tag,
      summary: { ko: '받을 수 있는 사건', en: 'What may be told of' },
      permission: 'read',
      sorts: ['type'],
      row: z.object({ type: z.string(), ko: z.string(), en: z.string() }),
      page: async (_, request) => pageOfFew(eventTypes, request, ({ type }) => type),
    }),
    list({
      id: 'listWebhooks',
      path: '/webhooks',
      tag,
      summary: { ko: '웹훅 목록', en: 'Webhooks' },
      permission: 'read',
      sorts: ['id'],
      row: endpoint,
      page: async (_, request) =>
        pageOfFew((await listEndpoints(pool)).map(endpointJson), request, ({ id }) => String(id).padStart(20, '0')),
    }),
    list({
      id: 'listWebhookDeliveries',
      path: '/webhooks/deliveries',
      tag,
      summary: { ko: '웹훅 전달 기록', en: 'Deliveries' },
      permission: 'read',
      filter: filters,
      sorts: ['id'],
      descendingFirst: true,
      row: delivery,
      async page({ query }, request) {
        const { rows, next } = await deliveryPage(pool, filterOf(query), request);
        return { rows: rows.map(deliveryJson), next };
      },
    }),
    route({
      id: 'showWebhook',
      method: 'get',
      path: '/webhooks/{id}',
      tag,
      summary: { ko: '웹훅', en: 'A webhook' },
      permission: 'read',
      params: byId,
      edits: true,
      answer: endpoint,
      problems: ['not_found'],
      handle: async ({ params }) => endpointJson(await showEndpoint(pool, BigInt(params.id))),
    }),
    route({
      id: 'addWebhook',
      method: 'post',
      path: '/webhooks',
      tag,
      summary: { ko: '웹훅 추가', en: 'Add a webhook' },
      permission: 'configure',
      body: z.object({ name, url: address, events, reason: reason().optional() }),
      answer: endpoint.extend({ secret }),
      status: 201,
      secret: true,
      problems: ['webhook_address_refused', 'webhook_event_unknown', 'webhook_name_taken'],
      subject: ({ body }) => body.name,
      async handle({ actor, body: { reason: why, ...wanted } }) {
        const made = await makeEndpoint(ports, wanted, { actor, reason: why });
        return { ...endpointJson(made.endpoint), secret: made.secret };
      },
    }),
    route({
      id: 'changeWebhook',
      method: 'patch',
      path: '/webhooks/{id}',
      tag,
      summary: { ko: '웹훅 변경', en: 'Change a webhook' },
      permission: 'configure',
      params: byId,
      edits: true,
      body: z.object({
        url: address.optional(),
        events: events.optional(),
        enabled: z.boolean().optional(),
        newSecret: z.boolean().optional(),
        reason: reason().optional(),
      }),
      answer: endpoint.extend({ secret: secret.optional() }),
      secret: true,
      problems: ['not_found', 'version_differs', 'webhook_address_refused', 'webhook_event_unknown'],
      async handle({ actor, params, version = 0, body: { reason: why, ...change } }) {
        const wanted = { id: BigInt(params.id), version, change };
        const changed = await editEndpoint(ports, wanted, { actor, reason: why });
        return { ...endpointJson(changed.endpoint), secret: changed.secret };
      },
    }),
    route({
      id: 'removeWebhook',
      method: 'delete',
      path: '/webhooks/{id}',
      tag,
      summary: { ko: '웹훅 삭제', en: 'Remove a webhook' },
      permission: 'configure',
      params: byId,
      query: z.object({ reason: reason().optional() }),
      edits: true,
      answer: z.object({ version: z.number().int() }),
      problems: ['not_found', 'version_differs'],
      async handle({ actor, params, query, version = 0 }) {
        await dropEndpoint(ports, { id: BigInt(params.id), version }, { actor, reason: query.reason });
        return { version: version + 1 };
      },
    }),
    route({
      id: 'showWebhookDelivery',
      method: 'get',
      path: '/webhooks/deliveries/{id}',
      tag,
      summary: { ko: '웹훅 전달 상세', en: 'A delivery with its tries' },
      permission: 'read',
      params: byId,
      answer: delivery.extend({
        data: z.record(z.string(), z.unknown()),
        tries: z.array(
          z.object({
            attempt: z.number().int(),
            at: instant(),
            tookMs: z.number().int(),
            status: z.number().int().nullable(),
            fault: z.string().nullable(),
          }),
        ),
      }),
      problems: ['not_found'],
      async handle({ params }) {
        const { data, tries, ...shown } = await showDelivery(pool, BigInt(params.id));
        return { ...deliveryJson(shown), data: data as Record<string, unknown>, tries };
      },
    }),
    route({
      id: 'replayWebhookDeliveries',
      method: 'post',
      path: '/webhooks/deliveries/replay',
      tag,
      summary: { ko: '웹훅 다시 전달', en: 'Tell again' },
      permission: 'act',
      body: z
        .object({ ids: z.array(rowId()).min(1).max(1000).optional() })
        .extend(filters.shape)
        .refine((given) => Object.values(given).some((each) => each !== undefined), 'say which deliveries are meant'),
      answer: z.object({ again: z.number().int(), hurried: z.number().int() }),
      problems: ['webhook_replay_too_wide'],
      subject: () => 'deliveries',
      handle: ({ actor, body: { ids, ...rest } }) =>
        inTransaction(pool, (tx) =>
          replay(tx, { filter: { ...filterOf(rest), ids: ids?.map(BigInt) }, by: actor.who }),
        ),
    }),
  ];
}

function filterOf({ webhook, state, kind, ...rest }: z.output<typeof filters>): DeliveryFilter {
  return { ...rest, endpoint: webhook === undefined ? undefined : BigInt(webhook), states: state, type: kind };
}
