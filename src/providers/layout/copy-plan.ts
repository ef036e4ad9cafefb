import { type ColumnType, stageColumns } from '../stage.ts';
import { DayBytes, digitsAt, WonBytes } from './byte-values.ts';
import { dayNumber, type Payload, payloadOf } from './copy-payload.ts';
import type { Field, TimeField } from './field.ts';
import type { FieldValue } from './field-write.ts';
import { type DataLayout, type PlacedField, type StatementLayout, wonColumns } from './layout.ts';
import type { HeadValues } from './line-read.ts';
import { kindOrder, resultOrder } from './totals.ts';

/** How a column is made from the bytes of a record: one instruction of the hot path. */
export const op = {
  text: 0,
  won: 1,
  day: 2,
  code: 3,
  number: 4,
  time: 5,
  constant: 6,
  checkText: 7,
  checkBlank: 8,
  checkField: 9,
} as const;

/** What else a column is needed for, beyond being written. */
export const role = { none: 0, kind: 1, result: 2, cancelSeq: 3, providerTid: 4, mid: 5, payInOn: 6 } as const;

/** One step of the plan. All have the same shape, so that the loop over them stays fast. */
export type Instruction = {
  readonly op: number;
  readonly role: number;
  /** The field it reads; 0 for constants. */
  readonly field: number;
  /** Text: the byte trimmed and the side (true: right). */
  readonly fill: number;
  readonly trimsRight: boolean;
  readonly required: boolean;
  /** Codes: the bytes of each, which has just this one byte (else −1), what it writes, its place in its order. */
  readonly codes: readonly Buffer[];
  readonly codeOfByte: Int8Array;
  readonly payloads: readonly Payload[];
  readonly orders: readonly number[];
  readonly day: DayBytes;
  readonly won: WonBytes;
  /** Won: its place in `wonColumns`, and by kind whether an unsigned amount is negative. */
  readonly wonColumn: number;
  readonly negativeByKind: readonly boolean[];
  readonly timeFormat: TimeField['format'];
  readonly checked: Field;
};

/** The instructions of a data record, columns in the stage's order, then what is only verified. */
export type CopyPlan = {
  readonly instructions: readonly Instruction[];
  /** The most that a tuple takes beside its texts. */
  readonly fixedBytes: number;
};

/** A byte that there is none of. */
const nothing = -1;
const anyField: Field = { type: 'filler', content: 'anything' };
/** An instruction that reads nothing, for others to be made of. */
export const idle: Instruction = {
  op: op.checkField,
  role: role.none,
  field: 0,
  fill: nothing,
  trimsRight: true,
  required: false,
  codes: [],
  codeOfByte: new Int8Array(256).fill(nothing),
  payloads: [],
  orders: [],
  day: new DayBytes({ type: 'day', format: 'YYYYMMDD', pivotYear: 0 }),
  won: new WonBytes({
    type: 'won',
    sign: 'unsigned',
    plus: '+',
    pad: { at: 'left', with: '0' },
    decimals: 0,
    negativeWhen: [],
  }),
  wonColumn: 0,
  negativeByKind: [],
  timeFormat: 'HHMMSS',
  checked: anyField,
};

export function planCopy(layout: StatementLayout, record: DataLayout, head: HeadValues): CopyPlan {
  const types: Readonly<Record<string, ColumnType>> = stageColumns[layout.stage];
  const loaded = new Set<number>();
  const instructions = record.columns.map(({ name, source }): Instruction => {
    const type = types[name] ?? 'text';
    const base = { ...idle, role: roleOf(name) };
    if (source.from === 'constant') return { ...base, ...constant(source.value, type, name) };
    if (source.from === 'header') return { ...base, ...constant(head[source.name], type, name) };
    const { field } = record.fields[source.index] as PlacedField;
    const read = { ...base, field: source.index, ...trimming(field) };
    if (source.from === 'meaning') return { ...read, ...codes(source.codes, type, name) };
    loaded.add(source.index);
    return { ...read, ...fieldInstruction(field, type, name) };
  });
  record.fields.forEach(({ name, field }, index) => {
    if (loaded.has(index) || name === layout.type) return;
    if (field.type === 'filler' && field.content === 'anything') return;
    const kind = field.type === 'text' ? op.checkText : field.type === 'filler' ? op.checkBlank : op.checkField;
    instructions.push({ ...idle, op: kind, field: index, ...trimming(field), checked: field });
  });
  const payloads = instructions.flatMap((instruction) => instruction.payloads.map(({ bytes }) => bytes));
  return { instructions, fixedBytes: 32 + 16 * instructions.length + payloads.reduce((sum, bytes) => sum + bytes, 0) };
}

