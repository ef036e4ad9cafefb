import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { askApproval, decide } from '../approvals/store.ts';
import { permissionsOf, type Role } from '../kernel/permission.ts';
import { changeControl, ensureControl } from '../payout/control-store.ts';
import { listPayouts } from '../payout/list-store.ts';
import { makeMerchants, noon } from '../payout/payout.fixture.ts';
import { cancelPayout, decidePayout, requestPayout } from '../payout/request-store.ts';
import { openCipher } from '../platform/cipher.ts';
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
  const subject = `test ${subjects}`;
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
  const { token } = await recoverPerson(database.pool, { who: checker }, change(both), now);
  // A link that was not used lets nobody in.
  expect(await decided(await asked(both), checker)).toBe('approved');
  await consumeLink(database.pool, { ...use, token }, now);
  expect(await decided(subject, checker)).toBe('approval_four_eyes');
  const { token: again } = await recoverPerson(database.pool, { who: checker }, change(), now);
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

describe('a payout that waits for a second person, whoever writes SQL by hand', () => {
  let payoutId: bigint;
  beforeAll(async () => {
    const home = await mkdtemp(path.join(tmpdir(), 'decision-'));
    const cipher = await openCipher({ home });
    await rm(home, { recursive: true });
    const [merchantId = ''] = await makeMerchants(database.pool, cipher, { from: 1, count: 1, balanceWon: 200_000n });
    await ensureControl(database.pool, 'strict');
    await changeControl(database.pool, 'strict', { approvalOverWon: 50_000n }, { who: 'lee', reason: 'careful' });
    const wanted = { merchantId, amountWon: 60_000n, key: 'k', who: 'kim' };
    const payout = await requestPayout(database.pool, wanted, { bank: 'strict', now: noon });
    expect(payout.state).toBe('awaiting_approval');
    payoutId = payout.id;
  });

  test.each([
    ['does not go on without that', `update payout set state = 'created' where payout_id = $1`],
    ['is of no other amount', 'update payout set amount_won = 1 where payout_id = $1'],
    ['goes to no other account', 'update payout set account_id = account_id + 1 where payout_id = $1'],
    ["is no other merchant's", `update payout set merchant_id = 'M2' where payout_id = $1`],
  ])('%s', async (_, sql) => {
    await expect(database.pool.query(sql, [payoutId])).rejects.toThrow(/was not approved|stays what was asked for/);
  });

  test('is cancelled by who asked, and nothing is decided in the name of the product but that', async () => {
    const [first] = await listPayouts(database.pool, {});
    const wanted = { merchantId: String(first?.merchantId), amountWon: 60_001n, key: 'other', who: 'kim' };
    const { id } = await requestPayout(database.pool, wanted, { bank: 'strict', now: noon });
    await expect(
      decidePayout(database.pool, id, { who: 'jeongsan', decision: 'approved' }, noon),
    ).rejects.toMatchObject({ code: 'approver_needed' });
    expect(await cancelPayout(database.pool, id, { who: 'kim' }, noon)).toMatchObject({ state: 'cancelled' });
  });

  test('goes on with their word', async () => {
    const checker = await join(['approver']);
    const wanted = { who: checker, decision: 'approved' } as const;
    expect(await decidePayout(database.pool, payoutId, wanted, noon)).toMatchObject({ state: 'created' });
  });
});
