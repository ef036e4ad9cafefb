import { Problem } from '../../kernel/problem.ts';
import { columnDefects, dataFieldDefects, frameDefects, sizeDefects } from './exchange-defects.ts';
import {
  columnsOfRecord,
  type ExchangeColumn,
  type ExchangeDataLayout,
  type ExchangeField,
  type ExchangeLayout,
  type ExchangeRecord,
  type ExchangeRecordLayout,
  type ExchangeTotalLayout,
  type HeadName,
  headNames,
  recordsOfExchange,
  type TotalOf,
} from './exchange-layout.ts';
import type { Field } from './field.ts';
import { fieldDefects } from './field-defects.ts';
import type { FieldValue } from './field-write.ts';
import type { Encoding } from './layout.ts';
import { markDefects, separatorDefects, widthDefects } from './record-defects.ts';

/** A field that may be blank: null then. */
export type OptionalField = { readonly optional: Field };

/** A field that is null where it is blank (days: or zeros), and blank where it is null. */
export function optional(field: Field): OptionalField {
  return { optional: field };
}

/** Where a column comes from that is no field of its own name; `constant` is that of statements. */
export type ExchangeColumnSpec =
  | { readonly from: 'constant'; readonly value: FieldValue }
  | { readonly from: 'header'; readonly name: HeadName }
  | { readonly from: 'nowhere' };

/** The day (`on`), our business number (`biz`) or the MID of the group, as the head of the file says it. */
export function fromHead(name: HeadName): ExchangeColumnSpec {
  return { from: 'header', name };
}

/** A column that the provider does not state: always null. */
export const nowhere: ExchangeColumnSpec = { from: 'nowhere' };

type AnyField = Field | OptionalField;
type FixedFields = Readonly<Record<string, readonly [width: number, field: AnyField]>>;
type FreeFields = Readonly<Record<string, AnyField>>;

/** A record of control totals: its fields, and what those count or sum. */
type TotalSpec<F> = { readonly fields: F; readonly totals: Readonly<Record<string, TotalOf>> };

type ExchangeSpec<R extends ExchangeRecord, F> = {
  readonly record: R;
  /** The field, in every record, whose constant tells the records apart. */
  readonly type: string;
  /** Holds the day as `on` and our business number as `biz`, where the file says them. */
  readonly start?: F;
  /** One for each MID, where it holds one as `mid`; may hold `on` and `biz` too. */
  readonly header?: F;
  readonly data: F;
  /** Fields of the data that hold the same as a column once more: written, and not looked at when read. */
  readonly same?: Readonly<Record<string, string>>;
  /** Columns of the record that are not fields of the data. */
  readonly columns?: Readonly<Record<string, ExchangeColumnSpec>>;
  readonly total?: TotalSpec<F>;
  readonly end?: TotalSpec<F>;
};

/** 고정길이 전문. Records of one width in bytes: fields are `[width, field]`, or `[width, optional(field)]`. */
export function fixedExchange<R extends ExchangeRecord>(
  spec: ExchangeSpec<R, FixedFields> & {
    readonly encoding: Encoding;
    readonly recordBytes: number;
    readonly lineBreak: 'lf' | 'crlf' | 'none';
  },
): ExchangeLayout<R> {
  const { encoding, recordBytes, lineBreak } = spec;
  return place(spec, { kind: 'fixed', encoding, recordBytes, lineBreak }, (fields, from) => {
    let offset = 0;
    return Object.entries(fields).map(([name, [width, field]]) => {
      offset += width;
      return { name, ...bare(field), offset: offset - width, width, from: from(name) };
    });
  });
}

/** Lines of values between separators, such as CSV: fields are `field` or `optional(field)`. */
export function delimitedExchange<R extends ExchangeRecord>(
  spec: ExchangeSpec<R, FreeFields> & {
    readonly encoding: Encoding;
    readonly separator: string;
    readonly quote: '"' | 'none';
    readonly lineBreak: 'lf' | 'crlf';
  },
): ExchangeLayout<R> {
  const { encoding, separator, quote, lineBreak } = spec;
  return place(spec, { kind: 'delimited', encoding, separator, quote, lineBreak }, (fields, from) =>
    Object.entries(fields).map(([name, field]) => ({ name, ...bare(field), offset: 0, width: 0, from: from(name) })),
  );
}

