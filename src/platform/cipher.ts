import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { Problem } from '../kernel/problem.ts';
import { dataKeyBytes, ensureHomeKey, homeKeys, readKeyFile, readKeysFile } from './data-key-files.ts';
import type { Secret } from './secret.ts';

/** A value as it is kept: its bytes, and the name of the key that sealed it, which is nothing of the key. */
export type Sealed = { readonly sealed: Buffer; readonly keyId: string };

/**
 * 암호기. What may be read by nobody who holds the database alone: account numbers, names, secrets. AES-256-GCM under the
 * current key of a ring; what older keys of it sealed is still read. `belongsTo` says which record a value is of
 * (`bank_account:M00001:004`): moved to another one, it is not opened.
 */
export type Cipher = {
  /** The current key's name. */
  readonly keyId: string;
  /** Every key that can be opened with, the current one first. */
  keyIds(): readonly string[];
  seal(text: string, belongsTo: string): Sealed;
  /**
   * @throws Problem `data_key_changed` where no key of the ring sealed it, `sealed_damaged` where the bytes are not those
   * that it made, or not of what they are said to belong to
   */
  unseal(sealed: Uint8Array, keyId: string, belongsTo: string): string;
  /** The same text gives the same 32 bytes under the current key, and says nothing without it. */
  fingerprint(text: string): Buffer;
};

/** Where the keys come from; the environment's go before the files', and those before the home's. */
export type DataKeys = {
  readonly key?: Secret | undefined;
  readonly keyFile?: string | undefined;
  /** Keys that are sealed with no more, or, before a change, not yet. */
  readonly oldKeys?: readonly Secret[] | undefined;
  /** As many keys as it has lines. */
  readonly oldKeysFile?: string | undefined;
};

type Key = {
  readonly id: string;
  readonly sealing: Buffer;
  readonly printing: Buffer;
};

/** Format 1 did not say what it belongs to. It is read, and written no more. */
const unboundFormat = 1;
export const sealedFormat = 2;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Opens the ring: the key given, or else the one that this home keeps in `keys/data.key`, which is made at first use and
 * which only its owner may read; beside it the old ones given and those of `keys/old/`.
 * @throws Problem `home_unusable`, `data_key_unreadable`
 */
export async function openCipher({ home, ...keys }: DataKeys & { readonly home: string }): Promise<Cipher> {
  const current = keyOf(await currentKey(home, keys));
  const ring = new Map([[current.id, current]]);
  const learn = (more: readonly Secret[]): void => {
    for (const secret of more) {
      const key = keyOf(secret);
      if (!ring.has(key.id)) ring.set(key.id, key);
    }
  };
  learn([...(keys.oldKeys ?? []), ...(await keysOfFile(keys.oldKeysFile)), ...homeKeys(home)]);
  const find = (id: string): Key => {
    // Another process may have changed the key of the home since this one began.
    if (!ring.has(id)) learn(homeKeys(home));
    const key = ring.get(id);
    if (key === undefined) throw new Problem('data_key_changed', { sealedBy: id, keyId: current.id });
    return key;
  };
  return {
    keyId: current.id,
    keyIds: () => [...ring.keys()],
    seal: (text, belongsTo) => ({ sealed: seal(current.sealing, text, belongsTo), keyId: current.id }),
    unseal: (sealed, keyId, belongsTo) => open(find(keyId).sealing, sealed, belongsTo),
    fingerprint: (text) => createHmac('sha256', current.printing).update(text, 'utf8').digest(),
  };
}

/** A key's name: made of it, and says nothing of it. */
export function dataKeyId(secret: Secret): string {
  return derive(secret, 'key id', 6).toString('hex');
}

function keyOf(secret: Secret): Key {
  return { id: dataKeyId(secret), sealing: derive(secret, 'seal'), printing: derive(secret, 'fingerprint') };
}

function derive(secret: Secret, use: string, bytes = dataKeyBytes): Buffer {
  const key = Buffer.from(secret.reveal(), 'base64');
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `jeongsan ${use}`, bytes));
}

function seal(key: Buffer, text: string, belongsTo: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(boundTo(belongsTo));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(sealedFormat), nonce, cipher.getAuthTag(), body]);
}

function open(key: Buffer, sealed: Uint8Array, belongsTo: string): string {
  const format = sealed[0];
  if ((format !== unboundFormat && format !== sealedFormat) || sealed.length < 1 + nonceBytes + tagBytes) {
    throw new Problem('sealed_damaged');
  }
  const body = 1 + nonceBytes + tagBytes;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + nonceBytes));
  if (format === sealedFormat) decipher.setAAD(boundTo(belongsTo));
  decipher.setAuthTag(sealed.subarray(1 + nonceBytes, body));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(body)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new Problem('sealed_damaged', {}, { cause: error });
  }
}

/** With the format in it, a value of this format cannot be passed off as one of another. */
function boundTo(belongsTo: string): Buffer {
  return Buffer.concat([Buffer.of(sealedFormat), Buffer.from(belongsTo, 'utf8')]);
}

async function currentKey(home: string, { key, keyFile }: DataKeys): Promise<Secret> {
  if (key !== undefined) return key;
  if (keyFile === undefined) return ensureHomeKey(home);
  const found = await readKeyFile(keyFile);
  if (found === undefined) throw new Problem('data_key_unreadable', { file: keyFile, reason: 'missing' });
  return found;
}

async function keysOfFile(file: string | undefined): Promise<readonly Secret[]> {
  if (file === undefined) return [];
  const keys = await readKeysFile(file);
  if (keys === undefined) throw new Problem('data_key_unreadable', { file, reason: 'missing' });
  return keys;
}
