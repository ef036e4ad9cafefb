import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { listFindings } from '../findings/store.ts';
import { kim } from './alerting.fixture.ts';
import { saveLimit } from './limit-store.ts';
import { watch } from './watch-store.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(() => db.close());

const expected = [{ provider: 'ksnet', stages: ['transaction', 'capture'] }];
const lookAt = (moment: string, what = expected) =>
  watch(db.pool, { now: Temporal.Instant.from(moment), expected: what });
const subjects = async (kind: string) => (await listFindings(db.pool, { kind })).map(({ subject }) => subject).sort();

const statement = (on: string, stage: string, state = 'archived') =>
  db.pool.query(
    `insert into statement (provider, stage, business_on, file_name, version, sha256, bytes, archive_path, source, received_by, state, load_id, problem)
     values ('ksnet', $2, $1::date, $1::text || $2 || $3, 1, md5($1::text || $2) || md5($2), 1, 'x', 'folder', 'test', $3,
             null, case when $3::text = 'refused' then '{}'::jsonb end)`,
    [on, stage, state],
  );
const breaks = (on: string, count: number, won: number, provider = 'ksnet') =>
  db.pool.query(
    `insert into break (provider, stage, business_on, kind, identity, difference_won, effect_won, opened_run)
     select $4, 'transaction', $1::date, 'amount_differs', $1::text || n, $3, $3, 'reconcile:x' from generate_series(1, $2) n`,
    [on, count, won, provider],
  );

describe('a file', () => {
  test('is missing an hour after eight, until it comes', async () => {
    await statement('2026-11-18', 'transaction');
    await lookAt('2026-11-20T23:59:59Z');
    const before = ['ksnet:capture:2026-11-18', 'ksnet:capture:2026-11-19', 'ksnet:transaction:2026-11-19'];
    expect(await subjects('statement_missing')).toEqual(before);
    await lookAt('2026-11-21T00:00:00Z');
    expect(await subjects('statement_missing')).toEqual(
      [...before, 'ksnet:capture:2026-11-20', 'ksnet:transaction:2026-11-20'].sort(),
    );
    await statement('2026-11-20', 'capture');
    await statement('2026-11-20', 'transaction', 'refused');
    await lookAt('2026-11-21T00:00:30Z');
    expect(await subjects('statement_missing')).toEqual([...before, 'ksnet:transaction:2026-11-20'].sort());
  });

  test('is missing where nothing ever came, but of yesterday alone, and of nobody who is not collected from', async () => {
    await lookAt('2026-11-21T00:00:00Z');
    expect(await subjects('statement_missing')).toEqual(['ksnet:capture:2026-11-20', 'ksnet:transaction:2026-11-20']);
    await lookAt('2026-11-21T00:00:00Z', []);
    expect(await subjects('statement_missing')).toEqual([]);
  });

  test('is given more time, or is not watched', async () => {
    await saveLimit(db.pool, { name: 'statement_late_minutes', provider: 'ksnet', value: 120n }, { actor: kim });
    await lookAt('2026-11-21T00:59:59Z');
    expect(await subjects('statement_missing')).toEqual([]);
    await lookAt('2026-11-21T01:00:00Z');
    expect(await subjects('statement_missing')).toHaveLength(2);
    await saveLimit(db.pool, { name: 'statement_late_minutes', provider: 'ksnet', value: null }, { actor: kim });
    await lookAt('2026-11-21T01:00:00Z');
    expect(await subjects('statement_missing')).toEqual([]);
  });
});

