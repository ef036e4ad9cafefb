/**
 * `npm run bench -- schedule [--slots 200] [--nodes 2] [--schedules 4] [--json]`: how long after its nominal time a slot's
 * run is in the engine's hands, over so many slots of schedules of every second, with so many nodes on one database that
 * all fire each of them. A start before its time, a slot without a start, and one with two are counted.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { anyJob, collectJobs } from '../src/operations/job.ts';
import { usualTerms } from '../src/operations/schedule-json.ts';
import { addSchedule } from '../src/operations/schedule-store.ts';
import { query } from '../src/platform/database/pool.ts';
import { type Bench, onServer, print } from './harness.ts';

const { values } = parseArgs({
  options: {
    slots: { type: 'string', default: '200' },
    nodes: { type: 'string', default: '2' },
    schedules: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});
const slots = Number(values.slots);
const warmUpSeconds = 3;
const worker = path.join(import.meta.dirname, '../test/support/scheduler-worker.fixture.ts');
print(await onServer(4, measure), values.json);

async function measure({ url, pool }: Bench) {
  await pool.query('create table effect (run_id text, slot timestamptz, executor text)');
  const nodes = await Promise.all(Array.from({ length: Number(values.nodes) }, () => startNode(url)));
  const jobs = collectJobs([
    anyJob({
      name: 'count',
      words: { ko: '세기', en: 'count' },
      parameters: z.object({}),
      runId: async () => '',
      start: async () => ({ done: Promise.resolve() }),
    }),
  ]);
  const terms = usualTerms({ job: 'count', cron: '* * * * * *', overlap: 'allow' });
  const by = { actor: { who: 'bench', from: 'bench' }, reason: 'bench' };
  for (let n = 0; n < Number(values.schedules); n += 1) {
    await addSchedule(pool, jobs, { name: `second-${n}`, terms, by, now: Temporal.Now.instant() });
  }
  // A new schedule is noticed within a second: its first slots measure that, and are left out.
  const first = Temporal.Now.instant().add({ seconds: warmUpSeconds }).toString();
  const ours = 'nominal_at > $1';
  const started = async () =>
    (await query(pool, `select from schedule_slot where started_at is not null and ${ours}`, [first])).length;
  while ((await started()) < slots) await wait(1_000);
  for (const node of nodes) node.stdin.end('stop\n');
  await Promise.all(nodes.map((node) => once(node, 'exit')));
  const rows = await query<{ lateMs: number; claimMs: number; state: string; node: string }>(
    pool,
    `select (extract(epoch from started_at - nominal_at) * 1000)::float8 as "lateMs",
            (extract(epoch from claimed_at - nominal_at) * 1000)::float8 as "claimMs", state, claimed_by as node
       from schedule_slot where ${ours} order by nominal_at`,
    [first],
  );
  const late = rows.flatMap(({ lateMs }) => (lateMs === null ? [] : [lateMs])).sort((a, b) => a - b);
  const at = (part: number) => Math.round(late[Math.min(late.length - 1, Math.floor(late.length * part))] ?? 0);
  const claims = rows.flatMap(({ claimMs }) => (claimMs === null ? [] : [claimMs])).sort((a, b) => a - b);
  const twice = await query(pool, 'select from effect group by run_id having count(*) > 1');
  return {
    nodes: nodes.length,
    schedules: Number(values.schedules),
    slots: rows.length,
    startMs50: at(0.5),
    startMs90: at(0.9),
    startMs99: at(0.99),
    startMsMost: Math.round(late.at(-1) ?? 0),
    claimMs50: Math.round(claims[Math.floor(claims.length / 2)] ?? 0),
    claimMsMost: Math.round(claims.at(-1) ?? 0),
    over100Ms: late.filter((ms) => ms > 100).length,
    early: late.filter((ms) => ms < 0).length,
    missed: rows.filter(({ state }) => state === 'missed').length,
    twice: twice.length,
    slotsOfEachNode: Object.values(Object.groupBy(rows, ({ node }) => node ?? 'nobody')).map((own) => own?.length ?? 0),
  };
}

async function startNode(url: string) {
  const child = spawn(process.execPath, [worker, url], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}
