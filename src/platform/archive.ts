import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';

/** Bytes as they were archived: their SHA-256 in hexadecimal is their name. */
export type ArchivedBytes = { readonly sha256: string; readonly bytes: number; readonly path: string };

/** 원본 보관소. Files as they came, kept by content, once each, and never written again. */
export type Archive = {
  readonly folder: string;
  /**
   * Keeps the bytes while they stream by, in constant memory: written beside their place, synced, then renamed, so that
   * a path under the archive always holds whole bytes. The same bytes again change nothing.
   * @throws Problem `disk_full`, with nothing left behind
   */
  keep(chunks: AsyncIterable<Uint8Array>): Promise<ArchivedBytes>;
  /**
   * The archived bytes in order; a chunk is valid until the next one is asked for.
   * @throws Problem `archive_damaged` when they are not there or fewer or more than were kept
   */
  read(kept: Pick<ArchivedBytes, 'sha256' | 'bytes'>): AsyncIterable<Buffer>;
  /**
   * Reads all of it again and compares the hash.
   * @throws Problem `archive_damaged`
   */
  verify(kept: Pick<ArchivedBytes, 'sha256' | 'bytes'>): Promise<void>;
};

const chunkBytes = 256 * 1024;
/** A file here that nobody has written to for this long belongs to a process that died. */
const abandonedMs = 24 * 60 * 60 * 1000;

/** The archive in `folder`: `<aa>/<sha256>`, read-only, and `incoming/` for what is still arriving. */
export function openArchive(folder: string): Archive {
  const pathOf = (sha256: string) => {
    check(/^[0-9a-f]{64}$/.test(sha256), `not a SHA-256: ${sha256}`);
    return path.join(folder, sha256.slice(0, 2), sha256);
  };
  const archive: Archive = {
    folder,
    keep: async (chunks) => {
      const incoming = path.join(folder, 'incoming');
      const temporary = path.join(incoming, randomUUID());
      try {
        await mkdir(incoming, { recursive: true });
        await removeAbandoned(incoming);
        const written = await write(temporary, chunks);
        const kept = { ...written, path: pathOf(written.sha256) };
        await place(temporary, kept);
        return kept;
      } catch (error) {
        await rm(temporary, { force: true });
        if (isFull(error))
          throw new Problem('disk_full', { folder, reason: (error as Error).message }, { cause: error });
        throw error;
      }
    },
    read: (kept) => read(pathOf(kept.sha256), kept),
    verify: async (kept) => {
      const hash = createHash('sha256');
      for await (const chunk of archive.read(kept)) hash.update(chunk);
      const seen = hash.digest('hex');
      if (seen !== kept.sha256) throw damaged(kept.sha256, `its SHA-256 is now ${seen}`);
    },
  };
  return archive;
}

/** True where there is no room: the disk, the quota or the process's own file size limit. */
export function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
}

async function write(file: string, chunks: AsyncIterable<Uint8Array>): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const handle = await open(file, 'wx', 0o440);
  try {
    for await (const chunk of chunks) {
      hash.update(chunk);
      await writeAll(handle, chunk);
      bytes += chunk.length;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** A nearly full disk takes a part of a write without an error; the rest then says why. */
async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    written += (await handle.write(chunk, written)).bytesWritten;
  }
}

async function place(temporary: string, kept: ArchivedBytes): Promise<void> {
  const there = await stat(kept.path).catch(missing);
  // Bytes of another length under this name were damaged on disk: the fresh ones take their place.
  if (there?.size === kept.bytes) return await rm(temporary);
  const home = path.dirname(kept.path);
  const made = await mkdir(home, { recursive: true });
  await rename(temporary, kept.path);
  await syncFolder(home);
  if (made !== undefined) await syncFolder(path.dirname(home));
}

/** A rename survives a power cut only once its folder is on disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeAbandoned(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) {
    const file = path.join(incoming, name);
    const found = await stat(file).catch(missing);
    if (found && Date.now() - found.mtimeMs > abandonedMs) await rm(file, { force: true });
  }
}

async function* read(file: string, kept: Pick<ArchivedBytes, 'sha256' | 'bytes'>): AsyncGenerator<Buffer, void, void> {
  const handle = await open(file).catch(missing);
  if (!handle) throw damaged(kept.sha256, 'it is missing');
  try {
    const { size } = await handle.stat();
    if (size !== kept.bytes) throw damaged(kept.sha256, `${size} bytes instead of ${kept.bytes}`);
    const buffer = Buffer.allocUnsafeSlow(chunkBytes);
    for (let offset = 0; offset < size; ) {
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes, offset);
      if (bytesRead === 0) throw damaged(kept.sha256, `it ends at byte ${offset} of ${size}`);
      offset += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function damaged(sha256: string, reason: string): Problem {
  return new Problem('archive_damaged', { sha256, reason });
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
