import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { askApproval, decide } from '../approvals/store.ts';
import { permissionsOf, type Role } from '../kernel/permission.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { createKey } from './key-store.ts';
import { addService, consumeLink, createSetupLink, invitePerson, recoverPerson } from './link-store.ts';
import { changeRoles, setDisabled } from './person-store.ts';

/** 승인. Who decides on what, once there are people: refused by the database, whoever asks it. */
let database: TestDatabase;
const now = Temporal.Instant.from('2026-11-21T08:00:00Z');
const admin = 'admin@pg.example';
const change = (who = admin) => ({ actor: { who, from: 'test' }, reason: 'test' });
const use = { passwordHash: 'h', from: 'test' };

beforeAll(async () => {
  database = await testDatabase();
  expect(await decided(await asked('kim'), 'lee')).toBe('approved');
  const wish = { by: 'system:setup', from: 'host', renew: false, now };
  const token = String(await createSetupLink(database.pool, wish));
  await consumeLink(database.pool, { ...use, token, name: 'A', email: admin }, now);
});
afterAll(() => database.close());

let subjects = 0;
async function asked(askedBy: string): Promise<string> {
  subjects += 1;
  const subject = String(subjects);
  await inTransaction(database.pool, (tx) =>
    askApproval(tx, { kind: 'payout', subject, detail: {}, askedBy, reason: 'test' }),
  );
  return subject;
}

/** What came of it: `approved`, or why it was refused. */
async function decided(subject: string, decidedBy: string): Promise<string> {
  return inTransaction(database.pool, (tx) =>
    decide(tx, { kind: 'payout', subject, decidedBy, decision: 'approved' }),
  ).then(
    ({ approval }) => String(approval.decision),
    (error: { code: string }) => error.code,
  );
}

let people = 0;
async function join(roles: readonly Role[], inviter = admin): Promise<string> {
  people += 1;
  const email = `p${people}@pg.example`;
  const token = await invitePerson(database.pool, { name: 'P', email, roles }, change(inviter), now);
  await consumeLink(database.pool, { ...use, token }, now);
  return email;
}

test('an approver decides, and nobody else', async () => {
  const [maker, checker] = [await join(['operator']), await join(['approver'])];
  const operator = await join(['operator', 'administrator', 'viewer']);
  const subject = await asked(maker);
  for (const who of ['lee', 'os:root', 'system:clock', operator, admin, checker.toUpperCase(), ` ${checker}`, '']) {
    expect([who, await decided(subject, who)]).toEqual([who, 'approver_needed']);
  }
  expect(await decided(subject, checker)).toBe('approved');
});

test('who asked does not decide, whichever roles they have or are given since', async () => {
  const maker = await join(['operator', 'approver']);
  const subject = await asked(maker);
  expect(await decided(subject, maker)).toBe('approval_four_eyes');
  expect(await decided(subject, maker.toUpperCase())).toBe('approver_needed');
  expect(await decided(await asked(maker.toUpperCase()), maker)).toBe('approval_four_eyes');
});

test('the role counts at the moment of the decision', async () => {
  const [maker, checker] = [await join(['operator']), await join(['approver'])];
  const subject = await asked(maker);
  await changeRoles(database.pool, checker, ['viewer'], change());
  expect(await decided(subject, checker)).toBe('approver_needed');
  await changeRoles(database.pool, checker, ['approver'], change());
  await setDisabled(database.pool, checker, true, change());
  expect(await decided(subject, checker)).toBe('approver_needed');
  await setDisabled(database.pool, checker, false, change());
  expect(await decided(subject, checker)).toBe('approved');
});

test('who stands behind a service does not decide on what it asked for', async () => {
  const [answers, keeper, other] = [
    await join(['approver']),
    await join(['approver', 'administrator']),
    await join(['approver']),
  ];
  const added = { id: 'robot', name: 'R', responsible: answers, roles: ['operator'] as const };
  const { who } = await addService(database.pool, added, change());
  const actor = { who: keeper, from: 'test', permissions: permissionsOf(['approver', 'administrator']) };
  const wish = {
    owner: who,
    name: 'k',
    scopes: ['propose'],
    expiresAt: now.add({ hours: 24 }),
    reason: 'test',
  } as const;
  await createKey(database.pool, wish, actor, now);
  const subject = await asked(who);
  expect(await decided(subject, answers)).toBe('approval_four_eyes');
  expect(await decided(subject, keeper)).toBe('approval_four_eyes');
  expect(await decided(subject, other)).toBe('approved');
});

test('who held the link of the other could have set their password: neither decides on the other', async () => {
  const both = await join(['administrator', 'operator', 'approver']);
  const puppet = await join(['approver'], both);
  expect(await decided(await asked(both), puppet)).toBe('approval_four_eyes');
  const maker = await join(['operator'], both);
  expect(await decided(await asked(maker), both)).toBe('approval_four_eyes');
  const checker = await join(['approver']);
  const subject = await asked(both);
  const token = await recoverPerson(database.pool, checker, change(both), now);
  // A link that was not used lets nobody in.
  expect(await decided(await asked(both), checker)).toBe('approved');
  await consumeLink(database.pool, { ...use, token }, now);
  expect(await decided(subject, checker)).toBe('approval_four_eyes');
  const again = await recoverPerson(database.pool, checker, change(), now);
  await consumeLink(database.pool, { ...use, token: again }, now);
  expect(await decided(subject, checker)).toBe('approved');
});

test('nothing is asked for and decided on in one breath', async () => {
  await expect(
    database.pool.query(
      `insert into approval (kind, subject, detail, asked_by, reason, decided_by, decided_at, decision)
       values ('payout', 'at once', '{}', 'kim', 'x', 'lee', now(), 'approved')`,
    ),
  ).rejects.toMatchObject({ constraint: 'approval_by_approver' });
});
