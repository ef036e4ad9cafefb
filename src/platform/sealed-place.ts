import { isProblem, type Language } from '../kernel/problem.ts';
import { type Cipher, type Sealed, sealedFormat } from './cipher.ts';
import { inTransaction, type Pool, type Queryable, query } from './database/pool.ts';

/** How many values a key has sealed in a place, in which format. */
export type SealedCount = { readonly keyId: string; readonly format: number; readonly values: number };

/** One chunk of a rotation. `next` is where the next one begins; undefined where nothing is left. */
export type ResealedChunk = {
  readonly resealed: number;
  /** What they belong to; they are left as they are. */
  readonly unreadable: readonly string[];
  readonly next: string | undefined;
};

/** 봉인된 값. Where a folder keeps sealed values, and how they are sealed anew under the current key. */
export type SealedPlace = {
  readonly table: string;
  readonly words: Readonly<Record<Language, string>>;
  count(db: Queryable): Promise<readonly SealedCount[]>;
  /** Seals those anew that another key or an older format sealed, of at most `limit` owners after `after`, in one transaction. */
  reseal(pool: Pool, cipher: Cipher, page: { readonly after: string; readonly limit: number }): Promise<ResealedChunk>;
};

/** The columns of a value, and what of the row it belongs to. */
type SealedPart = {
  readonly sealed: string;
  readonly keyId: string;
  belongsTo(owner: string): string;
};

/** A table with a few sealed values a row. `owner` is SQL of the row's name, unique, which its values are bound to. */
export function sealedPlace({
  words,
  table,
  owner,
  parts,
}: {
  readonly words: SealedPlace['words'];
  readonly table: string;
  readonly owner: string;
  readonly parts: readonly SealedPart[];
}): SealedPlace {
  const name = `(${owner}) collate "C"`;
  const stale = parts.map((part) => isStale(part.sealed, part.keyId)).join(' or ');
  const columns = parts.map(({ sealed, keyId }, n) => `${sealed} as "sealed${n}", ${keyId} as "keyId${n}"`).join(', ');
  return {
    words,
    table,
    count: (db) => query<SealedCount>(db, countSql(table, parts)),
    reseal: (pool, cipher, { after, limit }) =>
      inTransaction(pool, async (tx) => {
        const rows = await query<{ owner: string } & Record<string, Buffer | string | null>>(
          tx,
          `select ${name} as owner, ${columns} from ${table}
            where (${stale}) and ${name} > $2 order by ${name} limit $3 for update`,
          [cipher.keyId, after, limit],
        );
        const unreadable: string[] = [];
        let resealed = 0;
        for (const row of rows) {
          for (const [n, part] of parts.entries()) {
            const kept = { sealed: row[`sealed${n}`] as Buffer | null, keyId: row[`keyId${n}`] as string | null };
            if (kept.sealed === null || kept.keyId === null) continue;
            const anew = sealAnew(cipher, { sealed: kept.sealed, keyId: kept.keyId }, part.belongsTo(row.owner));
            if (anew === undefined) unreadable.push(part.belongsTo(row.owner));
            else {
              const sql = `update ${table} set ${part.sealed} = $2, ${part.keyId} = $3 where ${name} = $1`;
              await tx.query(sql, [row.owner, anew.sealed, anew.keyId]);
              resealed += 1;
            }
          }
        }
        return { resealed, unreadable, next: rows.length < limit ? undefined : rows.at(-1)?.owner };
      }),
  };
}

/** SQL that is true of a value that the key `$1` did not seal in today's format. */
export function isStale(sealed: string, keyId: string): string {
  return `(${sealed} is not null and (${keyId} <> $1 or get_byte(${sealed}, 0) <> ${sealedFormat}))`;
}

/** How many values of a table each key has sealed. */
export function countSql(table: string, parts: readonly Pick<SealedPart, 'sealed' | 'keyId'>[]): string {
  const each = parts.map(
    ({ sealed, keyId }) =>
      `select ${keyId} as key_id, get_byte(${sealed}, 0) as format from ${table} where ${sealed} is not null`,
  );
  return `select key_id as "keyId", format, count(*)::int as values from (${each.join(' union all ')}) value
           group by 1, 2 order by 1, 2`;
}

/** The same value under the current key; undefined where nobody can read it here. */
export function sealAnew(cipher: Cipher, { sealed, keyId }: Sealed, belongsTo: string): Sealed | undefined {
  try {
    return cipher.seal(cipher.unseal(sealed, keyId, belongsTo), belongsTo);
  } catch (error) {
    if (isProblem(error, 'data_key_changed', 'sealed_damaged')) return undefined;
    throw error;
  }
}
