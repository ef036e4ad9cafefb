import { type ColumnType, type Stage, stageColumns } from '../../src/providers/stage.ts';

type Value = string | number | bigint;

/** Reads COPY BINARY tuples of a stage back, as PostgreSQL would: an independent reading of its wire format. */
export function readTuples(stage: Stage, blocks: readonly Uint8Array[]): Record<string, Value>[] {
  const columns = [['loadId', 'int'], ['lineNo', 'int'], ...Object.entries(stageColumns[stage])] as const;
  return readColumns(columns, blocks).map((row) => {
    for (const [name, value] of Object.entries(row)) if (value === null) throw new Error(`${name} is null`);
    return row as Record<string, Value>;
  });
}

/** The same, of any columns, nulls too. */
export function readColumns(
  columns: readonly (readonly [name: string, type: ColumnType | 'int'])[],
  blocks: readonly Uint8Array[],
): Record<string, Value | null>[] {
  const bytes = Buffer.concat(blocks);
  const rows: Record<string, Value | null>[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.readInt16BE(at) !== columns.length)
      throw new Error(`a tuple of ${bytes.readInt16BE(at)} fields at ${at}`);
    at += 2;
    const row: Record<string, Value | null> = {};
    for (const [name, type] of columns) {
      const length = bytes.readInt32BE(at);
      at += 4;
      if (length === -1) {
        row[name] = null;
        continue;
      }
      const value = bytes.subarray(at, at + length);
      if (value.length !== length) throw new Error(`a value of ${length} bytes at ${at}`);
      row[name] = readValue(type, value);
      at += length;
    }
    rows.push(row);
  }
  return rows;
}

/** What PostgreSQL gives for COPY … TO STDOUT (FORMAT BINARY) of such rows, header and trailer included. */
export function writeColumns(
  columns: readonly (readonly [name: string, type: ColumnType | 'int'])[],
  rows: readonly Readonly<Record<string, Value | null>>[],
): Buffer {
  const parts: Buffer[] = [Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')];
  for (const row of rows) {
    parts.push(Buffer.from([0, columns.length]));
    for (const [name, type] of columns) {
      const value = row[name] ?? null;
      const body = value === null ? Buffer.alloc(0) : writeValue(type, value);
      const length = Buffer.alloc(4);
      length.writeInt32BE(value === null ? -1 : body.length);
      parts.push(length, body);
    }
  }
  return Buffer.concat([...parts, Buffer.from([0xff, 0xff])]);
}

function writeValue(type: ColumnType | 'int', value: Value): Buffer {
  if (type === 'text' || type === 'char') return Buffer.from(String(value));
  const bytes = Buffer.alloc(lengths[type]);
  if (type === 'smallint') bytes.writeInt16BE(Number(value));
  else if (type === 'won') bytes.writeBigInt64BE(BigInt(value));
  else if (type === 'day') bytes.writeInt32BE(Temporal.PlainDate.from('2000-01-01').until(String(value)).days);
  else throw new Error(`nothing writes a ${type}`);
  return bytes;
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
