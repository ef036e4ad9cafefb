/** One day in a process of its own: its captures claimed, written, answered and applied, then its rows copied out and in. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { keptLines } from '../../src/differential/answer-load.ts';
import { registerAnswer } from '../../src/differential/answer-store.ts';
import type { Applying } from '../../src/differential/apply-lines-store.ts';
import { applyPart, loadInParts } from '../../src/differential/apply-part-store.ts';
import { applyAnswer } from '../../src/differential/apply-store.ts';
import { openBatch } from '../../src/differential/batch-store.ts';
import { planForSets } from '../../src/differential/candidate-store.ts';
import { closeSelection, planSelection } from '../../src/differential/plan-store.ts';
import { selectPart } from '../../src/differential/select-store.ts';
import { fileNumbers, writeClaims } from '../../src/differential/write-store.ts';
import { type Archive, openArchive } from '../../src/platform/archive.ts';
import { createPool, inTransaction, type Pool } from '../../src/platform/database/pool.ts';
import { differentialProviderOf } from '../../src/providers/differential-registry.ts';
import { answerBytes, makeAnswerable } from './answer.ts';
import { businessNo, channel, dayOf, makeCaptures, provider as providerId } from './data.ts';
import { copyIn, copyOut } from './floor.ts';

export type RoundRequest = {
  readonly url: string;
  readonly home: string;
  readonly rows: number;
  readonly merchants: number;
  readonly n: number;
};

export type RoundFigures = {
  readonly claims: number;
  readonly selectSeconds: number;
  readonly writeSeconds: number;
  readonly outSeconds: number;
  readonly inSeconds: number;
  readonly copyOutSeconds: number;
  readonly claimsInSeconds: number;
  readonly candidatesJoinSeconds: number;
  readonly linesJoinSeconds: number;
  readonly linesInSeconds: number;
  readonly resultsOutSeconds: number;
  readonly copyInSeconds: number;
  readonly bareInSeconds: number;
  readonly requestMegabytes: number;
  readonly answerMegabytes: number;
  readonly peakMegabytes: number;
};

const provider = differentialProviderOf(providerId);
const lanes = 2;
const capturesPerPart = 500_000;
const columns =
  'mid, type, traded_on, original_on, provider_tid, cancel_seq, amount_won, original_won, intermediary_no, final_no, order_no';

/** Seconds of some work, after what was written before has reached the disk. */
async function seconds(pool: Pool, work: () => Promise<unknown>): Promise<number> {
  await pool.query('checkpoint');
  return await secondsOf(work);
}

/** The same of what goes on with work whose beginning was timed. */
async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

const request = JSON.parse(process.argv[2] ?? '{}') as RoundRequest;
const pool = createPool(request.url, { applicationName: 'bench', max: 4 });
try {
  process.send?.(await round(pool, openArchive(path.join(request.home, 'archive')), request));
} finally {
  await pool.end();
}

