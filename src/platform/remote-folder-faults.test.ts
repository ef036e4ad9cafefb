import { randomBytes } from 'node:crypto';
import { link, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { download, remoteContent, remoteFolders } from '../../test/support/remote-folders.ts';
import { HttpsFolder } from './remote-folder-https.ts';

const kib = 1024;
const there = remoteFolders();

describe('a server that fails', () => {
  it('sftp: goes on with a put where a lost connection had confirmed it', async () => {
    const bytes = randomBytes(6_000_000);
    const cuts = [1_000_000, 3_000_000, 5_000_000];
    there.sftp.faults.onWrite = (taken) => {
      if (taken < (cuts[0] ?? Number.POSITIVE_INFINITY)) return undefined;
      cuts.shift();
      return 'drop';
    };
    await there.open('sftp').put('in/a.tmp', remoteContent(bytes));
    expect((await there.on('in/a.tmp')).equals(bytes)).toBe(true);
    expect(there.sftp.seen.connections).toBe(4);
    expect(there.sftp.seen.takenBytes).toBeLessThan(bytes.length + 3 * 24 * 32 * kib + 1);
  });

  it('https: puts a file again from its beginning when the connection was cut', async () => {
    const bytes = randomBytes(6_000_000);
    const cuts = [4_000_000, 100_000];
    there.webdav.faults.cutAfter = () => cuts.shift();
    await there.open('https').put('in/a.tmp', remoteContent(bytes));
    expect((await there.on('in/a.tmp')).equals(bytes)).toBe(true);
    expect(there.webdav.seen.requests.filter((each) => each.startsWith('PUT'))).toHaveLength(3);
  });

  it.each(['sftp', 'https'] as const)(
    '%s: gives a put up after so many tries, and nobody took it for done',
    async (kind) => {
      there.sftp.faults.onWrite = () => 'drop';
      there.webdav.faults.cutAfter = () => 0;
      const putting = there.open(kind).put('in/a.tmp', remoteContent(randomBytes(200_000)));
      await expect(putting).rejects.toMatchObject({ code: 'source_unreachable' });
    },
  );

  it.each(['sftp', 'https'] as const)('%s: does not wait for ever for a server that takes no more', async (kind) => {
    let stalled = false;
    there.sftp.faults.onWrite = () => {
      if (stalled) return undefined;
      stalled = true;
      return 'stall';
    };
    const stalls = [500_000];
    there.webdav.faults.stallAfter = () => stalls.shift();
    const bytes = randomBytes(1_000_000);
    await there.open(kind).put('in/a.tmp', remoteContent(bytes));
    expect((await there.on('in/a.tmp')).equals(bytes)).toBe(true);
  });

  it.each([
    ['sftp', 'No space left'],
    ['https', '507'],
  ] as const)('%s: says that there is no room', async (kind, reason) => {
    there.sftp.faults.onWrite = () => 'full';
    there.webdav.faults.onRequest = (method) => (method === 'PUT' ? 507 : undefined);
    const putting = there.open(kind).put('in/a.tmp', remoteContent(randomBytes(3_000_000)));
    await expect(putting).rejects.toMatchObject({
      code: 'source_refused',
      details: { reason: expect.stringContaining(reason) },
    });
  });

  it('https: reads on where the connection was cut, also from a server without ranges', async () => {
    const bytes = randomBytes(4_000_000);
    const seen = await there.place('out/a', bytes);
    for (const noRanges of [false, true]) {
      there.webdav.seen.servedBytes = 0;
      const cuts = [1_000_000, noRanges ? 2_500_000 : 1_000_000];
      there.webdav.faults = { cutAfter: () => cuts.shift(), noRanges };
      expect((await download(there.open('https'), 'out/a', seen)).equals(bytes)).toBe(true);
      expect(cuts).toEqual([]);
      if (!noRanges) expect(there.webdav.seen.servedBytes).toBeLessThan(bytes.length + 2_000_000);
    }
  });

  it('https: does not join the head of a file to the tail of another', async () => {
    const seen = await there.place('out/a', randomBytes(4_000_000));
    const cuts = [1_000_000];
    there.webdav.faults.cutAfter = () => cuts.shift();
    const reading = (async () => {
      for await (const _ of there.open('https').read('out/a', seen)) {
        if (cuts.length === 0) await there.place('out/a', randomBytes(4_000_000), '2026-11-21T04:00:00Z');
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'file_changed_while_read' });
    expect(there.webdav.seen.servedBytes).toBeLessThan(2_500_000);
  });

  it('https: comes back to a server that is busy, and names one that stays so', async () => {
    await there.place('out/a', Buffer.from('x'));
    const statuses = [503, 429];
    there.webdav.faults.onRequest = () => statuses.shift();
    expect((await there.open('https').stat('out/a'))?.bytes).toBe(1);
    there.webdav.faults.onRequest = () => 503;
    await expect(there.open('https').stat('out/a')).rejects.toMatchObject({ code: 'source_unreachable' });
  });

  it.each(['sftp', 'https'] as const)('%s: names a server that is not there', async (kind) => {
    await expect(there.open(kind, { port: 1 }).stat('in/a')).rejects.toMatchObject({ code: 'source_unreachable' });
  });
});

it.each(['drip a head', 'drip a body'] as const)('https: does not wait for ever for a server to %s', async (how) => {
  there.webdav.faults.onRequest = () => how;
  const remote = new HttpsFolder(there.webdav.address, { answerMs: 100, tries: 1 });
  await expect(remote.list('out')).rejects.toMatchObject({
    code: 'source_unreachable',
    details: { reason: expect.stringContaining('400 ms') },
  });
  await remote.close();
});

describe('a rename whose answer was lost', () => {
  const bytes = Buffer.from('claims');
  const moves = () => there.webdav.seen.requests.filter((each) => each.startsWith('MOVE')).length;

  it.each(['sftp', 'https'] as const)('%s: is found done, and not asked for again', async (kind) => {
    await there.place('in/a.tmp', bytes);
    there.sftp.faults.onRename = () => 'done, then drop';
    there.webdav.faults.onMove = () => 'done, then drop';
    await there.open(kind).rename('in/a.tmp', 'in/a');
    expect(await readdir(path.join(there.folder, 'in'))).toEqual(['a']);
    expect(there.sftp.seen.renames + moves()).toBe(1);
  });

  it.each(['sftp', 'https'] as const)('%s: is asked for again where it had not been done', async (kind) => {
    await there.place('in/a.tmp', bytes);
    let lost = 0;
    const loseFirst = () => {
      lost += 1;
      return lost === 1 ? 'drop' : undefined;
    };
    there.sftp.faults.onRename = loseFirst;
    there.webdav.faults.onRequest = (method) => (method === 'MOVE' ? loseFirst() : undefined);
    await there.open(kind).rename('in/a.tmp', 'in/a');
    expect(await readdir(path.join(there.folder, 'in'))).toEqual(['a']);
    expect(there.sftp.seen.renames + moves()).toBe(2);
  });

  it('sftp: done by halves, it leaves both names, which is said', async () => {
    await there.place('in/a.tmp', bytes);
    there.sftp.faults.onRename = () => 'half done, then drop';
    await expect(there.open('sftp').rename('in/a.tmp', 'in/a')).rejects.toMatchObject({ code: 'remote_file_exists' });
    expect(await readdir(path.join(there.folder, 'in'))).toEqual(['a', 'a.tmp']);
  });

  it('https: said to be done and not done, it is not believed', async () => {
    await there.place('in/a.tmp', bytes);
    there.webdav.faults.onMove = () => 'said, not done';
    await expect(there.open('https').rename('in/a.tmp', 'in/a')).rejects.toMatchObject({
      code: 'source_refused',
      details: { reason: expect.stringContaining('still') },
    });
    expect(moves()).toBe(1);
  });

  it('https: with neither name there it stays unknown', async () => {
    await there.place('in/a.tmp', bytes);
    there.webdav.faults.onMove = () => 'taken away, then drop';
    const renaming = there.open('https').rename('in/a.tmp', 'in/a');
    await expect(renaming).rejects.toMatchObject({ code: 'remote_rename_unknown' });
    expect(moves()).toBe(1);
  });

  it.each(['sftp', 'https'] as const)('%s: is given up, never done blindly', async (kind) => {
    await there.place('in/a.tmp', bytes);
    there.sftp.faults.onRename = () => 'drop';
    there.webdav.faults.onRequest = (method) => (method === 'MOVE' ? 'drop' : undefined);
    await expect(there.open(kind).rename('in/a.tmp', 'in/a')).rejects.toMatchObject({ code: 'source_unreachable' });
    const asked = kind === 'https' ? there.webdav.seen.requests.map((each) => each.split(' ')[0]) : [];
    // Both names are looked at after each doubt.
    if (kind === 'https') expect(asked.join(' ')).toBe('HEAD MOVE HEAD HEAD MOVE HEAD HEAD MOVE HEAD HEAD');
  });

  it('a folder: one that stopped between its two names is brought to its end', async () => {
    await there.place('in/a.tmp', bytes);
    const remote = there.open('folder');
    await link(path.join(there.folder, 'in/a.tmp'), path.join(there.folder, 'in/a'));
    await remote.rename('in/a.tmp', 'in/a');
    expect(await readdir(path.join(there.folder, 'in'))).toEqual(['a']);
  });
});

describe('an HTTPS server is known before anything is said to it', () => {
  it('by its fingerprint: with another certificate it hears no token', async () => {
    const other = `SHA256:${'A'.repeat(43)}`;
    await expect(there.open('https', { fingerprints: [other] }).stat('in/a')).rejects.toMatchObject({
      code: 'certificate_mismatch',
      details: { pinned: other, seen: there.webdav.address.fingerprints[0] },
    });
    expect(there.webdav.seen.requests).toEqual([]);
  });

  it('while it is renewed, by either fingerprint', async () => {
    const fingerprints = [`SHA256:${'A'.repeat(43)}`, ...there.webdav.address.fingerprints];
    expect(await there.open('https', { fingerprints }).stat('in/none')).toBeUndefined();
  });

  it('by the authority that issued it, and not without', async () => {
    const { certificatePath: caPath } = there.webdav;
    expect(await there.open('https', { fingerprints: [], caPath }).stat('in/none')).toBeUndefined();
    const asked = there.webdav.seen.requests.length;
    await expect(there.open('https', { fingerprints: [] }).stat('in/a')).rejects.toMatchObject({
      code: 'source_unreachable',
    });
    expect(there.webdav.seen.requests).toHaveLength(asked);
    const missing = there.open('https', { fingerprints: [], caPath: '/nowhere.pem' });
    await expect(missing.stat('in/a')).rejects.toMatchObject({ code: 'certificate_unreadable' });
  });

  it('says that the token was refused, changed it is used without a restart, and its text is nowhere', async () => {
    await writeFile(there.webdav.address.tokenPath, 'hunter2');
    const remote = there.open('https');
    const refused = await remote.stat('in/a').catch((error: Error) => error);
    expect(refused).toMatchObject({ code: 'token_refused', details: { status: 401 } });
    expect(JSON.stringify(refused) + String(refused)).not.toContain('hunter2');
    const putting = remote.put('in/a.tmp', remoteContent(randomBytes(3_000_000)));
    await expect(putting).rejects.toMatchObject({ code: 'token_refused' });
    await writeFile(there.webdav.address.tokenPath, 't0ken');
    expect(await remote.stat('in/none')).toBeUndefined();
    await writeFile(there.webdav.address.tokenPath, 'two\nlines');
    await expect(remote.stat('in/a')).rejects.toMatchObject({ code: 'token_unreadable' });
  });

  it('follows no redirect', async () => {
    there.webdav.faults.onRequest = () => 302;
    await expect(there.open('https').stat('in/a')).rejects.toMatchObject({
      code: 'source_refused',
      details: { reason: expect.stringContaining('a redirect (302)') },
    });
    expect(there.webdav.seen.requests).toHaveLength(1);
  });
});
