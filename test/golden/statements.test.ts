import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { providerOf, providers } from '../../src/providers/registry.ts';
import { encodeAll, expectedFile, readHot, readPlain } from '../support/statement-reading.ts';
import { goldens } from './rows.ts';

test('every statement of every provider has a file typed by hand', () => {
  const shipped = providers.flatMap(({ id, statements }) => Object.keys(statements).map((stage) => `${id} ${stage}`));
  expect(goldens.map(({ provider, stage }) => `${provider} ${stage}`).sort()).toEqual(shipped.sort());
});

test.each(goldens)('$file', async ({ provider, stage, file, mid, rows }) => {
  const layout = providerOf(provider).statements[stage]?.layout;
  if (layout === undefined) throw new Error(`${provider} sends no ${stage} statement`);
  const bytes = readFileSync(path.join(import.meta.dirname, file));
  const expected = expectedFile(stage, { provider, fileName: file, ...(mid === undefined ? {} : { mid }) });
  const lines = rows.map((row, at) => ({ lineNo: at + 2, ...row }));
  expect(readPlain(layout, [bytes], expected).rows).toEqual(lines);
  const hot = readHot(layout, [bytes], expected);
  expect(hot.rows).toEqual(lines.map(({ extras: _, ...columns }) => ({ loadId: 7, ...columns })));
  expect(hot.facts.declaredWon).toBe(rows.reduce((sum, { amountWon }) => sum + amountWon, 0n));
  expect((await encodeAll(layout, rows, mid)).toString('hex')).toBe(bytes.toString('hex'));
});

test.each(goldens)('$file, cut at any byte', ({ provider, stage, file, mid }) => {
  const layout = providerOf(provider).statements[stage]?.layout;
  if (layout === undefined) throw new Error(`${provider} sends no ${stage} statement`);
  const bytes = readFileSync(path.join(import.meta.dirname, file));
  const expected = expectedFile(stage, { provider, fileName: file, ...(mid === undefined ? {} : { mid }) });
  const whole = readHot(layout, [bytes], expected);
  for (let at = 0; at <= bytes.length; at += 1) {
    expect(readHot(layout, [bytes.subarray(0, at), bytes.subarray(at)], expected)).toEqual(whole);
  }
  const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  expect(readHot(layout, single, expected)).toEqual(whole);
});
