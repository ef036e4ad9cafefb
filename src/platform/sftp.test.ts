import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultySftpServer, startFaultySftpServer } from '../../test/support/faulty-sftp-server.ts';
import { Secret } from './secret.ts';
import { SftpSource } from './sftp.ts';
import type { SourceFile } from './source.ts';
import type { SftpAddress } from './source-address.ts';

const impatience = { connectMs: 5_000, answerMs: 5_000, tries: 3, firstWaitMs: 5, longestWaitMs: 20 };
const piece = 32 * 1024;

let folder: string;
let server: FaultySftpServer;
let sources: SftpSource[];
let key: { public: string; private: string };

function open(change: Partial<SftpAddress> = {}, patience = impatience): SftpSource {
  const source = new SftpSource({ ...server.address, ...change }, patience);
  sources.push(source);
  return source;
}

async function download(source: SftpSource, file: SourceFile, onPiece?: () => Promise<void>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const chunk of source.read(file)) {
    pieces.push(Buffer.from(chunk));
    await onPiece?.();
  }
  return Buffer.concat(pieces);
}

async function put(name: string, bytes: Uint8Array, modifiedOn = '2026-11-21T03:00:00Z'): Promise<SourceFile> {
  await writeFile(path.join(folder, name), bytes);
  const modifiedAt = new Date(modifiedOn);
  await utimes(path.join(folder, name), modifiedAt, modifiedAt);
  return { name, bytes: bytes.length, modifiedAtMs: modifiedAt.getTime() };
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'jeongsan-sftp-'));
  key = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
  server = await startFaultySftpServer(folder, key.public);
  sources = [];
});

afterEach(async () => {
  for (const source of sources) await source.close();
  await server.close();
  await rm(folder, { recursive: true });
});

describe('an SFTP source', () => {
  it('lists plain files by name, with size and time', async () => {
    const b = await put('b.dat', randomBytes(10));
    const a = await put('a.dat', randomBytes(3));
    await mkdir(path.join(folder, 'c'));
    const source = open();
    expect(await source.list()).toEqual([a, b]);
    expect(await source.stat('a.dat')).toEqual(a);
    expect(await source.stat('none.dat')).toBeUndefined();
    expect(server.seen.connections).toBe(1);
  });

  it.each([0, 1, piece - 1, piece, piece + 1, 100 * piece + 7])('downloads %i bytes as they are', async (bytes) => {
    const content = randomBytes(bytes);
    const file = await put('a.dat', content);
    expect((await download(open(), file)).equals(content)).toBe(true);
  });

  it('goes on where a lost connection stopped, every byte once', async () => {
    const content = randomBytes(200 * piece + 11);
    const file = await put('a.dat', content);
    const cuts = [30 * piece, 90 * piece, 150 * piece];
    server.faults.onRead = (served) => {
      if (served < (cuts[0] ?? Number.POSITIVE_INFINITY)) return undefined;
      cuts.shift();
      return 'drop';
    };
    const source = open();
    expect((await download(source, file)).equals(content)).toBe(true);
    expect(cuts).toEqual([]);
    expect(server.seen.connections).toBe(4);
    // Resumed, not begun again: only what was in flight when the line was cut is served twice.
    expect(server.seen.servedBytes).toBeLessThan(content.length + 3 * 24 * piece + 1);
  });

  it('goes on when the server no longer answers', async () => {
    const content = randomBytes(40 * piece);
    const file = await put('a.dat', content);
    let stalled = false;
    server.faults.onRead = (served) => {
      if (stalled || served < 10 * piece) return undefined;
      stalled = true;
      return 'stall';
    };
    expect((await download(open({}, { ...impatience, answerMs: 1_500 }), file)).equals(content)).toBe(true);
    expect(server.seen.connections).toBe(2);
  });

  it('asks again for what a server leaves out of an answer', async () => {
    const content = randomBytes(5 * piece + 3);
    const file = await put('a.dat', content);
    server.faults.onRead = () => 10_000;
    expect((await download(open(), file)).equals(content)).toBe(true);
  });

  it('gives up after so many connections without a new byte', async () => {
    const file = await put('a.dat', randomBytes(piece));
    server.faults.onRead = () => 'drop';
    await expect(download(open(), file)).rejects.toMatchObject({ code: 'source_unreachable' });
    expect(server.seen.connections).toBe(impatience.tries);
  });

  it('refuses a host with another key before it says who it is', async () => {
    const other = `SHA256:${'A'.repeat(43)}`;
    await expect(open({ hostKeys: [other] }).list()).rejects.toMatchObject({
      code: 'host_key_mismatch',
      details: { pinned: other, seen: server.address.hostKeys[0] },
    });
    expect(server.seen).toMatchObject({ connections: 1, logins: 0, refusedLogins: 0 });
  });

  it('logs in with a private key, and says when the server refuses a login', async () => {
    const file = path.join(folder, 'id');
    await writeFile(file, key.private);
    const { password: _, ...address } = server.address;
    const byKey = new SftpSource({ ...address, privateKeyPath: file }, impatience);
    sources.push(byKey);
    expect((await byKey.list()).map(({ name }) => name)).toEqual(['id']);

    await expect(open({ password: new Secret('wrong') }).list()).rejects.toMatchObject({ code: 'sftp_login_refused' });
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    });
    await writeFile(file, privateKey);
    const byWrongKey = new SftpSource({ ...address, privateKeyPath: file }, impatience);
    sources.push(byWrongKey);
    await expect(byWrongKey.list()).rejects.toMatchObject({ code: 'sftp_login_refused' });
    await writeFile(file, 'not a key');
    const byNoKey = new SftpSource({ ...address, privateKeyPath: file }, impatience);
    await expect(byNoKey.list()).rejects.toMatchObject({ code: 'private_key_unreadable' });
  });

  it('names a server that is not there and a folder that is not there', async () => {
    await expect(open({ folder: '/none' }).list()).rejects.toMatchObject({ code: 'source_refused' });
    await expect(open({ port: 1 }).list()).rejects.toMatchObject({ code: 'source_unreachable' });
  });
});

