/**
 * `npm run bench -- generate [--rows 1000000] [--days 1] [--json]`: a sandbox world of so many payments, all its files
 * written; payments and rows (records of ours and lines of theirs) a second, and the peak memory of the process.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { generateWorld } from '../src/sandbox/generate.ts';
import { defaultBreaks, defaultFrom } from '../src/sandbox/world.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    days: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const days = Number(values.days);
const payments = Math.ceil(Number(values.rows) / days);
const into = mkdtempSync(path.join(tmpdir(), 'jeongsan-bench-'));
try {
  const startedAt = performance.now();
  const spec = { seed: '1', days, payments, breaks: defaultBreaks, from: defaultFrom };
  const { records, lines } = await generateWorld({ ...spec, into });
  const seconds = (performance.now() - startedAt) / 1000;
  const ours = Object.values(records).flatMap((byDay) => Object.values(byDay));
  const made = ours.reduce((sum, { approvals, cancels }) => sum + approvals + cancels, 0);
  const captures = ours.reduce((sum, day) => sum + day.captures, 0);
  const theirs = Object.values(lines)
    .flatMap((byDay) => Object.values(byDay))
    .flatMap((byStage) => Object.values(byStage))
    .reduce((sum, count) => sum + count, 0);
  const result = {
    payments: made,
    rows: made + captures + theirs,
    seconds: Math.round(seconds * 100) / 100,
    paymentsPerSecond: Math.round(made / seconds),
    rowsPerSecond: Math.round((made + captures + theirs) / seconds),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
  const text = Object.entries(result).map(([name, value]) => `${name.padEnd(18)} ${value.toLocaleString('en')}\n`);
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : text.join(''));
} finally {
  rmSync(into, { recursive: true, force: true });
}
