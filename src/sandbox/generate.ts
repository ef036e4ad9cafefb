import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Problem } from '../kernel/problem.ts';
import { providers } from '../providers/registry.ts';
import { depositColumns, depositLines } from './deposits.ts';
import {
  cardBinColumns,
  cardBinLines,
  nameOf,
  subMerchantColumns,
  subMerchantLines,
  tierColumns,
  tierLines,
} from './differential-facts.ts';
import {
  accountColumns,
  accountLines,
  bankAccountColumns,
  bankAccountLines,
  contractColumns,
  contractLines,
  termsColumns,
  termsLines,
} from './merchant-terms.ts';
import { mergeTallies, type Tallied } from './tally.ts';
import { makeWorld, type World, type WorldSpec } from './world.ts';
import { csvValue, WorldFile } from './world-file.ts';
import { type PartProgress, truthFile } from './world-part.ts';
import { writeParts } from './world-parts.ts';

export type GenerateOptions = WorldSpec & {
  readonly into: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PartProgress) => void;
};

/** Counts up whenever the same spec would yield other bytes than before. */
export const generatorVersion = 3;

/** What `world.json` says: enough to load a world and to know what is in it, but not where. */
export type WorldSummary = {
  readonly generator: number;
  readonly seed: string;
  readonly from: string;
  readonly days: readonly string[];
  readonly paymentsPerDay: number;
  readonly breaks: number;
  readonly differential: boolean;
  readonly providers: readonly string[];
  /** Records of ours, and lines of theirs, by provider and day. */
  readonly records: Tallied['records'];
  readonly lines: Tallied['lines'];
  /** How many differences of each kind, by provider and stage. `timing` is no break. */
  readonly planted: Tallied['planted'];
  /** Held captures that a later day's capture statement releases, and lines that only a weaker key matches. */
  readonly released: number;
  readonly weakMatches: number;
};

/**
 * Writes a whole world into a folder: `merchants.csv` with their `contracts.csv`, `terms.csv` and `accounts.csv`,
 * `tiers.csv`, `sub-merchants.csv` and `card-bins.csv` for differential settlement, `payments.csv`, `deposits.csv`, the statements under `PROVIDER/`, `bank-accounts.csv` (what the simulated bank knows),
 * `truth.json` (every planted difference; nothing but tests and people reads it) and `world.json`.
 * The same spec gives the same bytes; memory does not grow with it. Throws `world_folder_in_use`.
 */
export async function generateWorld(options: GenerateOptions): Promise<WorldSummary> {
  const { into, signal, onProgress } = options;
  const world = makeWorld(options);
  await prepareFolder(into);
  await writeLines(path.join(into, 'merchants.csv'), 'merchantId,name,businessNo', merchantLines(world));
  await writeLines(path.join(into, 'contracts.csv'), contractColumns, contractLines(world));
  await writeLines(path.join(into, 'terms.csv'), termsColumns, termsLines(world));
  await writeLines(path.join(into, 'accounts.csv'), accountColumns, accountLines(world));
  await writeLines(path.join(into, 'tiers.csv'), tierColumns, tierLines(world));
  await writeLines(path.join(into, 'sub-merchants.csv'), subMerchantColumns, subMerchantLines(world));
  await writeLines(path.join(into, 'card-bins.csv'), cardBinColumns, cardBinLines());
  await writeLines(path.join(into, bankAccountsFile), bankAccountColumns, bankAccountLines(world));
  const tallied = mergeTallies(await writeParts({ world, into, signal, onProgress }));
  await writeTruth(world, into, async (add) => {
    const lines = depositLines(world, tallied.promised, (difference) => {
      const deposit = { ...tallied.planted[difference.provider]?.['deposit'] };
      deposit[difference.kind] = (deposit[difference.kind] ?? 0) + 1;
      tallied.planted[difference.provider] = { ...tallied.planted[difference.provider], deposit };
      add(`,\n${JSON.stringify(difference)}`);
    });
    await writeLines(path.join(into, 'deposits.csv'), depositColumns, lines);
  });
  const summary = summarise(world, tallied);
  const part = path.join(into, worldPart);
  await writeFile(part, `${JSON.stringify(summary, null, 2)}\n`);
  await rename(part, path.join(into, 'world.json'));
  return summary;
}

/** Whose accounts are whose, by the bank's word. */
export const bankAccountsFile = 'bank-accounts.csv';

const worldFiles = [
  'merchants.csv',
  'contracts.csv',
  'terms.csv',
  'accounts.csv',
  'tiers.csv',
  'sub-merchants.csv',
  'card-bins.csv',
  bankAccountsFile,
  'payments.csv',
  'deposits.csv',
  'truth.json',
  'world.json',
];

/** What living through a world for differential settlement leaves in its folder. */
const livedFiles = ['payments-in-time.csv', 'payments-belated.csv', 'card-bins-later.csv', 'claims.ndjson'];

/** `world.json` appears whole or not at all. */
const worldPart = '.world.json.part';

/** An empty folder, or one that holds a world, which is replaced. */
async function prepareFolder(into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  const ids = providers.map(({ id }) => id);
  const ours = new Set([
    ...worldFiles,
    ...livedFiles,
    worldPart,
    ...ids,
    ...ids.map((id) => path.basename(truthFile(into, id))),
  ]);
  if (!(await readdir(into)).every((name) => ours.has(name))) {
    throw new Problem('world_folder_in_use', { folder: into });
  }
  // First what says that a world is here: it is written last, and until then there is none.
  await rm(path.join(into, 'world.json'), { force: true });
  for (const id of ids) await rm(path.join(into, id), { recursive: true, force: true });
}

async function writeLines(name: string, header: string, lines: Iterable<string>): Promise<void> {
  const file = await WorldFile.create(name);
  try {
    file.write(`${header}\n`);
    for (const line of lines) if (file.write(line)) await file.flush();
  } finally {
    await file.close();
  }
}

function* merchantLines(world: World): Generator<string> {
  for (const provider of world.providers) {
    for (const [no, { merchantId, businessNo }] of provider.merchants.entries()) {
      yield `${merchantId},${csvValue(nameOf(provider, no))},${businessNo}\n`;
    }
  }
}

/** Joins what the parts planted and what `more` plants into one array. Every difference begins with a comma. */
async function writeTruth(
  world: World,
  into: string,
  more: (add: (text: string) => void) => Promise<void>,
): Promise<void> {
  const truth = await WorldFile.create(path.join(into, 'truth.json'));
  try {
    let opening = '[';
    const add = (text: string): void => {
      truth.write(opening === '' ? text : opening + text.slice(1));
      opening = '';
    };
    for (const { id } of world.providers) {
      for await (const chunk of createReadStream(truthFile(into, id), 'utf8') as AsyncIterable<string>) {
        add(chunk);
        await truth.flush();
      }
      await rm(truthFile(into, id));
    }
    await more(add);
    truth.write(opening === '' ? '\n]\n' : '[]\n');
  } finally {
    await truth.close();
  }
}

function summarise({ spec, days, providers: played }: World, tallied: Tallied): WorldSummary {
  return {
    generator: generatorVersion,
    seed: spec.seed,
    from: spec.from.toString(),
    days: days.map(({ on }) => on),
    paymentsPerDay: spec.payments,
    breaks: spec.breaks,
    differential: spec.differential === true,
    providers: played.map(({ id }) => id),
    records: tallied.records,
    lines: tallied.lines,
    planted: tallied.planted,
    released: tallied.peculiar.released,
    weakMatches: tallied.peculiar.weak,
  };
}
