/**
 * `npm run bench -- import [--rows 1000000] [--json]`: a payments file of approvals and captures in equal parts, from its
 * bytes to committed rows, and the same file again; against a plain COPY of the same bytes into a table of text columns.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { from } from 'pg-copy-streams';
import { paymentColumns } from '../src/payments/payment-records.ts';
import type { Pool } from '../src/platform/database/pool.ts';
import { type Bench, inProcess, onServer, print } from './harness.ts';
import type { ImportMeasured, ImportRequest } from './import/ours.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, json: { type: 'boolean', default: false } },
});
const rows = Number(values.rows);
print(await onServer(2, measure), values.json);

async function measure({ home, url, pool }: Bench) {
  const file = path.join(home, 'payments.csv');
  await pipeline(Readable.from(lines(rows)), createWriteStream(file));
  const copySeconds = await plainCopy(pool, file);
  const request: ImportRequest = { url, file };
  const first = await inProcess<ImportMeasured>('import/ours.ts', request);
  const again = await inProcess<ImportMeasured>('import/ours.ts', request);
  return {
    rows,
    copyRowsPerSecond: Math.round(rows / copySeconds),
    readRowsPerSecond: Math.round(rows / first.readSeconds),
    importRowsPerSecond: Math.round(rows / first.seconds),
    againRowsPerSecond: Math.round(rows / again.seconds),
    walBytes: first.walBytes,
    peakRssBytes: Math.max(first.peakRssBytes, again.peakRssBytes),
  };
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
