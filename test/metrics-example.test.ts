import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { askedMetrics } from '../src/operations/metrics-store.ts';
import { repositoryRoot } from '../src/platform/config.ts';
import { createMetrics } from '../src/platform/metrics.ts';

const read = (file: string) => readFileSync(path.join(repositoryRoot, file), 'utf8');
const named = (text: string) => [...new Set([...text.matchAll(/\bjeongsan_[a-z0-9_]+/g)].map((match) => match[0]))];

/** The names as queries use them: of a histogram its buckets, sum and count too. */
async function offered(): Promise<Set<string>> {
  const metrics = createMetrics();
  metrics.watchPool('main', { totalCount: 1, idleCount: 1, waitingCount: 0 });
  metrics.ask(askedMetrics, async () => new Map());
  const { body } = await metrics.text();
  const types = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((match) => [match[1] as string, match[2] as string]);
  return new Set(
    types.flatMap(([name = '', type]) =>
      type === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
}

test.each(['examples/grafana/dashboard.json', 'examples/grafana/rules.yml', 'docs/metrics.md'])(
  '%s names metrics that there are',
  async (file) => {
    const known = await offered();
    expect(named(read(file)).filter((name) => !known.has(name))).toEqual([]);
  },
);

test('every metric of ours is explained, and drawn', async () => {
  const ours = [...(await offered())].filter((name) => !/_(bucket|sum|count)$/.test(name));
  const document = read('docs/metrics.md');
  const dashboard = read('examples/grafana/dashboard.json');
  const own = ours.filter((name) => !/^jeongsan_(process|nodejs)_/.test(name));
  expect(own.filter((name) => !document.includes(`\`${name}\``))).toEqual([]);
  expect(own.filter((name) => !dashboard.includes(name))).toEqual([]);
});
