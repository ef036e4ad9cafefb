import {
  type ExchangeColumn,
  type ExchangeField,
  type ExchangeLayout,
  type ExchangeRecord,
  type ExchangeTotalLayout,
  recordsOfExchange,
} from './exchange-layout.ts';
import type { Field } from './field.ts';
import type { FieldValue } from './field-write.ts';

const fieldTypes: Readonly<Record<string, readonly Field['type'][]>> = {
  text: ['text', 'code', 'always'],
  char: ['code', 'always'],
  smallint: ['number'],
  won: ['won'],
  day: ['day'],
};

/** Values a coded column may take. */
const charValues: Readonly<Record<string, readonly string[]>> = { type: ['A', 'C', 'P'], action: ['N', 'C', 'T'] };

/** What is wrong with where the columns come from, in words for the integrator. */
export function columnDefects(layout: ExchangeLayout): string[] {
  return layout.data.columns.flatMap((column) => sourceDefects(column, layout).map((fault) => `data: ${fault}`));
}

function sourceDefects(column: ExchangeColumn, { data, start, header }: ExchangeLayout): string[] {
  const { name, type, source, isOptional } = column;
  const wrong = (what: string) => [`${name}: ${what} cannot be a ${type}`];
  const unknown = (values: readonly string[]) =>
    type === 'char' && values.some((value) => !charValues[name]?.includes(value)) ? wrong(values.join(', ')) : [];
  switch (source.from) {
    case 'nowhere':
      return isOptional ? [] : [`${name} may not be nowhere`];
    case 'constant':
      return holds(type, source.value) ? unknown([String(source.value)]) : wrong(`"${source.value}"`);
    case 'header': {
      const heads = [...(start?.fields ?? []), ...(header?.fields ?? [])];
      const field = heads.find((candidate) => candidate.name === source.name)?.field;
      if (field === undefined) return [`${name}: neither start nor header has "${source.name}"`];
      return field.type === type ? [] : wrong(`the head's ${source.name}`);
    }
    case 'field': {
      const { field, optional } = data.fields[source.index] as ExchangeField;
      if (!fieldTypes[type]?.includes(field.type)) return wrong(`a field of type ${field.type}`);
      if (optional && !isOptional) return [`${name} is never null, so its field is not optional`];
      if (field.type === 'code') return unknown([...Object.values(field.codes), ...Object.keys(field.also)]);
      return field.type === 'always' ? unknown([field.text]) : [];
    }
  }
}

function holds(type: string, value: FieldValue): boolean {
  // An amount is never the same on each line.
  if (typeof value === 'bigint') return false;
  if (typeof value === 'number') return type === 'smallint' && Number.isInteger(value) && Math.abs(value) < 32_768;
  return type === 'text' || type === 'char' || (type === 'day' && /^\d{4}-\d\d-\d\d$/.test(value));
}

/** What is wrong with the fields of the data records as parts of an exchange. */
export function dataFieldDefects({ data, type }: ExchangeLayout): string[] {
  return data.fields.flatMap(({ name, field, optional, from }) => {
    const fault = (words: string) => [`data.${name}: ${words}`];
    if (field.type === 'time') return fault('an exchange has no times');
    if (optional && (field.type === 'always' || field.type === 'filler')) return fault('a constant is not optional');
    if (optional && field.type === 'text' && field.required) return fault('required and optional');
    if (optional && field.type === 'won' && field.plus === ' ' && field.sign !== 'unsigned' && field.sign !== 'minus') {
      return fault('a blank sign next to blanks that stand for null');
    }
    if (
      field.type === 'won' &&
      field.negativeWhen.length > 0 &&
      !data.columns.some((column) => column.name === 'type')
    ) {
      return fault('no type says the sign');
    }
    const isWritable = from !== null || name === type || optional || isEmpty(field);
    return isWritable ? [] : fault('nothing is known to write there: a column, or optional');
  });
}

function isEmpty(field: Field): boolean {
  return field.type === 'always' || field.type === 'filler' || (field.type === 'text' && !field.required);
}

/** Rows are written without asking for room at every field: this bounds what a record takes. */
const maxRecordBytes = 16_384;
const maxValues = 30;

/** What is wrong with the size of the records. */
export function sizeDefects(layout: ExchangeLayout): string[] {
  const { format } = layout;
  if (format.kind === 'fixed' && format.recordBytes > maxRecordBytes) {
    return [`records are wider than ${maxRecordBytes} bytes`];
  }
  const isLong = recordsOfExchange(layout).some(({ fields }) => fields.length > maxValues);
  return format.kind === 'delimited' && isLong ? [`records have more than ${maxValues} values`] : [];
}

/** What is wrong with start, header, totals and end. */
export function frameDefects(layout: ExchangeLayout): string[] {
  const { start, header, total, end } = layout;
  const faults: string[] = [];
  if (header === null && start === null && (total !== null || end !== null)) {
    faults.push('totals without a start or header');
  }
  for (const [title, record] of Object.entries({ start, header, total, end })) {
    for (const { name, field, optional, from } of record?.fields ?? []) {
      if (optional) faults.push(`${title}.${name}: only data is optional`);
      if (name === 'mid' && title === 'start' && header !== null) faults.push('start.mid: MIDs stand in the header');
      const wanted = { on: 'day', biz: 'text', mid: 'text' }[name];
      if (wanted !== undefined && field.type !== wanted) faults.push(`${title}.${name}: not a ${wanted}`);
      if (from === null && field.type !== 'always' && field.type !== 'filler') {
        faults.push(`${title}.${name}: nothing is known to write there`);
      }
    }
  }
  const hasDay = [...(start?.fields ?? []), ...(header?.fields ?? [])].some(({ name }) => name === 'on');
  if ((start !== null || header !== null) && !hasDay) {
    faults.push('no day "on" in start or header, so another day\'s file could not be told');
  }
  if (total !== null) faults.push(...totalDefects('total', total, layout));
  if (end !== null) faults.push(...totalDefects('end', end, layout));
  return faults;
}

function totalDefects(title: string, record: ExchangeTotalLayout, { record: of, data }: ExchangeLayout): string[] {
  const faults: string[] = [];
  if (!record.totals.some((total) => total.of === 'lines' || total.of === 'records')) {
    faults.push(`${title}: the number of lines is not declared`);
  }
  for (const total of record.totals) {
    const field = record.fields.find(({ name }) => name === total.field)?.field;
    const isCount = total.of === 'lines' || total.of === 'records';
    const wanted = isCount ? 'number' : 'won';
    if (field === undefined) faults.push(`${title}.${total.field}: no field of the record`);
    else if (field.type !== wanted)
      faults.push(`${title}.${total.field}: a field of type ${field.type}, not ${wanted}`);
    else if (field.type === 'won' && field.negativeWhen.length > 0) faults.push(`${title}.${total.field}: has no type`);
    if (!isCount && !data.columns.some(({ name }) => name === total.of)) {
      faults.push(`${title}.${total.field}: ${total.of} is no column of a ${of satisfies ExchangeRecord}`);
    }
  }
  return faults;
}
