import { type DatedKind, readDated } from '../imports/dated-records.ts';
import type { DatedRecord, LineOf } from '../imports/dated-store.ts';
import { openImportSource } from '../imports/import-source.ts';
import { type Language, Problem, type ProblemCode, problemText } from '../kernel/problem.ts';
import { rateColumns, readPreferentialRate } from '../merchants/rate-records.ts';
import { readTier, tierColumns } from '../merchants/tier-records.ts';
import type { SupposedRate, SupposedTier } from './what-if-store.ts';

/** Reads a tier list as `jeongsan tiers import` does. @throws Problem `what_if_file_refused`, and what a file is refused for */
export async function readSupposedTiers(file: string, language: Language): Promise<SupposedTier[]> {
  const records = await readAll(file, { columns: tierColumns, read: readTier }, language);
  return records.map(({ of: { content } }) => content as unknown as SupposedTier);
}

/** Reads a rate table as `jeongsan preferential-rates import` does. @throws as `readSupposedTiers` */
export async function readSupposedRates(file: string, language: Language): Promise<SupposedRate[]> {
  const records = await readAll(file, { columns: rateColumns, read: readPreferentialRate }, language);
  return records.map(({ of: { content } }) => content as unknown as SupposedRate);
}

/** Each fact once: of what is said twice nobody can say which counts. */
async function readAll(
  file: string,
  kind: Pick<DatedKind, 'columns' | 'read'>,
  language: Language,
): Promise<LineOf<DatedRecord>[]> {
  const source = await openImportSource(file);
  const { records, refusals } = await readDated(kind, source);
  const refused = (line: number, reason: string) =>
    new Problem('what_if_file_refused', { file: source.name, line, reason });
  for (const { lineNo, of } of refusals)
    throw refused(lineNo, problemText(of.code as ProblemCode, of.details, language));
  const said = new Map<string, LineOf<DatedRecord>>();
  for (const record of records) {
    const identity = record.of.identity.join(' ');
    const before = said.get(identity);
    if (before === undefined) said.set(identity, record);
    else if (JSON.stringify(before.of.content) !== JSON.stringify(record.of.content)) {
      const differs = { identity, firstLine: before.lineNo, fields: Object.keys(record.of.content).join(', ') };
      throw refused(record.lineNo, problemText('import_differs_in_file', differs, language));
    }
  }
  return [...said.values()];
}
