import { copyFile, mkdir, readdir, readFile, rename, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import type { Pool } from 'pg';
import type { ImportOptions, ImportOutcome } from '../imports/import-records.ts';
import { openImportSource } from '../imports/import-source.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import { importMerchants } from '../merchants/import-merchants.ts';
import { importAccounts, importContracts, importTerms } from '../merchants/import-terms.ts';
import { importCardBins, importSubMerchants, importTiers } from '../merchants/import-tiers.ts';
import { importPayments } from '../payments/import-payments.ts';
import type { Cipher } from '../platform/cipher.ts';
import { formatCount, type Progress } from '../platform/terminal.ts';
import { providers, reconciledProviders } from '../providers/registry.ts';
import { importDeposits } from '../reconciliation/deposit-import.ts';
import { generatorVersion, type WorldSummary } from './generate.ts';
import type { WorldSpec } from './world.ts';

/** A world that lies in a folder. */
export type GeneratedWorld = WorldSummary & { readonly folder: string };

export type LoadOptions = {
  readonly who: string;
  /** Seals the merchants' account numbers. */
  readonly cipher: Cipher;
  /** Of the progress; English if not given. */
  readonly language?: Language;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
};

/** What came of loading: the outcome of each import, and how many statements were put in place. */
export type LoadOutcome = {
  readonly merchants: ImportOutcome;
  readonly contracts: ImportOutcome;
  readonly terms: ImportOutcome;
  readonly accounts: ImportOutcome;
  readonly tiers: ImportOutcome;
  readonly subMerchants: ImportOutcome;
  readonly cardBins: ImportOutcome;
  readonly payments: ImportOutcome;
  readonly deposits: ImportOutcome;
};

/** The world in a folder, if there is one (made from `spec`, if given, by this generator); else undefined. */
export async function readWorld(folder: string, spec?: WorldSpec): Promise<GeneratedWorld | undefined> {
  let summary: WorldSummary;
  try {
    summary = JSON.parse(await readFile(path.join(folder, 'world.json'), 'utf8')) as WorldSummary;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (spec !== undefined) {
    const made = [generatorVersion, spec.seed, spec.from.toString(), spec.days, spec.payments, spec.breaks];
    const { generator, seed, from, days, paymentsPerDay, breaks, differential } = summary;
    const found = [generator, seed, from, days.length, paymentsPerDay, breaks, differential];
    if ([...made, spec.differential === true].join() !== found.join()) return undefined;
  }
  return { ...summary, folder };
}

/**
 * Brings a world's merchants with what was agreed with them, payments (of another file, if one is given) and deposits in
 * through the product's own importers.
 */
export async function importWorld(
  pool: Pool,
  world: GeneratedWorld,
  options: LoadOptions & { readonly payments?: string },
): Promise<LoadOutcome> {
  const known = providers.map(({ id }) => id);
  const bring = async (
    file: string,
    importer: (source: Awaited<ReturnType<typeof openImportSource>>, options: ImportOptions) => Promise<ImportOutcome>,
  ): Promise<ImportOutcome> => {
    const source = await openImportSource(path.resolve(world.folder, file));
    const { who, progress, signal } = options;
    const outcome = await importer(source, {
      who,
      ...(signal === undefined ? {} : { signal }),
      onProgress: ({ rows }) => progress?.update(file, `${file}  ${formatCount(rows)}`),
    });
    progress?.finish(file, `${file}  ${countsText(outcome, options.language ?? 'en')}`);
    return outcome;
  };
  return {
    merchants: await bring('merchants.csv', (source, how) => importMerchants(pool, source, how)),
    contracts: await bring('contracts.csv', (source, how) => importContracts(pool, source, how)),
    terms: await bring('terms.csv', (source, how) => importTerms(pool, source, how)),
    accounts: await bring('accounts.csv', (source, how) => importAccounts(pool, options.cipher, source, how)),
    tiers: await bring('tiers.csv', (source, how) => importTiers(pool, source, how)),
    subMerchants: await bring('sub-merchants.csv', (source, how) => importSubMerchants(pool, source, how)),
    cardBins: await bring('card-bins.csv', (source, how) => importCardBins(pool, source, how)),
    payments: await bring(options.payments ?? 'payments.csv', (source, how) =>
      importPayments(pool, source, { ...how, providers: known }),
    ),
    deposits: await bring('deposits.csv', (source, how) => importDeposits(pool, source, { ...how, providers: known })),
  };
}

function countsText(outcome: ImportOutcome, language: Language): string {
  const [added, same, refused] = [outcome.added, outcome.same, outcome.refused].map(formatCount);
  return language === 'ko'
    ? `추가 ${added} · 동일 ${same} · 거절 ${refused}`
    : `${added} added · ${same} the same · ${refused} refused`;
}

/**
 * Loads a world as a business would meet it: our side is imported, the statements are put where collecting finds them
 * (`inboxes`: a folder for each provider). Safe to repeat. Throws `world_missing`.
 */
export async function loadWorld(
  pool: Pool,
  folder: string,
  options: LoadOptions & { readonly inboxes: Readonly<Record<string, string>> },
): Promise<LoadOutcome & { readonly statements: number }> {
  const world = await readWorld(folder);
  if (world === undefined) throw new Problem('world_missing', { folder });
  const outcome = await importWorld(pool, world, options);
  let statements = 0;
  for (const { id: provider } of reconciledProviders.filter(({ id }) => world.providers.includes(id))) {
    const inbox = options.inboxes[provider];
    if (inbox === undefined) throw new Problem('not_found', { what: 'inbox', id: provider });
    statements += await deliver(path.join(folder, provider), inbox);
  }
  return { ...outcome, statements };
}

/** Copies statements as a careful sender does: whole under their name at once, done-markers after all of them. */
async function deliver(from: string, to: string): Promise<number> {
  await mkdir(to, { recursive: true });
  const names = (await readdir(from)).sort();
  const isMarker = (name: string): boolean => names.includes(name.replace(/\.[^.]*$/, ''));
  const files = names.filter((name) => !isMarker(name));
  for (const name of [...files, ...names.filter(isMarker)]) {
    const part = path.join(to, `.${name}.part`);
    await copyFile(path.join(from, name), part);
    const { atime, mtime } = await stat(path.join(from, name));
    await utimes(part, atime, mtime);
    await rename(part, path.join(to, name));
  }
  return files.length;
}
