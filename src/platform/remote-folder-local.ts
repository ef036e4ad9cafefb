import { link, mkdir, open, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { Problem } from '../kernel/problem.ts';
import { FolderSource } from './folder.ts';
import {
  belowFolder,
  type NamedRemoteFile,
  type RemoteContent,
  type RemoteFile,
  type RemoteFolder,
} from './remote-folder.ts';
import type { FolderAddress } from './source-address.ts';

/** A folder of this machine, such as one that another program carries to the provider. Folders in it are made as needed. */
export class LocalFolder implements RemoteFolder {
  readonly kind = 'folder';
  readonly name: string;

  constructor(address: FolderAddress) {
    this.name = address.folder;
  }

  async stat(file: string): Promise<RemoteFile | undefined> {
    return await this.sourceOf(file).stat(path.basename(file));
  }

  async put(file: string, { bytes, chunks }: RemoteContent): Promise<void> {
    const target = belowFolder(this.name, file);
    await this.refusing(async () => {
      await mkdir(path.dirname(target), { recursive: true });
      const handle = await open(target, 'w');
      try {
        for await (const chunk of chunks()) {
          for (let at = 0; at < chunk.length; ) at += (await handle.write(chunk, at)).bytesWritten;
        }
        await handle.sync();
      } finally {
        await handle.close();
      }
    });
    const there = (await stat(target)).size;
    if (there !== bytes) throw this.refusal(`${target} holds ${there} bytes of ${bytes}`);
  }

  /** By a second name and the removal of the first, since a rename would replace a file. */
  async rename(from: string, to: string): Promise<void> {
    const [source, target] = [belowFolder(this.name, from), belowFolder(this.name, to)];
    await this.refusing(async () => {
      await link(source, target).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST' || !(await isOneFile(source, target))) throw error;
      });
      await unlink(source);
      for (const folder of new Set([path.dirname(source), path.dirname(target)])) await syncFolder(folder);
    }, to);
  }

  read(file: string, seen: RemoteFile): AsyncIterable<Buffer> {
    return this.sourceOf(file).read({ name: path.basename(file), ...seen });
  }

  async list(folder: string): Promise<readonly NamedRemoteFile[]> {
    return await new FolderSource({ kind: 'folder', folder: belowFolder(this.name, folder) }).list();
  }

  async close(): Promise<void> {}

  private sourceOf(file: string): FolderSource {
    return new FolderSource({ kind: 'folder', folder: path.dirname(belowFolder(this.name, file)) });
  }

  private async refusing(work: () => Promise<void>, target = ''): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined || error instanceof Problem) throw error;
      if (code === 'EEXIST') throw new Problem('remote_file_exists', { remote: this.name, file: target });
      throw this.refusal(message, error);
    }
  }

  private refusal(reason: string, cause?: unknown): Problem {
    return new Problem('source_refused', { source: this.name, reason }, { cause });
  }
}

/** After a rename that stopped half-way the file has both names. */
async function isOneFile(one: string, other: string): Promise<boolean> {
  const [left, right] = await Promise.all([stat(one), stat(other)]);
  return left.ino === right.ino && left.dev === right.dev;
}

/** A new name survives a power cut only once its folder is on disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
