import { mkdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { encodeStatement } from '../../src/providers/layout/encode.ts';
import { welcomeOnline } from '../../src/providers/welcome-online.ts';
import { breaksAsJson, createInstallation, type Installation } from '../support/installation.ts';
import { approval, paymentsCsv } from '../support/payment-lines.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { row } from '../support/sample-statement.ts';

const cli = path.resolve(import.meta.dirname, '../../src/cli.ts');
const on = '2026-11-18';
const day = Temporal.PlainDate.from(on);
const fileName = 'WP_ON_TRX_20261118.dat';
const { layout } = welcomeOnline.statements.transaction;
const tids = ['T0', 'T1', 'T2'];
const named = ['--provider', 'welcome-online', '--stage', 'transaction', '--on', on];

/** `jeongsan …` in a process of its own. */
function jeongsan({ home, db }: Installation, ...words: string[]): TestProcess {
  return runProcess(cli, words, { JEONGSAN_HOME: home, DATABASE_URL: db.url });
}

async function done(process: TestProcess): Promise<void> {
  expect(await process.ended, process.errors()).toBe(0);
}

/** A statement of these payments, an hour old. */
async function writeStatement(file: string, of: readonly string[]): Promise<void> {
  const rows = of.map((tid) =>
    row({ providerTid: tid, orderNo: tid, tradedOn: on, tradedTime: '12:00:00', amountWon: 50_000n }),
  );
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, encodeStatement(layout, 'transaction', { on: day, rows }));
  const anHourAgo = new Date(Date.now() - 3_600_000);
  await utimes(file, anHourAgo, anHourAgo);
}

/** Waits until so many processes stand before the same file's registration. */
async function waiting({ db }: Installation, processes: number): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { rows } = await db.pool.query<{ waiting: number }>(
      `select count(*)::int as waiting from pg_locks where locktype = 'advisory' and not granted
       and database = (select oid from pg_database where datname = current_database())`,
    );
    if (rows[0]?.waiting === processes) return;
    if (Date.now() > deadline) throw new Error(`${rows[0]?.waiting} of ${processes} processes wait`);
    await pause(10);
  }
}

/** Starts two processes and lets both of them register the file in one moment, in this order. */
async function race(
  installation: Installation,
  first: () => TestProcess,
  second: () => TestProcess,
): Promise<[TestProcess, TestProcess]> {
  const gate = await installation.db.pool.connect();
  const key = ['welcome-online', 'transaction', on, fileName].join('/');
  try {
    await gate.query(`select pg_advisory_lock(hashtext('jeongsan:statement:' || $1))`, [key]);
    const one = first();
    await waiting(installation, 1);
    const other = second();
    await waiting(installation, 2);
    return [one, other];
  } finally {
    await gate.query('select pg_advisory_unlock_all()');
    gate.release();
  }
}

// prettier-ignore
const cases: ['reconcile' | 'add', string, readonly string[], object][] = [
  ['reconcile', 'the same bytes', tids, { versions: ['1 folder imported'], missing: [] }],
  ['add', 'the same bytes', tids, { versions: ['1 hand imported'], missing: [] }],
  ['reconcile', 'other bytes', ['T0', 'T1'], { versions: ['1 folder superseded', '2 hand imported'], missing: ['T2'] }],
  ['add', 'other bytes', ['T0', 'T1'], { versions: ['1 hand superseded', '2 folder imported'], missing: [] }],
];

test.each(cases)('%s first, and a statement added by hand and collected at once: %s', async (first, _, byHand, end) => {
  const installation = await createInstallation();
  const { home, db } = installation;
  try {
    const [payments, handed] = [path.join(home, 'payments.csv'), path.join(home, 'handed', fileName)];
    const approvals = tids.map((tid) =>
      approval({ provider: 'welcome-online', providerTid: tid, tradedAt: `${on}T12:00:00+09:00`, orderNo: tid }),
    );
    await writeFile(payments, paymentsCsv(approvals));
    await done(jeongsan(installation, 'payments', 'import', payments));
    // At its first start the engine makes indexes, which waits for every open transaction: those that we hold up too.
    await (await installation.open()).close();
    await writeStatement(path.join(home, 'inbox/welcome-online', fileName), tids);
    await writeStatement(handed, byHand);

    const reconcile = () =>
      jeongsan(installation, 'reconcile', '--on', on, '--provider', 'welcome-online', '--stage', 'transaction');
    const add = () => jeongsan(installation, 'statement', 'add', handed, ...named, '--why', 'came by mail');
    const racing = await race(
      installation,
      ...((first === 'add' ? [add, reconcile] : [reconcile, add]) as [typeof add, typeof add]),
    );
    for (const process of racing) await done(process);
    await done(reconcile());

    const { rows: versions } = await db.pool.query(
      `select version || ' ' || source || ' ' || state as version from statement order by version`,
    );
    const { rows: loads } = await db.pool.query(
      `select s.state, count(l.load_id)::int as loads, count(l.load_id) filter (where l.finished_at is null)::int as dead,
         (select count(*)::int from transaction_line t where t.load_id = s.load_id) as lines
       from statement s left join statement_load l using (statement_id) group by s.statement_id`,
    );
    const found = await breaksAsJson(db);
    expect({
      versions: versions.map(({ version }) => version),
      missing: found.map(({ providerTid }) => providerTid),
    }).toEqual(end);
    expect(found.every(({ kind }) => kind === 'missing_at_provider')).toBe(true);
    for (const { state, loads: tries, dead, lines } of loads) {
      expect(tries, state).toBeLessThanOrEqual(1);
      expect(dead).toBe(0);
      if (state === 'imported') expect(lines).toBe(tids.length - found.length);
    }
    const { rows: doubled } = await db.pool.query(
      `select load_id from transaction_line group by load_id
       having count(*) <> count(distinct provider_tid) or load_id not in (select load_id from statement where load_id > 0)`,
    );
    expect(doubled).toEqual([]);
  } finally {
    await installation.close();
  }
});
