import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import {
  allProviders,
  breaksAsJson,
  bringWorld,
  createInstallation,
  type Installation,
  reconcileDay,
} from '../support/installation.ts';
import { differenceText, type ScoredBreak } from '../support/score.ts';

const from = Temporal.PlainDate.from('2026-11-18');

/** Corrects every statement of a day: the same records between header and trailer, the other way round. */
async function turnFiles({ home }: Installation, on: string): Promise<void> {
  for (const provider of allProviders) {
    const folder = path.join(home, 'inbox', provider);
    for (const name of await readdir(folder)) {
      if (!name.includes(on.replaceAll('-', '')) || name.endsWith('.done')) continue;
      const lines = (await readFile(path.join(folder, name), 'latin1')).split(/(?<=\n)/);
      const turned = [...lines.slice(0, 1), ...lines.slice(1, -1).reverse(), ...lines.slice(-1)].join('');
      await writeFile(path.join(folder, name), turned, 'latin1');
      const anHourAgo = new Date(Date.now() - 3_600_000);
      await utimes(path.join(folder, name), anHourAgo, anHourAgo);
    }
  }
}

/** Every difference but for the line that it stands in. */
function textsOf(differences: readonly ScoredBreak[]): string[] {
  return differences
    .filter(({ kind }) => kind !== 'timing')
    .map((each) => differenceText({ ...each, line: null }))
    .sort();
}

test.each(['1'])('correcting every file of every day opens and closes nothing (%s)', async (seed) => {
  const installation = await createInstallation();
  try {
    const { days, truth } = await bringWorld(installation, { seed, days: 3, payments: 1000, breaks: 2, from });
    const app = await installation.open();
    try {
      for (const on of days) await reconcileDay(app, on);
      const told = async () =>
        (await app.pool.query(`select count(*) from break_event where action <> 'changed'`)).rows[0]?.count;
      const before = await told();
      for (const on of [days[1], days[0], days[2]] as string[]) {
        await turnFiles(installation, on);
        expect((await reconcileDay(app, on)).outcome).toBe('complete');
        expect(textsOf(await breaksAsJson(app))).toEqual(textsOf(truth));
      }
      expect(await told()).toBe(before);
      const { rows } = await app.pool.query(
        `select bool_and((version = 2) = (state = 'imported')) as superseded from statement`,
      );
      expect(rows[0]?.superseded).toBe(true);
    } finally {
      await app.close();
    }
  } finally {
    await installation.close();
  }
});
