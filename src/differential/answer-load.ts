import { once } from 'node:events';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { check } from '../kernel/check.ts';
import type { Archive } from '../platform/archive.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import type { ExchangeFacts } from '../providers/layout/exchange-facts.ts';
import { columnsOfRecord } from '../providers/layout/exchange-layout.ts';
import { ExchangeReader } from '../providers/layout/exchange-reader.ts';
import { copyBinaryHeader, copyBinaryTrailer } from '../providers/layout/read.ts';
import type { AnswerFile } from './answer-store.ts';
import { businessNoIn } from './exchange-name.ts';
import type { ClaimFile } from './file-store.ts';

/** More than any socket's high-water mark. */
const drainedBytes = 128 * 1024;

/**
 * 결과 적재. Reads the archived bytes of an answer into the temporary table `answer_line` (a row for each readable line):
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
  },
): Promise<ExchangeFacts> {
  const { archive, provider, file, answer } = of;
  await tx.query(createLines);
  const stream = tx.query(copyFrom(copyLines(answer.stage)));
  let fault: Error | undefined;
  stream.on('error', (error) => {
    fault = error;
  });
  try {
    stream.write(copyBinaryHeader);
    const reader = readerOf(provider, file, answer, (block) => {
      stream.write(block, (failed) => {
        // The stream waits for its socket to drain only after a write that filled it.
        if (!failed && block.length >= drainedBytes) reader.release(block);
      });
    });
    for await (const chunk of archive.read({ sha256: answer.sha256, bytes: Number(answer.bytes) })) {
      reader.push(chunk);
      if (stream.writableNeedDrain && !fault) await once(stream, 'drain');
      if (fault) throw fault;
    }
    const facts = reader.end();
    stream.end(copyBinaryTrailer);
    await once(stream, 'finish');
    return facts;
  } catch (error) {
    if (!fault) {
      stream.destroy(error as Error);
      await once(stream, 'close').catch(() => {});
    }
    throw fault ?? error;
  }
}

function readerOf(
  { id, differential: { claims, validation, answers } }: DifferentialProvider,
  { on, mid, fileName }: ClaimFile,
  answer: AnswerFile,
  sink: (block: Buffer) => void,
): ExchangeReader {
  const spec = answer.stage === 'validation' ? validation : answers;
  check(spec, `${id} gives no validation`);
  const expected = {
    on: Temporal.PlainDate.from(on),
    biz: businessNoIn(claims.fileName, fileName),
    ...(mid === '' ? {} : { mids: [mid] }),
    provider: id,
    fileName: answer.fileName,
  };
  return new ExchangeReader(spec.layout, expected, sink);
}

const createLines = `
  create temp table answer_line (
    line_no int, mid text collate "C", traded_on date, provider_tid text collate "C", cancel_seq smallint,
    amount_won bigint, original_won bigint, tier text collate "C", card_type text collate "C", difference_won bigint,
    supply_won bigint, vat_won bigint, pay_on date, code text collate "C") on commit drop`;

function copyLines(record: AnswerFile['stage']): string {
  const columns = columnsOfRecord(record).map(({ name }) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`));
  return `copy answer_line (line_no, ${columns.join(', ')}) from stdin (format binary)`;
}
