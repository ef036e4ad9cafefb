import { openImportSource } from '../../src/imports/import-source.ts';
import { importPayments } from '../../src/payments/import-payments.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { walPosition } from '../harness.ts';

export type ImportRequest = { readonly url: string; readonly file: string };
export type ImportMeasured = {
  readonly seconds: number;
  /** Until every line was read, checked and staged. */
  readonly readSeconds: number;
  readonly walBytes: number;
  readonly peakRssBytes: number;
};

const { url, file } = JSON.parse(process.argv[2] ?? '') as ImportRequest;
const pool = createPool(url, { applicationName: 'bench-import', max: 2 });
const before = await walPosition(pool);
const startedAt = performance.now();
let readSeconds = 0;
const outcome = await importPayments(pool, await openImportSource(file), {
  who: 'bench',
  providers: ['ksnet', 'welcome-online', 'welcome-offline'],
  onProgress({ phase }) {
    if (phase === 'reading') readSeconds = (performance.now() - startedAt) / 1000;
  },
});
if (outcome.refused > 0) throw new Error(`refused: ${JSON.stringify(outcome.refusals[0])}`);
const measured: ImportMeasured = {
  seconds: (performance.now() - startedAt) / 1000,
  readSeconds,
  walBytes: (await walPosition(pool)) - before,
  peakRssBytes: process.resourceUsage().maxRSS * 1024,
};
await pool.end();
process.send?.(measured);
