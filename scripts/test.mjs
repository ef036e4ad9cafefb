// `npm test [-- vitest arguments]`: installs what is missing and runs every test.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, pinnedNode, root } from './install.mjs';
import { forwardSignals } from './with-node.mjs';

ensureInstalled();
const folder = mkdtempSync(join(tmpdir(), 'jeongsan-results-'));
const results = join(folder, 'results.json');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
const child = spawn(
  pinnedNode,
  [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...reporters, ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
forwardSignals(child);
child.once('exit', (status, signal) => {
  const said = summary();
  rmSync(folder, { recursive: true, force: true });
  if (said) process.stdout.write(`${said}\n`);
  process.exit(status ?? 128 + (constants.signals[signal] ?? 0));
});

/** `N passed, N failed[, N skipped]`. A file that failed outside its tests counts as a failure. */
function summary() {
  let report;
  try {
    report = JSON.parse(readFileSync(results, 'utf8'));
  } catch {
    return undefined;
  }
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  );
  const skipped = report.numPendingTests + report.numTodoTests;
  const counts = [`${report.numPassedTests} passed`, `${report.numFailedTests + broken.length} failed`];
  return [...counts, ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(', ');
}
