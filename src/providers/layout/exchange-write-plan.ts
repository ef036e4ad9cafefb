import { check } from '../../kernel/check.ts';
import { payloadOf } from './copy-payload.ts';
import {
  type ExchangeColumn,
  type ExchangeColumnType,
  type ExchangeField,
  type ExchangeHead,
  type ExchangeLayout,
  isGrouped,
  summedColumns,
} from './exchange-layout.ts';
import { headValue, writeDataField } from './exchange-row-write.ts';
import type { CodeField } from './field.ts';
import { codesWritten, type FieldValue, RecordBuffer } from './field-write.ts';
import type { Format } from './layout.ts';
import { type FieldPlan, planRecord } from './record-write.ts';
import { WrittenDays } from './written-days.ts';

/** How a field is written fast. */
export const writeOp = { text: 0, won: 1, number: 2, day: 3, code: 4, never: 5 } as const;

/** One step of writing a line. All have the same shape, so that the loop over them stays fast. */
export type WriteStep = {
  readonly op: number;
  /** The column of the tuple that it writes. */
  readonly column: number;
  /** What stands between this field and the one before it; nothing where records have one width. */
  readonly open: Buffer;
  /** Where the field stands; in delimited files its width is 0, that of its value. */
  readonly offset: number;
  readonly width: number;
  readonly optional: boolean;
  readonly required: boolean;
  /** Which of `summedColumns` it is for the first time, or −1. */
  readonly sum: number;
  /** Won: whether a minus may stand before the digits. */
  readonly isSigned: boolean;
  /** Of the bytes of a "char" what is written for each; null: only the plain way can say. */
  readonly codes: readonly (Buffer | null)[];
  readonly days: WrittenDays;
};

/** The plan of a data record. */
export type WritePlan = {
  /** The whole record, but for what the steps write: of records of one width. */
  readonly template: Buffer;
  readonly steps: readonly WriteStep[];
  readonly close: Buffer;
  /** By column: the bytes that it must hold, having no place of its own; null: it must be null; undefined: anything. */
  readonly derived: readonly (Buffer | null | undefined)[];
  /** 1 for bytes that a value holds as they are. */
  readonly plain: Uint8Array;
};

export function planWrite(layout: ExchangeLayout, head: ExchangeHead): WritePlan {
  const { format, data } = layout;
  const { fields, close } = planRecord(data.fields, format);
  const to = new RecordBuffer();
  const steps: WriteStep[] = [];
  const derived = data.columns.map((column) => derivedBytes(column, head, isGrouped(layout)));
  const summed = new Set<string>();
  let literal = 0;
  for (const plan of fields) {
    to.put(plan.open);
    const column = data.columns.findIndex(({ name }) => name === plan.from);
    const { field } = plan;
    if (field.type === 'always') to.put(field.text);
    else if (column < 0) check(writeDataField(to, plan, undefined, '', format), `${plan.name} may be blank`);
    else {
      const open = Buffer.from(to.bytes.subarray(literal, to.at));
      const { name, type } = data.columns[column] as ExchangeColumn;
      const sum = summed.has(name) ? -1 : (summedColumns as readonly string[]).indexOf(name);
      summed.add(name);
      steps.push({ ...stepOf(plan, type, format.kind), column, open, sum });
      to.bytes.fill('pad' in field ? field.pad.with : ' ', to.at, to.at + plan.width);
      to.at += plan.width;
      literal = to.at;
    }
    if (field.type === 'always' && column >= 0) derived[column] = Buffer.from(field.text);
  }
  to.put(close);
  const template = Buffer.from(to.bytes.subarray(0, to.at));
  return { template, steps, close: template.subarray(literal), derived, plain: plainBytes(format) };
}

function derivedBytes(
  { source, type }: ExchangeColumn,
  head: ExchangeHead,
  isGroup: boolean,
): Buffer | null | undefined {
  if (source.from === 'field' || (source.from === 'header' && source.name === 'mid' && isGroup)) return undefined;
  if (source.from === 'nowhere') return null;
  return bodyOf(source.from === 'constant' ? source.value : headValue(head, source.name), type);
}

/** The value alone of a payload. */
function bodyOf(value: FieldValue, type: ExchangeColumnType): Buffer {
  const { words, bytes } = payloadOf(value, type);
  const body = Buffer.alloc(4 * words.length);
  words.forEach((word, at) => {
    body.writeInt32BE(word, 4 * at);
  });
  return body.subarray(4, bytes);
}

function stepOf(
  { field, offset, width, optional, write }: FieldPlan<ExchangeField>,
  type: ExchangeColumnType,
  kind: Format['kind'],
): Omit<WriteStep, 'column' | 'open' | 'sum'> {
  const step = {
    op: writeOp.never as number,
    offset,
    width,
    optional,
    required: false,
    isSigned: false,
    codes: [],
    days: new WrittenDays(write),
  };
  switch (field.type) {
    case 'text': {
      const isPlain = field.pad.at === 'right' && field.pad.with === ' ';
      return { ...step, op: isPlain ? writeOp.text : writeOp.never, required: field.required };
    }
    case 'won': {
      const isWhole = field.decimals === 0 && field.negativeWhen.length === 0;
      const isPlain = isWhole && (field.sign === 'minus' || field.sign === 'unsigned');
      const isFast = isPlain && (field.pad.at === 'left' || kind === 'delimited');
      return { ...step, op: isFast ? writeOp.won : writeOp.never, isSigned: field.sign === 'minus' };
    }
    case 'number':
      return { ...step, op: field.pad.at === 'left' || kind === 'delimited' ? writeOp.number : writeOp.never };
    case 'day':
      return { ...step, op: writeOp.day };
    case 'code':
      return type === 'char' ? { ...step, op: writeOp.code, codes: codeTable(field) } : step;
    default:
      return step;
  }
}

function codeTable(field: CodeField): readonly (Buffer | null)[] {
  const codes = codesWritten(field);
  return Array.from({ length: 256 }, (_, byte) => {
    const code = codes.get(String.fromCharCode(byte));
    return code === undefined ? null : Buffer.from(code);
  });
}

function plainBytes(format: ExchangeLayout['format']): Uint8Array {
  const isPlain = (byte: number) => byte >= 0x20 && byte < 0x7f;
  const plain = Uint8Array.from({ length: 256 }, (_, byte) => (isPlain(byte) ? 1 : 0));
  if (format.kind === 'fixed') return plain;
  plain[0x22] = 0;
  plain[format.separator.charCodeAt(0)] = 0;
  return plain;
}
