import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { kim, testCipher } from './alerting.fixture.ts';
import { saveChannel, showChannel } from './channel-store.ts';
import { saveRule, showRule } from './rule-store.ts';

let db: TestDatabase;
let cipher: Awaited<ReturnType<typeof testCipher>>;

beforeEach(async () => {
  db = await testDatabase();
  cipher = await testCipher();
});
afterEach(async () => {
  await db.close();
  cipher.close();
});

test.each(['rule', 'channel'] as const)('of two who make a %s of one name at once, one does', async (what) => {
  const urgent = await showRule(db.pool, 'urgent');
  const by = { actor: kim, version: 0 };
  const first = await db.pool.connect();
  await first.query('begin');
  await first.query(
    what === 'rule'
      ? `insert into alert_rule (rule_id, position, changed_by) values ('new', 77, 'lee')`
      : `insert into alert_channel (channel_id, kind, changed_by, language) values ('new', 'smtp', 'lee', 'en')`,
  );
  const second =
    what === 'rule'
      ? saveRule(db.pool, { ...urgent, rule: 'new' }, by)
      : saveChannel({ pool: db.pool, cipher, allowed: [] }, { channel: 'new', kind: 'smtp', language: 'ko' }, by);
  const refused = expect(second).rejects.toMatchObject({
    code: 'version_differs',
    details: { given: 0, current: 1 },
  });
  await lockWaits(db.pool, 1);
  await first.query('commit');
  first.release();
  await refused;
  if (what === 'rule') expect(await showRule(db.pool, 'new')).toMatchObject({ position: 77, changedBy: 'lee' });
  else expect(await showChannel(db.pool, 'new')).toMatchObject({ language: 'en', changedBy: 'lee' });
});
