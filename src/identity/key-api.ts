import { z } from 'zod';
import { permissions } from '../kernel/permission.ts';
import type { Pool } from '../platform/database/pool.ts';
import { flag, instant, reason, term } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { createKey, type Key, listKeys, revokeKey } from './key-store.ts';

const tag = 'keys';
const key = z.object({
  /** Shown in trails; no secret. */
  id: z.string(),
  owner: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(permissions)),
  createdBy: z.string(),
  createdAt: instant(),
  expiresAt: instant(),
  /** To the minute. */
  lastUsedAt: instant().nullable(),
  lastUsedFrom: z.string().nullable(),
  revokedAt: instant().nullable(),
  revokedBy: z.string().nullable(),
});

/** API 키. `/keys`: one's own; for who looks after people, everybody's. */
export function keyRoutes({ pool, now }: { readonly pool: Pool; now(): Temporal.Instant }): Route[] {
  return [
    list({
      id: 'listKeys',
      path: '/keys',
      tag,
      summary: { ko: 'API 키 (관리자가 아니면 자기 것만)', en: 'Keys; only their own to who does not administer' },
      permission: 'read',
      filter: z.object({ owner: term().optional(), valid: flag().optional() }),
      row: key,
      sorts: ['id'],
      async page({ actor, query }, { after, limit, descending }) {
        const owner = actor.permissions.has('administer') ? query.owner : actor.who;
        if (query.owner !== undefined && owner !== query.owner) return { rows: [], next: undefined };
        const validAt = query.valid === true ? now() : undefined;
        const rows: Key[] = await listKeys(pool, { owner, validAt, after, descending, limit: limit + 1 });
        const shown = rows.slice(0, limit);
        return { rows: shown, next: rows.length > limit ? shown.at(-1)?.id : undefined };
      },
    }),
    route({
      id: 'createKey',
      path: '/keys',
      tag,
      summary: { ko: '키 만들기: 한 번만 보임', en: 'Make a key, which is shown once' },
      permission: 'read',
      problems: [
        'not_found',
        'person_disabled',
        'key_of_another',
        'key_scope_exceeds',
        'key_expiry_exceeds',
        'key_limit',
      ],
      method: 'post',
      body: z.object({
        name: z.string().trim().min(1).max(100),
        /** All that one may where it is not said. */
        scopes: z.array(z.enum(permissions)).min(1).max(permissions.length).optional(),
        /** 30 days where it is not said, and no longer than the key that makes it. */
        expiresAt: instant().optional(),
        /** A service; oneself where it is not said. */
        owner: term().optional(),
        reason: reason().optional(),
      }),
      answer: key.extend({
        key: z.string(),
        /** The key that made it, where it ends with that one because nobody said until when. */
        endsWith: z.string().nullable(),
      }),
      status: 201,
      secret: true,
      subject: ({ actor, body }) => `person:${body.owner ?? actor.who}`,
      async handle({ actor, body }) {
        const expiresAt = body.expiresAt === undefined ? undefined : Temporal.Instant.from(body.expiresAt);
        const { owner = actor.who, scopes = permissions.filter((each) => actor.permissions.has(each)) } = body;
        const wish = { ...body, owner, scopes, expiresAt, reason: body.reason ?? body.name };
        const made = await createKey(pool, wish, actor, now());
        return { ...made.key, key: made.text, endsWith: made.endsWith };
      },
    }),
    route({
      id: 'revokeKey',
      path: '/keys/{id}/revoke',
      tag,
      summary: { ko: '폐기: 이 키로 만든 키도 함께', en: 'Revoke it, and all that it made' },
      permission: 'read',
      problems: ['not_found', 'key_of_another'],
      method: 'post',
      params: z.object({ id: term() }),
      body: z.object({ reason: reason() }),
      answer: key,
      handle: ({ actor, params, body }) => revokeKey(pool, params.id, actor, body.reason),
    }),
  ];
}
