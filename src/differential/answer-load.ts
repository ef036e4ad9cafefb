import { once } from 'node:events';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { check } from '../kernel/check.ts';
import type { Archive } from '../platform/archive.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import type { ExchangeFacts, ExpectedExchange } from '../providers/layout/exchange-facts.ts';
import { columnsOfRecord, type ExchangeLayout } from '../providers/layout/exchange-layout.ts';
import { ExchangeReader } from '../providers/layout/exchange-reader.ts';
import { copyBinaryHeader, copyBinaryTrailer } from '../providers/layout/read.ts';
import type { AnswerFile } from './answer-store.ts';
import { businessNoIn } from './exchange-name.ts';
import type { ClaimFile } from './file-store.ts';

/** More than any socket's high-water mark. */
const drainedBytes = 128 * 1024;
/** Delimited lines are hardly ever shorter. */
const leastLineBytes = 32;

/** Where the lines of an answer are while it is applied: `answer_line`, temporary, unless it is applied in parts. */
export const temporaryLines = 'answer_line';

/** SQL: the table that keeps the lines of an answer from its load until its last part is applied. */
export function keptLines(answerId: bigint): string {
  return `answer_line_${answerId}`;
}

/** What a load came to. */
export type AnswerLoad = {
  readonly facts: ExchangeFacts;
  /** The TIDs that more than one line perhaps has with the same sequence; null where they are too many to be told. */
  readonly repeats: readonly string[] | null;
};

/**
 * 결과 적재. Reads the archived bytes of an answer into a table that it makes, `into` (a row for each readable line):
 * bytes → reader → COPY BINARY, in constant memory, within the transaction.
 * @throws Problem `statement_…` where the file as a whole cannot be read; `archive_damaged`
 */
export async function loadAnswer(
  tx: PoolClient,
  of: {
    readonly archive: Archive;
    readonly provider: DifferentialProvider;
    readonly file: ClaimFile;
    readonly answer: AnswerFile;
    readonly into: string;
  },
): Promise<AnswerLoad> {
  const { archive, provider, file, answer, into } = of;
  const layout = layoutOf(of);
  await tx.query(
    into === temporaryLines
      ? `create temp table ${into} (${lineColumns}) on commit drop`
      : `create table ${into} (${lineColumns}) with (autovacuum_enabled = false)`,
  );
  const expected = {
    on: Temporal.PlainDate.from(file.on),
    biz: businessNoIn(provider.differential.claims.fileName, file.fileName),
    ...(file.mid === '' ? {} : { mids: [file.mid] }),
    provider: provider.id,
    fileName: answer.fileName,
  };
  const content = archive.read({ sha256: answer.sha256, bytes: Number(answer.bytes) });
  const expectedLines = mostLines(of);
  const to = { copy: copyLines(into, answer.stage), layout, expected, expectedLines };
  return await copyExchange(tx, to, content);
}

/**
 * Reads a file of an exchange into a table by its `copy … from stdin (format binary, freeze)`; where that fails, the connection is
 * left to whoever rolls back.
 * @throws Problem `statement_…` where the file as a whole cannot be read
 */
export async function copyExchange(
  tx: PoolClient,
  into: {
    readonly copy: string;
    readonly layout: ExchangeLayout;
    readonly expected: ExpectedExchange;
    readonly expectedLines: number;
  },
  content: AsyncIterable<Uint8Array>,
): Promise<AnswerLoad> {
  const stream = tx.query(copyFrom(into.copy));
  let fault: Error | undefined;
  stream.on('error', (error) => {
    fault = error;
  });
  try {
    stream.write(copyBinaryHeader);
    const sink = (block: Buffer) =>
      void stream.write(block, (failed) => {
        // The stream waits for its socket to drain only after a write that filled it.
        if (!failed && block.length >= drainedBytes) reader.release(block);
      });
    const reader = new ExchangeReader(into.layout, into.expected, sink, into.expectedLines);
    for await (const chunk of content) {
      reader.push(chunk);
      if (stream.writableNeedDrain && !fault) await once(stream, 'drain');
      if (fault) throw fault;
    }
    const facts = reader.end();
    stream.end(copyBinaryTrailer);
    await once(stream, 'finish');
    return { facts, repeats: reader.repeats() ?? null };
  } catch (error) {
    if (fault) throw fault;
    // PostgreSQL says of the COPY that it was broken off: the reason is what is to be heard.
    stream.destroy(error as Error);
    await once(stream, 'close').catch(() => {});
    throw error;
  }
}

type Answered = { readonly provider: DifferentialProvider; readonly answer: AnswerFile };

function layoutOf({ provider, answer }: Answered): ExchangeLayout {
  const { validation, answers } = provider.differential;
  const spec = answer.stage === 'validation' ? validation : answers;
  check(spec, `${provider.id} gives no validation`);
  return spec.layout;
}

/** More lines than an answer of so many bytes can have. */
export function mostLines(of: Answered): number {
  const { format } = layoutOf(of);
  return Math.floor(Number(of.answer.bytes) / (format.kind === 'fixed' ? format.recordBytes : leastLineBytes));
}

/** Those of a fixed length that every line has come first: they are read without what comes after them. */
const lineColumns = `
  line_no int, traded_on date, amount_won bigint, original_won bigint, cancel_seq smallint, provider_tid text collate "C",
  mid text collate "C", code text collate "C", supply_won bigint, vat_won bigint, pay_on date, tier text collate "C",
  card_type text collate "C", difference_won bigint`;

/** Frozen, since nobody else sees the table before its transaction ends: a first reader has nothing to note on its pages. */
function copyLines(into: string, record: AnswerFile['stage']): string {
  const columns = columnsOfRecord(record).map(({ name }) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`));
  return `copy ${into} (line_no, ${columns.join(', ')}) from stdin (format binary, freeze)`;
}
