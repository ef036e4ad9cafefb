import { type ColumnType, type Stage, stageColumns } from '../../src/providers/stage.ts';

type Value = string | number | bigint;

/** Reads COPY BINARY tuples of a stage back, as PostgreSQL would: an independent reading of its wire format. */
export function readTuples(stage: Stage, blocks: readonly Uint8Array[]): Record<string, Value>[] {
  const bytes = Buffer.concat(blocks);
  const columns: [string, ColumnType | 'int'][] = [
    ['loadId', 'int'],
    ['lineNo', 'int'],
    ...Object.entries(stageColumns[stage]),
  ];
  const rows: Record<string, Value>[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.readInt16BE(at) !== columns.length)
      throw new Error(`a tuple of ${bytes.readInt16BE(at)} fields at ${at}`);
    at += 2;
    const row: Record<string, Value> = {};
    for (const [name, type] of columns) {
      const length = bytes.readInt32BE(at);
      const value = bytes.subarray(at + 4, at + 4 + length);
      if (value.length !== length) throw new Error(`a value of ${length} bytes at ${at}`);
      row[name] = readValue(type, value);
      at += 4 + length;
    }
    rows.push(row);
  }
  return rows;
}

const lengths = { int: 4, char: 1, smallint: 2, won: 8, day: 4, time: 8 } as const;

function readValue(type: ColumnType | 'int', value: Buffer): Value {
  if (type === 'text') return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  if (value.length !== lengths[type]) throw new Error(`a ${type} of ${value.length} bytes`);
  switch (type) {
    case 'int':
      return value.readInt32BE();
    case 'char':
      return value.toString('latin1');
    case 'smallint':
      return value.readInt16BE();
    case 'won':
      return value.readBigInt64BE();
    case 'day':
      return Temporal.PlainDate.from('2000-01-01').add({ days: value.readInt32BE() }).toString();
    case 'time':
      return Temporal.PlainTime.from('00:00')
        .add({ microseconds: Number(value.readBigInt64BE()) })
        .toString();
  }
}
