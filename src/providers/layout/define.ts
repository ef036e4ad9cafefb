import { Problem } from '../../kernel/problem.ts';
import { type Stage, stageColumns } from '../stage.ts';
import type { Codes, Field } from './field.ts';
import { fieldDefects } from './field-defects.ts';
import type {
  ColumnSource,
  DataLayout,
  Encoding,
  Format,
  PlacedColumn,
  PlacedField,
  RecordLayout,
  StatementLayout,
  Total,
  WonColumn,
} from './layout.ts';
import { markDefects, separatorDefects, widthDefects } from './record-defects.ts';
import { declaredAmount, totalDefects } from './totals.ts';

/** Where a column comes from that is no field of its own name. */
export type ColumnSpec =
  | { readonly from: 'constant'; readonly value: string | number | bigint }
  | { readonly from: 'header'; readonly name: 'on' | 'mid' }
  | { readonly from: 'meaning'; readonly of: string; readonly codes: Codes };

/** A value that every line has. */
export function constant(value: string | number | bigint): Extract<ColumnSpec, { from: 'constant' }> {
  return { from: 'constant', value };
}

/** A text column that the provider does not send. */
export const absent: ColumnSpec = { from: 'constant', value: '' };

/** The business day (`on`) or MID of the header, for every line of the file. */
export function fromHeader(name: 'on' | 'mid'): ColumnSpec {
  return { from: 'header', name };
}

/** What the provider's code in another field means; that field keeps the code itself. */
export function meaningOf(field: string, codes: Codes): ColumnSpec {
  return { from: 'meaning', of: field, codes };
}

export type TotalSpec = Omit<Total, 'name'>;
type Of = { readonly kind?: readonly string[]; readonly result?: readonly string[] };

/** The number of lines, or of those of some kinds or capture results. */
export function rowCount(of: Of = {}): TotalSpec {
  return { of: 'rows', kinds: of.kind ?? null, results: of.result ?? null, negated: false };
}

/** The sum of a won column; `negated` where the trailer writes it with the opposite sign. */
export function sumOf(column: WonColumn, of: Of = {}, sign: 'signed' | 'negated' = 'signed'): TotalSpec {
  return { of: column, kinds: of.kind ?? null, results: of.result ?? null, negated: sign === 'negated' };
}

type FixedFields = Readonly<Record<string, readonly [width: number, field: Field]>>;
type FreeFields = Readonly<Record<string, Field>>;
type Columns = Readonly<Record<string, ColumnSpec>>;

/** A data record; where there are several, `kinds` says which rows are written as which. */
export type DataSpec<F> = { readonly fields: F; readonly kinds?: readonly string[]; readonly columns?: Columns };

type StatementSpec<S extends Stage, F> = {
  readonly stage: S;
  /** The field, in every record, whose constant tells the records apart. */
  readonly type: string;
  /** Holds the business day as `on`, and `mid` where a file belongs to one MID. */
  readonly header: F;
  readonly data: readonly DataSpec<F>[];
  readonly trailer: F;
  /** Columns of the stage that are not fields of the data records. */
  readonly columns?: Columns;
  /** What the fields of the trailer count and sum. */
  readonly totals: Readonly<Record<string, TotalSpec>>;
};

/** Records of one width in bytes. */
export function fixedStatement<S extends Stage>(
  spec: StatementSpec<S, FixedFields> & {
    readonly encoding: Encoding;
    readonly recordBytes: number;
    readonly lineBreak: 'lf' | 'crlf' | 'none';
  },
): StatementLayout<S> {
  const { encoding, recordBytes, lineBreak } = spec;
  return place(spec, { kind: 'fixed', encoding, recordBytes, lineBreak }, (fields) => {
    let offset = 0;
    return Object.entries(fields).map(([name, [width, field]]) => {
      offset += width;
      return { name, field, offset: offset - width, width };
    });
  });
}

