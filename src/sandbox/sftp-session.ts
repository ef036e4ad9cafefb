import type { Stats } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import ssh2, { type Attributes, type FileEntry, type SFTPWrapper } from 'ssh2';
import type { Lose } from './wire-trouble.ts';

const { STATUS_CODE, flagsToString } = ssh2.utils.sftp;

type Handle =
  | { readonly kind: 'file'; readonly file: FileHandle; readonly name: string }
  | { readonly kind: 'folder'; readonly entries: FileEntry[] };

/** The most a client gets at once: OpenSSH's own limit. */
const longestRead = 256 * 1024;
const longestListing = 200;

/** The files and folders that a session holds open. */
class OpenHandles {
  private readonly handles = new Map<number, Handle>();
  private next = 0;

  keep(handle: Handle): Buffer {
    const id = Buffer.alloc(4);
    id.writeUInt32BE(this.next);
    this.handles.set(this.next, handle);
    this.next += 1;
    return id;
  }

  find<K extends Handle['kind']>(id: Buffer, kind: K): Extract<Handle, { kind: K }> {
    const handle = id.length === 4 ? this.handles.get(id.readUInt32BE()) : undefined;
    if (handle?.kind !== kind) throw failure(STATUS_CODE.FAILURE);
    return handle as Extract<Handle, { kind: K }>;
  }

  async close(id: Buffer): Promise<void> {
    const handle = id.length === 4 ? this.handles.get(id.readUInt32BE()) : undefined;
    if (handle === undefined) throw failure(STATUS_CODE.FAILURE);
    this.handles.delete(id.readUInt32BE());
    if (handle.kind === 'file') await handle.file.close();
  }

  closeAll(): void {
    for (const handle of this.handles.values()) if (handle.kind === 'file') void handle.file.close();
    this.handles.clear();
  }
}

type Folders = Readonly<Record<string, string>>;
type Answer = (reqId: number, work: () => Promise<void>) => void;

/** How a session's connection is lost: which requests it befalls, and what cuts it. */
export type SessionTrouble = { readonly lose: Lose; cut(): void };
const noTrouble: SessionTrouble = { lose: () => undefined, cut() {} };

/** Answers the requests of one SFTP session with the account's folders. */
export function serveFiles(sftp: SFTPWrapper, folders: Folders, trouble = noTrouble): void {
  const handles = new OpenHandles();
  const answer: Answer = (reqId, work) => {
    work().catch((error: NodeJS.ErrnoException) => sftp.status(reqId, statusOf(error)));
  };
  answerFiles(sftp, folders, handles, answer, trouble);
  answerFolders(sftp, folders, handles, answer);
  answerChanges(sftp, folders, answer, trouble);
  sftp.on('CLOSE', (reqId, id) =>
    answer(reqId, async () => {
      await handles.close(id);
      sftp.status(reqId, STATUS_CODE.OK);
    }),
  );
  // As sftp-server of OpenSSH does, which ends when its input ends: its client waits for that.
  sftp.on('end', () => sftp.end());
  sftp.on('close', () => handles.closeAll());
}

function answerFiles(
  sftp: SFTPWrapper,
  folders: Folders,
  handles: OpenHandles,
  answer: Answer,
  trouble: SessionTrouble,
): void {
  sftp.on('OPEN', (reqId, name, flags) =>
    answer(reqId, async () => {
      const file = await open(resolveIn(folders, name), flagsToString(flags) ?? 'r');
      if ((await file.stat()).isDirectory()) {
        await file.close();
        throw failure(STATUS_CODE.FAILURE);
      }
      sftp.handle(reqId, handles.keep({ kind: 'file', file, name: absolute(name) }));
    }),
  );
  sftp.on('READ', (reqId, id, offset, length) =>
    answer(reqId, async () => {
      const { file } = handles.find(id, 'file');
      const wanted = Math.min(length, longestRead);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, offset);
      if (bytesRead === 0) sftp.status(reqId, STATUS_CODE.EOF);
      else sftp.data(reqId, buffer.subarray(0, bytesRead));
    }),
  );
  sftp.on('WRITE', (reqId, id, offset, data) =>
    answer(reqId, async () => {
      const { file, name } = handles.find(id, 'file');
      // What is lost on the way arrives in part.
      const lost = trouble.lose({ act: 'put', name });
      await file.write(data, 0, lost === undefined ? data.length : data.length >> 1, offset);
      if (lost !== undefined) return trouble.cut();
      sftp.status(reqId, STATUS_CODE.OK);
    }),
  );
  sftp.on('FSTAT', (reqId, id) =>
    answer(reqId, async () => sftp.attrs(reqId, attributesOf(await handles.find(id, 'file').file.stat()))),
  );
}

