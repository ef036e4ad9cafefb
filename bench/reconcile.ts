/**
 * `npm run bench -- reconcile [--rows 1000000] [--history DAYS] [--history-rows 30000] [--chunked-rows 1000000] [--json]`: one stage of one day,
 * from file bytes to committed verdicts, against (a) a plain COPY of the same rows from the file over two connections, (b)
 * the bare hash join, and (c) the way of chunks, all in one run on the same server and data.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openEmbedded } from '../src/platform/database/embedded.ts';
import { migrate } from '../src/platform/database/migrate.ts';
import { createPool, type Pool } from '../src/platform/database/pool.ts';
import { createLog } from '../src/platform/log.ts';
import { chunkedBaseline } from './reconcile/chunked.ts';
import { addHistory, linesLeaf, makeBooks, on, writeStatement } from './reconcile/data.ts';
import { bareJoin, plainCopy, readyCopy } from './reconcile/floor.ts';
import type { OursRequest, OursResult } from './reconcile/ours.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    history: { type: 'string', default: '0' },
    'history-rows': { type: 'string', default: '30000' },
    'chunked-rows': { type: 'string', default: '1000000' },
    repeat: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const rows = Number(values.rows);
const repeat = Number(values.repeat);

const home = mkdtempSync(path.join(tmpdir(), 'jeongsan-bench-'));
// When root measures, the server's account has to pass through; else the data would lie, and stay, elsewhere.
chmodSync(home, 0o711);
const server = await openEmbedded({ home, log: createLog({ logLevel: 'warn' }) });
try {
  const result = await bench(server.url);
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${format(result)}\n`);
} finally {
  await server.close();
  rmSync(home, { recursive: true, force: true });
}

async function bench(url: string) {
  const pool = createPool(url, { applicationName: 'bench', max: 6 });
  try {
    await migrate(pool);
    await addHistory(pool, Number(values.history), Number(values['history-rows']));
    await makeBooks(pool, rows);
    const file = await writeStatement(path.join(home, 'inbox', 'welcome-online'), rows);
    await settle(pool);
    const chunkedRows = Math.min(rows, Number(values['chunked-rows']));
    const rounds: Round[] = [];
    for (let n = 0; n < repeat; n += 1) {
      const copySeconds = await plainCopy(pool, file);
      const joinSeconds = await bareJoin(pool);
      await settle(pool);
      rounds.push({ copySeconds, joinSeconds, ours: await ours({ url, home, rows }) });
      await forget(pool);
    }
    const chunkedSeconds = await chunkedBaseline(pool, chunkedRows);
    return {
      ...summarise(rounds),
      chunkedRowsPerSecond: Math.round(chunkedRows / chunkedSeconds),
      readyCopyRowsPerSecond: Math.round(rows / (await readyCopy(pool, file))),
      copyWalBytes: await copyWal(pool, file),
    };
  } finally {
    await pool.end();
  }
}

/** Floor and product one right after the other: a machine that others use changes its pace from minute to minute. */
type Round = { readonly copySeconds: number; readonly joinSeconds: number; readonly ours: OursResult };

function summarise(rounds: readonly Round[]) {
  const share = (round: Round) => (round.copySeconds + round.joinSeconds) / round.ours.seconds;
  const middle = median(rounds, share);
  return {
    rows,
    copyRowsPerSecond: Math.round(rows / middle.copySeconds),
    joinRowsPerSecond: Math.round(rows / middle.joinSeconds),
    oursRowsPerSecond: Math.round(rows / middle.ours.seconds),
    floorShare: Number(share(middle).toFixed(3)),
    timesFloor: Number((1 / share(middle)).toFixed(3)),
    oursWalBytes: middle.ours.walBytes,
    peakRssBytes: Math.max(...rounds.map((round) => round.ours.peakRssBytes)),
    steps: middle.ours.steps,
    breaks: middle.ours.breaks,
    withCollectAndReportSeconds: middle.ours.wholeSeconds,
    rounds: rounds.map(({ copySeconds, joinSeconds, ours: { seconds } }) => [copySeconds, joinSeconds, seconds]),
  };
}

/** The product runs in a process of its own, so that its memory is its own. */
async function ours(request: OursRequest): Promise<OursResult> {
  const child = fork(path.join(import.meta.dirname, 'reconcile', 'ours.ts'), [JSON.stringify(request)]);
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the measured process ended with ${code}`);
    }),
  ])) as [OursResult];
  await once(child, 'exit');
  return message;
}

/** Takes back what a run left of the day, so that the next one starts from the file again. */
async function forget(pool: Pool): Promise<void> {
  await pool.query(`
    alter table break_event disable trigger all;
    delete from break_event where break_id in (select break_id from break where business_on = '${on}');
    delete from open_item where business_on = '${on}';
    delete from break where business_on = '${on}';
    delete from pairing where theirs_on = '${on}';
    delete from reconciled_stage where business_on = '${on}';
    delete from statement_sight;
    create temp table gone as select statement_id from statement where business_on = '${on}';
    update statement set load_id = null, state = 'archived' where statement_id in (select statement_id from gone);
    delete from statement_suspect where load_id in (select load_id from statement_load where statement_id in (select * from gone));
    delete from statement_load where statement_id in (select statement_id from gone);
    delete from statement where statement_id in (select statement_id from gone);
    drop table gone;
    truncate reconciliation_run_stage, reconciliation_run, ${linesLeaf};
    alter table break_event enable trigger all;
    drop schema dbos cascade`);
  await settle(pool);
}

/** Writes what is dirty, so that no part pays for another's. */
async function settle(pool: Pool): Promise<void> {
  await pool.query('checkpoint');
}

async function copyWal(pool: Pool, file: string): Promise<number> {
  const before = await pool.query<{ at: string }>('select pg_current_wal_lsn() as at');
  await plainCopy(pool, file);
  const { rows: found } = await pool.query<{ bytes: string }>('select pg_current_wal_lsn() - $1::pg_lsn as bytes', [
    before.rows[0]?.at,
  ]);
  return Number(found[0]?.bytes);
}

function median<T>(list: readonly T[], by: (each: T) => number): T {
  const sorted = [...list].sort((a, b) => by(a) - by(b));
  return sorted[Math.floor(sorted.length / 2)] as T;
}

function format(result: Awaited<ReturnType<typeof bench>>): string {
  return Object.entries(result)
    .map(([name, value]) => `${name.padEnd(28)} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join('\n');
}
