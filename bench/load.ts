/**
 * `npm run bench -- load [--rows 1000000] [--repeat 3] [--json]`: a statement from archived bytes to committed lines,
 * against reading it alone and against a plain COPY of the same rows over two connections, in one run on one server.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openArchive } from '../src/platform/archive.ts';
import type { Pool } from '../src/platform/database/pool.ts';
import { addStatementByHand } from '../src/reconciliation/collect.ts';
import { type Bench, inProcess, median, onServer, print } from './harness.ts';
import type { Round } from './load/measure.ts';
import type { RoundRequest } from './load/round.ts';
import { on, provider, writeStatement } from './reconcile/data.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    repeat: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const rows = Number(values.rows);
print(await onServer(2, measure), values.json);

async function measure({ home, url, pool }: Bench) {
  const folder = path.join(home, 'archive');
  const file = await writeStatement(path.join(home, 'file'), rows);
  const statementId = await addStatement(pool, folder, file);
  const rounds: Record<RoundRequest['what'], Round[]> = { read: [], copy: [], load: [] };
  for (let n = 0; n < Number(values.repeat); n += 1) {
    for (const what of ['read', 'copy', 'load'] as const) {
      const request: RoundRequest = { what, url, folder, statementId };
      rounds[what].push(await inProcess<Round>('load/round.ts', request));
    }
  }
  const rate = (what: RoundRequest['what']) =>
    Math.round(rows / median(rounds[what], ({ seconds }) => seconds).seconds);
  return {
    rows,
    readRowsPerSecond: rate('read'),
    copyRowsPerSecond: rate('copy'),
    loadRowsPerSecond: rate('load'),
    shareOfCopy: Number((rate('load') / rate('copy')).toFixed(3)),
    peakRssBytes: Math.max(...rounds.load.map(({ peakRssBytes }) => peakRssBytes)),
  };
}

async function addStatement(pool: Pool, folder: string, file: string): Promise<number> {
  const day = { provider, stage: 'transaction', on: Temporal.PlainDate.from(on) } as const;
  const by = { who: 'bench', why: 'bench' };
  return (await addStatementByHand({ pool, archive: openArchive(folder), ...day, file, ...by })).statementId;
}