async function round(pool: Pool, archive: Archive, { home, rows, merchants, n }: RoundRequest): Promise<RoundFigures> {
  const on = dayOf(n);
  await makeCaptures(pool, { on, captures: rows, merchants });
  let batchId = 0n;
  const selectSeconds = await seconds(pool, async () => {
    batchId = await select(pool, on);
  });
  let file = { fileId: 0n, bytes: 0 };
  const writeSeconds = await secondsOf(async () => {
    file = await write(pool, archive, on, batchId);
  });
  const kept = await archive.keep(answerBytes(pool, on));
  const answerId = await inTransaction(pool, async (tx) => {
    await makeAnswerable(tx, file.fileId);
    const [fileName, at] = ['bench answer', Temporal.Instant.from(`${on}T23:00Z`)];
    return await registerAnswer(tx, { fileId: file.fileId, stage: 'answer', fileName, kept, modifiedAtMs: 0, at });
  });
  const applying = { answerId, provider, archive, by: 'bench', on };
  let parts = 0;
  const loadSeconds = await seconds(pool, async () => {
    parts = await inTransaction(pool, (tx) => loadInParts(tx, applying));
  });
  if (parts === 0) throw new Error('too few rows: an answer of these is applied as a whole');
  // The last part forgets the lines, which the baseline needs.
  const lines = { table: keptLines(answerId), file: path.join(home, 'lines.copy') };
  await pool.query(`create table lines (like ${lines.table})`);
  await copyOut(pool, `select * from ${lines.table}`, lines.file);
  const inSeconds = loadSeconds + (await secondsOf(() => apply(pool, applying, parts)));
  const { rows: counted } = await pool.query<{ claims: string }>(
    'select count(*) as claims from claim_result where channel = $1 and traded_on = $2',
    [channel, on],
  );
  const floor = await copied(pool, home, on, lines.file);
  return {
    claims: Number(counted[0]?.claims),
    selectSeconds,
    writeSeconds,
    outSeconds: selectSeconds + writeSeconds,
    inSeconds,
    ...floor,
    requestMegabytes: Math.round(file.bytes / 1e6),
    answerMegabytes: Math.round(kept.bytes / 1e6),
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

/** As the workflow does it: planned, selected by two at a time, closed. */
async function select(pool: Pool, on: string): Promise<bigint> {
  const { batchId } = await inTransaction(pool, (tx) =>
    openBatch(tx, { provider, on, runId: `bench:${on}`, who: 'bench' }),
  );
  const parts = await inTransaction(pool, (tx) => planSelection(tx, batchId, provider, capturesPerPart));
  for (let first = 0; first < parts; first += lanes) {
    const together = Array.from({ length: Math.min(lanes, parts - first) }, (_, lane) => first + lane);
    await Promise.all(
      together.map((part) => inTransaction(pool, (tx) => selectPart(tx, { batchId, provider, part, parts }))),
    );
  }
  await inTransaction(pool, (tx) => closeSelection(tx, batchId, provider));
  return batchId;
}

/** What is loaded, as the workflow does it: applied by two at a time, summed up. */
async function apply(pool: Pool, applying: Applying, parts: number): Promise<void> {
  for (let first = 0; first < parts; first += lanes) {
    const together = Array.from({ length: Math.min(lanes, parts - first) }, (_, lane) => first + lane);
    await Promise.all(together.map((part) => inTransaction(pool, (tx) => applyPart(tx, applying, { part, parts }))));
  }
  await inTransaction(pool, (tx) => applyAnswer(tx, applying));
}

async function write(
  pool: Pool,
  archive: Archive,
  on: string,
  batchId: bigint,
): Promise<{ fileId: bigint; bytes: number }> {
  return await inTransaction(pool, async (tx) => {
    const [number] = await fileNumbers(tx, batchId);
    if (number === undefined) throw new Error('no file');
    const day = Temporal.PlainDate.from(on);
    const written = await writeClaims(tx, archive, { batchId, provider, on: day, businessNo, ...number });
    if (written === null) throw new Error('no claims');
    return { fileId: number.fileId, bytes: written.bytes };
  });
}

/** The baselines, each over the rows that ours has just made. */
async function copied(pool: Pool, home: string, on: string, lines: string) {
  const [claims, results] = [path.join(home, 'claims.copy'), path.join(home, 'results.copy')];
  const of = (table: string) => `${table} where channel = '${channel}' and traded_on = date '${on}'`;
  const copyOutSeconds = await seconds(pool, () => copyOut(pool, `select ${columns} from ${of('claim')}`, claims));
  await copyOut(pool, `select * from ${of('claim')}`, claims);
  const resultsOutSeconds = await seconds(pool, () => copyOut(pool, `select * from ${of('claim_result')}`, results));
  if (statSync(results).size === 0) throw new Error('nothing was accepted');
  const into = async (like: string, key: string, file: string) => {
    await pool.query(`drop table if exists floor; create table floor (like ${like} including constraints${key})`);
    return await seconds(pool, () => copyIn(pool, 'floor', file));
  };
  const key = ', primary key (provider_tid, cancel_seq, kind, channel, traded_on)';
  const claimsInSeconds = await into('claim', key, claims);
  const linesInSeconds = await into('lines', '', lines);
  const dayOf = (table: string, day: string) =>
    `(select * from ${table} where provider = '${channel}' and ${day} = date '${on}')`;
  const candidatesJoinSeconds = await joined(
    pool,
    `${dayOf('capture', 'captured_on')} c join ${dayOf('payment', 'traded_on')} p using (provider_tid, cancel_seq)`,
  );
  await pool.query('drop table lines; analyze floor');
  const linesJoinSeconds = await joined(
    pool,
    `floor l join (select * from ${of('claim')}) c using (provider_tid, cancel_seq)`,
  );
  const copyInSeconds = await into('claim_result', key, results);
  const bareInSeconds = await into('claim_result', '', results);
  return {
    ...{ copyOutSeconds, claimsInSeconds, candidatesJoinSeconds },
    ...{ linesInSeconds, linesJoinSeconds, resultsOutSeconds, copyInSeconds, bareInSeconds },
  };
}

/** Seconds of a bare hash join by all cores, of which nothing is written. */
async function joined(pool: Pool, tables: string): Promise<number> {
  return await inTransaction(pool, async (tx) => {
    await planForSets(tx);
    await tx.query('set local parallel_setup_cost = 0; set local parallel_tuple_cost = 0');
    return await secondsOf(() => tx.query(`select count(*), sum(c.amount_won) from ${tables}`));
  });
}
