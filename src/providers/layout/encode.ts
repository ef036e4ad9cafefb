import { check } from '../../kernel/check.ts';
import type { Stage } from '../stage.ts';
import type { StatementLayout, StatementRow } from './layout.ts';
import { type StatementHead, StatementWriter } from './statement-writer.ts';

/** What to write, in the order of the lines; `spoiled` may name a field of a line (header is line 1) to make unreadable. */
export type StatementContent<S extends Stage> = StatementHead & {
  readonly rows: Iterable<StatementRow<S>> | AsyncIterable<StatementRow<S>>;
  readonly spoiled?: (lineNo: number) => string | undefined;
};

/**
 * Writes a whole statement, header to trailer, as blocks of bytes in constant memory. Refuses what the layout cannot
 * hold (`statement_value_refused`).
 */
export async function* encodeStatement<S extends Stage>(
  layout: StatementLayout<S>,
  stage: S,
  content: StatementContent<S>,
): AsyncGenerator<Buffer, void, undefined> {
  check(layout.stage === stage, `a ${layout.stage} layout for a ${stage} statement`);
  const blocks: Buffer[] = [];
  const writer = new StatementWriter(layout, content, (block) => blocks.push(block));
  let lineNo = 1;
  const write = (row: StatementRow<S>) => {
    lineNo += 1;
    writer.row(row, content.spoiled?.(lineNo));
  };
  // Rows that are there at once are not awaited one by one: that alone would cost more than writing them.
  if (Symbol.iterator in content.rows) {
    for (const row of content.rows) {
      write(row);
      while (blocks.length > 0) yield blocks.shift() as Buffer;
    }
  } else {
    for await (const row of content.rows) {
      write(row);
      while (blocks.length > 0) yield blocks.shift() as Buffer;
    }
  }
  writer.end();
  yield* blocks;
}
