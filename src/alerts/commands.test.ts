import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { bankOpen, start, testCipher } from './alerting.fixture.ts';
import { alertCommands } from './commands.ts';
import { lookAtAlerts } from './course-store.ts';
import { alertSettingCommands } from './setting-commands.ts';

let db: TestDatabase;
let cipher: Awaited<ReturnType<typeof testCipher>>;
beforeAll(async () => {
  db = await testDatabase();
  cipher = await testCipher();
});
afterAll(async () => {
  cipher.close();
  await db.close();
});

const run = (line: string, language: 'ko' | 'en' = 'en') =>
  runCommand(
    db.pool,
    ['alerts', ...line.split(' ').map((word) => word.replaceAll('␣', ' '))],
    (program, context, output) => {
      const ports = { now: () => start.add({ minutes: 1 }), mailConfigured: true };
      const alerts = alertCommands(program, context, ports, output);
      alertSettingCommands(alerts, context, { cipher: () => Promise.resolve(cipher), allowed: [] }, output);
    },
    { language },
  );
const json = async (line: string) => JSON.parse((await run(`${line} --json`)).said);

test('an operator sets who is told, sees an alert, looks after it and reads what was sent', async () => {
  const before = await run('status', 'ko');
  expect(before.exitCode).toBe(3);
  expect(before.said).toContain('! 아무에게도 알리지 않습니다');
  await run('channels set in-charge --to kim@pg.example,lee@pg.example --reason the␣team');
  expect(await json('channels list')).toMatchObject([
    {
      channel: 'in-charge',
      recipients: ['kim@pg.example', 'lee@pg.example'],
      purposes: ['digest', 'report'],
      version: 2,
    },
    { channel: 'operations', recipients: [] },
  ]);
  expect((await run('status')).exitCode).toBe(0);

  await bankOpen(db.pool);
  await lookAtAlerts(db.pool, start);
  await lookAtAlerts(db.pool, start.add({ seconds: 30 }));
  const [alert] = await json('list');
  expect(alert).toMatchObject({
    id: 1,
    severity: 'urgent',
    state: 'open',
    findings: 1,
    open: 1,
    toldChannels: ['in-charge'],
  });
  const shown = await run('show 1', 'ko');
  expect(shown.said).toContain('#1 [긴급] 은행 연결 차단');
  expect(shown.said).toContain('연속 실패: 5');
  expect((await run('ack 1 --note calling␣the␣bank')).said).toContain('operator calling the bank');
  expect(await json('list --state acknowledged')).toHaveLength(1);

  const [delivery] = await json('deliveries');
  expect(delivery).toMatchObject({ channel: 'in-charge', purpose: 'first', alert: 1, state: 'waiting' });
  expect((await run(`deliveries show ${delivery.id}`)).said).toContain('[Urgent] Bank not reachable');
  expect((await run('test in-charge')).said).toContain('jeongsan alerts deliveries --channel in-charge');
  expect(await json('retry')).toEqual({ again: 0 });
});

test('rules and limits are changed one thing at a time, and each change is in the trail', async () => {
  expect(
    await json('rules set night --kinds bank_*,payout_* --channels operations --quiet 22:00-07:00 --repeat 2h'),
  ).toMatchObject({
    rule: 'night',
    kinds: ['bank_*', 'payout_*'],
    quietFrom: '22:00',
    repeatSeconds: 7_200,
    groupSeconds: 30,
    version: 1,
  });
  expect(await json('rules set night --quiet none --escalate 1d --escalate-to in-charge --off')).toMatchObject({
    kinds: ['bank_*', 'payout_*'],
    quietFrom: null,
    escalateSeconds: 86_400,
    enabled: false,
    version: 2,
  });
  await run('rules remove night --reason over');
  await run('limits set breaks_won 5000000 --provider ksnet --reason smaller');
  const limits = await json('limits');
  expect(limits).toContainEqual(expect.objectContaining({ name: 'breaks_won', provider: 'ksnet', value: 5_000_000 }));
  const { rows } = await db.pool.query(
    `select act, who, reason from audit_entry where subject like 'alert_%' and act not like 'alert_channel%' order by number`,
  );
  expect(rows.slice(-4)).toMatchObject([
    { act: 'alert_rule.added', who: 'operator' },
    { act: 'alert_rule.changed' },
    { act: 'alert_rule.removed', reason: 'over' },
    { act: 'alert_limit.added', reason: 'smaller' },
  ]);
});

test.each([
  ['show 99', 'not_found'],
  ['ack x', 'usage'],
  ['list --state gone', 'usage'],
  ['rules set r --gather 5x', 'usage'],
  ['rules set r --quiet 25:00-07:00', 'alert_rule_invalid'],
  ['rules set r --update 1s', 'alert_rule_invalid'],
  ['rules set Rule', 'alert_rule_invalid'],
  ['rules set r --channels nobody', 'alert_channel_unknown'],
  ['channels set hook --kind webhook --url https://169.254.169.254/', 'alert_channel_invalid'],
  ['channels set hook --kind webhook --secret NOT_SET', 'usage'],
  ['channels remove in-charge', 'alert_channel_used'],
  ['limits set breaks_won many', 'usage'],
  ['limits set payout_unknown_minutes 5 --provider ksnet', 'usage'],
  ['test nobody', 'not_found'],
  ['digest --on yesterday', 'usage'],
])('%s is refused', async (line, code) => {
  await expect(run(line)).rejects.toMatchObject({ code });
});