function bare(field: AnyField): { field: Field; optional: boolean } {
  return 'optional' in field ? { field: field.optional, optional: true } : { field, optional: false };
}

/** Says, by a field's name, what is written there. */
type From = (name: string) => string | null;

function place<R extends ExchangeRecord, F>(
  spec: ExchangeSpec<R, F>,
  format: ExchangeLayout['format'],
  placeFields: (fields: F, from: From) => ExchangeField[],
): ExchangeLayout<R> {
  const faults = separatorDefects(format);
  const record = (title: string, fields: F, from: From): ExchangeRecordLayout => {
    const placed = placeFields(fields, from);
    const type = placed.find(({ name }) => name === spec.type)?.field;
    if (type?.type !== 'always') faults.push(`${title}: no constant field "${spec.type}" to know the record by`);
    for (const field of placed) {
      faults.push(...fieldDefects(field, format).map((fault) => `${title}.${field.name}: ${fault}`));
    }
    faults.push(...widthDefects(placed, format).map((fault) => `${title}: ${fault}`));
    return { mark: type?.type === 'always' ? type.text : '', fields: placed };
  };
  const ofHead: From = (name) => ((headNames as readonly string[]).includes(name) ? name : null);
  const head = (title: string, fields: F | undefined) => (fields === undefined ? null : record(title, fields, ofHead));
  const totals = (title: string, closing: TotalSpec<F> | undefined): ExchangeTotalLayout | null => {
    if (closing === undefined) return null;
    const all = Object.entries(closing.totals).map(([field, of]) => ({ field, of }));
    return { ...record(title, closing.fields, (name) => (name in closing.totals ? name : ofHead(name))), totals: all };
  };
  const data = (): ExchangeDataLayout => {
    const columns = columnsOfRecord(spec.record);
    const ofData: From = (name) => spec.same?.[name] ?? columns.find((column) => column.name === name)?.name ?? null;
    const laid = record('data', spec.data, ofData);
    const placed = columns.map((column): ExchangeColumn => {
      const index = laid.fields.findIndex(({ name }) => name === column.name);
      const elsewhere = spec.columns?.[column.name];
      if (elsewhere !== undefined && index >= 0) {
        faults.push(`data: ${column.name} is a field and is declared elsewhere too`);
      }
      if (elsewhere === undefined && index < 0) {
        faults.push(`data: ${column.name} comes from nowhere: declare a field, a constant, the head or nowhere`);
      }
      return { ...column, source: index >= 0 ? { from: 'field', index } : (elsewhere ?? nowhere) };
    });
    return { ...laid, columns: placed };
  };
  const layout: ExchangeLayout<R> = {
    record: spec.record,
    format,
    type: spec.type,
    start: head('start', spec.start),
    header: head('header', spec.header),
    data: data(),
    total: totals('total', spec.total),
    end: totals('end', spec.end),
  };
  const named = new Set(layout.data.columns.map(({ name }) => name));
  for (const name of Object.keys(spec.columns ?? {})) {
    if (!named.has(name)) faults.push(`data: ${name} is no column of this record`);
  }
  for (const [field, column] of Object.entries(spec.same ?? {})) {
    if (!layout.data.fields.some(({ name }) => name === field)) faults.push(`data: same.${field} is no field`);
    if (!named.has(column)) faults.push(`data: same.${field}: ${column} is no column of this record`);
    if (named.has(field)) faults.push(`data: same.${field} is a column of its own`);
  }
  faults.push(...sizeDefects(layout), ...columnDefects(layout), ...dataFieldDefects(layout), ...frameDefects(layout));
  faults.push(...markDefects(spec.type, recordsOfExchange(layout), format));
  if (faults.length > 0) throw new Problem('layout_invalid', { stage: spec.record, faults: faults.join('\n') });
  return layout;
}
