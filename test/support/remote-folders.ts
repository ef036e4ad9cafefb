import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { openRemoteFolder } from '../../src/platform/open-remote-folder.ts';
import type { RemoteAddress } from '../../src/platform/remote-address.ts';
import type { RemoteContent, RemoteFile, RemoteFolder } from '../../src/platform/remote-folder.ts';
import { type FaultySftpServer, startFaultySftpServer } from './faulty-sftp-server.ts';
import { type FaultyWebdavServer, startFaultyWebdavServer } from './faulty-webdav-server.ts';

const impatience = { connectMs: 5_000, answerMs: 1_500, tries: 3, firstWaitMs: 5, longestWaitMs: 20 };

export const remoteKinds = ['sftp', 'https', 'folder'] as const;
export type RemoteKind = (typeof remoteKinds)[number];

/** One folder with `in` and `out`, reached in three ways; anew for each test. */
export type RemoteFolders = {
  readonly folder: string;
  readonly sftp: FaultySftpServer;
  readonly webdav: FaultyWebdavServer;
  open(kind: RemoteKind, change?: object): RemoteFolder;
  /** Puts a file there behind the servers' backs. */
  place(name: string, bytes: Buffer, modifiedOn?: string): Promise<RemoteFile>;
  /** The bytes of a file as they are on the disk. */
  on(name: string): Promise<Buffer>;
};

/** For the tests of a file or a `describe`: call it once, use what it returns in the tests. */
export function remoteFolders(): RemoteFolders {
  let folder: string;
  let secrets: string;
  let sftp: FaultySftpServer;
  let webdav: FaultyWebdavServer;
  let opened: RemoteFolder[];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'jeongsan-remote-'));
    secrets = await mkdtemp(path.join(tmpdir(), 'jeongsan-secrets-'));
    await mkdir(path.join(folder, 'in'));
    await mkdir(path.join(folder, 'out'));
    sftp = await startFaultySftpServer(folder);
    webdav = await startFaultyWebdavServer(folder, secrets);
    opened = [];
  });

  afterEach(async () => {
    for (const remote of opened) await remote.close();
    await Promise.all([sftp.close(), webdav.close()]);
    await Promise.all([folder, secrets].map((each) => rm(each, { recursive: true })));
  });

  const addressOf = (kind: RemoteKind): RemoteAddress => {
    if (kind === 'folder') return { kind, folder };
    return kind === 'sftp' ? sftp.address : webdav.address;
  };
  return {
    get folder() {
      return folder;
    },
    get sftp() {
      return sftp;
    },
    get webdav() {
      return webdav;
    },
    open(kind, change = {}) {
      const remote = openRemoteFolder({ ...addressOf(kind), ...change } as RemoteAddress, impatience);
      opened.push(remote);
      return remote;
    },
    async place(name, bytes, modifiedOn = '2026-11-21T03:00:00Z') {
      const file = path.join(folder, name);
      await writeFile(file, bytes);
      await utimes(file, new Date(modifiedOn), new Date(modifiedOn));
      return { bytes: bytes.length, modifiedAtMs: Date.parse(modifiedOn) };
    },
    on: (name) => readFile(path.join(folder, name)),
  };
}

/** In chunks of uneven sizes over one buffer that is used again, as the archive hands them out. */
export function remoteContent(bytes: Buffer, chunkBytes = 100_001): RemoteContent {
  return {
    bytes: bytes.length,
    async *chunks() {
      const buffer = Buffer.alloc(chunkBytes);
      for (let from = 0; from < bytes.length; from += chunkBytes) {
        yield buffer.subarray(0, bytes.copy(buffer, 0, from, from + chunkBytes));
      }
    },
  };
}

export async function download(remote: RemoteFolder, file: string, seen: RemoteFile): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of remote.read(file, seen)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}
