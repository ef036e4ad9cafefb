import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/support/processes.ts';
import { dataKeyId } from './cipher.ts';
import { ensureHomeKey, homeKeys, replaceHomeKey } from './data-key-files.ts';

const ids = (home: string): string[] => homeKeys(home).map(dataKeyId);

test('however many give a home a new key at once, no key is lost under which something may have been sealed', async () => {
  const home = temporaryFolder();
  await ensureHomeKey(home);
  const seen = new Set(ids(home));
  const replace = async () => {
    await replaceHomeKey(home, dataKeyId);
    for (const id of ids(home)) seen.add(id);
  };
  await Promise.all(Array.from({ length: 5 }, replace));
  expect(ids(home)).toHaveLength(6);
  expect(new Set(ids(home))).toEqual(seen);
});
