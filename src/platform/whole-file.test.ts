import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/support/processes.ts';
import { writeWhole } from './whole-file.ts';

test('of two who write one file at once each writes it whole, and nothing else is left', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'report.csv');
  const both = Promise.withResolvers<void>();
  let begun = 0;
  const write = (text: string) =>
    writeWhole(file, async (temporary) => {
      writeFileSync(temporary, text.slice(0, 5));
      begun += 1;
      if (begun === 2) both.resolve();
      await both.promise;
      writeFileSync(temporary, text, { flag: 'a' });
    });
  const texts = ['a'.repeat(10), 'b'.repeat(10)];
  await Promise.all(texts.map(write));
  expect(texts.map((text) => `${text.slice(0, 5)}${text}`)).toContain(readFileSync(file, 'utf8'));
  expect(readdirSync(folder)).toEqual(['report.csv']);
});