export function roleOf(column: string): number {
  return column in role ? role[column as keyof typeof role] : role.none;
}

export function trimming(field: Field): Partial<Instruction> {
  if (field.type !== 'text') return {};
  return { fill: field.pad.with.charCodeAt(0), trimsRight: field.pad.at === 'right', required: field.required };
}

/** How a column is made from a field of its own. */
export function fieldInstruction(field: Field, type: ColumnType, column: string): Partial<Instruction> {
  switch (field.type) {
    case 'text':
      return { op: op.text };
    case 'won': {
      const negativeByKind = kindOrder.map((kind) => field.negativeWhen.includes(kind));
      return {
        op: op.won,
        won: new WonBytes(field),
        wonColumn: (wonColumns as readonly string[]).indexOf(column),
        negativeByKind,
      };
    }
    case 'day':
      return { op: op.day, day: new DayBytes(field) };
    case 'time':
      return { op: op.time, timeFormat: field.format };
    case 'number':
      return { op: op.number, fill: field.pad.with === ' ' ? 0x20 : nothing, trimsRight: field.pad.at === 'right' };
    case 'code':
      return codes(field.codes, type, column);
    default:
      return codes(
        { [field.type === 'always' ? field.text : '']: field.type === 'always' ? field.text : '' },
        type,
        column,
      );
  }
}

function codes(meanings: Readonly<Record<string, string>>, type: ColumnType, column: string): Partial<Instruction> {
  const codes = Object.keys(meanings).map((code) => Buffer.from(code));
  const isAlone = (byte: number) => (code: Buffer) => code.length === 1 && code[0] === byte;
  return {
    op: op.code,
    codes,
    codeOfByte: Int8Array.from({ length: 256 }, (_, byte) => codes.findIndex(isAlone(byte))),
    payloads: Object.values(meanings).map((meaning) => payloadOf(meaning, type)),
    orders: Object.values(meanings).map((meaning) => orderOf(meaning, column)),
  };
}

/** A column that is the same on each line. */
export function constant(value: FieldValue, type: ColumnType, column: string): Partial<Instruction> {
  return { op: op.constant, payloads: [payloadOf(value, type)], orders: [orderOf(value, column)] };
}

/** What a code means for sums and signs; for the sequence of a cancel and a pay-in day the number itself. */
function orderOf(value: FieldValue, column: string): number {
  if (column === 'kind') return (kindOrder as readonly FieldValue[]).indexOf(value);
  if (column === 'result') return (resultOrder as readonly FieldValue[]).indexOf(value);
  if (column === 'payInOn') return dayNumber(String(value));
  return typeof value === 'string' ? 0 : Number(value);
}

/** The number of a trimmed field, or NaN. */
export function numberAt(step: Instruction, bytes: Buffer, from: number, to: number): number {
  let start = from;
  let end = to;
  if (step.trimsRight) while (end > start && bytes[end - 1] === step.fill) end -= 1;
  else while (start < end && bytes[start] === step.fill) start += 1;
  return digitsAt(bytes, start, end);
}

/** Which code of the instruction a trimmed field holds, or −1. */
export function codeAt(step: Instruction, bytes: Buffer, from: number, to: number): number {
  if (to - from === 1) {
    const alone = step.codeOfByte[bytes[from] as number] as number;
    if (alone >= 0 && bytes[from] !== step.fill) return alone;
  }
  let start = from;
  let end = to;
  if (step.trimsRight) while (end > start && bytes[end - 1] === step.fill) end -= 1;
  else while (start < end && bytes[start] === step.fill) start += 1;
  const { codes } = step;
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i] as Buffer;
    if (code.length !== end - start) continue;
    let j = 0;
    while (j < code.length && bytes[start + j] === code[j]) j += 1;
    if (j === code.length) return i;
  }
  return -1;
}
