import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Alerting, alerting, kim } from '../../src/alerts/alerting.fixture.ts';
import { pageOfDeliveries } from '../../src/alerts/delivery-store.ts';
import { digestOf, putDigest } from '../../src/alerts/digest-store.ts';
import { attachReport } from '../../src/alerts/report-files.ts';
import { putReports } from '../../src/alerts/report-store.ts';
import type { App } from '../../src/app.ts';
import { recordAct } from '../../src/audit/store.ts';
import { bringWorld, createInstallation, type Installation, reconcileDay } from '../support/installation.ts';
import { type MailServer, openMailServer } from '../support/mail-server.ts';

/** A day is reconciled, and whoever is in charge reads of it without asking. */
let installation: Installation;
let app: App;
let server: MailServer;
let world: Alerting;
let days: readonly string[];

beforeEach(async () => {
  installation = await createInstallation();
  const from = Temporal.PlainDate.from('2026-11-18');
  days = (await bringWorld(installation, { seed: 'reported', days: 2, payments: 1000, breaks: 1, from })).days;
  app = await installation.open();
  server = await openMailServer();
  world = alerting(app.pool, app.cipher, server.url);
  world.now = Temporal.Now.instant();
  await world.channel({ channel: 'in-charge', recipients: ['kim@pg.example'] });
});
afterEach(async () => {
  await server.close();
  await app.close();
  await installation.close();
});

const home = () => installation.home;
const withFiles = (most?: number) =>
  Object.assign(world.ports, {
    reportFiles: (runId: string) => attachReport({ pool: app.pool, home: home(), language: 'ko' }, runId, most),
  });

test('the report goes to those in charge by itself, once, with its files', async () => {
  const [first = '', second = ''] = days;
  for (const on of [first, second]) await reconcileDay(app, on);
  withFiles();
  expect(await putReports(app.pool, world.now)).toBe(2);
  await world.turn();
  const mails = await Promise.all([server.mail(0), server.mail(1)]);
  const mail = mails.find(({ subject }) => subject?.includes(first));
  const standing = 'select count(*)::int as n from break where business_on = $1 and gone_at is null';
  const breaks = (await app.pool.query(standing, [first])).rows[0].n;
  expect(breaks).toBeGreaterThan(0);
  expect(mail?.subject).toMatch(new RegExp(`^\\[대사\\] ${first} 완료 · 불일치 ${breaks}건, `));
  expect(mail?.attachments.map(({ filename, mimeType }) => [filename, mimeType])).toEqual([
    [`${first}-report.html`, 'text/html'],
    [`${first}-breaks.xlsx`, 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    [`${first}-breaks.csv`, 'text/csv'],
  ]);
  const page = Buffer.from(mail?.attachments[0]?.content as ArrayBuffer).toString();
  expect(page).toContain('<!doctype html>');
  expect(mail?.html).toContain('KSNET');
  // The same outcome once more is no news.
  await reconcileDay(app, first);
  expect(await putReports(app.pool, world.now)).toBe(0);
  await world.turn();
  expect(server.mails).toHaveLength(2);
  const { rows } = await pageOfDeliveries(app.pool, {}, { after: undefined, limit: 10, descending: true });
  expect(rows.map(({ state }) => state)).toEqual(['dropped', 'sent', 'sent']);
});

test('what is too large to attach is said to lie where it lies', async () => {
  const [on = ''] = days;
  const { runId } = await reconcileDay(app, on);
  withFiles(20_000);
  await putReports(app.pool, world.now);
  await world.turn();
  const mail = await server.mail(0);
  const bytes = mail.attachments.reduce((sum, { content }) => sum + (content as ArrayBuffer).byteLength, 0);
  expect(bytes).toBeLessThan(20_000);
  expect(mail.attachments.map(({ filename }) => filename)).not.toContain(`${on}-report.html`);
  expect(mail.text).toContain(path.join(home(), 'reports', on, runId.replaceAll(':', '-')));
});

test('the digest of a day says what its books say, and the audit trail’s head', async () => {
  const [on = ''] = days;
  const day = await reconcileDay(app, on);
  await recordAct(app.pool, { actor: kim, act: 'test', subject: 'x', outcome: 'done' });
  const content = await digestOf(app.pool, Temporal.PlainDate.from(on), 'ko', world.now);
  expect(content).toMatchObject({
    outcome: 'complete',
    money: { settledWon: '0', paidOut: 0 },
    waiting: { approvals: 0, payoutsUnknown: 0, findings: 0 },
    audit: { hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });
  const transaction = day.stages.find(({ provider, stage }) => provider === 'ksnet' && stage === 'transaction');
  expect(content.stages.find(({ provider, stage }) => provider === 'ksnet' && stage === 'transaction')).toMatchObject({
    records: transaction?.ours,
    amountWon: String(transaction?.oursWon),
  });
  const { rows } = await app.pool.query(`select count(*)::int as n from break where state <> 'resolved'`);
  expect(content.breaks.reduce((sum, { count }) => sum + count, 0)).toBe(rows[0].n);
  const next = Temporal.PlainDate.from(on).add({ days: 1 });
  const slot = next.toZonedDateTime({ timeZone: 'Asia/Seoul', plainTime: '09:30' }).toInstant();
  const call = { schedule: 'digest', slot, on: next, parameters: {}, who: 'system:scheduler' };
  const { done } = await app.jobs.named('digest').start(`digest:${slot}`, call);
  expect(await done).toEqual({ on, channels: 1 });
  expect(await putDigest(app.pool, Temporal.PlainDate.from(on), world.now)).toBe(0);
  // The job was done by the wall clock.
  world.now = Temporal.Now.instant().add({ seconds: 1 });
  await world.turn();
  const mail = await server.mail(0);
  expect(mail.subject).toMatch(new RegExp(`^\\[정산 요약\\] ${on} 완료 · 대기 0`));
  expect(mail.html).toContain(content.audit?.hash);
});