describe('breaks', () => {
  test.each([
    ['as many as allowed', 1_000, 1, []],
    ['one more', 1_001, 1, ['ksnet:2026-11-20']],
    ['few, of much money', 2, 5_000_001, ['ksnet:2026-11-20']],
    ['the other way round', 2, -5_000_001, ['ksnet:2026-11-20']],
  ])('%s', async (_, count, won, found) => {
    await breaks('2026-11-20', count, won);
    await lookAt('2026-11-21T00:00:00Z', []);
    expect(await subjects('breaks_over_limit')).toEqual(found);
  });

  test('of a provider with a limit of its own, until they are resolved', async () => {
    await saveLimit(db.pool, { name: 'breaks_count', provider: 'nice', value: 3n }, { actor: kim });
    await breaks('2026-11-20', 4, 1);
    await breaks('2026-11-20', 4, 1, 'nice');
    await lookAt('2026-11-21T00:00:00Z', []);
    expect(await subjects('breaks_over_limit')).toEqual(['nice:2026-11-20']);
    await db.pool.query(
      `update break set state = 'resolved', resolution = 'written_off', resolved_at = now() where provider = 'nice'`,
    );
    await lookAt('2026-11-21T00:00:00Z', []);
    expect(await subjects('breaks_over_limit')).toEqual([]);
  });

  test('that nobody has resolved for long', async () => {
    await breaks('2026-11-15', 2, 700);
    await lookAt('2026-11-20T00:00:00Z', []);
    expect(await subjects('breaks_old')).toEqual([]);
    await lookAt('2026-11-21T00:00:00Z', []);
    expect(await listFindings(db.pool, { kind: 'breaks_old' })).toMatchObject([
      { subject: 'ksnet', detail: { oldest: '2026-11-15', count: 2, won: '1400' } },
    ]);
  });
});

test('a day is INCOMPLETE until its latest run says otherwise', async () => {
  const run = (attempt: number, outcome: string | null) =>
    db.pool.query(
      `insert into reconciliation_run (run_id, business_on, attempt, providers, stages, started_by, finished_at, outcome)
       values ('reconcile:2026-11-20:' || $1::text, '2026-11-20', $1::int, '{ksnet}', '{transaction}', 'test', now(), $2)`,
      [attempt, outcome],
    );
  await run(1, 'incomplete');
  await lookAt('2026-11-21T00:00:00Z', []);
  expect(await subjects('day_incomplete')).toEqual(['2026-11-20']);
  // Asked for, and never begun: it says nothing of the day.
  await run(2, null);
  await lookAt('2026-11-21T00:00:00Z', []);
  expect(await subjects('day_incomplete')).toEqual(['2026-11-20']);
  await run(3, 'complete');
  await lookAt('2026-11-21T00:00:00Z', []);
  expect(await subjects('day_incomplete')).toEqual([]);
});

test('what nobody decides on, and alerts that nobody reads', async () => {
  await db.pool.query(
    `insert into approval (kind, subject, detail, asked_by, asked_at, reason)
     values ('adjustment', 'adjust:1', '{}', 'kim', '2026-11-20T20:00:00Z', 'x')`,
  );
  await lookAt('2026-11-21T00:00:00Z', []);
  expect(await subjects('approval_waits')).toEqual([]);
  await lookAt('2026-11-21T00:00:01Z', []);
  expect(await subjects('approval_waits')).toEqual(['adjustment:adjust:1']);
  expect(await subjects('alerts_unaddressed')).toEqual(['alerts']);
  await db.pool.query(`update alert_channel set recipients = '{kim@pg.example}' where channel_id = 'in-charge'`);
  await db.pool.query(
    `insert into alert_delivery (key, about, channel_id, purpose, content, made_at, next_at)
     values ('k', 'k', 'in-charge', 'test', '{}', '2026-11-20T23:00:00Z', '2026-11-21T23:00:00Z')`,
  );
  await lookAt('2026-11-21T00:00:01Z', []);
  expect(await subjects('alerts_unaddressed')).toEqual([]);
  expect(await subjects('alert_delivery_waits')).toEqual(['channel:in-charge']);
});

test('a look that finds the same says nothing new', async () => {
  await breaks('2026-11-20', 2, 5_000_001);
  await lookAt('2026-11-21T00:00:00Z', []);
  await lookAt('2026-11-21T00:00:30Z', []);
  expect(await listFindings(db.pool, { kind: 'breaks_over_limit' })).toMatchObject([{ times: 1 }]);
  await breaks('2026-11-20', 3, 1, 'nice').then(() => breaks('2026-11-19', 1, 20_000_000));
  await lookAt('2026-11-21T00:01:00Z', []);
  expect(await subjects('breaks_over_limit')).toEqual(['ksnet:2026-11-19', 'ksnet:2026-11-20']);
});
