import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  expectedExchange,
  pieces,
  readHot,
  readPlain,
  writeHot,
  writePlain,
} from '../../../test/support/exchange-files.ts';
import { type RandomExchange, randomExchange } from '../../../test/support/random-exchange.ts';
import { Problem } from '../../kernel/problem.ts';
import { columnsOfRecord, type ExchangeRow, summedColumns } from './exchange-layout.ts';

const cuts = fc.array(fc.nat(), { maxLength: 12 });

/** What stands in the table, in its order. */
function columnsOf({ layout }: RandomExchange, row: Record<string, unknown>): Record<string, unknown> {
  const names = ['lineNo', ...columnsOfRecord(layout.record).map(({ name }) => name)];
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}

function withoutExtras({ extras: _, ...row }: ExchangeRow): ExchangeRow {
  return row as ExchangeRow;
}

test('what is written is read again, by both ways, however the bytes are cut', () => {
  fc.assert(
    fc.property(randomExchange(), cuts, (exchange, places) => {
      const { layout, head, rows } = exchange;
      const { bytes, refused } = writePlain(layout, head, rows);
      expect(refused).toEqual([]);
      const expected = expectedExchange(head);
      const plain = readPlain(layout, expected, pieces(bytes, places));
      expect(plain.rows.map(({ lineNo: _, ...row }) => row)).toEqual(rows);
      const hot = readHot(layout, expected, pieces(bytes, places));
      expect(hot.rows).toEqual(plain.rows.map((row) => columnsOf(exchange, row)));
      expect(hot.facts).toEqual(plain.facts);
      const sum = (name: string) =>
        (rows as readonly Record<string, unknown>[]).reduce(
          (all, row) => all + BigInt((row[name] as bigint) ?? 0n),
          0n,
        );
      const isStated = layout.data.fields.some(({ name }) => name === 'differenceWon');
      for (const name of summedColumns) {
        const found = name === 'differenceWon' && !isStated ? sum('supplyWon') + sum('vatWon') : sum(name);
        expect(plain.facts[name]).toBe(found);
      }
      expect(plain.facts.lines).toBe(rows.length);
    }),
    { numRuns: 400 },
  );
});

test('the transactions that several lines are of are told, and with other sequences they are others', () => {
  fc.assert(
    fc.property(randomExchange(), fc.array(fc.nat(), { maxLength: 6 }), cuts, (exchange, again, places) => {
      const { layout, head } = exchange;
      const more = again.flatMap((at) => exchange.rows.slice(at % (exchange.rows.length || 1)).slice(0, 1));
      const rows = [...exchange.rows, ...more] as readonly Record<string, unknown>[];
      const { bytes } = writePlain(layout, head, rows as never);
      const { repeats } = readHot(layout, expectedExchange(head), pieces(bytes, places));
      const lines = Map.groupBy(rows, ({ providerTid, cancelSeq }) => `${providerTid} ${cancelSeq}`);
      const several = [...lines.values()].filter(({ length }) => length > 1).map(([first]) => first?.['providerTid']);
      const isOfTransactions = columnsOfRecord(layout.record).some(({ name }) => name === 'providerTid');
      expect([...(repeats ?? ['too many'])].sort()).toEqual(isOfTransactions ? [...new Set(several)].sort() : []);
    }),
    { numRuns: 400 },
  );
});

test('rows of PostgreSQL become the bytes that typed rows become, however they are cut', () => {
  fc.assert(
    fc.property(randomExchange(), cuts, (exchange, places) => {
      const { layout, head } = exchange;
      const rows = exchange.rows.map(withoutExtras);
      const { bytes, written } = writeHot(layout, head, rows, places);
      expect(bytes.toString('latin1')).toEqual(writePlain(layout, head, rows).bytes.toString('latin1'));
      const { mids: _, unreadable: __, ...facts } = readPlain(layout, expectedExchange(head), [bytes]).facts;
      expect(written).toEqual({ ...facts, bytes: bytes.length, refused: [] });
    }),
    { numRuns: 400 },
  );
});

test('a row that cannot be written is left out alone, and both ways say why', () => {
  const spoilt = fc.record({
    row: fc.nat(),
    column: fc.nat(),
    text: fc.constantFrom('😀', 'a\n', 'x'.repeat(45), 'x'.repeat(1_100), '뷁é', ' ', 'x ', '0x', ' x', '', 'Z', null),
    won: fc.constantFrom(10n ** 18n, -(10n ** 18n), -(2n ** 63n), -1n, 0n, null),
    day: fc.constantFrom('1899-12-31', '9999-12-31', '1999-12-31', null),
    smallint: fc.constantFrom(-1, 32_767, 0, null),
  });
  fc.assert(
    fc.property(randomExchange(), fc.array(spoilt, { minLength: 1, maxLength: 4 }), (exchange, spoils) => {
      const { layout, head } = exchange;
      const rows = exchange.rows.map((row) => ({ ...withoutExtras(row) }) as Record<string, unknown>);
      for (const spoil of spoils) {
        const columns = columnsOfRecord(layout.record).filter(({ name }) => name !== 'mid');
        const { name, type } = columns[spoil.column % columns.length] ?? { name: '', type: 'text' };
        const row = rows[spoil.row % (rows.length || 1)];
        const value = type === 'char' ? 'Z' : spoil[type as 'text' | 'won' | 'day' | 'smallint'];
        if (row !== undefined) row[name] = value;
      }
      const plain = writePlain(layout, head, rows as never);
      const hot = writeHot(layout, head, rows as never);
      expect(hot.written.refused).toEqual(plain.refused);
      expect(hot.bytes.toString('latin1')).toEqual(plain.bytes.toString('latin1'));
      const refused = new Set(plain.refused.map(({ row }) => row));
      const kept = rows.filter((_, row) => !refused.has(row));
      expect(hot.bytes).toEqual(writePlain(layout, head, kept as never).bytes);
      if (hot.bytes.length === 0) return;
      expect(readPlain(layout, expectedExchange(head), [hot.bytes]).facts).toMatchObject({
        lines: kept.length,
        unreadable: [],
      });
    }),
    { numRuns: 1_000 },
  );
});

function outcome<T>(read: () => T): T | { code: string; details: unknown } {
  try {
    return read();
  } catch (error) {
    if (error instanceof Problem) return { code: error.code, details: error.details };
    throw error;
  }
}

test('whatever byte is damaged, both ways say the same of the file', () => {
  const damage = fc.tuple(
    fc.nat(),
    fc.oneof(fc.constantFrom(...Buffer.from('0129- ,"\n\r\\}{JASHDTE')), fc.nat({ max: 255 })),
  );
  fc.assert(
    fc.property(randomExchange(), fc.array(damage, { minLength: 1, maxLength: 3 }), (exchange, damages) => {
      const { layout, head, rows } = exchange;
      const { bytes } = writePlain(layout, head, rows);
      if (bytes.length === 0) return;
      for (const [at, byte] of damages) bytes[at % bytes.length] = byte;
      const expected = expectedExchange(head);
      const plain = outcome(() => readPlain(layout, expected, [bytes]));
      const hot = outcome(() => readHot(layout, expected, [bytes]));
      if ('code' in plain || 'code' in hot) expect(hot).toEqual(plain);
      else {
        expect(hot.rows).toEqual(plain.rows.map((row) => columnsOf(exchange, row)));
        expect(hot.facts).toEqual(plain.facts);
      }
    }),
    { numRuns: 1_500 },
  );
});
