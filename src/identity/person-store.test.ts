import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import type { Role } from '../kernel/permission.ts';
import { inTransaction, query } from '../platform/database/pool.ts';
import { addService, consumeLink, createSetupLink, invitePerson, recoverPerson } from './link-store.ts';
import { changeRoles, getPerson, hasAdministrator, listPeople, setDisabled } from './person-store.ts';

let database: TestDatabase;
const now = Temporal.Instant.from('2026-11-21T08:00:00Z');
const admin = { who: 'admin@pg.example', from: '10.0.0.1' };
const by = { actor: admin, reason: 'a new colleague' };
const wish = { by: 'system:setup', from: 'host', renew: false, now };

beforeAll(async () => {
  database = await testDatabase();
  // Nobody may decide who is an approver while there is nobody: what was before people is as it was.
  expect(await hasAdministrator(database.pool)).toBe(false);
  const tokens = await Promise.all(Array.from({ length: 8 }, () => createSetupLink(database.pool, wish)));
  const [token, ...more] = tokens.filter((each) => each !== undefined);
  expect(more).toEqual([]);
  const use = { token: String(token), name: 'Admin', email: admin.who, passwordHash: 'h', from: 'host' };
  const uses = await Promise.allSettled([1, 2, 3].map(() => consumeLink(database.pool, use, now)));
  expect(uses.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
});
afterAll(() => database.close());

let number = 0;
/** Somebody who came in by the link that `inviter` gave them. */
async function join(roles: readonly Role[], inviter = admin.who): Promise<string> {
  number += 1;
  const email = `p${number}@pg.example`;
  const change = { actor: { who: inviter, from: 'test' }, reason: 'test' };
  const token = await invitePerson(database.pool, { name: 'P', email, roles }, change, now);
  await consumeLink(database.pool, { token, passwordHash: 'h', from: 'test' }, now);
  return email;
}

test('a set-up link is replaced when asked for, ends with its day, and is kept as a hash', async () => {
  const other = await testDatabase();
  try {
    const first = await createSetupLink(other.pool, wish);
    expect(await createSetupLink(other.pool, wish)).toBeUndefined();
    const second = await createSetupLink(other.pool, { ...wish, renew: true });
    const late = now.add({ hours: 24, seconds: 1 });
    const third = await createSetupLink(other.pool, { ...wish, now: late });
    expect(new Set([first, second, third]).size).toBe(3);
    const use = { name: 'A', email: admin.who, passwordHash: 'h', from: 'host' };
    for (const token of [first, second, 'x', ''].map(String)) {
      await expect(consumeLink(other.pool, { ...use, token }, late)).rejects.toMatchObject({ code: 'link_invalid' });
    }
    const kept = await query<{ text: string }>(
      other.pool,
      `select coalesce(string_agg(l::text || encode(hash, 'escape'), ''), '') as text from sign_in_link l
       union all select string_agg(e::text, '') from audit_entry e`,
    );
    expect(kept[1]?.text).toContain('sign_in_link.added');
    for (const token of [first, second, third]) expect(JSON.stringify(kept)).not.toContain(token);
    expect(await consumeLink(other.pool, { ...use, token: String(third) }, late)).toBe(admin.who);
    await expect(consumeLink(other.pool, { ...use, token: String(third) }, late)).rejects.toMatchObject({
      code: 'link_invalid',
    });
  } finally {
    await other.close();
  }
});

test('roles are given with a reason by another, and the trail has before and after', async () => {
  const who = await join(['viewer']);
  const changed = await changeRoles(database.pool, who, ['viewer', 'operator'], { actor: admin, reason: 'promoted' });
  expect(changed.roles).toEqual(['operator', 'viewer']);
  const trail = await query(
    database.pool,
    `select who, origin, act, subject, reason, detail -> 'after' ->> 'granted_by' as by from audit_entry
      where subject like $1 order by number desc limit 1`,
    [`person_role:${who}%`],
  );
  expect(trail).toEqual([
    {
      who: admin.who,
      origin: '10.0.0.1',
      act: 'person_role.added',
      subject: `person_role:${who},operator`,
      reason: 'promoted',
      by: admin.who,
    },
  ]);
  await expect(
    changeRoles(database.pool, who, ['viewer'], { actor: admin, reason: 'x', version: changed.version - 1 }),
  ).rejects.toMatchObject({ code: 'version_differs' });
});

test.each([
  ['raises themselves', () => changeRoles(database.pool, admin.who, ['administrator', 'approver'], by), 'not_yourself'],
  ['disables themselves', () => setDisabled(database.pool, admin.who, true, by), 'not_yourself'],
  ['recovers themselves', () => recoverPerson(database.pool, { who: admin.who }, by, now), 'not_yourself'],
])('nobody %s', async (_, work, code) => {
  await expect(work()).rejects.toMatchObject({ code });
});

test.each([
  [
    'in their own name',
    `insert into person_role values ('admin@pg.example', 'approver', ' Admin@PG.example ', now(), 'x')`,
  ],
  ['without a reason', `insert into person_role values ('admin@pg.example', 'approver', 'db', now(), ' ')`],
  ['a role that is none', `insert into person_role values ('admin@pg.example', 'owner', 'db', now(), 'x')`],
  ['the last administrator', `delete from person_role where role = 'administrator'`],
  ['the last administrator, by a change', `update person_role set role = 'viewer' where role = 'administrator'`],
  ['the last administrator, disabled', `update person set disabled_at = now() where kind = 'person'`],
  ['everybody', 'truncate person cascade'],
  ['all roles', 'truncate person_role'],
  ['a person away', `delete from person where id = 'admin@pg.example'`],
  ['another address', `update person set id = 'x@pg.example', email = 'x@pg.example'`],
  ['another letter case', `insert into person (id, name, email) values ('Kim@pg.example', 'Kim', 'Kim@pg.example')`],
  [
    'a letter that looks like ours',
    `insert into person (id, name, email) values ('аdmin@pg.example', 'A', 'аdmin@pg.example')`,
  ],
  ['another name in trails', `insert into person (id, name, email) values ('system:clock', 'A', 'clock@pg.example')`],
])('refused to whoever writes SQL by hand: %s', async (_, sql) => {
  await expect(database.pool.query(sql)).rejects.toThrow(
    /themselves|violates check|last administrator|never changed|keeps id|cannot be removed/,
  );
});

test('of two administrators who disable one another at once, one stays', async () => {
  const other = await join(['administrator']);
  const outcomes = await Promise.allSettled([
    setDisabled(database.pool, other, true, by),
    setDisabled(database.pool, admin.who, true, { actor: { who: other, from: 'x' }, reason: 'x' }),
  ]);
  const left = (await listPeople(database.pool, { role: 'administrator', disabled: false, limit: 10 })).map(
    ({ who }) => who,
  );
  expect(left).toHaveLength(1);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  // Whoever it was, the first one looks after the others in what follows.
  if (left[0] !== admin.who) {
    await setDisabled(database.pool, admin.who, false, { actor: { who: other, from: 'x' }, reason: 'x' });
    await setDisabled(database.pool, other, true, by);
  }
});

test('a service has somebody who answers for it, neither approves nor administers, and does not sign in', async () => {
  const added = { id: 'nightly', name: 'Import', responsible: admin.who, roles: ['operator'] as const };
  expect(await addService(database.pool, added, by)).toMatchObject({ who: 'service:nightly', responsible: admin.who });
  await expect(addService(database.pool, added, by)).rejects.toMatchObject({ code: 'person_exists' });
  for (const role of ['approver', 'administrator'] as const) {
    await expect(changeRoles(database.pool, 'service:nightly', [role], by)).rejects.toMatchObject({
      code: 'role_of_a_person',
    });
  }
  await expect(recoverPerson(database.pool, { who: 'service:nightly' }, by, now)).rejects.toMatchObject({
    code: 'not_found',
  });
  for (const sql of [
    `insert into person_session (id, person_id, token, expires_at) values ('s', 'service:nightly', 't', now() + interval '1 h')`,
    `insert into credential (id, account_id, provider_id, person_id) values ('c', 'a', 'credential', 'service:nightly')`,
  ]) {
    await expect(database.pool.query(sql)).rejects.toThrow('cannot sign in');
  }
});

test.each([
  'kim@pg.example\0',
  'no-address',
  'a@service.invalid',
  'Kım@pg.example',
  'a b@pg.example',
  `${'x'.repeat(200)}@pg.example`,
])('nobody is invited as %j', async (email) => {
  const invited = { name: 'X', email, roles: [] };
  await expect(invitePerson(database.pool, invited, by, now)).rejects.toThrow();
  await expect(getPerson(database.pool, 'x')).rejects.toMatchObject({ code: 'not_found' });
});

test('a recovered account starts anew: sessions, second factor and old links are gone', async () => {
  const who = await join(['viewer']);
  await query(
    database.pool,
    `insert into person_session (id, person_id, token, expires_at) values ($1, $1, $1, now() + interval '1 h')`,
    [who],
  );
  await query(
    database.pool,
    `insert into second_factor (id, person_id, secret, backup_codes) values ($1, $1, 's', 'b')`,
    [who],
  );
  const { token: first } = await recoverPerson(database.pool, { who }, by, now);
  const { token: second } = await recoverPerson(database.pool, { who }, by, now);
  const use = { passwordHash: 'new', from: 'test' };
  await expect(consumeLink(database.pool, { ...use, token: first }, now)).rejects.toMatchObject({
    code: 'link_invalid',
  });
  const late = now.add({ hours: 72, seconds: 1 });
  await expect(consumeLink(database.pool, { ...use, token: second }, late)).rejects.toMatchObject({
    code: 'link_invalid',
  });
  await consumeLink(database.pool, { ...use, token: second }, now);
  const left = await query(
    database.pool,
    `select (select count(*)::int from person_session where person_id = $1) as sessions,
            (select count(*)::int from second_factor where person_id = $1) as factors,
            (select password from credential where person_id = $1) as password`,
    [who],
  );
  expect(left).toEqual([{ sessions: 0, factors: 0, password: 'new' }]);
});

test('a role that is taken away waits for the decision that is being made by it', async () => {
  const who = await join(['approver']);
  const order: string[] = [];
  await query(
    database.pool,
    `insert into approval (kind, subject, detail, asked_by, reason) values ('payout', 'wait', '{}', 'somebody@pg.example', 'x')`,
  );
  let taken: Promise<unknown> = Promise.resolve();
  await inTransaction(database.pool, async (tx) => {
    await query(
      tx,
      `update approval set decision = 'approved', decided_by = $1, decided_at = now() where subject = 'wait'`,
      [who],
    );
    taken = changeRoles(database.pool, who, [], by).then(() => order.push('role taken'));
    for (;;) {
      const waiting = await query(
        database.pool,
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if (waiting.length > 0) break;
    }
    order.push('decided');
  });
  await taken;
  expect(order).toEqual(['decided', 'role taken']);
});
