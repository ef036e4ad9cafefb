import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isProblem } from '../kernel/problem.ts';
import { openRemoteFolder } from '../platform/open-remote-folder.ts';
import { parseRemoteAddress } from '../platform/remote-address.ts';
import type { RemoteFolder } from '../platform/remote-folder.ts';
import { claimProviders } from './differential-claims.ts';
import { type DifferentialSandbox, openDifferentialSandbox } from './differential-sandbox.ts';

const world = {
  seed: '1',
  days: 6,
  payments: 200,
  breaks: 0,
  from: Temporal.PlainDate.from('2026-08-12'),
  differential: true,
};

let folder = '';
let sandbox: DifferentialSandbox;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'jeongsan-providers-'));
  sandbox = await openDifferentialSandbox({ folder, world, pace: 'calendar' });
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

const content = (text: string) => {
  const bytes = Buffer.from(text);
  return {
    bytes: bytes.length,
    async *chunks() {
      yield bytes;
    },
  };
};
async function textAt(remote: RemoteFolder, name: string): Promise<string> {
  const file = await remote.stat(name);
  if (file === undefined) throw new Error(`no ${name}`);
  const pieces: Buffer[] = [];
  for await (const piece of remote.read(name, file)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString();
}

describe.each(claimProviders)('the simulated %s', (provider) => {
  const opened = () => openRemoteFolder(sandbox.addresses[provider]);

  test('takes a file under a temporary name, renames it over none, and hands out what it puts out', async () => {
    const remote = opened();
    await remote.put('req/a.part', content('the claims'));
    expect(await remote.stat('req/a')).toBeUndefined();
    await remote.rename('req/a.part', 'req/a');
    expect(await textAt(remote, 'req/a')).toBe('the claims');
    await remote.put('req/b.part', content('others'));
    await expect(remote.rename('req/b.part', 'req/a')).rejects.toSatisfy((error) =>
      isProblem(error, 'remote_file_exists'),
    );
    expect(await textAt(remote, 'req/a')).toBe('the claims');
    writeFileSync(path.join(folder, provider, 'files', 'res', 'answer'), 'x'.repeat(300_000));
    expect((await remote.list('res')).map(({ name, bytes }) => [name, bytes])).toEqual([['answer', 300_000]]);
    expect((await textAt(remote, 'res/answer')).length).toBe(300_000);
    expect(await remote.stat('journal.ndjson')).toBeUndefined();
    await remote.close();
  });

  test('is reached by the address that a shell is told', () => {
    const variable = sandbox.variables[`JEONGSAN_DIFFERENTIAL_${provider.toUpperCase()}`] ?? '';
    expect(parseRemoteAddress(variable)).toEqual(sandbox.addresses[provider]);
  });

  // Days 1, 3 and 5 of the world: see `losses`.
  test.each([
    ['while a file is put', '20260813', true],
    ['after it was renamed', '20260815', true],
    ['before it is renamed', '20260817', true],
  ])('loses the connection %s, once, and takes it all the same', async (_, day) => {
    const remote = opened();
    const name = `req/daff_${day}_req`;
    await remote.put(`${name}.part`, content('y'.repeat(100_000)));
    await remote.rename(`${name}.part`, name);
    expect((await textAt(remote, name)).length).toBe(100_000);
    await remote.close();
  });
});

test('keeps its keys, so that a restart is the same provider', async () => {
  const again = await openDifferentialSandbox({ folder, world, pace: 'calendar' });
  await again.close();
  const keys = (one: DifferentialSandbox) => {
    const { welcome, ksnet } = one.addresses;
    const token = ksnet.kind === 'https' ? readFileSync(ksnet.tokenPath, 'utf8') : '';
    return [welcome.kind === 'sftp' ? welcome.hostKeys : [], token];
  };
  expect(keys(again)).toEqual(keys(sandbox));
});
