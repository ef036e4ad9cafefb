import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { type MailServer, openMailServer } from '../../test/support/mail-server.ts';
import { closeFinding, openFinding } from '../findings/store.ts';
import { acknowledgeAlert, alertStatus, pageOfAlerts } from './alert-store.ts';
import { type Alerting, alerting, bankOpen, kim, start, testCipher } from './alerting.fixture.ts';
import { pageOfDeliveries, putTest, showDelivery } from './delivery-store.ts';
import { saveRule, showRule } from './rule-store.ts';

let db: TestDatabase;
let server: MailServer;
let cipher: Awaited<ReturnType<typeof testCipher>>;
let world: Alerting;

beforeEach(async () => {
  db = await testDatabase();
  server = await openMailServer();
  cipher = await testCipher();
  world = alerting(db.pool, cipher, server.url);
  await world.channel({ channel: 'in-charge', recipients: ['kim@pg.example'] });
  await world.channel({ channel: 'operations', recipients: ['ops@pg.example'], language: 'en' });
});
afterEach(async () => {
  await server.close();
  await db.close();
  cipher.close();
});

const sent = () => server.mails.map(({ subject, envelopeTo }) => `${envelopeTo.join()}: ${subject}`);
const bankOver = () => closeFinding(db.pool, { kind: 'bank_circuit_open', subject: 'bank:json-van', by: 'jeongsan' });

describe('one matter, from its first word to its last', () => {
  test('told once it was gathered, not repeated, escalated, over', async () => {
    await bankOpen(db.pool);
    await world.turn();
    expect(sent()).toEqual([]);
    await world.pass({ minutes: 14 });
    expect(sent()).toEqual(['kim@pg.example: [긴급] 은행 연결 차단: bank:json-van']);
    await world.pass({ minutes: 2 });
    expect(sent().slice(1).sort()).toEqual([
      'kim@pg.example: [긴급 · 미확인] 은행 연결 차단: bank:json-van',
      'ops@pg.example: [Urgent, unacknowledged] Bank not reachable: payouts stopped: bank:json-van',
    ]);
    await bankOver();
    await world.pass({ minutes: 2 });
    expect(sent().slice(3).sort()).toEqual([
      'kim@pg.example: [해제] 은행 연결 차단: bank:json-van 해제',
      'ops@pg.example: [All clear] Bank not reachable: payouts stopped: bank:json-van is over',
    ]);
    const { rows } = await pageOfAlerts(db.pool, {}, { after: undefined, limit: 10, descending: true });
    expect(rows).toMatchObject([
      { state: 'closed', closedBy: 'system:alerts', toldChannels: ['in-charge', 'operations'] },
    ]);
    await world.pass({ hours: 2 });
    expect(sent()).toHaveLength(5);
  });

  test('one that somebody looks after is neither repeated nor escalated', async () => {
    await bankOpen(db.pool);
    await world.pass({ minutes: 1 });
    await acknowledgeAlert(db.pool, { id: 1n, by: 'kim@pg.example', note: 'the bank is called', now: world.now });
    await world.pass({ hours: 3 });
    expect(sent()).toHaveLength(1);
    expect(await acknowledgeAlert(db.pool, { id: 1n, by: 'lee', note: undefined, now: world.now })).toMatchObject({
      acknowledgedBy: 'kim@pg.example',
    });
    await bankOver();
    await world.pass({ minutes: 2 });
    expect(sent()).toHaveLength(2);
    const again = acknowledgeAlert(db.pool, { id: 1n, by: 'lee', note: undefined, now: world.now });
    await expect(again).rejects.toMatchObject({ code: 'alert_not_open' });
  });

  test('one that nobody looks after is said again every hour, to all who know of it', async () => {
    await bankOpen(db.pool);
    await world.pass({ hours: 3 });
    expect(sent().filter((line) => line.includes('재알림') || line.includes(', again'))).toHaveLength(4);
  });

  test('one that comes and goes within a minute is one matter', async () => {
    await bankOpen(db.pool);
    await world.pass({ seconds: 20 });
    for (let n = 0; n < 20; n += 1) {
      await bankOver();
      await world.pass({ seconds: 30 });
      await bankOpen(db.pool);
      await world.pass({ seconds: 30 });
    }
    // The first word, word of the new ones after five minutes, and the escalation, which tells of those since.
    expect(sent().filter((line) => line.startsWith('kim'))).toHaveLength(3);
    expect(sent().filter((line) => line.includes('해제'))).toEqual([]);
  });

  test('one that was over before anybody was told is told to nobody', async () => {
    await bankOpen(db.pool);
    await world.turn();
    await bankOver();
    await world.pass({ minutes: 5 });
    expect(sent()).toEqual([]);
    const { rows } = await pageOfAlerts(db.pool, {}, { after: undefined, limit: 10, descending: true });
    expect(rows).toMatchObject([{ state: 'closed', firstToldAt: null }]);
  });

  test('what is still so when its rule is on again is told of anew', async () => {
    await bankOpen(db.pool);
    await world.pass({ minutes: 1 });
    await saveRule(db.pool, { ...(await showRule(db.pool, 'urgent')), enabled: false }, { actor: kim });
    await world.pass({ hours: 1 });
    await saveRule(db.pool, { ...(await showRule(db.pool, 'urgent')), enabled: true }, { actor: kim });
    await world.pass({ minutes: 1 });
    expect(sent()).toEqual(Array(2).fill('kim@pg.example: [긴급] 은행 연결 차단: bank:json-van'));
  });

  test('its mails belong together', async () => {
    await bankOpen(db.pool);
    await world.pass({ minutes: 1 });
    await bankOver();
    await world.pass({ minutes: 2 });
    const [first, clear] = server.mails;
    expect(first?.messageId).toMatch(/^<alert\.1\.[a-z0-9]+\.in-charge@pg\.example>$/);
    expect(clear).toMatchObject({ inReplyTo: first?.messageId, references: first?.messageId });
  });
});

