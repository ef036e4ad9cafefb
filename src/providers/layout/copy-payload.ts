import type { ColumnType } from '../stage.ts';
import { daysFromCivil } from './byte-values.ts';
import type { FieldValue } from './field-write.ts';

/**
 * A value as COPY BINARY wants it, made ready: its length, then its bytes. As words, so that it is written four bytes at
 * a time, the last word filled up with what the next value overwrites.
 */
export type Payload = { readonly words: Int32Array; readonly bytes: number };

export function payloadOf(value: FieldValue, type: ColumnType): Payload {
  const body = type === 'text' || type === 'char' ? Buffer.from(String(value)) : Buffer.alloc(binaryBytes[type]);
  if (type === 'smallint') body.writeInt16BE(Number(value));
  if (type === 'day') body.writeInt32BE(dayNumber(String(value)));
  if (type === 'won') body.writeBigInt64BE(BigInt(value));
  if (type === 'time') {
    const { hour, minute, second } = Temporal.PlainTime.from(String(value));
    body.writeBigInt64BE(BigInt((hour * 60 + minute) * 60 + second) * 1_000_000n);
  }
  const filled = Buffer.concat([body, Buffer.alloc(-body.length & 3)]);
  const words = Array.from({ length: filled.length / 4 }, (_, word) => filled.readInt32BE(4 * word));
  return { words: Int32Array.of(body.length, ...words), bytes: 4 + body.length };
}

const binaryBytes = { smallint: 2, day: 4, won: 8, time: 8 } as const;

/** A day as PostgreSQL counts it. */
export function dayNumber(day: string): number {
  const { year, month, day: dayOfMonth } = Temporal.PlainDate.from(day);
  return daysFromCivil(year, month, dayOfMonth);
}

const epoch = Temporal.PlainDate.from('2000-01-01');

/** The day of PostgreSQL's count; `infinity` for the days that are none. */
export function dayOfNumber(days: number): string {
  return Math.abs(days) < 100_000_000 ? epoch.add({ days }).toString() : 'infinity';
}

/** Undoes `payloadOf`: what the bytes of a value mean. */
export function columnValue(bytes: Buffer, type: Exclude<ColumnType, 'time'>): FieldValue {
  switch (type) {
    case 'text':
      return bytes.toString('utf8');
    case 'char':
      return bytes.toString('latin1');
    case 'smallint':
      return bytes.readInt16BE();
    case 'won':
      return bytes.readBigInt64BE();
    case 'day':
      return dayOfNumber(bytes.readInt32BE());
  }
}
