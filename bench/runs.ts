/**
 * `npm run bench -- runs [--payouts 1000000] [--others 100000] [--steps 400] [--json]`: lists of runs over a history of so
 * many transfers and other runs, with the plan that PostgreSQL chose; and what a step costs whose run says something,
 * against one whose run says nothing.
 */
import { parseArgs } from 'node:util';
import { findRuns, type RunFilter } from '../src/operations/run-store.ts';
import type { Pool } from '../src/platform/database/pool.ts';
import { encodeCheckpoint } from '../src/platform/durable/checkpoint.ts';
import { createDurable, type Durable } from '../src/platform/durable/durable.ts';
import { toSql } from '../src/platform/durable/run-list.ts';
import { removeRuns } from '../src/platform/durable/run-retention.ts';
import { step } from '../src/platform/durable/step.ts';
import { createLog } from '../src/platform/log.ts';
import { type Bench, median, onServer, print } from './harness.ts';

const { values } = parseArgs({
  options: {
    payouts: { type: 'string', default: '1000000' },
    others: { type: 'string', default: '100000' },
    steps: { type: 'string', default: '400' },
    json: { type: 'boolean', default: false },
  },
});
const repeats = 5;
const now = Temporal.Now.instant();
const day = now.toZonedDateTimeISO('Asia/Seoul').toPlainDate().subtract({ days: 100 }).toString();

const lists: Readonly<Record<string, Omit<RunFilter, 'now' | 'limit'>>> = {
  'the newest': {},
  'of a job': { jobs: ['settle'] },
  'of a rare job': { jobs: ['reconcile'] },
  'of a day': { on: day },
  'of a provider': { provider: 'nice' },
  'of a provider with parts': { provider: 'ksnet' },
  failed: { states: ['failed'] },
  'of a node': { node: 'node-3' },
  'longer than': { atLeastMs: 9_000 },
  'what its error says': { text: 'connection' },
  'an error that nobody made': { text: 'no such words' },
  'since and until': { since: now.subtract({ hours: 24 * 101 }), until: now.subtract({ hours: 24 * 100 }) },
  'payouts too': { all: true },
  'payouts alone': { jobs: ['payout'] },
  'payouts that failed': { jobs: ['payout'], states: ['failed'] },
  'payouts of a node': { jobs: ['payout'], node: 'node-3' },
  'payouts of a node that is none': { jobs: ['payout'], node: 'nowhere' },
  'payouts longer than': { jobs: ['payout'], atLeastMs: 14_000 },
};

print(
  await onServer(8, async (bench) => ({ ...(await measureLists(bench)), ...(await measureLog(bench)) })),
  values.json,
);

async function measureLists({ url, pool }: Bench) {
  const durable = createDurable({ databaseUrl: url, pool, log: createLog({ logLevel: 'silent' }) });
  await durable.launch();
  await durable.shutdown(1000);
  await fill(pool);
  const figures: Record<string, number | string> = { payouts: Number(values.payouts), others: Number(values.others) };
  for (const [name, filter] of Object.entries(lists)) {
    const wanted = { ...filter, now, limit: 100 };
    const times: number[] = [];
    for (let n = 0; n < repeats; n += 1) {
      const began = performance.now();
      await findRuns(pool, wanted);
      times.push(performance.now() - began);
    }
    figures[`${name} (ms)`] = rounded(median(times, (each) => each));
    figures[`${name} (plan)`] = await planOf(pool, wanted);
  }
  const deep = { createdMs: now.epochMilliseconds - 1000 * 86_400 * 150, id: '' };
  const began = performance.now();
  await findRuns(pool, { after: deep, now, limit: 100 });
  figures['a page in the middle (ms)'] = rounded(performance.now() - began);
  const removing = performance.now();
  const removed = await removeRuns(pool, { before: now, most: 5_000, hidden: true, keep: [] });
  figures['removing 5,000 payout runs (ms)'] = rounded(performance.now() - removing);
  figures['removed'] = removed;
  return figures;
}

