import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { Problem } from '../kernel/problem.ts';
import type { RecordFormat } from './record-scanner.ts';

/** 적재 원본. What an import reads: a name for people, the bytes, and how many there are, where that is known. */
export type ImportSource = {
  readonly name: string;
  readonly format?: RecordFormat;
  readonly totalBytes?: number;
  readonly bytes: AsyncIterable<Uint8Array>;
};

/**
 * Opens a file, or standard input for `-`. Throws `import_file_unreadable`; while it is read,
 * `file_changed_while_read` if the file is not what it was when it was opened.
 */
export async function openImportSource(file: string, format?: RecordFormat): Promise<ImportSource> {
  const told = format === undefined ? {} : { format };
  if (file === '-') return { name: '-', ...told, bytes: process.stdin };
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY);
  } catch (error) {
    throw unreadable(file, error);
  }
  const stat = await handle.stat();
  if (stat.isDirectory()) {
    await handle.close();
    throw new Problem('import_file_unreadable', { file, reason: 'EISDIR' });
  }
  const size = stat.isFile() ? { totalBytes: stat.size } : {};
  return { name: basename(file), ...told, ...size, bytes: readChunks(file, handle, stat.isFile()) };
}

async function* readChunks(file: string, handle: FileHandle, isFile: boolean): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.allocUnsafeSlow(1 << 18);
  try {
    const before = await handle.stat({ bigint: true });
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length);
      if (bytesRead === 0) break;
      yield chunk.subarray(0, bytesRead);
    }
    const after = await handle.stat({ bigint: true });
    if (isFile && (after.size !== before.size || after.mtimeNs !== before.mtimeNs)) {
      throw new Problem('file_changed_while_read', { file });
    }
  } catch (error) {
    throw error instanceof Problem ? error : unreadable(file, error);
  } finally {
    await handle.close();
  }
}

function unreadable(file: string, error: unknown): Problem {
  const reason = (error as NodeJS.ErrnoException).code ?? String(error);
  return new Problem('import_file_unreadable', { file, reason }, { cause: error });
}
