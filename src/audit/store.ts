import { createHash } from 'node:crypto';
import { check } from '../kernel/check.ts';
import { exactJson, storableJson, storableText } from '../kernel/exact-json.ts';
import { type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import type { Act } from './act.ts';

const longestTextChars = 1000;
const largestDetailBytes = 64 * 1024;

/**
 * Writes an act into the audit trail: of the pool at once, of a transaction when that commits, and not if it does not.
 * Returns the act's id, which is known before its number in the chain is: for an entry that refers to this one.
 */
export async function recordAct(db: Queryable, { actor, act, subject, outcome, reason, detail }: Act): Promise<bigint> {
  const [row] = await query<{ id: bigint }>(
    db,
    `insert into audit_draft (who, origin, by_key, act, subject, outcome, reason, detail)
     values ($1, $2, $3, $4, $5, $6, $7, $8::json) returning act_id as id`,
    [
      plain(actor.who),
      plain(actor.from),
      actor.key === undefined ? null : plain(actor.key),
      plain(act),
      plain(subject),
      outcome,
      reason === undefined ? null : plain(reason),
      detailText(detail ?? {}),
    ],
  );
  check(row, 'an insert returns its row');
  return row.id;
}

/** Says for this transaction who changes configuration and why: what the database writes of the change names them. */
export async function actingAs(tx: PoolClient, actor: Act['actor'], reason?: string): Promise<void> {
  await tx.query(
    `select set_config('jeongsan.who', $1, true), set_config('jeongsan.from', $2, true),
            set_config('jeongsan.key', $3, true), set_config('jeongsan.reason', $4, true)`,
    [plain(actor.who), plain(actor.from), plain(actor.key ?? ''), plain(reason ?? '')],
  );
}

/** What anybody may send us, as PostgreSQL can hold it: a NUL or half a character must not keep an act out of the trail. */
function plain(text: string): string {
  const whole = storableText(text);
  return whole.length > longestTextChars ? `${whole.slice(0, longestTextChars - 1).toWellFormed()}…` : whole;
}

/** The detail as JSON; of one that is too large its size and SHA-256. */
function detailText(detail: Readonly<Record<string, unknown>>): string {
  const text = storableJson(detail);
  const bytes = Buffer.byteLength(text);
  if (bytes <= largestDetailBytes) return text;
  return exactJson({ omittedBytes: bytes, sha256: createHash('sha256').update(text).digest('hex') });
}
