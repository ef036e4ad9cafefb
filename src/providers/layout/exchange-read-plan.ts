import type { Payload } from './copy-payload.ts';
import { payloadOf } from './copy-payload.ts';
import { constant, fieldInstruction, type Instruction, idle, op, roleOf, trimming } from './copy-plan.ts';
import { type ExchangeColumn, type ExchangeField, type ExchangeLayout, summedColumns } from './exchange-layout.ts';
import type { ExchangeHeadValues } from './exchange-line-read.ts';
import { kindOrder } from './totals.ts';

/** One step of reading a line. All have the same shape, so that the loop over them stays fast. */
export type ReadStep = Instruction & {
  /** Null where the field is blank; of days where it is zeros, too. */
  readonly optional: boolean;
  readonly isDay: boolean;
  /** Which of `summedColumns` it is, or −1. */
  readonly sum: number;
  readonly isType: boolean;
  /** The value of the head that it is. */
  readonly head: keyof ExchangeHeadValues | null;
};

const nothing: Payload = { words: Int32Array.of(-1), bytes: 4 };
const still: ReadStep = {
  ...idle,
  optional: false,
  isDay: false,
  sum: -1,
  isType: false,
  head: null,
};

/** The steps of a line: columns in their order, then what is only verified. */
export function planRead({ data, type: mark }: ExchangeLayout): readonly ReadStep[] {
  const loaded = new Set<number>();
  const steps = data.columns.map((column): ReadStep => {
    const { source, name, type } = column;
    if (source.from === 'nowhere') return { ...still, op: op.constant, payloads: [nothing] };
    if (source.from === 'constant') return { ...still, ...constant(source.value, type, name) };
    if (source.from === 'header') return { ...still, op: op.constant, head: source.name };
    const placed = data.fields[source.index] as ExchangeField;
    loaded.add(source.index);
    return { ...still, ...fieldStep(column, placed, source.index) };
  });
  data.fields.forEach(({ name, field, optional }, index) => {
    if (loaded.has(index) || name === mark) return;
    if (field.type === 'filler' && field.content === 'anything') return;
    const check = field.type === 'text' ? op.checkText : field.type === 'filler' ? op.checkBlank : op.checkField;
    const isDay = field.type === 'day';
    // An answer echoes much that is no column: it is verified as fast as what is one.
    const read = check === op.checkField ? fieldInstruction(field, 'text', name) : trimming(field);
    steps.push({ ...still, ...read, op: check, field: index, checked: field, optional, isDay });
  });
  return steps;
}

function fieldStep({ name, type }: ExchangeColumn, { field, optional }: ExchangeField, index: number) {
  const step = { field: index, ...trimming(field), ...fieldInstruction(field, type, name), optional };
  const isType = name === 'type';
  const meanings = field.type === 'code' ? Object.values(field.codes) : field.type === 'always' ? [field.text] : [];
  return {
    ...step,
    ...(isType ? { orders: meanings.map((kind) => (kindOrder as readonly string[]).indexOf(kind)) } : {}),
    isDay: field.type === 'day',
    sum: (summedColumns as readonly string[]).indexOf(name),
    isType,
    role: roleOf(name),
  };
}

/** The steps of a group: what its head says is made ready. */
export function stepsOf(steps: readonly ReadStep[], head: ExchangeHeadValues): readonly ReadStep[] {
  return steps.map((step) =>
    step.head === null
      ? step
      : { ...step, payloads: [payloadOf(head[step.head], step.head === 'on' ? 'day' : 'text')], orders: [0] },
  );
}

/** The most that a tuple takes beside its texts. */
export function tupleBytes(steps: readonly ReadStep[]): number {
  const payloads = steps.flatMap((step) => step.payloads.map(({ bytes }) => bytes));
  return 32 + 16 * steps.length + payloads.reduce((sum, bytes) => sum + bytes, 0);
}