test('ten thousand findings are a handful of mails, each of bounded size', async () => {
  const rejected = (from: number, to: number) =>
    db.pool.query(
      `insert into finding (kind, subject, audience, detail)
       select k, 'M' || lpad(n::text, 6, '0'), 'in_charge', jsonb_build_object('amountWon', n, 'text', repeat('긴 설명', 200))
         from generate_series($1::int, $2) n, unnest(array['payout_rejected', 'payout_contradicted']) k`,
      [from, to],
    );
  await rejected(1, 1_000);
  await world.pass({ seconds: 70 });
  for (let n = 1_000; n < 5_000; n += 1_000) {
    await rejected(n + 1, n + 1_000);
    await world.pass({ seconds: 40 });
  }
  await world.pass({ minutes: 8 });
  const kim_ = sent().filter((line) => line.startsWith('kim'));
  expect(kim_.slice(0, 2).sort()).toEqual([
    'kim@pg.example: [긴급] 은행 답변 모순 1000건',
    'kim@pg.example: [주의] 지급 거절 1000건',
  ]);
  expect(kim_[2]).toBe('kim@pg.example: [긴급] 은행 답변 모순 5000건 (신규 4000건)');
  expect(kim_.length).toBeLessThanOrEqual(4);
  for (const { raw } of server.mails) expect(raw.length).toBeLessThan(60_000);
});

describe('who is told', () => {
  test('nobody, until somebody is in charge: then at once of what is open', async () => {
    await world.channel({ channel: 'in-charge', recipients: [] });
    await world.channel({ channel: 'operations', recipients: [] });
    await bankOpen(db.pool);
    await world.pass({ minutes: 20 });
    expect(await alertStatus(db.pool, true)).toMatchObject({
      faults: expect.arrayContaining(['nobody_is_told']),
      channels: { empty: ['in-charge', 'operations'], working: [] },
    });
    await world.channel({ channel: 'in-charge', recipients: ['kim@pg.example'] });
    await world.pass({ minutes: 2 });
    expect(sent()).toEqual(['kim@pg.example: [긴급] 은행 연결 차단: bank:json-van']);
  });

  test('the first rule that fits, and those after it while they continue', async () => {
    const urgent = await showRule(db.pool, 'urgent');
    const only = { kinds: ['bank_*'], subjects: ['bank:json*'], severities: [], escalateSeconds: 0 };
    await saveRule(
      db.pool,
      { ...urgent, ...only, rule: 'banks', position: 1, channels: ['operations'] },
      { actor: kim },
    );
    await bankOpen(db.pool);
    await bankOpen(db.pool, 'other-bank');
    await world.pass({ minutes: 1 });
    expect(sent().sort().reverse()).toEqual([
      'ops@pg.example: [Urgent] Bank not reachable: payouts stopped: bank:json-van',
      'kim@pg.example: [긴급] 은행 연결 차단: bank:other-bank',
    ]);
    await saveRule(db.pool, { ...(await showRule(db.pool, 'banks')), continues: true }, { actor: kim, version: 1 });
    await world.pass({ minutes: 6 });
    expect(sent().slice(2)).toEqual(['kim@pg.example: [긴급] 은행 연결 차단 2건 (신규 1건)']);
    const stale = saveRule(db.pool, { ...urgent, channels: [] }, { actor: kim, version: 7 });
    await expect(stale).rejects.toMatchObject({ code: 'version_differs' });
  });

  test('nobody at night, where it can wait', async () => {
    world.now = Temporal.Instant.from('2026-11-20T13:30:00Z');
    const finding = {
      kind: 'statement_missing',
      subject: 'ksnet:transaction:2026-11-19',
      audience: 'in_charge',
    } as const;
    await openFinding(db.pool, { ...finding, detail: {} });
    await world.pass({ hours: 1 });
    expect(sent()).toEqual([]);
    world.now = Temporal.Instant.from('2026-11-20T21:59:00Z');
    await world.turn();
    expect(sent()).toEqual([]);
    await world.pass({ minutes: 1 });
    expect(sent()).toEqual(['kim@pg.example: [주의] 대사 파일 미수신: ksnet:transaction:2026-11-19']);
  });

  test('nothing is said of what is only for the digest', async () => {
    await openFinding(db.pool, { kind: 'payout_unknown', subject: 'payout:1', audience: 'in_charge', detail: {} });
    await world.pass({ hours: 1 });
    expect(sent()).toEqual([]);
  });
});

