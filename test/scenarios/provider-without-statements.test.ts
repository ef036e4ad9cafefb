import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { findPayments } from '../../src/reconciliation/payment-store.ts';
import {
  breaksAsJson,
  bringWorld,
  createInstallation,
  type Installation,
  reconcileDay,
} from '../support/installation.ts';
import { score } from '../support/score.ts';

const from = Temporal.PlainDate.from('2026-11-18');

let installation: Installation;
let app: App;

beforeEach(async () => {
  installation = await createInstallation();
});
afterEach(async () => {
  await app.close();
  await installation.close();
});

test('a day with payments of NICE is complete without a file of it, and none of them is a break', async () => {
  const spec = { seed: 'no-statements', days: 1, payments: 300, breaks: 1, from, differential: true };
  const { folder, truth } = await bringWorld(installation, spec);
  app = await installation.open();
  const day = await reconcileDay(app, from.toString());
  expect({ outcome: day.outcome, reasons: day.reasons }).toEqual({ outcome: 'complete', reasons: [] });
  expect([...new Set(day.stages.map(({ provider }) => provider))].sort()).toEqual([
    'ksnet',
    'welcome-offline',
    'welcome-online',
  ]);
  expect(score(await breaksAsJson(app), truth)).toMatchObject({ missed: [], invented: [] });

  const csv = (await readFile(path.join(folder, 'payments.csv'), 'utf8')).split('\n');
  const [names = '', sale = ''] = [csv[0], csv.find((line) => line.startsWith('approval,nice,'))];
  const providerTid = sale.split(',')[names.split(',').indexOf('providerTid')] as string;
  expect(await findPayments(app.pool, { providerTid, providers: ['nice'] })).toMatchObject([
    { provider: 'nice', providerTid, cancelSeq: 0, kind: 'A', verdict: 'not_reconciled' },
  ]);
});
