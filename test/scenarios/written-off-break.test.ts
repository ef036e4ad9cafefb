import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { encodeStatement } from '../../src/providers/layout/encode.ts';
import { welcomeOnline } from '../../src/providers/welcome-online.ts';
import { breakCommands } from '../../src/reconciliation/break-commands.ts';
import { runCommand } from '../support/commands.ts';
import { createInstallation, type Installation, reconcileDay } from '../support/installation.ts';
import { approval, paymentsCsv } from '../support/payment-lines.ts';
import { runProcess } from '../support/processes.ts';
import { row } from '../support/sample-statement.ts';

const cli = path.resolve(import.meta.dirname, '../../src/cli.ts');
const [d1, d2] = ['2026-11-18', '2026-11-19'];
const { layout } = welcomeOnline.statements.transaction;

let installation: Installation;
let app: App;

beforeEach(async () => {
  installation = await createInstallation();
  app = await installation.open();
});
afterEach(async () => {
  await app.close();
  await installation.close();
});

/** `jeongsan …` in a process of its own. */
async function jeongsan(...words: string[]): Promise<void> {
  const { home, db } = installation;
  const ran = runProcess(cli, words, { JEONGSAN_HOME: home, DATABASE_URL: db.url });
  expect(await ran.ended, ran.errors()).toBe(0);
}

async function importPayments(on: string, tids: readonly string[]): Promise<void> {
  const file = path.join(installation.home, 'payments.csv');
  const lines = tids.map((tid) =>
    approval({ provider: 'welcome-online', providerTid: tid, tradedAt: `${on}T12:00:00+09:00`, orderNo: tid }),
  );
  await writeFile(file, paymentsCsv(lines));
  await jeongsan('payments', 'import', file);
}

async function addStatement(on: string, tids: readonly string[]): Promise<void> {
  const file = path.join(installation.home, 'by-hand.dat');
  const rows = tids.map((tid) =>
    row({ providerTid: tid, orderNo: tid, tradedOn: d1, tradedTime: '12:00:00', amountWon: 50_000n }),
  );
  const day = Temporal.PlainDate.from(on);
  await writeFile(file, encodeStatement(layout, 'transaction', { on: day, rows }));
  const named = ['--provider', 'welcome-online', '--stage', 'transaction', '--on', on, '--why', 'came by mail'];
  await jeongsan('statement', 'add', file, ...named);
}

/** Reconciles the day; its breaks and what its equation leaves unexplained. */
async function reconcile(on: string): Promise<{ breaks: unknown; equation: unknown }> {
  const day = await reconcileDay(app, on, { providers: ['welcome-online'], stages: ['transaction'] });
  const { breaksWon, timingWon, residualWon } = day.equations[0]?.transactions ?? {};
  return { breaks: day.stages[0]?.breaks, equation: { breaksWon, timingWon, residualWon } };
}

const breaks = async (...words: string[]) =>
  (
    await runCommand(app.pool, ['breaks', ...words], (program, context, output) =>
      breakCommands(program, context, () => ({
        output,
        world: { today: Temporal.PlainDate.from(d2), providers: ['welcome-online'] },
      })),
    )
  ).said;

const counterparts: [string, string, () => Promise<void>, () => Promise<void>, object][] = [
  [
    'missing_at_provider, whose line comes in the next day’s file',
    'missing_at_provider',
    async () => {
      await importPayments(d1, ['T0', 'T1']);
      await addStatement(d1, ['T0']);
    },
    () => addStatement(d2, ['T1']),
    { breaksWon: 0n, timingWon: -50_000n, residualWon: 0n },
  ],
  [
    'missing_at_provider, whose line comes in a corrected file',
    'missing_at_provider',
    async () => {
      await importPayments(d1, ['T0', 'T1']);
      await addStatement(d1, ['T0']);
    },
    () => addStatement(d1, ['T0', 'T1']),
    { breaksWon: 0n, timingWon: 0n, residualWon: 0n },
  ],
  [
    'missing_here, whose payment is imported later',
    'missing_here',
    async () => {
      await importPayments(d1, ['T0']);
      await addStatement(d1, ['T0', 'T1']);
    },
    () => importPayments(d1, ['T1']),
    { breaksWon: 0n, timingWon: 0n, residualWon: 0n },
  ],
];

test.each(counterparts)('a written-off break: %s', async (_, kind, begin, counterpart, equationAfter) => {
  await begin();
  const differenceWon = kind === 'missing_here' ? 50_000n : -50_000n;
  const standing = (unresolved: number) => ({
    breaks: { [kind]: { count: 1, unresolved, differenceWon } },
    equation: { breaksWon: differenceWon, timingWon: 0n, residualWon: 0n },
  });
  expect(await reconcile(d1)).toEqual(standing(1));
  const [found] = JSON.parse(await breaks('list', '--json'));
  expect(await breaks('resolve', `${found.id}`, '--as', 'written_off', '--why', 'too old', '--by', 'kim')).toContain(
    '1',
  );
  // Written off, the difference itself is still there, and the day is still explained by it.
  expect(await reconcile(d1)).toEqual(standing(0));

  await counterpart();
  await reconcile(d2);
  expect(await reconcile(d1)).toEqual({ breaks: {}, equation: equationAfter });
  expect(JSON.parse(await breaks('list', '--json'))).toEqual([]);
  expect(JSON.parse(await breaks('list', '--state', 'all', '--json'))).toHaveLength(1);
  expect(await breaks('list', '--state', 'resolved')).toContain('resolved · written off · gone');
  const shown = JSON.parse(await breaks('show', `${found.id}`, '--json'));
  expect(shown).toMatchObject({ kind, state: 'resolved', resolution: 'written_off', goneAt: expect.any(String) });
  expect(shown.events.map((event: Record<string, unknown>) => [event['who'], event['action'], event['note']])).toEqual([
    ['jeongsan', 'opened', `reconcile:${d1}:1`],
    ['kim', 'resolved', 'written_off: too old'],
    ['jeongsan', 'gone', expect.stringMatching(/^matched_later in reconcile:/)],
  ]);
  await reconcile(d1);
  await reconcile(d2);
  expect(JSON.parse(await breaks('show', `${found.id}`, '--json'))).toEqual(shown);
});
