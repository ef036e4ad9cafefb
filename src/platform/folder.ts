import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { isSameFile, type Source, type SourceFile } from './source.ts';
import type { FolderAddress } from './source-address.ts';

const chunkBytes = 256 * 1024;

/** A folder of this machine as a source. A folder that does not exist (yet) holds nothing. */
export class FolderSource implements Source {
  readonly kind = 'folder';
  readonly name: string;

  constructor(address: FolderAddress) {
    this.name = address.folder;
  }

  async list(): Promise<SourceFile[]> {
    const names = await readdir(this.name).catch(missing);
    const files = await Promise.all((names ?? []).sort().map((name) => this.stat(name)));
    return files.filter((file) => file !== undefined);
  }

  async stat(name: string): Promise<SourceFile | undefined> {
    check(path.basename(name) === name, `a file name with a folder: ${name}`);
    const found = await stat(path.join(this.name, name)).catch(missing);
    if (!found?.isFile()) return undefined;
    return { name, bytes: found.size, modifiedAtMs: Math.floor(found.mtimeMs) };
  }

  async *read(file: SourceFile): AsyncGenerator<Buffer, void, void> {
    const handle = await open(path.join(this.name, file.name)).catch(missing);
    if (!handle) throw changed(file);
    try {
      const buffer = Buffer.allocUnsafeSlow(chunkBytes);
      let offset = 0;
      while (offset < file.bytes) {
        const { bytesRead } = await handle.read(buffer, 0, Math.min(chunkBytes, file.bytes - offset), offset);
        if (bytesRead === 0) throw changed(file);
        offset += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
      if (!(await this.isStill(file, handle))) throw changed(file);
    } finally {
      await handle.close();
    }
  }

  /** True if the name still leads to the file that was opened, and that one was not written to. */
  private async isStill(file: SourceFile, handle: FileHandle): Promise<boolean> {
    const [opened, named] = await Promise.all([handle.stat(), stat(path.join(this.name, file.name)).catch(missing)]);
    return opened.ino === named?.ino && opened.dev === named.dev && isSameFile(file, await this.stat(file.name));
  }

  async close(): Promise<void> {}
}

function changed(file: SourceFile): Problem {
  return new Problem('file_changed_while_read', { file: file.name });
}

function missing(error: NodeJS.ErrnoException): undefined {
  // A link that goes round in circles leads to nothing, as one whose end is missing.
  if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(error.code ?? '')) throw error;
}
