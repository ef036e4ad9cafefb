import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { addBusinessDays } from '../kernel/business-day.ts';
import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { koreanHolidays } from '../platform/holidays.ts';
import type { StatementRow } from '../providers/layout/layout.ts';
import type { Provider, StatementSpec } from '../providers/provider.ts';
import { providerOf, providers } from '../providers/registry.ts';
import { type Stage, stages } from '../providers/stage.ts';
import { formatStatementName } from '../reconciliation/statement-name.ts';
import { captureLines } from './capture-lines.ts';
import { depositColumns, depositLines } from './deposits.ts';
import { ourRecords, recordColumns } from './our-records.ts';
import { settlementLines } from './settlement-lines.ts';
import { writeStatementFile } from './statement-file.ts';
import type { StatementNotes } from './statement-lines.ts';
import { Tally } from './tally.ts';
import { transactionLines } from './transaction-lines.ts';
import { makeWorld, type World, type WorldDay, type WorldProvider, type WorldSpec } from './world.ts';
import { csvValue, WorldFile } from './world-file.ts';

export type GenerateOptions = WorldSpec & {
  readonly into: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: {
    readonly on: string;
    readonly provider: string;
    readonly records: number;
  }) => void;
};

/** Counts up whenever the same spec would yield other bytes than before. */
export const generatorVersion = 1;

/** What `world.json` says: enough to load a world and to know what is in it, but not where. */
export type WorldSummary = {
  readonly generator: number;
  readonly seed: string;
  readonly from: string;
  readonly days: readonly string[];
  readonly paymentsPerDay: number;
  readonly breaks: number;
  readonly providers: readonly string[];
  /** Records of ours, and lines of theirs, by provider and day. */
  readonly records: Tally['records'];
  readonly lines: Tally['lines'];
  /** How many differences of each kind, by provider and stage. `timing` is no break. */
  readonly planted: Tally['planted'];
  /** Held captures that a later day's capture statement releases, and lines that only a weaker key matches. */
  readonly released: number;
  readonly weakMatches: number;
};

/** Longer than weekends and holidays ever last together, in days. */
const longestClosure = 14;

type Making = {
  readonly world: World;
  readonly tally: Tally;
  readonly truth: WorldFile;
  readonly options: GenerateOptions;
};

/**
 * Writes a whole world into a folder: `merchants.csv`, `payments.csv`, `deposits.csv`, the statements under
 * `PROVIDER/`, `truth.json` (every planted difference; nothing but tests and people reads it) and `world.json`.
 * The same spec gives the same bytes; memory does not grow with it. Throws `world_folder_in_use`.
 */
export async function generateWorld(options: GenerateOptions): Promise<WorldSummary> {
  await prepareFolder(options.into);
  const world = makeWorld(options);
  const truth = await WorldFile.create(path.join(options.into, 'truth.json'));
  const tally = new Tally(truth);
  const making = { world, tally, truth, options };
  try {
    await writeLines(making, 'merchants.csv', 'merchantId,name,businessNo', merchantLines(world));
    await writeLines(making, 'payments.csv', recordColumns, paymentLines(making));
    for (const day of world.days) {
      for (const provider of world.providers) await writeStatements(making, provider, day);
    }
    await writeLines(making, 'deposits.csv', depositColumns, depositLines(world, tally));
    tally.endTruth();
  } finally {
    await truth.close();
  }
  const summary = summarise(world, tally);
  await writeFile(path.join(options.into, 'world.json'), `${JSON.stringify(summary, null, 2)}\n`);
  return summary;
}

/** An empty folder, or one that holds a world, which is replaced. */
async function prepareFolder(into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  const names = await readdir(into);
  const ours = new Set(['merchants.csv', 'payments.csv', 'deposits.csv', 'truth.json', 'world.json']);
  const isWorld = names.every((name) => ours.has(name) || providers.some(({ id }) => id === name));
  if (!isWorld) throw new Problem('world_folder_in_use', { folder: into });
  // First what says that a world is here: it is written last, and until then there is none.
  await rm(path.join(into, 'world.json'), { force: true });
  for (const { id } of providers) await rm(path.join(into, id), { recursive: true, force: true });
}

