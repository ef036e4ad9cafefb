import { afterEach, beforeEach, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { addHoliday, removeHoliday } from '../../src/calendar/store.ts';
import { showBreak } from '../../src/reconciliation/break-store.ts';
import { givenBreak } from '../support/breaks.ts';
import { createInstallation, type Installation, reconcileDay } from '../support/installation.ts';

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

test('a temporary holiday counts in the escalation of a process that runs already', async () => {
  // Friday to Thursday, the day after the one that is reconciled: four business days, and three bring it to nobody.
  const id = await givenBreak(app.pool, { provider: 'welcome-online', on: '2026-11-13' });
  const reconcile = () => reconcileDay(app, '2026-11-18', { providers: ['welcome-online'], stages: ['transaction'] });
  const holiday = { day: '2026-11-17', name: '임시공휴일', recordedBy: 'kim', reason: '국무회의 의결' };

  await addHoliday(app.pool, holiday);
  await reconcile();
  expect((await showBreak(app.pool, id)).escalatedAt).toBeNull();

  await removeHoliday(app.pool, holiday);
  await reconcile();
  expect((await showBreak(app.pool, id)).escalatedAt).not.toBeNull();
});