describe('a file that changes while it is read', () => {
  const other = randomBytes(60 * piece);
  it.each([
    ['replaced by another', (name: string) => replace(name, other)],
    ['cut short', (name: string) => truncate(path.join(folder, name), 30 * piece)],
    ['written on', (name: string) => put(name, Buffer.concat([other, other]), '2026-11-21T04:00:00Z')],
    ['removed', (name: string) => rm(path.join(folder, name))],
  ])('is refused when %s', async (_, change) => {
    const file = await put('a.dat', randomBytes(60 * piece));
    let changed = false;
    const reading = download(open(), file, async () => {
      if (!changed) await change('a.dat');
      changed = true;
    });
    await expect(reading).rejects.toMatchObject({ code: 'file_changed_while_read', details: { file: 'a.dat' } });
  });

  it('is refused when another file is there after a lost connection', async () => {
    const file = await put('a.dat', randomBytes(60 * piece));
    let dropped = false;
    server.faults.onRead = async (served) => {
      if (dropped || served < 20 * piece) return undefined;
      dropped = true;
      await replace('a.dat', other);
      return 'drop';
    };
    const reading = download(open(), file);
    await expect(reading).rejects.toMatchObject({ code: 'file_changed_while_read' });
    // Seen at once: nothing of the other file was fetched.
    expect(server.seen.servedBytes).toBeLessThan((20 + 24) * piece + 1);
  });
});

async function replace(name: string, bytes: Buffer): Promise<void> {
  await put(`${name}.new`, bytes, '2026-11-21T04:00:00Z');
  await rename(path.join(folder, `${name}.new`), path.join(folder, name));
}

it('follows a link to a file', async () => {
  const target = await put('target.dat', randomBytes(5));
  await symlink(path.join(folder, 'target.dat'), path.join(folder, 'link.dat'));
  expect(await open().list()).toEqual([{ ...target, name: 'link.dat' }, target]);
});
