import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { decodeStatement } from '../../src/providers/layout/decode.ts';
import type { ExpectedStatement } from '../../src/providers/layout/facts.ts';
import type { StatementLayout, StatementRow } from '../../src/providers/layout/layout.ts';
import { providerOf, reconciledProviders } from '../../src/providers/registry.ts';
import { type Stage, stages } from '../../src/providers/stage.ts';
import { readStatementName } from '../../src/reconciliation/statement-name.ts';
import type { WorldSummary } from '../../src/sandbox/generate.ts';
import type { ScoredBreak } from './score.ts';

/** A record of `payments.csv`, every value a text. */
export type OurRecord = Readonly<Record<string, string>>;
/** A line of a statement: what could be read of it, or only where it stands and whose it is. */
export type TheirLine = {
  readonly lineNo: number;
  readonly row?: StatementRow;
  readonly providerTid: string | undefined;
};
export type TheirStatement = {
  readonly provider: string;
  readonly stage: Stage;
  readonly on: string;
  readonly name: string;
  readonly lines: readonly TheirLine[];
};

/** A generated world, read back into memory by what its files say and by nothing else. */
export type WorldFiles = {
  readonly summary: WorldSummary;
  readonly merchants: readonly OurRecord[];
  readonly records: readonly OurRecord[];
  readonly deposits: readonly OurRecord[];
  readonly statements: readonly TheirStatement[];
  readonly truth: readonly ScoredBreak[];
};

export function readWorldFiles(folder: string): WorldFiles {
  const json = <T>(name: string): T => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as T;
  const summary = json<WorldSummary>('world.json');
  return {
    summary,
    merchants: readCsv(path.join(folder, 'merchants.csv')),
    records: readCsv(path.join(folder, 'payments.csv')),
    deposits: readCsv(path.join(folder, 'deposits.csv')),
    statements: [...readStatements(folder, summary)],
    truth: json<readonly ScoredBreak[]>('truth.json'),
  };
}

/** A small reader for small files: a quoted value may hold commas and doubled quotes. */
function readCsv(file: string): OurRecord[] {
  const [header = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  const names = header.split(',');
  return lines.map((line) => {
    const values = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
      ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
    );
    return Object.fromEntries(names.map((name, n) => [name, values[n] ?? '']));
  });
}

function* readStatements(folder: string, { days }: WorldSummary): Generator<TheirStatement> {
  for (const provider of reconciledProviders) {
    const names = readdirSync(path.join(folder, provider.id));
    for (const stage of stages) {
      const spec = providerOf(provider.id).statements[stage];
      if (spec === undefined) continue;
      for (const name of names) {
        const by = readStatementName(spec.fileName, name);
        if (by === undefined) continue;
        const on = days.find((day) => day.replaceAll('-', '') === by.day) ?? `not in this world: ${by.day}`;
        const bytes = readFileSync(path.join(folder, provider.id, name));
        const expected = {
          provider: provider.id,
          stage,
          on: Temporal.PlainDate.from(on),
          fileName: name,
          ...midOf(by),
        };
        yield { provider: provider.id, stage, on, name, lines: readLines(spec.layout, stage, expected, bytes) };
      }
    }
  }
}

const midOf = ({ mid }: { readonly mid?: string }): { mid?: string } => (mid === undefined ? {} : { mid });

/** Readable and unreadable lines in the order of the file. Refuses control totals that disagree, as the product does. */
function readLines<S extends Stage>(
  layout: StatementLayout<S>,
  stage: S,
  expected: ExpectedStatement,
  bytes: Uint8Array,
): TheirLine[] {
  const lines: TheirLine[] = [];
  const rows = decodeStatement(layout, stage, expected, bytes);
  let next = rows.next();
  for (; next.done !== true; next = rows.next()) {
    const row = next.value as StatementRow & { readonly lineNo: number };
    lines.push({ lineNo: row.lineNo, row, providerTid: row.providerTid });
  }
  for (const { lineNo, providerTid } of next.value.unreadable) lines.push({ lineNo, providerTid });
  return lines.sort((a, b) => a.lineNo - b.lineNo);
}