describe('any number of processes', () => {
  test('say each word once', async () => {
    const others = [1, 2, 3].map((n) => alerting(db.pool, cipher, server.url, `node-${n + 1}`));
    await bankOpen(db.pool);
    for (const each of [world, ...others]) each.now = start.add({ seconds: 30 });
    await Promise.all([world, ...others].flatMap((each) => [each.turn(), each.turn()]));
    for (const each of [world, ...others]) each.now = start.add({ seconds: 50 });
    await Promise.all([world, ...others].flatMap((each) => [each.turn(), each.turn()]));
    expect(sent()).toHaveLength(1);
  });
});

test('forty messages that six processes find at once go out once each', async () => {
  const others = Array.from({ length: 6 }, (_, n) => alerting(db.pool, cipher, server.url, `node-${n + 1}`));
  for (let n = 0; n < 40; n += 1) {
    await putTest(db.pool, { channel: 'in-charge', by: 'kim', now: start.subtract({ milliseconds: n }) });
  }
  await Promise.all(others.map((each) => each.turn()));
  expect(new Set(server.mails.map(({ messageId }) => messageId)).size).toBe(40);
  expect(server.mails).toHaveLength(40);
});

describe('what a try comes to', () => {
  const first = async () => {
    const { rows } = await pageOfDeliveries(db.pool, {}, { after: undefined, limit: 1, descending: false });
    return showDelivery(db.pool, rows[0]?.id ?? 0n);
  };

  test('a server that defers is asked again, later and later', async () => {
    server.manner = 'defer';
    await bankOpen(db.pool);
    await world.pass({ minutes: 2 });
    server.manner = 'accept';
    await world.pass({ minutes: 3 });
    const { tries, state } = await first();
    expect(state).toBe('sent');
    expect(tries.map(({ outcome }) => outcome)).toEqual([...Array(tries.length - 1).fill('deferred'), 'sent']);
    expect(tries.length).toBeGreaterThan(3);
    expect(tries.length).toBeLessThan(8);
    expect(sent().filter((line) => line.startsWith('kim') && line.includes('은행 연결'))).toHaveLength(1);
  });

  test('what may have arrived comes again under the same name', async () => {
    server.manner = 'drop';
    await bankOpen(db.pool);
    await world.turn();
    await world.pass({ seconds: 10 });
    expect((await first()).tries).toMatchObject([{ outcome: 'unclear' }]);
    server.manner = 'accept';
    await world.pass({ minutes: 1 });
    expect(server.mails.map(({ messageId }) => messageId)).toEqual(Array(2).fill(server.mails[0]?.messageId));
    expect((await first()).tries).toMatchObject([{ outcome: 'unclear' }, { outcome: 'sent' }]);
  });

  test('a process that dies while it sends is followed by another one after a while', async () => {
    await bankOpen(db.pool);
    await world.turn();
    await world.pass({ seconds: 10 });
    await db.pool.query(
      `update alert_delivery set state = 'waiting', sent_at = null, holder = gen_random_uuid(), held_until = $1`,
      [world.now.add({ minutes: 3 }).toString()],
    );
    await world.pass({ minutes: 2 });
    expect(sent()).toHaveLength(1);
    await world.pass({ minutes: 2 });
    expect(sent()).toHaveLength(2);
  });
});
