import { z } from 'zod';
import { pageOfFew } from '../platform/database/keyset.ts';
import { instant, reason, term } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import type { AlertApiPorts } from './api.ts';
import { channelKinds, channelPurposes } from './channel.ts';
import { listChannels, removeChannel, saveChannel, showChannel } from './channel-store.ts';
import { putTest } from './delivery-store.ts';
import { limitNames } from './limit.ts';
import { listLimits, saveLimit } from './limit-store.ts';
import { checkedRule, ruleFields, settingName, usualRule } from './rule-fields.ts';
import { listRules, removeRule, saveRule, showRule } from './rule-store.ts';

const changed = { version: z.number().int(), changedBy: z.string(), changedAt: instant() };
const rule = ruleFields.extend({ rule: settingName(), ...changed });
const byRule = z.object({ rule: settingName() });
const byChannel = z.object({ channel: settingName() });
const why = { reason: reason().optional() };
const gone = z.object({ version: z.number().int() });

const channel = z.object({
  channel: settingName(),
  kind: z.enum(channelKinds),
  recipients: z.array(z.string()),
  host: z.string().nullable(),
  signed: z.boolean(),
  language: z.enum(['ko', 'en']),
  purposes: z.array(z.enum(channelPurposes)),
  enabled: z.boolean(),
  ...changed,
  failures: z.number().int(),
  failingSince: instant().nullable(),
  lastSentAt: instant().nullable(),
  lastError: z.string().nullable(),
  waiting: z.number().int(),
});
const channelDraft = {
  recipients: z.array(z.string().min(3).max(254)).max(50).optional(),
  url: z.string().min(1).max(2000).optional(),
  secret: z.string().min(16).max(500).optional().meta({ description: 'HMAC; never shown again' }),
  language: z.enum(['ko', 'en']).optional(),
  purposes: z.array(z.enum(channelPurposes)).max(channelPurposes.length).optional(),
  enabled: z.boolean().optional(),
  ...why,
};
const limit = z.object({
  name: z.enum(limitNames),
  provider: z.string(),
  value: z.number().int().min(0).nullable(),
  ...changed,
});

/** `/v1/alert-rules`, `/v1/channels`, `/v1/alert-limits`. */
export function alertSettingRoutes(ports: AlertApiPorts): Route[] {
  return [...ruleRoutes(ports), ...channelRoutes(ports), ...limitRoutes(ports)];
}

function ruleRoutes({ pool }: AlertApiPorts): Route[] {
  const tag = 'alert-rules';
  return [
    list({
      id: 'listAlertRules',
      path: '/alert-rules',
      tag,
      summary: { ko: '알림 규칙 목록', en: 'Who is told of what' },
      permission: 'read',
      sorts: ['position'],
      row: rule,
      page: async (_, request) =>
        pageOfFew(await listRules(pool), request, (each) => `${String(each.position).padStart(7, '0')}|${each.rule}`),
    }),
    route({
      id: 'showAlertRule',
      method: 'get',
      path: '/alert-rules/{rule}',
      tag,
      summary: { ko: '알림 규칙', en: 'A rule' },
      permission: 'read',
      params: byRule,
      edits: true,
      answer: rule,
      problems: ['not_found'],
      handle: ({ params }) => showRule(pool, params.rule),
    }),
    route({
      id: 'addAlertRule',
      method: 'post',
      path: '/alert-rules',
      tag,
      summary: { ko: '알림 규칙 추가', en: 'Add a rule' },
      permission: 'configure',
      body: ruleFields.partial().extend({ rule: settingName(), ...why }),
      answer: rule,
      status: 201,
      problems: ['alert_rule_invalid', 'alert_channel_unknown', 'version_differs'],
      subject: ({ body }) => body.rule,
      handle: ({ actor, body: { rule: name, reason: because, ...given } }) =>
        saveRule(pool, checkedRule(name, { ...usualRule, ...given }), { actor, reason: because, version: 0 }),
    }),
    route({
      id: 'changeAlertRule',
      method: 'patch',
      path: '/alert-rules/{rule}',
      tag,
      summary: { ko: '알림 규칙 변경', en: 'Change a rule' },
      permission: 'configure',
      params: byRule,
      edits: true,
      body: ruleFields.partial().extend(why),
      answer: rule,
      problems: ['not_found', 'alert_rule_invalid', 'alert_channel_unknown', 'version_differs'],
      async handle({ actor, params, version, body: { reason: because, ...given } }) {
        const draft = checkedRule(params.rule, { ...(await showRule(pool, params.rule)), ...given });
        return await saveRule(pool, draft, { actor, reason: because, version });
      },
    }),
    route({
      id: 'removeAlertRule',
      method: 'delete',
      path: '/alert-rules/{rule}',
      tag,
      summary: { ko: '알림 규칙 삭제', en: 'Remove a rule' },
      permission: 'configure',
      params: byRule,
      query: z.object(why),
      edits: true,
      answer: gone,
      problems: ['not_found', 'version_differs'],
      handle: ({ actor, params, query, version }) =>
        removeRule(pool, params.rule, { actor, reason: query.reason, version }),
    }),
  ];
}

