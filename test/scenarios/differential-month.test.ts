import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { differentialProviders } from '../../src/providers/differential-registry.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { runProcess, temporaryFolder } from '../support/processes.ts';

const cli = path.resolve(import.meta.dirname, '../../src/cli.ts');
const check = path.resolve(import.meta.dirname, '../../examples/independent-check/differential.mjs');
const month = ['sandbox', 'differential', '--days', '30', '--payments', '150', '--json'];

let db: TestDatabase;
let home = '';
beforeEach(async () => {
  db = await testDatabase();
  home = temporaryFolder();
});
afterEach(() => db.close());

const env = () => ({ JEONGSAN_HOME: home, DATABASE_URL: db.url, JEONGSAN_LANGUAGE: 'en' });
const folder = () => path.join(home, 'sandbox', 'differential', '1-2026-08-03-30-150');

/** Where the month's clock stands; the beginning of time before it has one. */
function clockStands(): string {
  try {
    return readFileSync(path.join(folder(), 'clock'), 'utf8');
  } catch {
    return '';
  }
}

/** What a command of the product prints. */
function said(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...words], {
    env: { ...process.env, ...env() },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  expect(status, stderr).toBe(0);
  return stdout;
}

type Sum = { readonly provider: string; readonly claims: number; readonly paid: number } & Readonly<
  Record<'clawedBack' | 'rejected' | 'held' | 'waiting' | 'paidWon' | 'clawedBackWon' | 'bookedWon', number>
>;

/** Lives through the month with kills on the way; returns what the last process printed. */
async function liveThrough(deaths: readonly string[]): Promise<{ readonly providers: readonly Sum[] } & object> {
  for (const death of deaths) {
    const doomed = runProcess(cli, month, env());
    await eventually(() => expect(clockStands() >= death, doomed.errors()).toBe(true), 240_000);
    doomed.kill('SIGKILL');
    expect(await doomed.ended, doomed.errors()).toBe('SIGKILL');
  }
  const last = runProcess(cli, month, env());
  const lines: string[] = [];
  for (let line = await last.line(); line !== '}'; line = await last.line()) lines.push(line);
  const outcome = JSON.parse(`${lines.join('\n')}}`);
  expect({ ...outcome, providers: [] }, last.errors()).toMatchObject({
    deviations: [],
    strays: [],
    ledgerDeviations: 0,
  });
  expect(await last.ended, last.errors()).toBe(0);
  return outcome;
}

const column = async (sql: string): Promise<string[]> =>
  (await db.pool.query<{ value: string }>(`select distinct ${sql} order by 1`)).rows.map(({ value }) => value);

describe('a month of differential settlement with three providers', () => {
  test('ends where the truth says, with every fault, killed in the middle of it twice', {
    timeout: 900_000,
  }, async () => {
    // While answers are waited for, on the day on which the half-year changes, and near the end.
    const { providers } = await liveThrough(['2026-08-14T01:00', '2026-08-31T15:40']);

    // Every fault that there is was met.
    for (const { id, differential } of differentialProviders) {
      const rejecting = Object.keys(differential.codes).filter(
        (code) => differential.codes[code]?.means !== 'accepted',
      );
      const met = await column(`code as value from claim_rejection where code like '${id}:%'`);
      expect(met).toEqual(rejecting.map((code) => `${id}:${code}`).sort());
    }
    expect(await column('kind as value from claim_break')).toEqual(
      expect.arrayContaining([
        'amount_changed',
        'answered_twice',
        'clawback_without_refund',
        'difference_differs',
        'difference_impossible',
        'tier_differs',
        'unknown_claim',
        'unknown_code',
      ]),
    );
    expect(await column(`problem ->> 'code' as value from answer_file where state = 'refused'`)).toEqual(
      expect.arrayContaining(['statement_other_day', 'statement_totals_differ', 'statement_width']),
    );
    for (const { claims, paid, clawedBack, rejected, held, waiting, ...won } of providers) {
      expect(claims).toBe(paid + clawedBack + rejected + held);
      expect(Math.min(paid, clawedBack, rejected, held)).toBeGreaterThan(0);
      expect(waiting).toBe(0);
      expect(won.paidWon + won.clawedBackWon).toBe(won.bookedWon);
    }

    // Recomputed by another program, to the won; and one won less anywhere is seen.
    const results = path.join(home, 'results');
    mkdirSync(results);
    const claims = said('differential', 'list', '--all', '--json');
    writeFileSync(path.join(results, 'claims.json'), claims);
    const accounts = ['wallet', 'held', 'debt', 'refund_receivable'].flatMap(
      (kind) => JSON.parse(said('ledger', 'accounts', '--kind', kind, '--json')) as object[],
    );
    writeFileSync(path.join(results, 'accounts.json'), JSON.stringify(accounts));
    const recompute = () => {
      const words = [check, path.join(folder(), 'world'), results];
      const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
      return { status, said: `${stdout}${stderr}`.trimEnd().split('\n') };
    };
    expect(recompute()).toEqual({
      status: 0,
      said: [expect.stringMatching(/^\d+ claims of \d+ payments compared, 0 deviations$/)],
    });
    const [, claimed] = /"differenceWon":(\d+)/.exec(claims) ?? [];
    writeFileSync(
      path.join(results, 'claims.json'),
      claims.replace(`"differenceWon":${claimed}`, `"differenceWon":${Number(claimed) - 1}`),
    );
    expect(recompute()).toMatchObject({ status: 1, said: [expect.stringMatching(/^claim .* won/), expect.anything()] });
  });
});
