import type { Actor } from '../../kernel/permission.ts';
import type { Queryable } from '../database/pool.ts';

/** What the trail keeps of an act that came over the API: that it was asked for, and what became of it. */
export type AuditedAct = {
  readonly actor: Pick<Actor, 'who' | 'from' | 'key'>;
  /** The operation. */
  readonly act: string;
  readonly subject: string;
  readonly outcome: 'asked' | 'done' | 'refused' | 'failed' | 'denied';
  readonly reason?: string;
  readonly detail?: Record<string, unknown>;
};

/** 감사 추적. Writes an entry, in the transaction where `db` is one. */
export type AuditPort = { record(db: Queryable, entry: AuditedAct): Promise<unknown> };

const secretName = /pass|secret|holder|token|credential|otp|code$|account|key|phone|mobile|birth|resident/i;
const mostDetail = 4000;

/**
 * What an act was asked with, for the trail: whatever may be secret is named and not shown. Of an address only the host is,
 * since what follows it, as Slack has it, may be the secret.
 */
export function auditableBody(body: unknown): unknown {
  const text = JSON.stringify(body, (name, value: unknown) => {
    if (secretName.test(name) && value !== null && value !== undefined) return '***';
    if (typeof value === 'string' && /^\s*[a-z][a-z\d+.-]*:\/\//i.test(value)) return hostOnly(value);
    return typeof value === 'bigint' ? String(value) : value;
  });
  if (text === undefined || text === '{}') return undefined;
  return text.length > mostDetail ? { cut: text.slice(0, mostDetail) } : (JSON.parse(text) as unknown);
}

function hostOnly(address: string): string {
  if (!URL.canParse(address)) return '***';
  const { protocol, host } = new URL(address);
  return `${protocol}//${host}/***`;
}
