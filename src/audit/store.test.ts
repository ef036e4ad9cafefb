import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { inTransaction, query } from '../platform/database/pool.ts';
import { actingAs, recordAct } from './store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await database.pool.query(
    'create table sign (name text, side text, text text, secret text, mark bytea, primary key (side, name))',
  );
  await database.pool.query(
    'create trigger sign_audited after insert or update or delete on sign for each row execute function audit_changes($$text$$)',
  );
});
afterAll(() => database.close());

const kim = { who: 'kim@pg.example', from: '203.0.113.7', key: 'k1' };
const act = (subject: string) => ({ actor: kim, act: 'test', subject, outcome: 'done' as const });

type Entry = {
  number: bigint;
  at: string;
  who: string;
  origin: string;
  by_key: string | null;
  act: string;
  subject: string;
  outcome: string;
  reason: string | null;
  detail: string;
  act_id: bigint;
  previous_hash: Buffer;
  hash: Buffer;
};
const entries = () =>
  query<Entry>(
    database.pool,
    `select number, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, who, origin, by_key, act, subject,
            outcome, reason, detail::text as detail, act_id, previous_hash, hash from audit_entry order by number`,
  );

test('entries are numbered without a gap, also past what was rolled back, and each holds the hash of the one before', async () => {
  await recordAct(database.pool, {
    ...act('one'),
    reason: 'because',
    detail: { won: 9007199254740993n, 이유: '"한글"\n' },
  });
  await expect(
    inTransaction(database.pool, async (tx) => {
      await recordAct(tx, act('never'));
      throw new Error('changed its mind');
    }),
  ).rejects.toThrow('changed its mind');
  await Promise.all(Array.from({ length: 40 }, (_, n) => recordAct(database.pool, act(`many ${n}`))));
  const found = await entries();
  expect(found.map(({ number }) => number)).toEqual(Array.from({ length: 41 }, (_, n) => BigInt(n + 1)));
  let previous = Buffer.alloc(32);
  for (const entry of found) {
    const field = (value: string | null) => (value === null ? '-,' : `${Buffer.byteLength(value)}:${value},`);
    const { number, at, who, origin, by_key, outcome, subject, reason, detail, act_id, previous_hash, hash } = entry;
    const values = [`${number}`, at, who, origin, by_key, entry.act, subject, outcome, reason, detail, `${act_id}`];
    const bytes = `jeongsan-audit-1${[...values, previous.toString('hex')].map(field).join('')}`;
    expect(previous_hash).toEqual(previous);
    expect(hash).toEqual(createHash('sha256').update(bytes).digest());
    previous = Buffer.from(hash);
  }
});

test('a transaction that waits holds up nobody: its act is entered when it commits', async () => {
  const before = (await entries()).length;
  await inTransaction(database.pool, async (tx) => {
    await recordAct(tx, act('slow'));
    await recordAct(database.pool, act('quick'));
  });
  expect((await entries()).slice(before).map(({ subject }) => subject)).toEqual(['quick', 'slow']);
});

test('nothing of it is changed, deleted or taken back', async () => {
  for (const sql of [
    'update audit_entry set who = who where number = 1',
    'delete from audit_entry',
    'truncate audit_entry',
    'truncate audit_draft',
    'set session_replication_role = replica; delete from audit_entry',
  ]) {
    await expect(database.pool.query(sql), sql).rejects.toMatchObject({ code: '23001' });
  }
  const taken = inTransaction(database.pool, async (tx) => {
    await recordAct(tx, act('regretted'));
    await tx.query('delete from audit_draft');
  });
  await expect(taken).rejects.toMatchObject({ code: '23001' });
});

