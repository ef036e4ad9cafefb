import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Problem } from '../kernel/problem.ts';
import { acquireFileLock } from './file-lock.ts';
import { ensureHome } from './home.ts';
import { Secret } from './secret.ts';

/** 데이터 키. What the home keeps: `keys/data.key`, which seals, and `keys/old/*.key`, which still open. */
export const dataKeyBytes = 32;

/** More keys than anybody rotates through; a folder that holds more is something else. */
const mostOldKeys = 100;

/** A data key as configuration holds it: 32 bytes in base64. */
export function isDataKey(text: string): boolean {
  return /^[A-Za-z0-9+/]{43}=$/.test(text) && Buffer.from(text, 'base64').toString('base64') === text;
}

/**
 * The key that this home keeps, made at first use, for its owner alone.
 * @throws Problem `home_unusable`, `data_key_unreadable`
 */
export async function ensureHomeKey(home: string): Promise<Secret> {
  const file = currentFile(home);
  const known = await readKeyFile(file);
  if (known !== undefined) return known;
  // Two processes may come at once: the name is given to a whole file, and the first one to give it wins.
  await withDraft(home, (draft) => link(draft, file).catch(ignoreExisting));
  const made = await readKeyFile(file);
  if (made === undefined) throw new Problem('data_key_unreadable', { file, reason: 'missing' });
  return made;
}

/**
 * Gives this home a new key. The one before goes to `keys/old/` first, under its id, so that at no moment one is missing
 * that something is sealed under. Of several who do so at once each finds the key of the one before.
 * @throws Problem `home_unusable`, `data_key_unreadable`, `lock_timeout`
 */
export async function replaceHomeKey(home: string, idOf: (key: Secret) => string): Promise<void> {
  await ensureHomeKey(home);
  const alone = await acquireFileLock(path.join(home, 'keys', 'replace.lock'), 'exclusive');
  try {
    const file = currentFile(home);
    const old = path.join(home, 'keys', 'old', `${idOf(await ensureHomeKey(home))}.key`);
    await withDraft(home, async (draft) => {
      await mkdir(path.dirname(old), { recursive: true, mode: 0o700 });
      await link(file, old).catch(ignoreExisting);
      await rename(draft, file);
    });
  } finally {
    alone.release();
  }
}

/** Every key that the home keeps, the current one too where there is one; as it is now, at once. */
export function homeKeys(home: string): Secret[] {
  const folder = path.join(home, 'keys', 'old');
  const names = entriesOf(folder)
    .filter((name) => name.endsWith('.key'))
    .slice(0, mostOldKeys);
  const files = [currentFile(home), ...names.map((name) => path.join(folder, name))];
  return files.flatMap((file) => {
    const text = textOf(file);
    return text === undefined ? [] : [keyIn(text, file)];
  });
}

/** The key that a file holds, or undefined where there is none. @throws Problem `data_key_unreadable` */
export async function readKeyFile(file: string): Promise<Secret | undefined> {
  const text = await readWhole(file);
  return text === undefined ? undefined : keyIn(text, file);
}

/** The keys of a file, one a line, or undefined where there is none. @throws Problem `data_key_unreadable` */
export async function readKeysFile(file: string): Promise<Secret[] | undefined> {
  const text = await readWhole(file);
  const lines = text?.split('\n').filter((line) => line.trim() !== '');
  return lines?.slice(0, mostOldKeys).map((line) => keyIn(line, file));
}

async function readWhole(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Problem('data_key_unreadable', { file, reason: (error as Error).message }, { cause: error });
  }
}

function currentFile(home: string): string {
  return path.join(home, 'keys', 'data.key');
}

function keyIn(text: string, file: string): Secret {
  if (!isDataKey(text.trim())) throw new Problem('data_key_unreadable', { file, reason: 'not 32 bytes in base64' });
  return new Secret(text.trim());
}

async function withDraft(home: string, work: (draft: string) => Promise<void>): Promise<void> {
  const folder = path.join(home, 'keys');
  const draft = path.join(folder, `.data.key-${randomBytes(6).toString('hex')}`);
  ensureHome(home);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(draft, `${randomBytes(dataKeyBytes).toString('base64')}\n`, {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    });
    try {
      await work(draft);
    } finally {
      await unlink(draft).catch(ignoreMissing);
    }
  } catch (error) {
    throw new Problem('home_unusable', { folder, reason: (error as Error).message }, { cause: error });
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new Problem('data_key_unreadable', { file: folder, reason: (error as Error).message }, { cause: error });
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Problem('data_key_unreadable', { file, reason: (error as Error).message }, { cause: error });
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
