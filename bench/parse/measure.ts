import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expectedRows, readStatement } from '../../src/providers/layout/read.ts';
import type { StatementSpec } from '../../src/providers/provider.ts';
import { providers } from '../../src/providers/registry.ts';
import type { Stage } from '../../src/providers/stage.ts';

export type ParseFigures = {
  readonly provider: string;
  readonly stage: Stage;
  readonly rows: number;
  readonly rowsPerSecond: number;
  /** By the processor time of this process, which other programs disturb less. */
  readonly cpuRowsPerSecond: number;
  readonly peakRssBytes: number;
};

export const on = Temporal.PlainDate.from('2026-11-20');
export const mid = '2001105001';

/** Parses a file of so many rows from disk, once for every statement of every provider: bytes to COPY tuples, thrown away. */
export async function benchParse(rows: number): Promise<readonly ParseFigures[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'jeongsan-parse-'));
  try {
    const figures: ParseFigures[] = [];
    for (const { id, statements } of providers) {
      for (const [stage, spec] of Object.entries(statements)) {
        figures.push(await measure(path.join(folder, 'statement'), id, spec as StatementSpec, rows, stage as Stage));
      }
    }
    return figures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(
  file: string,
  provider: string,
  spec: StatementSpec,
  rows: number,
  stage: Stage,
): Promise<ParseFigures> {
  const { layout } = spec;
  // Written by a process of its own, so that the memory measured is that of reading.
  const writer = fork(path.join(import.meta.dirname, 'write.ts'), [provider, stage, String(rows), file]);
  const [status] = await once(writer, 'exit');
  if (status !== 0) throw new Error(`the ${provider} ${stage} file could not be written`);
  const reader = readStatement(
    layout,
    stage,
    { provider, stage, on, mid, fileName: 'statement' },
    { loadId: 1, expectedRows: expectedRows(layout, statSync(file).size), sink: (block) => reader.release(block) },
  );
  const chunk = Buffer.allocUnsafeSlow(256 * 1024);
  const descriptor = openSync(file, 'r');
  let peakRssBytes = 0;
  const cpu = process.cpuUsage();
  const began = performance.now();
  for (let chunks = 0; ; chunks += 1) {
    const length = readSync(descriptor, chunk);
    if (length === 0) break;
    reader.push(chunk.subarray(0, length));
    if (chunks % 64 === 0) peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss());
  }
  const facts = reader.end();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  closeSync(descriptor);
  if (facts.lines !== rows) throw new Error(`${facts.lines} of ${rows} rows were read`);
  return {
    provider,
    stage,
    rows,
    rowsPerSecond: Math.round(rows / seconds),
    cpuRowsPerSecond: Math.round((rows * 1e6) / (user + system)),
    peakRssBytes,
  };
}
