/**
 * `npm run bench -- import [--rows 1000000] [--json]`: a payments file of approvals and captures in equal parts, from its
 * bytes to committed rows, and the same file again; against a plain COPY of the same bytes into a table of text columns.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { from } from 'pg-copy-streams';
import { paymentColumns } from '../src/payments/payment-records.ts';
import { openEmbedded } from '../src/platform/database/embedded.ts';
import { migrate } from '../src/platform/database/migrate.ts';
import { createPool, type Pool } from '../src/platform/database/pool.ts';
import { createLog } from '../src/platform/log.ts';
import type { ImportMeasured, ImportRequest } from './import/ours.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, json: { type: 'boolean', default: false } },
});
const rows = Number(values.rows);
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
  const pool = createPool(url, { applicationName: 'bench', max: 2 });
  try {
    await migrate(pool);
    const file = path.join(home, 'payments.csv');
    await pipeline(Readable.from(lines(rows)), createWriteStream(file));
    const copySeconds = await plainCopy(pool, file);
    const first = await measured({ url, file });
    const again = await measured({ url, file });
    return {
      rows,
      copyRowsPerSecond: Math.round(rows / copySeconds),
      readRowsPerSecond: Math.round(rows / first.readSeconds),
      importRowsPerSecond: Math.round(rows / first.seconds),
      againRowsPerSecond: Math.round(rows / again.seconds),
      walBytes: first.walBytes,
      peakRssBytes: Math.max(first.peakRssBytes, again.peakRssBytes),
    };
  } finally {
    await pool.end();
  }
}

/** The import runs in a process of its own, so that its memory is its own. */
async function measured(request: ImportRequest): Promise<ImportMeasured> {
  const child = fork(path.join(import.meta.dirname, 'import', 'ours.ts'), [JSON.stringify(request)]);
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the measured process ended with ${code}`);
    }),
  ])) as [ImportMeasured];
  await once(child, 'exit');
  return message;
}

async function plainCopy(pool: Pool, file: string): Promise<number> {
  const client = await pool.connect();
  try {
    await client.query(`create table plain (${paymentColumns.map((name) => `"${name}" text`).join(', ')})`);
    const startedAt = performance.now();
    await pipeline(createReadStream(file), client.query(from('copy plain from stdin (format csv, header)')));
    const seconds = (performance.now() - startedAt) / 1000;
    await client.query('drop table plain');
    return seconds;
  } finally {
    client.release();
  }
}

/** Three days at three providers, in the order of time; each approval is followed by the capture of the one before. */
function* lines(count: number): Generator<string> {
  const providers = ['ksnet', 'welcome-online', 'welcome-offline'];
  let block = `${paymentColumns.join(',')}\n`;
  for (let i = 0; i < count; i += 1) {
    const n = i >> 1;
    const day = `2026-11-${20 + Math.floor((i * 3) / count)}`;
    const provider = providers[n % 3] as string;
    const head = `${provider},${provider.slice(0, 3).toUpperCase()}${String(n).padStart(14, '0')},0,${day}T10:00:00+09:00`;
    const amount = 1000 + (n % 90_000);
    block +=
      i % 2 === 0
        ? `approval,${head},,${amount},,,MID${n % 50},M${n % 20_000},ORD${n},${10_000_000 + n},신한카드,국민카드,70010${n % 1000},941234******${1000 + (n % 9000)},${n % 12}\n`
        : `capture,${head},${day},${amount},${Math.floor(amount / 50)},${Math.floor(amount / 500)},MID${n % 50},,,,,,,,\n`;
    if (block.length > 1 << 16) {
      yield block;
      block = '';
    }
  }
  yield block;
}

function format(result: Awaited<ReturnType<typeof bench>>): string {
  return Object.entries(result)
    .map(([name, value]) => `${name.padEnd(22)} ${value.toLocaleString('en')}`)
    .join('\n');
}
