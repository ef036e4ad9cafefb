import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { type MailServer, openMailServer } from '../../test/support/mail-server.ts';
import { closeFinding } from '../findings/store.ts';
import { startAlerts } from './alert-work.ts';
import { alerting, bankOpen, kim, testCipher } from './alerting.fixture.ts';
import { saveRule, showRule } from './rule-store.ts';
import { expiringAlerts } from './tidy-store.ts';

let db: TestDatabase;
let server: MailServer;
let cipher: Awaited<ReturnType<typeof testCipher>>;
beforeEach(async () => {
  db = await testDatabase({ max: 20 });
  server = await openMailServer();
  cipher = await testCipher();
});
afterEach(async () => {
  await server.close();
  await db.close();
  cipher.close();
});

test('two nodes by the wall clock tell once of what begins and ends, and leave nothing behind', async () => {
  const nodes = ['node-1', 'node-2'].map((name) => alerting(db.pool, cipher, server.url, name));
  await nodes[0]?.channel({ channel: 'in-charge', recipients: ['kim@pg.example'] });
  const urgent = await showRule(db.pool, 'urgent');
  await saveRule(db.pool, { ...urgent, groupSeconds: 0, calmSeconds: 0 }, { actor: kim });
  const works = nodes.map(({ ports }) => startAlerts({ ...ports, now: () => Temporal.Now.instant(), expected: [] }));
  await bankOpen(db.pool);
  expect((await server.mail(0)).subject).toBe('[긴급] 은행 연결 차단: bank:json-van');
  await closeFinding(db.pool, { kind: 'bank_circuit_open', subject: 'bank:json-van', by: 'jeongsan' });
  expect((await server.mail(1)).subject).toBe('[해제] 은행 연결 차단: bank:json-van 해제');
  await Promise.all(works.map((work) => work.stop()));
  expect(server.mails).toHaveLength(2);

  const [deliveries, alerts] = expiringAlerts(db.pool);
  const later = Temporal.Now.instant().add({ hours: 1 });
  expect(await alerts?.remove(later, 10)).toBe(0);
  expect(await deliveries?.remove(later, 1)).toBe(1);
  expect(await deliveries?.remove(later, 10)).toBe(1);
  expect(await alerts?.remove(Temporal.Now.instant().subtract({ hours: 1 }), 10)).toBe(0);
  expect(await alerts?.remove(later, 10)).toBe(1);
  const { rows } = await db.pool.query(
    'select (select count(*) from alert_finding) + (select count(*) from alert_attempt) as left',
  );
  expect(Number(rows[0].left)).toBe(0);
});