function channelRoutes(ports: AlertApiPorts): Route[] {
  const { pool, now } = ports;
  const tag = 'channels';
  return [
    list({
      id: 'listChannels',
      path: '/channels',
      tag,
      summary: { ko: '알림 채널 목록', en: 'Ways to reach people, and how they fare' },
      permission: 'read',
      sorts: ['channel'],
      row: channel,
      page: async (_, request) => pageOfFew(await listChannels(pool), request, (each) => each.channel),
    }),
    route({
      id: 'showChannel',
      method: 'get',
      path: '/channels/{channel}',
      tag,
      summary: { ko: '알림 채널', en: 'A channel' },
      permission: 'read',
      params: byChannel,
      edits: true,
      answer: channel,
      problems: ['not_found'],
      handle: ({ params }) => showChannel(pool, params.channel),
    }),
    route({
      id: 'addChannel',
      method: 'post',
      path: '/channels',
      tag,
      summary: { ko: '알림 채널 추가', en: 'Add a channel' },
      permission: 'configure',
      body: z.object({ channel: settingName(), kind: z.enum(channelKinds), ...channelDraft }),
      answer: channel,
      status: 201,
      problems: ['alert_channel_invalid', 'version_differs'],
      subject: ({ body }) => body.channel,
      handle: ({ actor, body: { reason: because, ...draft } }) =>
        saveChannel(ports, draft, { actor, reason: because, version: 0 }),
    }),
    route({
      id: 'changeChannel',
      method: 'patch',
      path: '/channels/{channel}',
      tag,
      summary: { ko: '알림 채널 변경', en: 'Change a channel' },
      permission: 'configure',
      params: byChannel,
      edits: true,
      body: z.object(channelDraft),
      answer: channel,
      problems: ['not_found', 'alert_channel_invalid', 'version_differs'],
      async handle({ actor, params, version, body: { reason: because, ...draft } }) {
        await showChannel(pool, params.channel);
        return await saveChannel(ports, { ...draft, channel: params.channel }, { actor, reason: because, version });
      },
    }),
    route({
      id: 'removeChannel',
      method: 'delete',
      path: '/channels/{channel}',
      tag,
      summary: { ko: '알림 채널 삭제', en: 'Remove a channel that no rule names' },
      permission: 'configure',
      params: byChannel,
      query: z.object(why),
      edits: true,
      answer: gone,
      problems: ['not_found', 'alert_channel_used', 'version_differs'],
      handle: ({ actor, params, query, version }) =>
        removeChannel(pool, params.channel, { actor, reason: query.reason, version }),
    }),
    route({
      id: 'testChannel',
      method: 'post',
      path: '/channels/{channel}/test',
      tag,
      summary: { ko: '시험 발송', en: 'Send a test message' },
      permission: 'act',
      params: byChannel,
      answer: z.object({ key: z.string() }),
      status: 202,
      problems: ['not_found'],
      async handle({ actor, params }) {
        await showChannel(pool, params.channel);
        return { key: await putTest(pool, { channel: params.channel, by: actor.who, now: now() }) };
      },
    }),
  ];
}

function limitRoutes({ pool }: AlertApiPorts): Route[] {
  const tag = 'alert-limits';
  return [
    list({
      id: 'listAlertLimits',
      path: '/alert-limits',
      tag,
      summary: { ko: '감시 한도', en: 'What is too much, too old or too late' },
      permission: 'read',
      sorts: ['name'],
      row: limit,
      page: async (_, request) =>
        pageOfFew(await listLimits(pool), request, ({ name, provider }) => `${name}|${provider}`),
    }),
    route({
      id: 'setAlertLimit',
      method: 'put',
      path: '/alert-limits/{name}',
      tag,
      summary: { ko: '감시 한도 변경', en: 'Set a limit; null watches no more' },
      permission: 'configure',
      params: z.object({ name: z.enum(limitNames) }),
      body: z.object({
        provider: term().optional(),
        value: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullable(),
        ...why,
      }),
      answer: z.object({ limits: z.array(limit) }),
      problems: ['usage'],
      async handle({ actor, params, body: { provider = '', value, reason: because } }) {
        const wanted = { name: params.name, provider, value: value === null ? null : BigInt(value) };
        return { limits: await saveLimit(pool, wanted, { actor, reason: because }) };
      },
    }),
  ];
}
