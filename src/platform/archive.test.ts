import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Archive, isFull, openArchive } from './archive.ts';

let folder: string;
let archive: Archive;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'jeongsan-archive-'));
  archive = openArchive(folder);
});
afterEach(() => rm(folder, { recursive: true }));

async function* inPieces(bytes: Buffer, pieceBytes = 1000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function filesUnder(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

describe('keeping bytes', () => {
  it.each([0, 1, 999, 1_000_001])('keeps %i bytes under their SHA-256, read-only', async (size) => {
    const content = randomBytes(size);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const kept = await archive.keep(inPieces(content));
    expect(kept).toEqual({ sha256, bytes: size, path: path.join(folder, sha256.slice(0, 2), sha256) });
    expect((await readFile(kept.path)).equals(content)).toBe(true);
    expect((await stat(kept.path)).mode & 0o777).toBe(0o440);
    const read: Buffer[] = [];
    for await (const chunk of archive.read(kept)) read.push(Buffer.from(chunk));
    expect(Buffer.concat(read).equals(content)).toBe(true);
    await archive.verify(kept);
  });

  it('keeps the same bytes once', async () => {
    const content = randomBytes(5000);
    const first = await archive.keep(inPieces(content));
    const { ino } = await stat(first.path);
    expect(await archive.keep(inPieces(content, 7))).toEqual(first);
    expect((await stat(first.path)).ino).toBe(ino);
    expect(await filesUnder(folder)).toEqual([first.path]);
  });

  it('leaves nothing of bytes that stop halfway', async () => {
    const broken = async function* () {
      yield randomBytes(1000);
      throw new Error('the line went dead');
    };
    await expect(archive.keep(broken())).rejects.toThrow('the line went dead');
    expect(await filesUnder(folder)).toEqual([]);
  });

  it('removes what a dead process left, not what a live one is writing', async () => {
    await mkdir(path.join(folder, 'incoming'));
    const [dead, live] = ['dead', 'live'].map((name) => path.join(folder, 'incoming', name)) as [string, string];
    await writeFile(dead, 'x');
    await writeFile(live, 'x');
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
    await utimes(dead, twoDaysAgo, twoDaysAgo);
    const kept = await archive.keep(inPieces(Buffer.from('bytes')));
    expect((await filesUnder(folder)).sort()).toEqual([kept.path, live].sort());
  });
});

describe('an archived file that is no longer what it was', () => {
  it('is noticed, and healed by the same bytes', async () => {
    const content = randomBytes(1000);
    const kept = await archive.keep(inPieces(content));
    await chmod(kept.path, 0o640);
    await writeFile(kept.path, Buffer.concat([content.subarray(1), Buffer.from('x')]));
    await expect(archive.verify(kept)).rejects.toMatchObject({ code: 'archive_damaged' });
    await writeFile(kept.path, content.subarray(1));
    await expect(archive.verify(kept)).rejects.toMatchObject({ code: 'archive_damaged' });
    await archive.keep(inPieces(content));
    await archive.verify(kept);
    await rm(kept.path);
    await expect(archive.read(kept)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'archive_damaged' });
  });
});

describe('a full disk', () => {
  it('is what the kernel says when there is no room', async () => {
    const full = await open('/dev/full', 'w');
    const error = await full.write('x').catch((reason: unknown) => reason);
    await full.close();
    expect(isFull(error)).toBe(true);
    expect(isFull(Object.assign(new Error('denied'), { code: 'EACCES' }))).toBe(false);
  });

  // A file size limit makes the kernel refuse the write itself, also for root, and needs no disk of its own.
  it('refuses the file and leaves nothing behind', async () => {
    const script = `
      import { openArchive } from ${JSON.stringify(path.join(import.meta.dirname, 'archive.ts'))};
      const chunks = async function* () { for (let i = 0; i < 64; i += 1) yield Buffer.alloc(65536, i); };
      await openArchive(${JSON.stringify(folder)}).keep(chunks()).catch((error) => console.log(error.name, error.code));`;
    const child = spawn(
      '/bin/sh',
      ['-c', 'ulimit -f 1024; exec "$0" --input-type=module-typescript -', process.execPath],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    child.stdin.end(script);
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await once(child, 'close');
    expect(said).toBe('Problem disk_full\n');
    expect(await filesUnder(folder)).toEqual([]);
  });
});
