import { AsyncLocalStorage } from 'node:async_hooks';
import { escapeLiteral } from 'pg';
import type { Actor } from '../../kernel/permission.ts';

/** Who acts, and why, for the trail that the database itself keeps of changes of configuration. */
export type Acting = Pick<Actor, 'who' | 'from' | 'key'> & { readonly reason?: string | undefined };

const acting = new AsyncLocalStorage<() => Acting | undefined>();

/**
 * 행위 중. What `work` changes in transactions is changed by this actor: one request, or one command, whoever of its code
 * begins them. `actor` is asked at each beginning; while it is undefined nobody acts.
 */
export function whileActing<T>(actor: () => Acting | undefined, work: () => Promise<T>): Promise<T> {
  return acting.run(actor, work);
}

/** Who acts here, where somebody does. */
export function actingNow(): Acting | undefined {
  return acting.getStore()?.();
}

/** How a transaction begins: with who acts, where somebody does, in the same round trip. */
export function beginning(): string {
  const current = actingNow();
  if (current === undefined) return 'begin';
  const { who, from, key, reason } = current;
  const settings = Object.entries({ who, from, key, reason }).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`set local jeongsan."${name}" = ${escapeLiteral(kept(value))}`],
  );
  return ['begin', ...settings].join('; ');
}

const mostLetters = 1000;

/** As PostgreSQL can hold it, and no longer than the trail keeps it. */
function kept(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd').slice(0, mostLetters).toWellFormed();
}
