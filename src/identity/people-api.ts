import { z } from 'zod';
import { roles } from '../kernel/permission.ts';
import type { Pool } from '../platform/database/pool.ts';
import { flag, instant, reason, term } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { addressOf } from './address.ts';
import { linkUrl } from './link-page.ts';
import { addService, invitePerson, keyFates, recoverPerson } from './link-store.ts';
import { changeRoles, getPerson, listPeople, type Person, setDisabled } from './person-store.ts';
import { endSessions } from './session-store.ts';

const version = z.number().int();
const person = z.object({
  /** As every trail names them. */
  who: z.string(),
  kind: z.enum(['person', 'service']),
  name: z.string(),
  roles: z.array(z.enum(roles)),
  /** Whether a code is asked for after the password. */
  secondFactor: z.boolean(),
  /** Whether there is a way to sign in. */
  joined: z.boolean(),
  /** Who answers for a service. */
  responsible: z.string().nullable(),
  disabledAt: instant().nullable(),
  createdAt: instant(),
  version,
});
const held = z.array(z.enum(roles)).max(roles.length);
const one = z.object({ who: term() });
const because = z.object({ reason: reason() });
/** Shown once, to be passed on by a way that nobody else reads. */
const link = z.object({ who: z.string(), link: z.url() });
const tag = 'people';

export type PeoplePorts = {
  readonly pool: Pool;
  /** Where people reach this server: links begin with it. */
  readonly publicUrl: string;
  now(): Temporal.Instant;
};

/** 사용자. `/people`: who there is, what they may do, and how they come in. */
export function peopleRoutes({ pool, publicUrl, now }: PeoplePorts): Route[] {
  return [
    list({
      id: 'listPeople',
      path: '/people',
      tag,
      summary: { ko: '사용자와 서비스 계정', en: 'People and services' },
      permission: 'read',
      filter: z.object({
        kind: z.enum(['person', 'service']).optional(),
        role: z.enum(roles).optional(),
        disabled: flag().optional(),
      }),
      row: person,
      sorts: ['who'],
      async page({ query }, { after, limit, descending }) {
        const rows = await listPeople(pool, { ...query, after, descending, limit: limit + 1 });
        const shown = rows.slice(0, limit);
        return { rows: shown, next: rows.length > limit ? shown.at(-1)?.who : undefined };
      },
    }),
    route({
      id: 'showPerson',
      path: '/people/{who}',
      tag,
      summary: { ko: '한 사람', en: 'One of them' },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      params: one,
      answer: person,
      edits: true,
      handle: ({ params }) => getPerson(pool, params.who),
    }),
    route({
      id: 'invitePerson',
      path: '/people',
      tag,
      summary: { ko: '초대: 한 번만 쓸 수 있는 링크', en: 'Invite somebody: a link that works once' },
      permission: 'administer',
      problems: ['address_unusable', 'person_exists'],
      method: 'post',
      body: z.object({ email: z.string().max(200), name: term(), roles: held, reason: reason() }),
      answer: link,
      status: 201,
      secret: true,
      subject: ({ body }) => `person:${body.email}`,
      async handle({ actor, body }) {
        const email = addressOf(body.email);
        const token = await invitePerson(pool, { ...body, email }, { actor, reason: body.reason }, now());
        return { who: email, link: linkUrl(publicUrl, token) };
      },
    }),
    route({
      id: 'addService',
      path: '/services',
      tag,
      summary: { ko: '서비스 계정 추가', en: 'Add a service, which acts by keys alone' },
      permission: 'administer',
      problems: ['address_unusable', 'person_exists', 'role_of_a_person', 'not_found'],
      method: 'post',
      body: z.object({
        /** `nightly-import`: it is then `service:nightly-import`. */
        id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,60}$/),
        name: term(),
        /** The person who answers for it. */
        responsible: term(),
        roles: held,
        reason: reason(),
      }),
      answer: person,
      status: 201,
      subject: ({ body }) => `service:${body.id}`,
      handle: ({ actor, body }) => addService(pool, body, { actor, reason: body.reason }),
    }),
    route({
      id: 'changeRoles',
      path: '/people/{who}/roles',
      tag,
      summary: { ko: '역할을 정확히 이대로', en: 'Give exactly these roles' },
      permission: 'administer',
      problems: ['not_found', 'not_yourself', 'role_of_a_person', 'last_administrator', 'version_differs'],
      method: 'put',
      params: one,
      body: z.object({ roles: held, reason: reason() }),
      answer: person,
      edits: true,
      handle: ({ actor, params, body, version: seen }) =>
        changeRoles(pool, params.who, body.roles, { actor, reason: body.reason, version: seen }),
    }),
    stateRoute('disablePerson', 'disable', true, {
      ko: '사용 중지: 세션이 끝나고 키가 멈춤',
      en: 'Disable: sessions end, keys stop',
    }),
    stateRoute('enablePerson', 'enable', false, { ko: '사용 재개', en: 'Enable again' }),
    route({
      id: 'recoverPerson',
      path: '/people/{who}/recover',
      tag,
      summary: {
        ko: '새 링크: 비밀번호와 2단계 인증을 다시 정하고, API 키를 끝냄',
        en: 'A new link: password and second factor are set anew, API keys end unless they are kept',
      },
      permission: 'administer',
      problems: ['not_found', 'not_yourself', 'person_disabled'],
      method: 'post',
      params: one,
      /** Keys end at once, and those that are made until the link is used with the others, unless they are kept. */
      body: because.extend({ keys: z.enum(keyFates).optional() }),
      answer: link.extend({ endedKeys: z.number().int() }),
      status: 201,
      secret: true,
      async handle({ actor, params: { who }, body: { keys, reason: why } }) {
        const { token, endedKeys } = await recoverPerson(pool, { who, keys }, { actor, reason: why }, now());
        return { who, link: linkUrl(publicUrl, token), endedKeys };
      },
    }),
    route({
      id: 'endSessionsOf',
      path: '/people/{who}/sessions',
      tag,
      summary: { ko: '모든 세션 끝내기', en: 'End all their sessions' },
      permission: 'administer',
      problems: ['not_found'],
      method: 'delete',
      params: one,
      answer: z.object({ ended: z.number().int() }),
      async handle({ params }) {
        const { who } = await getPerson(pool, params.who);
        return { ended: await endSessions(pool, who) };
      },
    }),
  ];

  function stateRoute(id: string, word: string, disabled: boolean, summary: { ko: string; en: string }): Route {
    return route({
      id,
      path: `/people/{who}/${word}`,
      tag,
      summary,
      permission: 'administer',
      problems: ['not_found', 'not_yourself', ...(disabled ? (['last_administrator'] as const) : [])],
      method: 'post',
      params: one,
      body: because,
      answer: person,
      handle: ({ actor, params, body }): Promise<Person> =>
        setDisabled(pool, params.who, disabled, { actor, reason: body.reason }),
    });
  }
}
