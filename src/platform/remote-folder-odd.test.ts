import { randomBytes } from 'node:crypto';
import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { download, remoteContent, remoteFolders } from '../../test/support/remote-folders.ts';
import { HttpsFolder } from './remote-folder-https.ts';

const there = remoteFolders();

describe('what stands there beside a file keeps nobody from it', () => {
  it.each(['sftp', 'folder'] as const)(
    '%s: a link that leads round in a circle, and one that leads nowhere',
    async (kind) => {
      const seen = await there.place('out/a', Buffer.from('x'));
      await symlink(path.join(there.folder, 'out/round'), path.join(there.folder, 'out/round'));
      await symlink(path.join(there.folder, 'out/none'), path.join(there.folder, 'out/nowhere'));
      expect(await there.open(kind).list('out')).toEqual([{ name: 'a', ...seen }]);
    },
  );

  it.each([
    'http://[',
    '/dav/out/%zz',
    'https://elsewhere.invalid/%2e%2e/%2e%2e/etc/passwd',
    '/dav/out/..%2f..%2fpasswd',
  ])('https: a name that is none (%s)', async (href) => {
    const seen = await there.place('out/a', Buffer.from('x'));
    there.webdav.faults.listing = `<D:response><D:href>${href}</D:href><D:propstat><D:prop><D:resourcetype/>
        <D:getcontentlength>1</D:getcontentlength><D:getlastmodified>Sat, 21 Nov 2026 03:00:00 GMT</D:getlastmodified></D:prop>
        <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`;
    expect(await there.open('https').list('out')).toEqual([{ name: 'a', ...seen }]);
  });
});

it('sftp: a server that tells no times is read from', async () => {
  const bytes = randomBytes(50_000);
  await there.place('out/a', bytes);
  there.sftp.faults.noTimes = true;
  const [seen] = await there.open('sftp').list('out');
  expect(seen).toEqual({ name: 'a', bytes: 50_000, modifiedAtMs: 0 });
  expect(seen && (await download(there.open('sftp'), 'out/a', seen)).equals(bytes)).toBe(true);
});

it('https: a server that serves another part than it says is not believed', async () => {
  const seen = await there.place('out/a', randomBytes(4_000_000));
  const cuts = [1_000_000];
  there.webdav.faults = { cutAfter: () => cuts.shift(), wrongRanges: true };
  await expect(download(there.open('https'), 'out/a', seen)).rejects.toMatchObject({ code: 'source_refused' });
  expect(cuts).toEqual([]);
});

describe('https: a server that says when to come back', () => {
  it.each(['120', new Date(Date.now() + 3_600_000).toUTCString()])(
    'is not asked again before: %s',
    async (retryAfter) => {
      there.webdav.faults = { onRequest: () => 429, retryAfter };
      await expect(there.open('https').stat('in/a')).rejects.toMatchObject({
        code: 'source_unreachable',
        details: { reason: expect.stringContaining('429') },
      });
      expect(there.webdav.seen.requests).toHaveLength(1);
    },
  );

  it.each(['0', 'soon', '-1', new Date(0).toUTCString()])(
    'is asked again as usual where that is now, or nothing: %s',
    async (retryAfter) => {
      const statuses = [503];
      there.webdav.faults = { onRequest: () => statuses.shift(), retryAfter };
      expect(await there.open('https').stat('in/a')).toBeUndefined();
      expect(there.webdav.seen.requests).toHaveLength(2);
    },
  );
});

it('https: does not wait for ever for the answer to a file that was put', async () => {
  there.webdav.faults.onRequest = (method) => (method === 'PUT' ? 'drip a head' : undefined);
  const remote = new HttpsFolder(there.webdav.address, { answerMs: 500, tries: 1 });
  await expect(remote.put('in/a.tmp', remoteContent(randomBytes(10)))).rejects.toMatchObject({
    code: 'source_unreachable',
    details: { reason: expect.stringContaining('2000 ms') },
  });
  await remote.close();
}, 20_000);