function answerFolders(sftp: SFTPWrapper, folders: Folders, handles: OpenHandles, answer: Answer): void {
  sftp.on('OPENDIR', (reqId, name) =>
    answer(reqId, async () => {
      const entries = await entriesOf(folders, name);
      sftp.handle(reqId, handles.keep({ kind: 'folder', entries }));
    }),
  );
  sftp.on('READDIR', (reqId, id) =>
    answer(reqId, async () => {
      const handle = handles.find(id, 'folder');
      const entries = handle.entries.splice(0, longestListing);
      if (entries.length === 0) sftp.status(reqId, STATUS_CODE.EOF);
      else sftp.name(reqId, entries);
    }),
  );
  const answerStat = (reqId: number, name: string): void =>
    answer(reqId, async () => sftp.attrs(reqId, attributesOf(await statIn(folders, name))));
  sftp.on('STAT', answerStat);
  sftp.on('LSTAT', answerStat);
  sftp.on('REALPATH', (reqId, name) =>
    answer(reqId, async () => {
      const filename = absolute(name);
      sftp.name(reqId, [{ filename, longname: filename, attrs: emptyAttributes }]);
    }),
  );
}

function answerChanges(sftp: SFTPWrapper, folders: Folders, answer: Answer, trouble: SessionTrouble): void {
  const done = (reqId: number): void => sftp.status(reqId, STATUS_CODE.OK);
  const change = (reqId: number, work: () => Promise<unknown>): void =>
    answer(reqId, async () => {
      await work();
      done(reqId);
    });
  sftp.on('RENAME', (reqId, from, to) =>
    answer(reqId, async () => {
      const lost = trouble.lose({ act: 'rename', name: absolute(to) });
      if (lost !== 'before') await renameOverNothing(resolveIn(folders, from), resolveIn(folders, to));
      if (lost === undefined) done(reqId);
      else trouble.cut();
    }),
  );
  sftp.on('REMOVE', (reqId, name) => change(reqId, async () => rm(resolveIn(folders, name))));
  sftp.on('MKDIR', (reqId, name) => change(reqId, async () => mkdir(resolveIn(folders, name))));
  sftp.on('RMDIR', (reqId, name) => change(reqId, async () => rmdir(resolveIn(folders, name))));
  // Clients set times and modes after an upload; nothing here depends on them.
  sftp.on('SETSTAT', done);
  sftp.on('FSETSTAT', done);
}

/** As the protocol's version 3 has it: never over a file that is there. A link is made or refused in one step. */
async function renameOverNothing(from: string, to: string): Promise<void> {
  if ((await stat(from)).isDirectory()) return rename(from, to);
  await link(from, to);
  await rm(from);
}

type Failure = Error & { readonly status: number };
const failure = (status: number): Failure => Object.assign(new Error(`SFTP status ${status}`), { status });

function statusOf(error: NodeJS.ErrnoException | Failure): number {
  if ('status' in error) return error.status;
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return STATUS_CODE.NO_SUCH_FILE;
  if (error.code === 'EACCES' || error.code === 'EPERM') return STATUS_CODE.PERMISSION_DENIED;
  return STATUS_CODE.FAILURE;
}

const absolute = (name: string): string => path.posix.resolve('/', name);

/** The real path of a virtual one. Normalised first, so that no `..` leads out of the account's folders. */
function resolveIn(folders: Folders, name: string): string {
  const wanted = absolute(name);
  for (const [virtual, real] of Object.entries(folders)) {
    if (wanted === virtual) return real;
    if (wanted.startsWith(`${virtual}/`)) return path.join(real, wanted.slice(virtual.length));
  }
  throw failure(STATUS_CODE.NO_SUCH_FILE);
}

async function statIn(folders: Folders, name: string): Promise<Stats> {
  const wanted = absolute(name);
  return wanted === '/' ? stat(Object.values(folders)[0] ?? '/') : lstat(resolveIn(folders, wanted));
}

async function entriesOf(folders: Folders, name: string): Promise<FileEntry[]> {
  const wanted = absolute(name);
  if (wanted === '/') {
    return Promise.all(
      Object.entries(folders).map(async ([virtual, real]) => entry(path.posix.basename(virtual), await stat(real))),
    );
  }
  const real = resolveIn(folders, wanted);
  const entries: FileEntry[] = [];
  for (const filename of (await readdir(real)).sort()) {
    try {
      entries.push(entry(filename, await lstat(path.join(real, filename))));
    } catch (error) {
      // Gone between the two looks, as files are while they are renamed.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return entries;
}

function entry(filename: string, stats: Stats): FileEntry {
  const type = stats.isDirectory() ? 'drwxr-xr-x' : '-rw-r--r--';
  const when = new Date(stats.mtimeMs).toISOString().slice(0, 16).replace('T', ' ');
  const longname = `${type} 1 sandbox sandbox ${String(stats.size).padStart(12)} ${when} ${filename}`;
  return { filename, longname, attrs: attributesOf(stats) };
}

const emptyAttributes = { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 };

function attributesOf(stats: Stats): Attributes {
  const { mode, uid, gid, size } = stats;
  return { mode, uid, gid, size, atime: Math.floor(stats.atimeMs / 1000), mtime: Math.floor(stats.mtimeMs / 1000) };
}
