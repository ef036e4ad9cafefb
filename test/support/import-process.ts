import { openImportSource } from '../../src/imports/import-source.ts';
import { importPayments } from '../../src/payments/import-payments.ts';
import { createPool } from '../../src/platform/database/pool.ts';

// A process of its own that imports payments from a file or standard input and says on standard output where it is,
// so that a test can kill it, or what it needs, at a known moment.
const [url = '', file = ''] = process.argv.slice(2);
const pool = createPool(url, { applicationName: 'import-process', max: 2 });
let phase = '';
try {
  const outcome = await importPayments(pool, await openImportSource(file), {
    who: 'tester',
    providers: ['ksnet', 'welcome-online', 'welcome-offline'],
    onProgress(progress) {
      if (progress.phase !== phase) console.log(progress.phase);
      phase = progress.phase;
    },
  });
  console.log(`added ${outcome.added}, same ${outcome.same}, refused ${outcome.refused}`);
} catch (error) {
  console.log(`${(error as { code?: string }).code}: ${(error as Error).message}`);
} finally {
  await pool.end();
}
