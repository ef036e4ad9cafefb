import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Pool } from 'pg';
import type { ImportOptions, ImportOutcome } from '../imports/import-records.ts';
import { openImportSource } from '../imports/import-source.ts';
import { importCardBins } from '../merchants/import-tiers.ts';
import { importPayments } from '../payments/import-payments.ts';
import { providers } from '../providers/registry.ts';
import { cardBinColumns, lateBinLines } from './differential-facts.ts';
import { type GeneratedWorld, importWorld, type LoadOptions } from './load.ts';
import { WorldFile } from './world-file.ts';

/** Captures of this day of the world come in after the batch of the day; some of them, at that. */
const belatedDay = 5;
const belatedEvery = 6;

type Bring = (pool: Pool) => Promise<void>;

/** A world's facts as they come in: what is there at the start, and what is only brought later. */
export type FactsInTurn = { readonly atFirst: Bring; readonly belatedCaptures: Bring; readonly lateBin: Bring };

/** Splits a world's files, in its folder, into what is known at first and what comes later. Throws where anything is refused. */
export async function factsInTurn(world: GeneratedWorld, options: LoadOptions): Promise<FactsInTurn> {
  const inTime = path.join(world.folder, 'payments-in-time.csv');
  const belated = path.join(world.folder, 'payments-belated.csv');
  await splitPayments(path.join(world.folder, 'payments.csv'), world.days[belatedDay] ?? '', { inTime, belated });
  const bins = path.join(world.folder, 'card-bins-later.csv');
  await writeFile(bins, [`${cardBinColumns}\n`, ...lateBinLines()].join(''));
  const how = { who: options.who, ...(options.signal === undefined ? {} : { signal: options.signal }) };
  const known = providers.map(({ id }) => id);
  return {
    async atFirst(pool) {
      const outcome = await importWorld(pool, world, { ...options, payments: inTime });
      for (const [name, { refused }] of Object.entries(outcome)) refuseNone(name, refused);
    },
    belatedCaptures: (pool) =>
      bring(belated, how, (source, { ...rest }) => importPayments(pool, source, { ...rest, providers: known })),
    lateBin: (pool) => bring(bins, how, (source, rest) => importCardBins(pool, source, rest)),
  };
}

async function splitPayments(
  from: string,
  day: string,
  to: { readonly inTime: string; readonly belated: string },
): Promise<void> {
  const [inTime, belated] = [await WorldFile.create(to.inTime), await WorldFile.create(to.belated)];
  try {
    let count = 0;
    for await (const line of createInterface({ input: createReadStream(from, 'utf8') })) {
      const isTitle = line.startsWith('record,');
      const [record, , , , , capturedOn] = line.split(',');
      if (record === 'capture' && capturedOn === day) count += 1;
      const isBelated = record === 'capture' && capturedOn === day && count % belatedEvery === 0;
      if ((isTitle || isBelated) && belated.write(`${line}\n`)) await belated.flush();
      if (!isBelated && inTime.write(`${line}\n`)) await inTime.flush();
    }
  } finally {
    await inTime.close();
    await belated.close();
  }
}

async function bring(
  file: string,
  how: ImportOptions,
  importer: (source: Awaited<ReturnType<typeof openImportSource>>, options: ImportOptions) => Promise<ImportOutcome>,
): Promise<void> {
  const { refused } = await importer(await openImportSource(file), how);
  refuseNone(file, refused);
}

function refuseNone(what: string, refused: number): void {
  if (refused > 0) throw new Error(`${what}: ${refused} refused`);
}
