// Some readers of a mail whom its server refuses while it takes it for the others.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { type MailServer, openMailServer } from '../../test/support/mail-server.ts';
import { listFindings } from '../findings/store.ts';
import { query } from '../platform/database/pool.ts';
import { type Alerting, alerting, testCipher } from './alerting.fixture.ts';
import { listChannels } from './channel-store.ts';
import { putTest } from './delivery-store.ts';

let db: TestDatabase;
let server: MailServer;
let cipher: Awaited<ReturnType<typeof testCipher>>;
let world: Alerting;

beforeEach(async () => {
  db = await testDatabase();
  server = await openMailServer({ manner: 'refuse-recipient' });
  cipher = await testCipher();
  world = alerting(db.pool, cipher, server.url);
  // Whoever is told of the readers is told elsewhere, and not here.
  await db.pool.query(`update alert_rule set enabled = false`);
  await world.channel({
    channel: 'in-charge',
    recipients: ['gone@pg.example', 'kim@pg.example', 'gone@Other.example'],
  });
  await putTest(db.pool, { channel: 'in-charge', by: 'kim', now: world.now });
  await world.turn();
});
afterEach(async () => {
  await server.close();
  await db.close();
  cipher.close();
});

const told = async () => (await listFindings(db.pool, { kind: 'alert_recipient_refused' })).map(({ detail }) => detail);
const receivers = () => server.mails.map(({ envelopeTo }) => envelopeTo.join(' '));
const states = async () =>
  (await query<{ state: string }>(db.pool, 'select state from alert_delivery order by delivery_id')).map(
    (d) => d.state,
  );

test('they alone are tried again, and have it once the server takes it for them', async () => {
  expect(await told()).toEqual([{ channel: 'in-charge', recipients: ['gone@pg.example', 'gone@Other.example'] }]);
  server.manner = 'accept';
  await world.pass({ seconds: 4 });
  expect(receivers()).toEqual(['kim@pg.example']);
  await world.pass({ seconds: 2 });
  expect(receivers()).toEqual(['kim@pg.example', 'gone@pg.example gone@other.example']);
  expect(server.mails[1]?.subject).toBe(server.mails[0]?.subject);
  expect(await told()).toEqual([]);
  expect(await states()).toEqual(['sent', 'sent']);
});

test('of whom some are refused again, it goes on for these, and their channel works', async () => {
  await world.channel({ channel: 'in-charge', recipients: ['gone@pg.example', 'kim@pg.example', 'back@pg.example'] });
  await db.pool.query(
    `update alert_delivery set content = content || '{"readers": ["gone@pg.example", "back@pg.example"]}' where state = 'waiting'`,
  );
  await world.pass({ seconds: 6 });
  expect(receivers()).toEqual(['kim@pg.example', 'back@pg.example']);
  // Alone it is refused for good.
  await world.pass({ minutes: 2 });
  expect(receivers()).toHaveLength(2);
  expect(await states()).toEqual(['sent', 'failed']);
  expect(await told()).toEqual([{ channel: 'in-charge', recipients: ['gone@pg.example'] }]);
  expect((await listChannels(db.pool)).find(({ channel }) => channel === 'in-charge')).toMatchObject({ failures: 0 });
  expect(await listFindings(db.pool, { kind: 'alert_channel_failing' })).toEqual([]);
});

test('who is no reader of the channel any more is not tried, and nobody is told of it', async () => {
  await world.channel({ channel: 'in-charge', recipients: ['kim@pg.example'] });
  server.manner = 'accept';
  await world.pass({ seconds: 6 });
  expect(receivers()).toEqual(['kim@pg.example']);
  expect(await states()).toEqual(['sent', 'failed']);
  expect(await told()).toEqual([]);
});
