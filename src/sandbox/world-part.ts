import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { addBusinessDays } from '../kernel/business-day.ts';
import { koreanHolidays } from '../platform/holidays.ts';
import type { StatementRow } from '../providers/layout/layout.ts';
import type { Provider } from '../providers/provider.ts';
import { providerOf } from '../providers/registry.ts';
import { type Stage, stages } from '../providers/stage.ts';
import { formatStatementName } from '../reconciliation/statement-name.ts';
import { captureLines } from './capture-lines.ts';
import { ourRecords, recordColumns } from './our-records.ts';
import { settlementLines } from './settlement-lines.ts';
import { writeStatementFile } from './statement-file.ts';
import type { StatementNotes } from './statement-lines.ts';
import { type Tallied, Tally } from './tally.ts';
import { transactionLines } from './transaction-lines.ts';
import type { World, WorldDay, WorldProvider } from './world.ts';
import { WorldFile } from './world-file.ts';

/** A part of a world that can be written without the others: our records, or the statements of a provider. */
export type WorldPart = { readonly kind: 'payments' } | { readonly kind: 'statements'; readonly provider: string };

/** What is being written, and how many records or lines of it there are. */
export type PartProgress = { readonly file: string; readonly records: number };

export type PartContext = {
  readonly world: World;
  readonly into: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PartProgress) => void) | undefined;
};

/** Longer than weekends and holidays ever last together, in days. */
const longestClosure = 14;

/** Writes one part of a world. The differences that it plants go to `truthFile`, one `,\n{…}` each. */
export function writePart(part: WorldPart, context: PartContext): Promise<Tallied> {
  return part.kind === 'payments' ? writePayments(context) : writeStatements(part.provider, context);
}

/** Where a part keeps its share of the truth until all parts are written. */
export function truthFile(into: string, provider: string): string {
  return path.join(into, `.truth-${provider}.part`);
}

async function writePayments({ world, into, signal, onProgress }: PartContext): Promise<Tallied> {
  const tally = new Tally();
  const file = await WorldFile.create(path.join(into, 'payments.csv'));
  let records = 0;
  try {
    file.write(`${recordColumns}\n`);
    for (const day of world.days) {
      for (const provider of world.providers) {
        for (const line of ourRecords(provider, day, tally.recordsOf(provider.id, day.on))) {
          records += 1;
          if (!file.write(line)) continue;
          await file.flush();
          onProgress?.({ file: 'payments.csv', records });
          signal?.throwIfAborted();
        }
      }
    }
  } finally {
    await file.close();
  }
  return tally.result();
}

type Making = {
  readonly provider: WorldProvider;
  readonly adapter: Provider;
  readonly tally: Tally;
  readonly truth: WorldFile;
};

async function writeStatements(id: string, context: PartContext): Promise<Tallied> {
  const { world, into } = context;
  const tally = new Tally();
  await mkdir(path.join(into, id), { recursive: true });
  const truth = await WorldFile.create(truthFile(into, id));
  try {
    for (const provider of world.providers.filter((one) => one.id === id)) {
      const making = { provider, adapter: providerOf(id), tally, truth };
      for (const day of world.days) await writeDay(making, day, context);
    }
  } finally {
    await truth.close();
  }
  return tally.result();
}

async function writeDay(making: Making, day: WorldDay, { into, signal, onProgress }: PartContext): Promise<void> {
  const { provider, adapter, tally, truth } = making;
  for (const stage of stages) {
    const spec = adapter.statements[stage];
    if (spec === undefined) continue;
    for (const [no, mid] of spec.perMid ? provider.mids.entries() : [[undefined, undefined] as const]) {
      const head = { on: Temporal.PlainDate.from(day.on), ...(mid === undefined ? {} : { mid }) };
      const file = formatStatementName(spec.fileName, { day: day.compact, ...(mid === undefined ? {} : { mid }) });
      let records = 0;
      await writeStatementFile(path.join(into, provider.id, file), spec, head, (spoil) =>
        counted(tally, provider.id, rowsOf(making, day, stage, no, notesOf(making, spoil)), (count) => {
          records = count;
        }),
      );
      tally.addLines(provider.id, day.on, stage, records);
      await truth.flush();
      onProgress?.({ file, records });
      signal?.throwIfAborted();
    }
  }
}

function notesOf({ tally, truth }: Making, spoil: (line: number) => void): StatementNotes {
  return {
    difference(difference) {
      tally.difference(difference);
      truth.write(`,\n${JSON.stringify(difference)}`);
    },
    unreadable: spoil,
    peculiar(what) {
      tally.peculiar[what] += 1;
    },
  };
}

function rowsOf(
  { provider, adapter }: Making,
  day: WorldDay,
  stage: Stage,
  mid: number | undefined,
  notes: StatementNotes,
): Iterable<StatementRow> {
  switch (stage) {
    case 'transaction':
      return transactionLines(provider, day, notes, mid);
    case 'capture':
      return captureLines(provider, day, notes, mid);
    case 'settlement':
      return settlementLines(provider, day, payInOf(adapter, day), notes, mid);
  }
}

function payInOf(adapter: Provider, day: WorldDay): string {
  const on = Temporal.PlainDate.from(day.on);
  const holidays = koreanHolidays(on.year, on.add({ days: longestClosure }).year);
  return addBusinessDays(on, adapter.payIn.businessDays, holidays).toString();
}

/** Counts rows as they pass, and what they promise to pay in. */
function* counted(
  tally: Tally,
  provider: string,
  rows: Iterable<StatementRow>,
  tell: (count: number) => void,
): Generator<StatementRow> {
  let count = 0;
  let payInOn = '';
  let netWon = 0n;
  for (const row of rows) {
    count += 1;
    if ('netWon' in row) {
      // One pay-in day a statement: its sum is told once, at the end.
      payInOn = row.payInOn;
      netWon += row.netWon;
    }
    yield row;
  }
  if (payInOn !== '') tally.promise(provider, payInOn, netWon);
  tell(count);
}
