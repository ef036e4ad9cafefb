import { randomBytes } from 'node:crypto';
import { mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { download, remoteContent, remoteFolders, remoteKinds } from '../../test/support/remote-folders.ts';

const kib = 1024;
const there = remoteFolders();

describe.each(remoteKinds)('a remote folder by %s', (kind) => {
  it.each([0, 1, 32 * kib, 32 * kib + 1, 5_000_011])(
    'puts %i bytes, renames them and reads them as they were',
    async (n) => {
      const bytes = randomBytes(n);
      const remote = there.open(kind);
      await remote.put('in/a.tmp', remoteContent(bytes));
      expect((await remote.stat('in/a.tmp'))?.bytes).toBe(n);
      await remote.rename('in/a.tmp', 'in/a');
      expect(await remote.stat('in/a.tmp')).toBeUndefined();
      expect((await there.on('in/a')).equals(bytes)).toBe(true);
      const seen = await remote.stat('in/a');
      expect(seen && (await download(remote, 'in/a', seen)).equals(bytes)).toBe(true);
    },
  );

  it('takes chunks of any size, each valid until the next', async () => {
    const bytes = randomBytes(300_000);
    await there.open(kind).put('in/a.tmp', remoteContent(bytes, 1_003));
    expect((await there.on('in/a.tmp')).equals(bytes)).toBe(true);
  });

  it('replaces what an earlier try left under the temporary name, also where that is longer', async () => {
    await there.place('in/a.tmp', randomBytes(90_000));
    const bytes = randomBytes(40_000);
    await there.open(kind).put('in/a.tmp', remoteContent(bytes));
    expect((await there.on('in/a.tmp')).equals(bytes)).toBe(true);
  });

  it('never renames over a file', async () => {
    await there.place('in/a.tmp', Buffer.from('new'));
    await there.place('in/a', Buffer.from('old'));
    await expect(there.open(kind).rename('in/a.tmp', 'in/a')).rejects.toMatchObject({ code: 'remote_file_exists' });
    expect([String(await there.on('in/a')), String(await there.on('in/a.tmp'))]).toEqual(['old', 'new']);
  });

  it('says that a file which is not there cannot be renamed', async () => {
    await expect(there.open(kind).rename('in/a.tmp', 'in/a')).rejects.toMatchObject({ code: 'source_refused' });
  });

  it('lists plain files by name, with size and time, and nothing of a folder that is not there', async () => {
    const b = await there.place('out/b #1&2.dat', randomBytes(10));
    const a = await there.place('out/a.dat', randomBytes(3));
    await mkdir(path.join(there.folder, 'out/c'));
    const remote = there.open(kind);
    expect(await remote.list('out')).toEqual([
      { name: 'a.dat', ...a },
      { name: 'b #1&2.dat', ...b },
    ]);
    expect(await remote.stat('out/b #1&2.dat')).toMatchObject(b);
    expect(await remote.stat('out/none')).toBeUndefined();
    expect(await remote.list('none')).toEqual([]);
  });

  it('does not read a file that is no longer the one that was seen', async () => {
    const seen = await there.place('out/a', randomBytes(50_000));
    await there.place('out/a', randomBytes(50_000), '2026-11-21T04:00:00Z');
    await expect(download(there.open(kind), 'out/a', seen)).rejects.toMatchObject({ code: 'file_changed_while_read' });
    await rm(path.join(there.folder, 'out/a'));
    await expect(download(there.open(kind), 'out/a', seen)).rejects.toMatchObject({ code: 'file_changed_while_read' });
  });

  it('leads nowhere else', async () => {
    await expect(async () => there.open(kind).stat('in/../../etc/passwd')).rejects.toThrow('leads elsewhere');
  });
});

it.each(remoteKinds)(
  'by %s a file of 200 MB goes and comes in constant memory',
  async (kind) => {
    const bytes = 200 * kib * kib;
    const chunk = Buffer.alloc(256 * kib, 'x');
    const remote = there.open(kind);
    let highest = 0;
    const look = () => {
      highest = Math.max(highest, process.memoryUsage().arrayBuffers);
    };
    const before = process.memoryUsage().arrayBuffers;
    await remote.put('in/a.tmp', {
      bytes,
      async *chunks() {
        for (let n = 0; n < bytes / chunk.length; n += 1) {
          look();
          yield chunk;
        }
      },
    });
    const { size, mtimeMs } = await stat(path.join(there.folder, 'in/a.tmp'));
    expect(size).toBe(bytes);
    let read = 0;
    const modifiedAtMs = kind === 'folder' ? Math.floor(mtimeMs) : Math.floor(mtimeMs / 1000) * 1000;
    for await (const piece of remote.read('in/a.tmp', { bytes, modifiedAtMs })) {
      look();
      read += piece.length;
    }
    expect(read).toBe(bytes);
    // Garbage of both ends included, since the server is in this process too.
    expect(highest - before).toBeLessThan(100 * kib * kib);
  },
  60_000,
);
