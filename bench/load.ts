/**
 * `npm run bench -- load [--rows 1000000] [--repeat 3] [--json]`: a statement from archived bytes to committed lines,
 * against reading it alone and against a plain COPY of the same rows over two connections, in one run on one server.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openArchive } from '../src/platform/archive.ts';
import { openEmbedded } from '../src/platform/database/embedded.ts';
import { migrate } from '../src/platform/database/migrate.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { createLog } from '../src/platform/log.ts';
import { addStatementByHand } from '../src/reconciliation/collect.ts';
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

const home = mkdtempSync(path.join(tmpdir(), 'jeongsan-bench-load-'));
// When root measures, the server's account has to pass through; else the data would lie, and stay, elsewhere.
chmodSync(home, 0o711);
const server = await openEmbedded({ home, log: createLog({ logLevel: 'warn' }) });
try {
  const figures = await bench(server.url);
  const lines = Object.entries(figures).map(([name, value]) => `${name.padEnd(24)} ${value}`);
  process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : `${lines.join('\n')}\n`);
} finally {
  await server.close();
  rmSync(home, { recursive: true, force: true });
}

async function bench(url: string) {
  const folder = path.join(home, 'archive');
  const statementId = await addStatement(url, folder);
  const rounds: Record<RoundRequest['what'], Round[]> = { read: [], copy: [], load: [] };
  for (let n = 0; n < Number(values.repeat); n += 1) {
    for (const what of ['read', 'copy', 'load'] as const) {
      rounds[what].push(await measure({ what, url, folder, statementId }));
    }
  }
  const rate = (what: RoundRequest['what']) => Math.round(rows / median(rounds[what].map(({ seconds }) => seconds)));
  return {
    rows,
    readRowsPerSecond: rate('read'),
    copyRowsPerSecond: rate('copy'),
    loadRowsPerSecond: rate('load'),
    shareOfCopy: Number((rate('load') / rate('copy')).toFixed(3)),
    peakRssBytes: Math.max(...rounds.load.map(({ peakRssBytes }) => peakRssBytes)),
  };
}

async function addStatement(url: string, folder: string): Promise<number> {
  const pool = createPool(url, { applicationName: 'bench', max: 2 });
  try {
    await migrate(pool);
    const file = await writeStatement(path.join(home, 'file'), rows);
    const day = { provider, stage: 'transaction', on: Temporal.PlainDate.from(on) } as const;
    const by = { who: 'bench', why: 'bench' };
    return (await addStatementByHand({ pool, archive: openArchive(folder), ...day, file, ...by })).statementId;
  } finally {
    await pool.end();
  }
}

async function measure(request: RoundRequest): Promise<Round> {
  const child = fork(path.join(import.meta.dirname, 'load', 'round.ts'), [JSON.stringify(request)]);
  const ended = once(child, 'exit');
  const [said] = (await Promise.race([once(child, 'message'), ended])) as [Round | number | null];
  if (typeof said !== 'object' || said === null) throw new Error(`the measured process ended with ${said}`);
  await ended;
  return said;
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
}