/** Lines of values between separators, such as CSV. */
export function delimitedStatement<S extends Stage>(
  spec: StatementSpec<S, FreeFields> & {
    readonly encoding: Encoding;
    readonly separator: string;
    readonly quote: '"' | 'none';
    readonly lineBreak: 'lf' | 'crlf';
  },
): StatementLayout<S> {
  const { encoding, separator, quote, lineBreak } = spec;
  return place(spec, { kind: 'delimited', encoding, separator, quote, lineBreak }, placeFree);
}

/** NDJSON: a flat object a line, in UTF-8. */
export function jsonStatement<S extends Stage>(
  spec: StatementSpec<S, FreeFields> & { readonly lineBreak: 'lf' | 'crlf' },
): StatementLayout<S> {
  return place(spec, { kind: 'json', encoding: 'utf8', lineBreak: spec.lineBreak }, placeFree);
}

function placeFree(fields: FreeFields): PlacedField[] {
  return Object.entries(fields).map(([name, field]) => ({ name, field, offset: 0, width: 0 }));
}

function place<S extends Stage, F>(
  spec: StatementSpec<S, F>,
  format: Format,
  placeFields: (fields: F) => PlacedField[],
): StatementLayout<S> {
  const faults = separatorDefects(format);
  const record = (title: string, placed: PlacedField[]): RecordLayout => {
    const type = placed.find(({ name }) => name === spec.type)?.field;
    if (type?.type !== 'always') faults.push(`${title}: no constant field "${spec.type}" to know the record by`);
    faults.push(
      ...placed.flatMap((field) => fieldDefects(field, format).map((fault) => `${title}.${field.name}: ${fault}`)),
    );
    faults.push(...widthDefects(placed, format).map((fault) => `${title}: ${fault}`));
    return { mark: type?.type === 'always' ? type.text : '', fields: placed };
  };
  const header = record('header', placeFields(spec.header));
  const trailer = record('trailer', placeFields(spec.trailer));
  const data = spec.data.map((variant, at): DataLayout => {
    const title = spec.data.length === 1 ? 'data' : `data ${at + 1}`;
    const laid = record(title, placeFields(variant.fields));
    const { placed, defects } = placeColumns(spec.stage, laid.fields, { ...spec.columns, ...variant.columns }, header);
    faults.push(...defects.map((fault) => `${title}: ${fault}`));
    return { ...laid, kinds: variant.kinds ?? null, columns: placed };
  });
  const totals = Object.entries(spec.totals).map(([name, total]): Total => ({ name, ...total }));
  faults.push(...markDefects(spec.type, [header, ...data, trailer], format), ...dataDefects(data));
  faults.push(...headerDefects(header, spec.type), ...totalDefects(spec.stage, totals, trailer, spec.type));
  const declaredWon = declaredAmount(spec.stage, totals);
  if (declaredWon === undefined) faults.push('totals: they do not add up to the signed amount of the file');
  if (faults.length > 0) throw new Problem('layout_invalid', { stage: spec.stage, faults: faults.join('\n') });
  return { stage: spec.stage, format, type: spec.type, header, data, trailer, totals, declaredWon: declaredWon ?? [] };
}

/** Several data records are told apart by the kinds that are written as each. */
function dataDefects(data: readonly DataLayout[]): string[] {
  const faults: string[] = [];
  if (data.length === 0) faults.push('no data record');
  if (data.length > 1) {
    const kinds = data.flatMap((variant) => variant.kinds ?? ['']);
    if (kinds.includes('') || new Set(kinds).size < kinds.length)
      faults.push('several data records need kinds of their own');
  }
  return faults;
}

