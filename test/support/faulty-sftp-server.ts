import { once } from 'node:events';
import { type FileHandle, link, lstat, open, readdir, stat, unlink } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import ssh2, { type Attributes, type Connection, type SFTPWrapper } from 'ssh2';
import { Secret } from '../../src/platform/secret.ts';
import { fingerprint } from '../../src/platform/sftp-connection.ts';
import type { SftpAddress } from '../../src/platform/source-address.ts';

const { STATUS_CODE, flagsToString } = ssh2.utils.sftp;

type Fault = 'drop' | 'stall' | number | undefined;

/** What the server does wrong, asked before each answer to a read. Bytes are those that it has served so far. */
export type Faults = {
  /** `drop` cuts the connection instead of answering, `stall` never answers, a number serves at most that many bytes. */
  onRead?: (servedBytes: number) => Fault | Promise<Fault>;
  /** `drop` cuts the connection before the piece is written, `stall` never answers, `full` has no room left. */
  onWrite?: (takenBytes: number) => 'drop' | 'stall' | 'full' | undefined;
  /** Says of no file when it was changed, as SFTP allows. */
  noTimes?: boolean;
  /** Lets a file not be opened. */
  onOpen?: (path: string) => 'refuse' | undefined;
  /** Cuts the connection instead of renaming, after it, or between the new name and the end of the old one. */
  onRename?: () => 'drop' | 'done, then drop' | 'half done, then drop' | undefined;
};

export type FaultySftpServer = {
  readonly address: SftpAddress;
  readonly seen: {
    connections: number;
    logins: number;
    servedBytes: number;
    takenBytes: number;
    refusedLogins: number;
    renames: number;
  };
  faults: Faults;
  close(): Promise<void>;
};