test('a change of configuration says who, why, what it was and what it is, without its secrets', async () => {
  const before = (await entries()).length;
  await inTransaction(database.pool, async (tx) => {
    await actingAs(tx, kim, 'moved house');
    await tx.query(`insert into sign values ('gate', 'left', 'private', 'hunter2', '\\x0102030405')`);
    await tx.query(`update sign set secret = 'hunter3', name = 'door'`);
    await tx.query(`update sign set secret = 'hunter3'`);
  });
  await database.pool.query('delete from sign');
  const found = (await entries()).slice(before);
  const common = { who: kim.who, origin: kim.from, by_key: 'k1', outcome: 'changed', reason: 'moved house' };
  expect(found).toMatchObject([
    { ...common, act: 'sign.added', subject: 'sign:left,gate' },
    { ...common, act: 'sign.changed', subject: 'sign:left,door' },
    { who: 'db:jeongsan', act: 'sign.removed', by_key: null, reason: null },
  ]);
  expect(found.map(({ detail }) => JSON.parse(detail))).toEqual([
    { after: { side: 'left', name: 'gate', text: '***', secret: '***', mark: '***' } },
    { before: { name: 'gate', secret: '***' }, after: { name: 'door', secret: '***' } },
    { before: { side: 'left', name: 'door', text: '***', secret: '***', mark: '***' } },
  ]);
});

test('what anybody may send does not keep an act out of the trail', async () => {
  await recordAct(database.pool, {
    ...act(`a\0b\ud800${'x'.repeat(5000)}`),
    detail: { text: 'a\0b\ud800c\\u0000', path: 'c:\\u0000' },
  });
  await recordAct(database.pool, { ...act('large'), detail: { text: '가'.repeat(100_000) } });
  const [odd, large] = (await entries()).slice(-2);
  expect(odd?.subject).toMatch(/^a\ufffdb\ufffdx{995}…$/);
  expect(JSON.parse(odd?.detail ?? '')).toEqual({ text: 'a\ufffdb\ufffdc\\u0000', path: 'c:\\u0000' });
  expect(JSON.parse(large?.detail ?? '')).toMatchObject({ omittedBytes: '{"text":""}'.length + 300_000 });
});

test('configuration that is changed without a word says itself who changed it, and imports are one entry each', async () => {
  const { pool } = database;
  const before = (await entries()).length;
  await pool.query(
    `insert into calendar_override (day, closed, name, recorded_by, reason) values ('2026-12-24', true, 'x', 'lee', 'gazette')`,
  );
  await pool.query(`insert into bank_control (bank, changed_by, reason) values ('hanbit', 'lee', 'new')`);
  await pool.query(`update bank_control set failures = 3, open_until = now()`);
  await pool.query(`update bank_control set paused = true, changed_by = 'park', reason = 'outage'`);
  await pool.query(`update bank_control set paused = false, reason = 'over'`);
  await pool.query(`insert into settlement_hold (merchant_id, reason, placed_by) values ('M1', 'asked for', 'lee')`);
  await pool.query(`update settlement_hold set released_by = 'choi', released_at = now(), release_reason = 'over'`);
  const { rows } = await pool.query(
    `insert into import (kind, file_name, imported_by) values ('terms', 'terms.csv', 'lee') returning import_id`,
  );
  const [{ import_id }] = rows as [{ import_id: bigint }];
  await pool.query(
    `insert into settlement_terms (merchant_id, valid_from, cycle, roll, payout, import_id, recorded_by)
     select 'M' || n, '2026-01-01', 'D+1', 'forward', 'direct', $1, 'lee' from generate_series(1, 50) n`,
    [import_id],
  );
  await pool.query('update import set finished_at = now(), rows_added = 50 where import_id = $1', [import_id]);
  const found = (await entries()).slice(before);
  expect(found.map(({ act, who, reason }) => [act, who, reason])).toEqual([
    ['calendar_override.added', 'lee', 'gazette'],
    ['bank_control.added', 'lee', 'new'],
    ['bank_control.changed', 'park', 'outage'],
    ['bank_control.changed', 'park', 'over'],
    ['settlement_hold.added', 'lee', 'asked for'],
    ['settlement_hold.changed', 'choi', 'over'],
    ['import.finished', 'lee', null],
  ]);
  expect(JSON.parse(found[6]?.detail ?? '')).toEqual({
    kind: 'terms',
    file: 'terms.csv',
    added: 50,
    same: 0,
    refused: 0,
  });
});
