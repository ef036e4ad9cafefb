import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { FileSpec } from '../../../src/providers/differential.ts';
import { differentialProviderOf } from '../../../src/providers/differential-registry.ts';
import type { ExpectedExchange } from '../../../src/providers/layout/exchange-facts.ts';
import type {
  ExchangeHead,
  ExchangeLayout,
  ExchangeRecord,
  ExchangeRow,
} from '../../../src/providers/layout/exchange-layout.ts';

/** What the files beside this one hold, line by line; both were typed by hand from the tables of the documents. */
export type Golden<R extends ExchangeRecord = ExchangeRecord> = {
  readonly provider: string;
  readonly record: R;
  readonly file: string;
  readonly mid?: string;
  /** On which line each row stands. */
  readonly lines: readonly number[];
  readonly rows: readonly ExchangeRow<R>[];
};

export const on = Temporal.PlainDate.from('2026-11-20');
export const biz = '1234567891';

/** Every file that is exchanged with a provider. */
export function filesOf(id: string): readonly FileSpec<ExchangeRecord>[] {
  const { claims, validation, answers, registration } = differentialProviderOf(id).differential;
  const all = [claims, validation, answers, registration?.request, registration?.answers];
  return all.filter((file) => file !== undefined) as readonly FileSpec<ExchangeRecord>[];
}

export function specOf({ provider, record }: Golden): FileSpec<ExchangeRecord> {
  const spec = filesOf(provider).find(({ layout }) => layout.record === record);
  if (spec === undefined) throw new Error(`${provider} has no ${record}`);
  return spec;
}

export const bytesOf = ({ file }: Golden): Buffer => readFileSync(path.join(import.meta.dirname, file));

export const headOf = ({ mid }: Golden): ExchangeHead => ({ on, biz, ...(mid === undefined ? {} : { mids: [mid] }) });

export const expectedOf = (golden: Golden): ExpectedExchange => ({
  ...headOf(golden),
  provider: golden.provider,
  fileName: golden.file,
});

/** As they are read again: where the provider has one flag for all cancels, a partial one comes back as a cancel. */
export function asRead(layout: ExchangeLayout, row: ExchangeRow): ExchangeRow {
  const codes = layout.data.fields.flatMap(({ name, field }) =>
    name === 'type' && field.type === 'code' ? Object.values(field.codes) : [],
  );
  return 'type' in row && !codes.includes(row.type) ? { ...row, type: 'C' } : row;
}
