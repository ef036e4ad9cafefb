import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type RandomStatement, randomStatement } from '../../../test/support/random-layout.ts';
import { encodeAll, expectedFile, readHot, readPlain } from '../../../test/support/statement-reading.ts';
import { Problem } from '../../kernel/problem.ts';
import { stageColumns } from '../stage.ts';
import type { StatementFacts } from './facts.ts';

/** Cuts the bytes at the given places, which may be anywhere. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((to, at) => bytes.subarray(places[at], to));
}

/** Only what stands in the table, in its order. */
function columnsOf({ stage }: RandomStatement, row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(['lineNo', ...Object.keys(stageColumns[stage])].map((name) => [name, row[name]]));
}

function outcome<T>(read: () => T): T | { code: string; details: unknown } {
  try {
    return read();
  } catch (error) {
    if (error instanceof Problem) return { code: error.code, details: error.details };
    throw error;
  }
}

test('what is written is read again, by both ways, however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(randomStatement(), fc.array(fc.nat(), { maxLength: 12 }), async (statement, cuts) => {
      const expected = expectedFile(statement.stage, { mid: statement.mid });
      const chunks = pieces(await encodeAll(statement.layout, statement.rows, statement.mid), cuts);
      const plain = readPlain(statement.layout, chunks, expected);
      const hot = readHot(statement.layout, chunks, expected);
      const written = statement.rows.map((row, at) => ({ lineNo: at + 2, ...row }));
      expect(plain.rows).toEqual(written);
      expect(hot.rows).toEqual(written.map((row) => ({ loadId: 7, ...columnsOf(statement, row) })));
      expectFacts(hot.facts, written as Record<string, unknown>[]);
    }),
    { numRuns: 300 },
  );
});

function expectFacts(facts: StatementFacts, rows: readonly Record<string, unknown>[]): void {
  const sum = (column: string) =>
    rows.reduce((total, row) => total + BigInt((row[column] as bigint | undefined) ?? 0n), 0n);
  const { lines, amountWon, feeWon, vatWon, netWon, declaredWon } = facts;
  expect({ lines, amountWon, feeWon, vatWon, netWon, declaredWon }).toEqual({
    lines: rows.length,
    amountWon: sum('amountWon'),
    feeWon: sum('feeWon'),
    vatWon: sum('vatWon'),
    netWon: sum('netWon'),
    declaredWon: sum('amountWon'),
  });
  expect(facts.payIn.reduce((total, { netWon }) => total + netWon, 0n)).toBe(facts.payIn.length > 0 ? netWon : 0n);
  expect(new Set(facts.mids)).toEqual(new Set([...facts.mids, ...rows.map((row) => String(row['mid']))]));
  const suspects = facts.suspects.map(({ lineNo }) => lineNo);
  const seen = new Set<string>();
  for (const { lineNo, providerTid, cancelSeq } of rows) {
    const identity = `${cancelSeq} ${providerTid}`;
    if (seen.has(identity)) expect(suspects).toContain(lineNo);
    seen.add(identity);
  }
}

test('whatever byte is damaged, both ways say the same of the file', async () => {
  const damage = fc.tuple(
    fc.nat(),
    fc.oneof(fc.constantFrom(...Buffer.from('0129- ,"\n\r\\}{JA')), fc.nat({ max: 255 })),
  );
  await fc.assert(
    fc.asyncProperty(
      randomStatement(),
      fc.array(damage, { minLength: 1, maxLength: 3 }),
      async (statement, damages) => {
        const expected = expectedFile(statement.stage, { mid: statement.mid });
        const bytes = await encodeAll(statement.layout, statement.rows, statement.mid);
        for (const [at, byte] of damages) bytes[at % bytes.length] = byte;
        const plain = outcome(() => readPlain(statement.layout, [bytes], expected));
        const hot = outcome(() => readHot(statement.layout, [bytes], expected));
        if ('code' in plain || 'code' in hot) expect(hot).toEqual(plain);
        else {
          expect(hot.rows).toEqual(plain.rows.map((row) => ({ loadId: 7, ...columnsOf(statement, row) })));
          const { unreadable, declaredWon } = hot.facts;
          expect({ unreadable, declaredWon }).toEqual(plain.facts);
        }
      },
    ),
    { numRuns: 1_500 },
  );
});
