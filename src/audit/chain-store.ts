import { Problem } from '../kernel/problem.ts';
import { type KeyPart, keysetPage } from '../platform/database/keyset.ts';
import { inTransaction, type Pool, type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import type { Outcome } from './act.ts';
import { type AuditEntry, type ChainFault, ChainReader, type NotedHead, noHash } from './entry.ts';

/** Entries that are held at a time. */
const batchRows = 5000;

const columns = `to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, who, origin as "from", by_key as key,
  act, subject, outcome, reason, detail::text as detail, act_id::float8 as "actId",
  encode(previous_hash, 'hex') as "previousHash", encode(hash, 'hex') as hash, number::float8 as number`;
const byNumber: readonly KeyPart[] = [{ sql: 'number', type: 'bigint' }];

export type EntryFilter = {
  readonly who?: string | undefined;
  readonly act?: string | undefined;
  readonly subject?: string | undefined;
  readonly outcome?: readonly Outcome[] | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
};

/** A page of the trail. `act` and `subject` may end in `*`. @throws Problem `cursor_invalid` */
export async function pageOfEntries(
  db: Queryable,
  filter: EntryFilter,
  request: PageRequest<'number'>,
): Promise<Page<AuditEntry>> {
  const { who, outcome, since, until } = filter;
  return keysetPage<AuditEntry>(
    db,
    byNumber,
    request,
    [
      who ?? null,
      likeOf(filter.act),
      likeOf(filter.subject),
      outcome && outcome.length > 0 ? outcome : null,
      since ?? null,
      until ?? null,
    ],
    ({ key, after, order, limit }) =>
      `select ${columns}, ${key} from audit_entry
        where ($1::text is null or who = $1) and ($2::text is null or act like $2) and ($3::text is null or subject like $3)
          and ($4::text[] is null or outcome = any ($4))
          and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
          and ${after} order by ${order} limit ${limit}`,
  );
}

/** Names are matched as they are, except that a star at the end stands for anything. */
function likeOf(pattern: string | undefined): string | null {
  if (pattern === undefined) return null;
  const escaped = pattern.replaceAll(/[\\%_]/g, '\\$&');
  return escaped.endsWith('*') ? `${escaped.slice(0, -1)}%` : escaped;
}

/** One entry. @throws Problem `not_found` */
export async function findEntry(db: Queryable, number: number): Promise<AuditEntry> {
  const [found] = await query<AuditEntry>(db, `select ${columns} from audit_entry where number = $1`, [number]);
  if (found === undefined) throw new Problem('not_found', { what: 'audit entry', id: number });
  return found;
}

/** The last entry: what is worth noting elsewhere. Undefined while there is none. */
export async function chainHead(
  db: Queryable,
): Promise<{ readonly number: number; readonly hash: string } | undefined> {
  const [head] = await query<{ number: number; hash: string }>(
    db,
    `select number::float8 as number, encode(hash, 'hex') as hash from audit_entry order by number desc limit 1`,
  );
  return head;
}

/** The entries from a number on in their order, a batch at a time; ends at the entry that was last at the start. */
export async function* entriesFrom(db: Queryable, from = 1): AsyncGenerator<readonly AuditEntry[]> {
  const last = (await chainHead(db))?.number ?? 0;
  for (let next = from; next <= last; ) {
    const rows = await query<AuditEntry>(
      db,
      `select ${columns} from audit_entry where number >= $1 and number <= $2 order by number limit $3`,
      [next, last, batchRows],
    );
    if (rows.length === 0) return;
    yield rows;
    next = (rows.at(-1)?.number ?? last) + 1;
  }
}

/** 검증 결과. `fault` is the first one from the beginning on; what comes after it proves nothing. */
export type Verification = {
  readonly sound: boolean;
  readonly entries: number;
  readonly head: { readonly number: number; readonly hash: string };
  readonly fault: { readonly number: number; readonly kind: ChainFault } | undefined;
  /** Of a head that was noted elsewhere: whether the chain still holds it, at its place. */
  readonly noted: 'there' | 'gone' | undefined;
  /** Acts that never became entries: the trigger was off. */
  readonly drafts: number;
  /** Triggers that keep the trail and are missing or switched off. */
  readonly unguarded: readonly string[];
};

const guards = ['audit_entry_sealed', 'audit_entry_append_only', 'audit_draft_entered', 'audit_draft_kept'];

/**
 * 검증. Computes the whole chain again as it stands at one moment, by this program's own arithmetic and not by the
 * database's, in constant memory. A chain that was cut at its end, or written anew as a whole, is sound in itself: only a
 * head that was noted elsewhere tells.
 */
export async function verifyChain(
  pool: Pool,
  { noted, signal }: { readonly noted?: NotedHead | undefined; readonly signal?: AbortSignal } = {},
): Promise<Verification> {
  return inTransaction(pool, async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only');
    const reader = new ChainReader();
    // The head of a chain that had no entry yet.
    let seen = noted?.hash === noHash && (noted.number ?? 0) === 0;
    let fault: Verification['fault'];
    scan: for await (const batch of entriesFrom(tx)) {
      signal?.throwIfAborted();
      for (const entry of batch) {
        const kind = reader.read(entry);
        if (kind !== undefined) {
          fault = { number: entry.number, kind };
          break scan;
        }
        if (noted !== undefined && entry.hash === noted.hash) {
          seen = noted.number === undefined || noted.number === entry.number;
        }
      }
    }
    const [left] = await query<{ drafts: number }>(tx, 'select count(*)::int as drafts from audit_draft');
    const unguarded = await missingGuards(tx);
    const drafts = left?.drafts ?? 0;
    const state = noted === undefined || fault !== undefined ? undefined : seen ? 'there' : 'gone';
    return {
      sound: fault === undefined && state !== 'gone' && drafts === 0 && unguarded.length === 0,
      entries: reader.entries,
      head: reader.head,
      fault,
      noted: state,
      drafts,
      unguarded,
    };
  });
}

async function missingGuards(db: Queryable): Promise<string[]> {
  const rows = await query<{ name: string }>(
    db,
    `select name from unnest($1::text[]) as guard (name)
      where not exists (select from pg_trigger
                         where tgname = name and tgenabled = 'A' and tgrelid in ('audit_entry'::regclass, 'audit_draft'::regclass))
      order by name`,
    [guards],
  );
  return rows.map(({ name }) => name);
}
