import { check } from '../../kernel/check.ts';
import type { Stage } from '../stage.ts';
import { CopyReader, type CopySink } from './copy-reader.ts';
import type { ExpectedStatement, StatementFacts } from './facts.ts';
import type { StatementLayout } from './layout.ts';
import { StatementBatch } from './statement-batch.ts';
import { grandTotal } from './totals.ts';

/** What comes before and after the blocks on every connection that copies them. */
export const copyBinaryHeader: Buffer = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
export const copyBinaryTrailer: Buffer = Buffer.from([0xff, 0xff]);

/** A statement being read. After a refusal it is of no more use, and blocks already given out are void. */
export type StatementReader = {
  /** The next bytes of the file, cut anywhere; not kept. */
  push(chunk: Uint8Array): void;
  /** The file has ended: the last block goes out, and the file as a whole is judged. */
  end(): StatementFacts;
  /** Data lines read so far, for people who watch. */
  rows(): number;
  /** Gives a block back to be filled again; optional. */
  release(block: Buffer): void;
};

export type ReadOptions = {
  readonly loadId: number;
  /** Roughly how many lines there are, by the file's size: the filter for repeated identities is made for so many. */
  readonly expectedRows?: number;
  /** Takes blocks of at most 256 KiB of whole tuples; each is the sink's, until it gives it back by `release`. */
  readonly sink: CopySink;
};

/**
 * 대사 파일 적재. The hot path: bytes of a statement become PostgreSQL COPY BINARY tuples (load_id, line_no, then
 * `stageColumns[stage]`), in constant memory. Lines with a field that cannot be read are set aside; a file that is
 * wrong as a whole is refused.
 * @throws Problem `statement_empty`, `statement_width`, `statement_malformed`, `statement_record_type`,
 * `statement_header_missing`, `statement_trailer_missing`, `statement_field`, `statement_totals_differ`,
 * `statement_other_day`, `statement_other_file`, `statement_too_many_unreadable`; each names file, line, bytes (from 0,
 * the end excluded) and field.
 */
export function readStatement(
  layout: StatementLayout,
  stage: Stage,
  expected: ExpectedStatement,
  options: ReadOptions,
): StatementReader {
  check(layout.stage === stage, `a ${layout.stage} layout for a ${stage} statement`);
  const { loadId, sink, expectedRows = 2 ** 22 } = options;
  const lines = new CopyReader(layout, { loadId, sink, expectedRows });
  const batch = new StatementBatch(layout, expected, lines);
  return {
    push: (chunk) => batch.push(chunk),
    rows: () => lines.lines,
    release: (block) => lines.release(block),
    end: () => {
      const { declaredWon, unreadable } = batch.end();
      lines.end();
      const { won } = lines.sums();
      return {
        lines: lines.lines,
        amountWon: grandTotal(won.amountWon),
        feeWon: grandTotal(won.feeWon),
        vatWon: grandTotal(won.vatWon),
        netWon: grandTotal(won.netWon),
        declaredWon,
        mids: lines.mids(),
        unreadable,
        suspects: lines.suspects,
        payIn: lines.payIn(),
      };
    },
  };
}

/** How many lines a file of this size holds at most, for `ReadOptions.expectedRows`. */
export function expectedRows({ format, data }: StatementLayout, fileBytes: number): number {
  const leastBytes = Math.min(...data.map(({ fields }) => fields.length * 4));
  return Math.ceil(fileBytes / (format.kind === 'fixed' ? format.recordBytes : leastBytes));
}
