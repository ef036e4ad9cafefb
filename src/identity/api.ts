import { z } from 'zod';
import { permissions, roles } from '../kernel/permission.ts';
import type { Pool } from '../platform/database/pool.ts';
import { instant, term } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { keyRoutes } from './key-api.ts';
import { type PeoplePorts, peopleRoutes } from './people-api.ts';
import { getPerson } from './person-store.ts';
import { endSession, listSessions } from './session-store.ts';

/** 신원. Every route of `/people`, `/services`, `/keys` and `/me`. */
export function identityRoutes(ports: PeoplePorts): Route[] {
  return [...meRoutes(ports), ...peopleRoutes(ports), ...keyRoutes(ports)];
}

function meRoutes({ pool, now }: { readonly pool: Pool; now(): Temporal.Instant }): Route[] {
  const tag = 'me';
  return [
    route({
      id: 'showMe',
      path: '/me',
      tag,
      summary: { ko: '나: 이 요청이 누구의 무엇으로 받아들여지는지', en: 'Whom this request is taken for' },
      permission: 'read',
      method: 'get',
      answer: z.object({
        who: z.string(),
        name: z.string(),
        kind: z.enum(['person', 'service']),
        roles: z.array(z.enum(roles)),
        /** Of the roles, or what of them the key holds. */
        permissions: z.array(z.enum(permissions)),
        secondFactor: z.boolean(),
        key: z.string().nullable(),
        from: z.string(),
      }),
      async handle({ actor }) {
        const { name, kind, roles: held, secondFactor } = await getPerson(pool, actor.who);
        const may = permissions.filter((each) => actor.permissions.has(each));
        const { who, from, key = null } = actor;
        return { who, name, kind, roles: held, permissions: may, secondFactor, key, from };
      },
    }),
    list({
      id: 'listMySessions',
      path: '/me/sessions',
      tag,
      summary: { ko: '내 세션', en: 'Where I am signed in' },
      permission: 'read',
      row: z.object({
        id: z.string(),
        startedAt: instant(),
        lastSeenAt: instant(),
        expiresAt: instant(),
        from: z.string().nullable(),
        userAgent: z.string().nullable(),
      }),
      sorts: ['startedAt'],
      descendingFirst: true,
      page: async ({ actor }, { after, limit, descending }) => {
        const all = await listSessions(pool, actor.who, now());
        const ordered = descending ? all : all.toReversed();
        const from = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1;
        const rows = ordered.slice(from, from + limit);
        return { rows, next: from + limit < ordered.length ? rows.at(-1)?.id : undefined };
      },
    }),
    route({
      id: 'endMySession',
      path: '/me/sessions/{id}',
      tag,
      summary: { ko: '내 세션 하나 끝내기', en: 'Sign out there' },
      permission: 'read',
      problems: ['not_found'],
      method: 'delete',
      params: z.object({ id: term() }),
      answer: z.object({ ended: z.string() }),
      async handle({ actor, params }) {
        await endSession(pool, actor.who, params.id);
        return { ended: params.id };
      },
    }),
  ];
}
