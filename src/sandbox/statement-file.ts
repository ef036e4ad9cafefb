import { open, writeFile } from 'node:fs/promises';
import { encodeStatement } from '../providers/layout/encode.ts';
import type { StatementRow } from '../providers/layout/layout.ts';
import type { StatementSpec } from '../providers/provider.ts';

/** The provider wrote its files long before we look: a file that is younger may still grow, and is not taken. */
const restedMs = 3_600_000;

/**
 * Writes one statement as its provider would, in constant memory, and marks it when it is done. `makeRows` is told how
 * to have the amount of the line that it yields next made unreadable.
 */
export async function writeStatementFile(
  file: string,
  spec: StatementSpec,
  head: { readonly on: Temporal.PlainDate; readonly mid?: string },
  makeRows: (spoil: (line: number) => void) => Iterable<StatementRow>,
): Promise<void> {
  let spoiledLine = 0;
  const rows = makeRows((line) => {
    spoiledLine = line;
  });
  const spoiled = (line: number): string | undefined => (line === spoiledLine ? 'amountWon' : undefined);
  const handle = await open(file, 'w');
  try {
    const { layout } = spec;
    for await (const block of encodeStatement(layout, layout.stage, { ...head, rows, spoiled })) {
      await handle.writeFile(block);
    }
    const deliveredAt = new Date(Date.now() - restedMs);
    await handle.utimes(deliveredAt, deliveredAt);
  } finally {
    await handle.close();
  }
  if (spec.complete.kind === 'marker') await writeFile(file + spec.complete.suffix, '');
}
