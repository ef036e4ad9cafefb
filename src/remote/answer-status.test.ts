import { expect, test } from 'vitest';
import { statusOf } from './answer-status.ts';

test.each([
  ['verifyLedger', { clean: true }, 0],
  ['verifyLedger', { clean: false }, 1],
  ['verifyAudit', { sound: false }, 1],
  ['resolveBreaks', { refused: [] }, 0],
  ['resolveBreaks', { refused: [{ id: 7 }] }, 1],
  ['startReconciliation', { outcome: 'complete', stages: [{ state: 'reconciled' }] }, 0],
  ['startReconciliation', { outcome: 'incomplete', stages: [{ state: 'missing' }] }, 3],
  ['startReconciliation', { outcome: 'incomplete', stages: [{ state: 'failed' }] }, 1],
  ['startSettlement', { state: 'settled', setAside: 0 }, 0],
  ['startSettlement', { state: 'settled', setAside: 2 }, 3],
  ['startSettlement', { state: 'skipped', setAside: 0 }, 3],
  ['startBackfill', { id: 'backfill:1' }, 0],
  ['startBackfill', { days: [{ state: 'done' }, { state: 'failed' }] }, 1],
  ['startDifferential', { runs: [{ problem: null }, { problem: { code: 'x' } }] }, 1],
  ['followRun', { state: 'done' }, 0],
  ['followRun', { state: 'failed' }, 1],
  ['restartRun', { state: 'done', outcome: 'incomplete', parts: [] }, 3],
  ['importPayments', { entered: true, refused: 0 }, 0],
  ['importPayments', { entered: true, refused: 1 }, 3],
  ['importPayments', { entered: false, refused: 1 }, 1],
  ['showAlertStatus', { faults: ['x'] }, 3],
  ['listRuns', [{ state: 'failed' }], 0],
])('%s, answered %j, ends with %i', (operation, answer, status) => {
  expect(statusOf(operation, answer)).toBe(status);
});
