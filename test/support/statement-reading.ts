import { decodeStatement } from '../../src/providers/layout/decode.ts';
import { encodeStatement } from '../../src/providers/layout/encode.ts';
import type { ExpectedStatement, StatementFacts, UnreadableLine } from '../../src/providers/layout/facts.ts';
import type { StatementLayout, StatementRow } from '../../src/providers/layout/layout.ts';
import { readStatement } from '../../src/providers/layout/read.ts';
import type { Stage } from '../../src/providers/stage.ts';
import { readTuples } from './copy-tuples.ts';

type Row = Record<string, unknown>;

/** The day of all statements in tests of layouts. */
export const on = Temporal.PlainDate.from('2026-11-20');

/** The whole statement in one piece. */
export async function encodeAll(layout: StatementLayout, rows: readonly StatementRow[], mid?: string): Promise<Buffer> {
  const blocks: Buffer[] = [];
  const content = { on, ...(mid === undefined ? {} : { mid }), rows };
  for await (const block of encodeStatement(layout, layout.stage, content)) blocks.push(block);
  return Buffer.concat(blocks);
}

/** What the file is expected to be, in tests that do not say otherwise. */
export function expectedFile(stage: Stage, more: Partial<ExpectedStatement> = {}): ExpectedStatement {
  return { provider: 'test', stage, on, fileName: 'statement.dat', ...more };
}

/** By the hot path: its tuples read back, load id 7. */
export function readHot(
  layout: StatementLayout,
  chunks: readonly Uint8Array[],
  expected = expectedFile(layout.stage),
): { rows: Row[]; facts: StatementFacts } {
  const blocks: Buffer[] = [];
  const sink = (block: Buffer) => void blocks.push(block);
  const reader = readStatement(layout, layout.stage, expected, { loadId: 7, expectedRows: 10, sink });
  for (const chunk of chunks) reader.push(chunk);
  const facts = reader.end();
  return { rows: readTuples(layout.stage, blocks), facts };
}

/** As typed rows. */
export function readPlain(
  layout: StatementLayout,
  chunks: readonly Uint8Array[],
  expected = expectedFile(layout.stage),
): { rows: Row[]; facts: { declaredWon: bigint; unreadable: readonly UnreadableLine[] } } {
  const lines = decodeStatement(layout, layout.stage, expected, chunks);
  const rows: Row[] = [];
  for (let line = lines.next(); ; line = lines.next()) {
    if (line.done) return { rows, facts: line.value };
    rows.push(line.value as Row);
  }
}