/** A real SFTP server over `folder` (user `pg`) that fails as it is told to. It renames as OpenSSH does: over no file. */
export async function startFaultySftpServer(folder: string, publicKey?: string): Promise<FaultySftpServer> {
  // Of the ed25519 keys that ssh2 makes, one in 256 it cannot read again: mscdex/ssh2 issue 1390.
  const hostKey = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).private;
  const parsed = ssh2.utils.parseKey(hostKey);
  if (parsed instanceof Error) throw parsed;
  const seen = { connections: 0, logins: 0, servedBytes: 0, takenBytes: 0, refusedLogins: 0, renames: 0 };
  const connections = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
    seen.connections += 1;
    connections.add(connection);
    (connection as Connection & { setNoDelay(on: boolean): void }).setNoDelay(true); // Missing in its types only.
    connection.on('error', () => {});
    connection.on('close', () => connections.delete(connection));
    connection.on('authentication', (attempt) => {
      const allowed =
        (attempt.method === 'password' && attempt.username === 'pg' && attempt.password === 'p@ss') ||
        (attempt.method === 'publickey' && publicKey !== undefined && isKey(attempt.key.data, publicKey));
      if (allowed) {
        seen.logins += 1;
        return attempt.accept();
      }
      if (attempt.method !== 'none') seen.refusedLogins += 1;
      attempt.reject(['password', 'publickey']);
    });
    connection.on('session', (accept) => {
      accept().on('sftp', (acceptSftp) => serve(acceptSftp(), connection));
    });
  });

  const serve = (sftp: SFTPWrapper, connection: Connection) => {
    const opened = new Map<number, FileHandle | string[]>();
    let lastHandle = 0;
    const handleFor = (what: FileHandle | string[]) => {
      lastHandle += 1;
      opened.set(lastHandle, what);
      const handle = Buffer.alloc(4);
      handle.writeUInt32BE(lastHandle);
      return handle;
    };
    const failed = (id: number) => (error: NodeJS.ErrnoException) =>
      sftp.status(id, error.code === 'ENOENT' ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE, error.message);
    const attributes = async (name: string, of = stat) => {
      const { mode, size, atimeMs, mtimeMs } = await of(name);
      const times = { atime: Math.floor(atimeMs / 1000), mtime: Math.floor(mtimeMs / 1000) };
      return { mode, size, uid: 0, gid: 0, ...(control.faults.noTimes ? {} : times) } as Attributes;
    };
    const local = (remote: string) => path.join(folder, path.posix.join('/', remote));
    const sendStat = (id: number, remote: string) => {
      attributes(local(remote)).then((found) => sftp.attrs(id, found), failed(id));
    };
    sftp.on('STAT', sendStat);
    sftp.on('LSTAT', sendStat);
    sftp.on('OPENDIR', (id, remote) => {
      readdir(local(remote)).then(
        (names) => sftp.handle(id, handleFor(names.map((name) => path.posix.join(remote, name)))),
        failed(id),
      );
    });
    sftp.on('READDIR', async (id, handle) => {
      const names = opened.get(handle.readUInt32BE()) as string[];
      if (names.length === 0) return sftp.status(id, STATUS_CODE.EOF);
      const entries = await Promise.all(
        names.splice(0).map(async (name) => ({
          filename: path.basename(name),
          longname: name,
          attrs: await attributes(local(name), lstat),
        })),
      );
      sftp.name(id, entries);
    });
    sftp.on('OPEN', (id, remote, flags) => {
      if (control.faults.onOpen?.(remote) === 'refuse') return void sftp.status(id, STATUS_CODE.PERMISSION_DENIED);
      open(local(remote), flagsToString(flags) ?? 'r').then((file) => sftp.handle(id, handleFor(file)), failed(id));
    });
    const read = async (id: number, file: FileHandle, offset: number, length: number) => {
      const fault = await control.faults.onRead?.(seen.servedBytes);
      if (fault === 'stall') return;
      if (fault === 'drop') return void connection.end();
      const buffer = Buffer.alloc(Math.min(length, fault ?? length));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
      if (bytesRead === 0) return sftp.status(id, STATUS_CODE.EOF);
      seen.servedBytes += bytesRead;
      sftp.data(id, buffer.subarray(0, bytesRead));
    };
    sftp.on('READ', (id, handle, offset, length) => {
      read(id, opened.get(handle.readUInt32BE()) as FileHandle, offset, length).catch(failed(id));
    });
    sftp.on('WRITE', (id, handle, offset, data) => {
      const fault = control.faults.onWrite?.(seen.takenBytes);
      if (fault === 'stall') return;
      if (fault === 'drop') return void connection.end();
      if (fault === 'full') return sftp.status(id, STATUS_CODE.FAILURE, 'No space left on device');
      seen.takenBytes += data.length;
      const file = opened.get(handle.readUInt32BE()) as FileHandle;
      file.write(data, 0, data.length, offset).then(() => sftp.status(id, STATUS_CODE.OK), failed(id));
    });
    const rename = async (id: number, from: string, to: string) => {
      const fault = control.faults.onRename?.();
      seen.renames += 1;
      if (fault === 'drop') return void connection.end();
      await link(from, to);
      if (fault === 'half done, then drop') return void connection.end();
      await unlink(from);
      if (fault === 'done, then drop') return void connection.end();
      sftp.status(id, STATUS_CODE.OK);
    };
    sftp.on('RENAME', (id, from, to) => {
      rename(id, local(from), local(to)).catch(failed(id));
    });
    sftp.on('CLOSE', (id, handle) => {
      const closed = opened.get(handle.readUInt32BE());
      opened.delete(handle.readUInt32BE());
      if (closed && !Array.isArray(closed)) closed.close().catch(() => {});
      sftp.status(id, STATUS_CODE.OK);
    });
    connection.on('close', () => {
      for (const left of opened.values()) if (!Array.isArray(left)) left.close().catch(() => {});
      opened.clear();
    });
  };

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const control: FaultySftpServer = {
    address: {
      kind: 'sftp',
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      user: 'pg',
      folder: '/',
      hostKeys: [fingerprint(parsed.getPublicSSH())],
      password: new Secret('p@ss'),
    },
    seen,
    faults: {},
    close: async () => {
      for (const connection of connections) connection.end();
      server.close();
      await once(server, 'close');
    },
  };
  return control;
}

function isKey(offered: Buffer, publicKey: string): boolean {
  const parsed = ssh2.utils.parseKey(publicKey);
  return !(parsed instanceof Error) && offered.equals(parsed.getPublicSSH());
}
