/** `npm run bench -- parse [--rows N] [--json]`: how fast the bytes of each provider's statements become COPY tuples. */
import { parseArgs } from 'node:util';
import { formatCount, formatTable } from '../src/platform/terminal.ts';
import { benchParse } from './parse/measure.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, json: { type: 'boolean', default: false } },
});
const figures = await benchParse(Number(values.rows));
if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
else {
  const right = (title: string) => ({ title, align: 'right' }) as const;
  const columns = [{ title: 'provider' }, { title: 'stage' }, ...['rows/s', 'rows/CPU s', 'peak RSS MiB'].map(right)];
  const lines = figures.map((figure) => [
    figure.provider,
    figure.stage,
    formatCount(figure.rowsPerSecond),
    formatCount(figure.cpuRowsPerSecond),
    formatCount(Math.round(figure.peakRssBytes / 2 ** 20)),
  ]);
  process.stdout.write(formatTable(columns, lines));
}
