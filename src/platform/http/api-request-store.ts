import { Problem } from '../../kernel/problem.ts';
import { type Queryable, query } from '../database/pool.ts';
import { lockName } from '../durable/proof-of-life.ts';

/** An answer as it was given: the same bytes are given again. */
export type KeptAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** What the request's body was, or as much of it as was read. */
  readonly sha256: Buffer;
  readonly bytes: number;
};

/** An act under its caller's key. `sha256` is undefined where the body is read only while the act goes on. */
export type ApiRequest = {
  readonly who: string;
  readonly key: string;
  /** `POST /v1/breaks/12/resolve?…` */
  readonly request: string;
  readonly sha256: Buffer | undefined;
  readonly bytes: number | undefined;
};

type Row = {
  readonly request: string;
  readonly body_sha256: Buffer | null;
  readonly holder: string | null;
  readonly begun_at: Date;
  readonly status: number | null;
  readonly headers: Record<string, string> | null;
  readonly answer: Buffer | null;
  readonly body_bytes: bigint | null;
  readonly answered_at: Date | null;
};

/**
 * Begins an act, once for each key: `begun`, or the answer that it got before. `holder` is the process that acts, by the
 * name of its proof of life; `actsHere` says of a key whether this process is at it now.
 * @throws Problem `idempotency_key_reused` where the key came with another request, `idempotency_in_progress` where
 * somebody is at it, `idempotency_outcome_unknown` where nobody is and nobody knows what came of it,
 * `idempotency_answer_secret`
 */
export async function beginRequest(
  tx: Queryable,
  { who, key, request, sha256, bytes }: ApiRequest,
  { holder, actsHere, now }: { readonly holder: string; readonly actsHere: boolean; readonly now: Temporal.Instant },
): Promise<'begun' | KeptAnswer> {
  const begun = await query(
    tx,
    `insert into api_request (who, key, request, body_sha256, body_bytes, holder, begun_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (who, key) do nothing returning key`,
    [who, key, request, sha256 ?? null, bytes ?? null, holder, now.toString()],
  );
  if (begun.length > 0) return 'begun';
  const [row] = await query<Row>(
    tx,
    `select request, body_sha256, body_bytes, holder, begun_at, status, headers, answer, answered_at
       from api_request where who = $1 and key = $2`,
    [who, key],
  );
  // Its retention ended between the two statements.
  if (row === undefined) throw new Problem('idempotency_in_progress');
  const isOther = sha256 !== undefined && row.body_sha256 !== null && !sha256.equals(row.body_sha256);
  if (row.request !== request || isOther) throw new Problem('idempotency_key_reused', { request: row.request });
  if (row.status === null) {
    if (actsHere || (row.holder !== null && row.holder !== holder && (await isAlive(tx, row.holder)))) {
      throw new Problem('idempotency_in_progress');
    }
    throw new Problem('idempotency_outcome_unknown', { since: row.begun_at.toISOString() });
  }
  if (row.answer === null || row.headers === null) {
    throw new Problem('idempotency_answer_secret', { at: row.answered_at?.toISOString() });
  }
  return {
    status: row.status,
    headers: row.headers,
    body: row.answer,
    sha256: row.body_sha256 as Buffer,
    bytes: Number(row.body_bytes),
  };
}

/** Who can take a process's lock knows that it is dead; the lock is given back with the transaction. */
async function isAlive(tx: Queryable, holder: string): Promise<boolean> {
  const [row] = await query<{ free: boolean }>(
    tx,
    'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as free',
    [lockName(holder)],
  );
  return row?.free !== true;
}

/** Keeps what an act was answered. Of an answer that holds a secret only that there was one. */
export async function keepAnswer(
  tx: Queryable,
  { who, key }: Pick<ApiRequest, 'who' | 'key'>,
  { status, headers, body, sha256, bytes }: KeptAnswer,
  { secret, now }: { readonly secret: boolean; readonly now: Temporal.Instant },
): Promise<void> {
  await query(
    tx,
    `update api_request
        set status = $3, headers = $4, answer = $5, body_sha256 = $6, body_bytes = $7, answered_at = $8
      where who = $1 and key = $2 and status is null`,
    [who, key, status, secret ? null : JSON.stringify(headers), secret ? null : body, sha256, bytes, now.toString()],
  );
}

/** Forgets an act that was not begun, since there were too many at once: asked again under its key it is an act. */
export async function dropRequest(tx: Queryable, { who, key }: Pick<ApiRequest, 'who' | 'key'>): Promise<void> {
  await query(tx, 'delete from api_request where who = $1 and key = $2 and status is null', [who, key]);
}

/** Says that nobody is at an act any more, though what came of it is not known. */
export async function giveUpRequest(db: Queryable, { who, key }: Pick<ApiRequest, 'who' | 'key'>): Promise<void> {
  await query(db, 'update api_request set holder = null where who = $1 and key = $2 and status is null', [who, key]);
}

/**
 * Forgets acts that began before then, `most` at a time; returns how many. Whoever asks again with a key that is forgotten
 * acts again.
 */
export async function forgetRequests(db: Queryable, before: Temporal.Instant, most: number): Promise<number> {
  const gone = await query(
    db,
    `delete from api_request where (who, key) in (
       select who, key from api_request where begun_at < $1 order by begun_at limit $2 for update skip locked
     ) returning key`,
    [before.toString(), most],
  );
  return gone.length;
}