/** A year of runs: slots of five minutes, reconciliations with parts, days of differential; and the transfers of a day. */
async function fill(pool: Pool): Promise<void> {
  const columns = `(workflow_uuid, status, name, executor_id, application_version, created_at, updated_at, started_at_epoch_ms,
                    completed_at, recovery_attempts, parent_workflow_id)`;
  const end = now.epochMilliseconds;
  await pool.query(
    `insert into dbos.workflow_status ${columns}
     select 'payout:' || n || ':1', case when n % 5000 = 0 then 'ERROR' else 'SUCCESS' end, 'payout', 'node-' || n % 4 || ':1:x', '1',
            at, at, at, at + 200 + n % 15000, 1, null
       from generate_series(1, $1::int) n, lateral (select $2::bigint - n * 80 as at) t`,
    [values.payouts, end],
  );
  await pool.query(
    `insert into dbos.workflow_status ${columns}
     select case n % 100 when 0 then 'reconcile:' || d || ':' || n when 1 then 'differential:nice:' || d || ':' || n
                 else 'settle:' || d || 'T' || n || '+09:00' end,
            case when n % 500 = 0 then 'ERROR' else 'SUCCESS' end,
            case n % 100 when 0 then 'reconcile' when 1 then 'differential' else 'settle' end,
            'node-' || n % 4 || ':1:x', '1', at, at, at, at + 500 + n % 9100, 1, null
       from generate_series(1, $1::int) n, lateral (select $2::bigint - n * 315000::bigint as at) t,
            lateral (select to_char(to_timestamp(at / 1000) at time zone 'Asia/Seoul', 'YYYY-MM-DD') as d) u`,
    [values.others, end],
  );
  await pool.query(
    `insert into dbos.workflow_status ${columns}
     select r.workflow_uuid || '/' || p || '/transaction', 'SUCCESS', 'reconcile-stage', executor_id, '1', created_at,
            created_at, created_at, completed_at, 1, r.workflow_uuid
       from dbos.workflow_status r, unnest(array['ksnet', 'welcome', 'toss']) p where r.name = 'reconcile'`,
  );
  await pool.query(
    `insert into dbos.workflow_output (workflow_uuid, output, error)
     select workflow_uuid, case status when 'SUCCESS' then '${encodeCheckpoint('bench', { lines: 12 })}' end,
            case status when 'ERROR' then '${encodeCheckpoint('bench', { name: 'Error', message: 'the connection was lost' })}' end
       from dbos.workflow_status`,
  );
  await pool.query(
    `insert into dbos.workflow_input (workflow_uuid, inputs)
     select workflow_uuid, '${encodeCheckpoint('bench', [{ who: 'system:scheduler' }])}' from dbos.workflow_status`,
  );
  await pool.query('vacuum analyze dbos.workflow_status, dbos.workflow_output, dbos.workflow_input');
}

/** The scans of the page's query. */
async function planOf(pool: Pool, { jobs, text, ...filter }: RunFilter): Promise<string> {
  const { where, values: given } = toSql({
    ...filter,
    ...(jobs === undefined ? {} : { workflows: jobs }),
    ...(text === undefined ? {} : { error: { text, codes: [] } }),
  });
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
    `explain select r.workflow_uuid from dbos.workflow_status r left join dbos.workflow_output o using (workflow_uuid)
      where ${where} order by r.created_at desc, r.workflow_uuid desc limit 100`,
    given,
  );
  const scans = rows.flatMap((row) => /(\w[\w ]*Scan[^(]*?)(?: \w+)? {2}\(/.exec(row['QUERY PLAN'])?.[1] ?? []);
  return scans.filter((scan) => scan.includes('workflow_status') || scan.includes('jeongsan')).join('; ');
}

/** What a step costs whose run says `lines` lines in it. */
async function measureLog({ url, pool }: Bench) {
  const steps = Number(values.steps);
  const log = createLog({ logLevel: 'error' });
  const durable: Durable = createDurable({ databaseUrl: url, pool, log });
  const work = durable.register('bench', async (lines: number) => {
    for (let n = 0; n < steps; n += 1) {
      await step('say', async () => {
        for (let line = 0; line < lines; line += 1) log.info({ n, line, provider: 'ksnet' }, 'so far');
        return n;
      });
    }
  });
  await durable.launch();
  // Taken by turns, so that what else the machine does weighs on all of them alike.
  const times = new Map<number, number[]>([0, 1, 10].map((lines) => [lines, []]));
  for (let n = 0; n < 2 * repeats; n += 1) {
    for (const [lines, took] of times) {
      const began = performance.now();
      await (await durable.start(work, `bench:${lines}:${n}`, lines)).result();
      took.push((performance.now() - began) / steps);
    }
  }
  const perStep = (lines: number) => rounded(median(times.get(lines) ?? [], (each) => each));
  await durable.shutdown(5000);
  const kept = await pool.query<{ lines: bigint }>('select count(*) as lines from run_log');
  return {
    'a step that says nothing (ms)': perStep(0),
    'a step that says 1 line (ms)': perStep(1),
    'a step that says 10 lines (ms)': perStep(10),
    'lines kept': Number(kept.rows[0]?.lines),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
