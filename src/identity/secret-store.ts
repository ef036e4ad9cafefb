import { randomBytes } from 'node:crypto';
import { check } from '../kernel/check.ts';
import type { Cipher } from '../platform/cipher.ts';
import { type Pool, query } from '../platform/database/pool.ts';
import { sealedPlace } from '../platform/sealed-place.ts';
import { Secret } from '../platform/secret.ts';

const belongsTo = 'auth_secret';

/**
 * What signs cookies and seals second factors: made at the first start, kept sealed under the data key, the same for all
 * servers of one database. Sealed anew where the data key has changed since and the one before is still known.
 * @throws Problem `data_key_changed`, `sealed_damaged`
 */
export async function openAuthSecret(pool: Pool, cipher: Cipher): Promise<Secret> {
  const made = cipher.seal(randomBytes(32).toString('base64url'), belongsTo);
  await query(pool, 'insert into auth_secret (sealed, key_id) values ($1, $2) on conflict do nothing', [
    made.sealed,
    made.keyId,
  ]);
  const [kept] = await query<{ sealed: Buffer; keyId: string }>(
    pool,
    'select sealed, key_id as "keyId" from auth_secret',
  );
  check(kept, 'the secret was just kept');
  const secret = cipher.unseal(kept.sealed, kept.keyId, belongsTo);
  if (kept.keyId !== cipher.keyId) {
    const anew = cipher.seal(secret, belongsTo);
    await query(pool, 'update auth_secret set sealed = $1, key_id = $2 where key_id = $3', [
      anew.sealed,
      anew.keyId,
      kept.keyId,
    ]);
  }
  return new Secret(secret);
}

/** The secret of sessions, for the change of keys. */
export const sealedAuthSecret = sealedPlace({
  words: { ko: '세션 비밀', en: 'the secret of sessions' },
  table: 'auth_secret',
  owner: `'auth_secret'::text`,
  parts: [{ sealed: 'sealed', keyId: 'key_id', belongsTo: () => belongsTo }],
});
