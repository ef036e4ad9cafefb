import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Problem } from '../kernel/problem.ts';
import { ensureHome } from './home.ts';
import { Secret } from './secret.ts';

/** What may be read by nobody who holds the database alone: account numbers. AES-256-GCM. */
export type Cipher = {
  /** Tells which key sealed: a name of the key, nothing of it. */
  readonly keyId: string;
  seal(text: string): { readonly sealed: Buffer; readonly keyId: string };
  /** Throws `data_key_changed` where another key sealed it, `sealed_damaged` where the bytes are not those it made. */
  unseal(sealed: Uint8Array, keyId: string): string;
  /** The same text gives the same 32 bytes under the same key, and says nothing without it. */
  fingerprint(text: string): Buffer;
};

const keyBytes = 32;
const format = 1;
const nonceBytes = 12;
const tagBytes = 16;

/** A data key as configuration holds it: 32 bytes in base64. */
export function isDataKey(text: string): boolean {
  return /^[A-Za-z0-9+/]{43}=$/.test(text) && Buffer.from(text, 'base64').toString('base64') === text;
}

/**
 * 암호기. Of the key given, or else of the one that this home keeps in `keys/data.key`, which is made at first use and
 * which only its owner may read. Throws `home_unusable` and `data_key_unreadable`.
 */
export async function openCipher({
  home,
  key,
}: {
  readonly home: string;
  readonly key?: Secret | undefined;
}): Promise<Cipher> {
  return createCipher(key ?? (await homeKey(home)));
}

function createCipher(secret: Secret): Cipher {
  const key = Buffer.from(secret.reveal(), 'base64');
  const derive = (use: string, bytes = keyBytes) =>
    Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `jeongsan ${use}`, bytes));
  const sealing = derive('seal');
  const printing = derive('fingerprint');
  const keyId = derive('key id', 6).toString('hex');
  return {
    keyId,
    seal(text) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce);
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return { sealed: Buffer.concat([Buffer.of(format), nonce, cipher.getAuthTag(), body]), keyId };
    },
    unseal(sealed, sealedBy) {
      if (sealedBy !== keyId) throw new Problem('data_key_changed', { sealedBy, keyId });
      return open(sealing, sealed);
    },
    fingerprint: (text) => createHmac('sha256', printing).update(text, 'utf8').digest(),
  };
}

function open(key: Buffer, sealed: Uint8Array): string {
  if (sealed[0] !== format || sealed.length < 1 + nonceBytes + tagBytes) throw new Problem('sealed_damaged');
  const body = 1 + nonceBytes + tagBytes;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + nonceBytes));
  decipher.setAuthTag(sealed.subarray(1 + nonceBytes, body));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(body)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new Problem('sealed_damaged', {}, { cause: error });
  }
}

async function homeKey(home: string): Promise<Secret> {
  const folder = path.join(home, 'keys');
  const file = path.join(folder, 'data.key');
  const known = await readKey(file);
  if (known !== undefined) return known;
  ensureHome(home);
  // Two processes may come at once: the name is given to a whole file, and the first one to give it wins.
  const draft = path.join(folder, `.data.key-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(draft, `${randomBytes(keyBytes).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
    try {
      await link(draft, file).catch(ignoreExisting);
    } finally {
      await unlink(draft);
    }
  } catch (error) {
    throw new Problem('home_unusable', { folder, reason: (error as Error).message }, { cause: error });
  }
  const made = await readKey(file);
  if (made === undefined) throw new Problem('data_key_unreadable', { file, reason: 'missing' });
  return made;
}

async function readKey(file: string): Promise<Secret | undefined> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Problem('data_key_unreadable', { file, reason: (error as Error).message }, { cause: error });
  }
  if (!isDataKey(text)) throw new Problem('data_key_unreadable', { file, reason: 'not 32 bytes in base64' });
  return new Secret(text);
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
