/**
 * `npm run bench -- reconcile [--rows 1000000] [--history DAYS] [--history-rows 30000] [--chunked-rows 1000000] [--json]`: one stage of one day,
 * from file bytes to committed verdicts, against (a) a plain COPY of the same rows from the file over two connections, (b)
 * the bare hash join, and (c) the way of chunks from the same bytes, all in one run on the same server and data.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Pool } from '../src/platform/database/pool.ts';
import { type Bench, inProcess, median, onServer, print, walPosition } from './harness.ts';
import { type Chunked, chunkedBaseline } from './reconcile/chunked.ts';
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
print(await onServer(6, measure), values.json);

async function measure({ home, url, pool }: Bench) {
  await addHistory(pool, Number(values.history), Number(values['history-rows']));
  await makeBooks(pool, rows);
  const file = await writeStatement(path.join(home, 'inbox', 'welcome-online'), rows);
  await settle(pool);
  const rounds: Round[] = [];
  for (let n = 0; n < Number(values.repeat); n += 1) {
    const copySeconds = await plainCopy(pool, file);
    const joinSeconds = await bareJoin(pool);
    await settle(pool);
    const request: OursRequest = { url, home, rows };
    rounds.push({ copySeconds, joinSeconds, ours: await inProcess<OursResult>('reconcile/ours.ts', request) });
    await forget(pool);
  }
  const figures = summarise(rounds);
  return {
    ...figures,
    ...againstChunks(await chunkedBaseline(pool, file, Number(values['chunked-rows'])), figures.oursRowsPerSecond),
    readyCopyRowsPerSecond: Math.round(rows / (await readyCopy(pool, file))),
    copyWalBytes: await copyWal(pool, file),
  };
}

/** Where only some of the lines were processed, each of them carries its own share of the load. */
function againstChunks({ loadSeconds, processSeconds, processed }: Chunked, oursRowsPerSecond: number) {
  const loaded = processed / processSeconds;
  const fromFile = 1 / (1 / loaded + loadSeconds / rows);
  return {
    chunkedRowsPerSecond: Math.round(fromFile),
    chunkedLoadedRowsPerSecond: Math.round(loaded),
    timesChunked: Number((oursRowsPerSecond / fromFile).toFixed(1)),
    timesChunkedLoaded: Number((oursRowsPerSecond / loaded).toFixed(1)),
  };
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
  const before = await walPosition(pool);
  await plainCopy(pool, file);
  return (await walPosition(pool)) - before;
}