async function writeLines({ options }: Making, name: string, header: string, lines: Iterable<string>): Promise<void> {
  const file = await WorldFile.create(path.join(options.into, name));
  let records = 0;
  try {
    file.write(`${header}\n`);
    for (const line of lines) {
      records += 1;
      if (!file.write(line)) continue;
      options.onProgress?.({ file: name, records });
      await file.flush();
      options.signal?.throwIfAborted();
    }
  } finally {
    await file.close();
  }
}

function* merchantLines(world: World): Generator<string> {
  for (const provider of world.providers) {
    for (const { merchantId, name, businessNo } of provider.merchants) {
      yield `${merchantId},${csvValue(name)},${businessNo}\n`;
    }
  }
}

function* paymentLines({ world, tally }: Making): Generator<string> {
  for (const day of world.days) {
    for (const provider of world.providers) yield* ourRecords(provider, day, tally.recordsOf(provider.id, day.on));
  }
}

async function writeStatements(making: Making, provider: WorldProvider, day: WorldDay): Promise<void> {
  const { truth, options } = making;
  const adapter = providerOf(provider.id);
  const folder = path.join(options.into, provider.id);
  await mkdir(folder, { recursive: true });
  for (const stage of stages) {
    const spec = adapter.statements[stage];
    if (spec === undefined) continue;
    for (let mid = 0; mid < (spec.perMid ? provider.mids.length : 1); mid += 1) {
      await writeOneStatement(making, { provider, adapter, day, stage, spec, mid, folder });
      await truth.flush();
      options.signal?.throwIfAborted();
    }
  }
}

type OneStatement = {
  readonly provider: WorldProvider;
  readonly adapter: Provider;
  readonly day: WorldDay;
  readonly stage: Stage;
  readonly spec: StatementSpec;
  readonly mid: number;
  readonly folder: string;
};

async function writeOneStatement({ tally, options }: Making, one: OneStatement): Promise<void> {
  const { provider, day, stage, spec, folder } = one;
  const mid = spec.perMid ? provider.mids[one.mid] : undefined;
  const name = formatStatementName(spec.fileName, { day: day.compact, ...(mid === undefined ? {} : { mid }) });
  await writeStatementFile(
    path.join(folder, name),
    spec,
    { on: Temporal.PlainDate.from(day.on), ...(mid === undefined ? {} : { mid }) },
    (spoil) => {
      const notes: StatementNotes = {
        difference: (difference) => tally.difference(difference),
        unreadable: spoil,
        peculiar: (what) => {
          tally.peculiar[what] += 1;
        },
      };
      return counted(tally, provider, day, stage, rowsOf(one, notes));
    },
  );
}

function rowsOf({ provider, adapter, day, stage, spec, mid }: OneStatement, notes: StatementNotes) {
  const only = spec.perMid ? mid : undefined;
  switch (stage) {
    case 'transaction':
      return transactionLines(provider, day, notes, only);
    case 'capture':
      return captureLines(provider, day, notes, only);
    case 'settlement':
      return settlementLines(provider, day, payInOf(adapter, day), notes, only);
  }
}

function payInOf(adapter: Provider, day: WorldDay): string {
  const on = Temporal.PlainDate.from(day.on);
  return addBusinessDays(
    on,
    adapter.payIn.businessDays,
    koreanHolidays(on.year, on.add({ days: longestClosure }).year),
  ).toString();
}

/** Counts rows as they pass, and what they promise to pay in. */
function* counted(
  tally: Tally,
  provider: WorldProvider,
  day: WorldDay,
  stage: Stage,
  rows: Iterable<StatementRow>,
): Generator<StatementRow> {
  for (const row of rows) {
    tally.lineOf(provider.id, day.on, stage);
    if ('netWon' in row) tally.promise(provider.id, row.payInOn, row.netWon);
    yield row;
  }
}

function summarise(world: World, tally: Tally): WorldSummary {
  const first = world.days[0];
  check(first !== undefined, 'a world has a day');
  return {
    generator: generatorVersion,
    seed: world.spec.seed,
    from: first.on,
    days: world.days.map(({ on }) => on),
    paymentsPerDay: world.spec.payments,
    breaks: world.spec.breaks,
    providers: world.providers.map(({ id }) => id),
    records: tally.records,
    lines: tally.lines,
    planted: tally.planted,
    released: tally.peculiar.released,
    weakMatches: tally.peculiar.weak,
  };
}