function headerDefects(header: RecordLayout, type: string): string[] {
  const faults: string[] = [];
  if (!header.fields.some(({ name, field }) => name === 'on' && field.type === 'day')) {
    faults.push('header: no day "on", so another day\'s file could not be told');
  }
  for (const { name, field } of header.fields) {
    const known =
      name === type || name === 'on' || name === 'mid' || field.type === 'always' || field.type === 'filler';
    if (!known) faults.push(`header.${name}: nothing is known to write there`);
  }
  return faults;
}

function placeColumns(
  stage: Stage,
  fields: readonly PlacedField[],
  specs: Columns,
  header: RecordLayout,
): { placed: PlacedColumn[]; defects: string[] } {
  const defects: string[] = [];
  const columns: Readonly<Record<string, string>> = stageColumns[stage];
  const placed = Object.entries(columns).map(([name, type]): PlacedColumn => {
    const spec = specs[name];
    const own = fields.findIndex((field) => field.name === name);
    if (spec !== undefined && own >= 0) defects.push(`${name} is a field and is declared elsewhere too`);
    const source = spec === undefined ? fieldSource(own) : specSource(spec, fields);
    if (source === undefined) {
      defects.push(`${name} comes from nowhere: declare a field, a constant or its absence`);
      return { name, source: { from: 'constant', value: '' } };
    }
    defects.push(...sourceDefects(stage, name, type, source, fields, header));
    return { name, source };
  });
  for (const name of Object.keys(specs)) if (!(name in columns)) defects.push(`${name} is no column of this stage`);
  return { placed, defects };
}

function fieldSource(index: number): ColumnSource | undefined {
  return index < 0 ? undefined : { from: 'field', index };
}

function specSource(spec: ColumnSpec, fields: readonly PlacedField[]): ColumnSource | undefined {
  if (spec.from !== 'meaning') return spec;
  const index = fields.findIndex((field) => field.name === spec.of);
  return index < 0 ? undefined : { from: 'meaning', index, codes: spec.codes };
}

/** Values a coded column may take. */
function charValues(stage: Stage, column: string): readonly string[] {
  if (column === 'result') return ['A', 'R', 'H', 'L'];
  return stage === 'transaction' ? ['A', 'C', 'P'] : ['A', 'C'];
}

const fieldTypes: Readonly<Record<string, readonly Field['type'][]>> = {
  text: ['text', 'code', 'always'],
  char: ['code', 'always'],
  smallint: ['number'],
  won: ['won'],
  day: ['day'],
  time: ['time'],
};

function sourceDefects(
  stage: Stage,
  name: string,
  type: string,
  source: ColumnSource,
  fields: readonly PlacedField[],
  header: RecordLayout,
): string[] {
  const wrong = (what: string) => [`${name}: ${what} cannot be a ${type}`];
  const unknown = (values: readonly string[]) =>
    type === 'char' && values.some((value) => !charValues(stage, name).includes(value)) ? wrong(values.join(', ')) : [];
  switch (source.from) {
    case 'constant': {
      const { value } = source;
      const held = { string: ['text', 'char', 'day', 'time'], number: ['smallint'], bigint: ['won'] }[
        typeof value as 'string' | 'number' | 'bigint'
      ];
      if (!held.includes(type) || ((type === 'day' || type === 'time') && value === '')) return wrong(`"${value}"`);
      return typeof value === 'string' ? unknown([value]) : [];
    }
    case 'header': {
      const field = header.fields.find((candidate) => candidate.name === source.name)?.field;
      if (field === undefined) return [`${name}: the header has no "${source.name}"`];
      return field.type === type ? [] : wrong(`the header's ${source.name}`);
    }
    case 'meaning':
      return type === 'text' || type === 'char' ? unknown(Object.values(source.codes)) : wrong('a meaning');
    case 'field': {
      const field = (fields[source.index] as PlacedField).field;
      if (!fieldTypes[type]?.includes(field.type)) return wrong(`a field of type ${field.type}`);
      if (field.type === 'code') return unknown(Object.values(field.codes));
      return field.type === 'always' ? unknown([field.text]) : [];
    }
  }
}
