import { createHash } from 'node:crypto';
import type { Outcome } from './act.ts';

/**
 * 감사 항목. One entry as it is kept and exported: `at` in UTC to the microsecond, `detail` the JSON text to the byte, hashes
 * in hex. With nothing else but these fields its hash can be computed again.
 */
export type AuditEntry = {
  readonly number: number;
  readonly at: string;
  readonly who: string;
  readonly from: string;
  readonly key: string | null;
  readonly act: string;
  readonly subject: string;
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly detail: string;
  readonly actId: number;
  readonly previousHash: string;
  readonly hash: string;
};

/** What an exported line says of its form; also the first bytes that are hashed. */
export const auditFormat = 'jeongsan-audit-1';

/** What stands before the first entry. */
export const noHash = '0'.repeat(64);

/** The SHA-256 of an entry, of the bytes that docs/audit.md describes; twin of `audit_bytes` in migration 0021. */
export function entryHash(entry: Omit<AuditEntry, 'hash'>): string {
  const fields = [
    String(entry.number),
    entry.at,
    entry.who,
    entry.from,
    entry.key,
    entry.act,
    entry.subject,
    entry.outcome,
    entry.reason,
    entry.detail,
    String(entry.actId),
    entry.previousHash,
  ];
  return createHash('sha256')
    .update(auditFormat + fields.map(field).join(''))
    .digest('hex');
}

function field(value: string | null): string {
  return value === null ? '-,' : `${Buffer.byteLength(value)}:${value},`;
}

/**
 * 훼손. What is wrong with an entry: its own bytes are not those that were hashed; it does not name the hash of the one
 * before; numbers are missing before it.
 */
export type ChainFault = 'altered' | 'unlinked' | 'missing_before';

/** Reads a chain entry by entry; constant memory however long it is. */
export class ChainReader {
  entries = 0;
  #number: number;
  #hash: string;

  /** `after`: the last entry that was read before; none where the chain is read from its beginning. */
  constructor(after: { readonly number: number; readonly hash: string } = { number: 0, hash: noHash }) {
    this.#number = after.number;
    this.#hash = after.hash;
  }

  /** The last entry that was read. */
  get head(): { readonly number: number; readonly hash: string } {
    return { number: this.#number, hash: this.#hash };
  }

  /** Undefined where the entry is what was written, and follows the one before. */
  read(entry: AuditEntry): ChainFault | undefined {
    if (entry.number !== this.#number + 1) return 'missing_before';
    if (entryHash(entry) !== entry.hash) return 'altered';
    if (entry.previousHash !== this.#hash) return 'unlinked';
    this.#number = entry.number;
    this.#hash = entry.hash;
    this.entries += 1;
    return undefined;
  }
}

/** 체인의 끝. What somebody noted of the chain elsewhere: `123:abc…`, or the hash alone. */
export type NotedHead = { readonly number?: number; readonly hash: string };

export function parseHead(text: string): NotedHead | undefined {
  const match = /^(?:(0|[1-9]\d{0,14}):)?([0-9a-f]{64})$/i.exec(text.trim());
  if (match === null) return undefined;
  const hash = (match[2] as string).toLowerCase();
  return match[1] === undefined ? { hash } : { number: Number(match[1]), hash };
}
