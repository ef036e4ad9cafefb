import { createHash } from 'node:crypto';
import type { Actor } from '../../kernel/permission.ts';
import { isProblem, Problem } from '../../kernel/problem.ts';
import { whileActing } from '../database/acting.ts';
import { inTransaction, type Pool } from '../database/pool.ts';
import type { Log } from '../log.ts';
import { beginRequest, dropRequest, giveUpRequest, type KeptAnswer, keepAnswer } from './api-request-store.ts';
import type { AuditedAct, AuditPort } from './audit-port.ts';
import { hashOfFirst } from './request-body.ts';

export type ActPorts = {
  readonly pool: Pool;
  readonly log: Log;
  readonly audit: AuditPort;
  /** This process, by the name of its proof of life. */
  readonly holder: string;
  now(): Temporal.Instant;
};

/** An act as it was asked for. */
export type AskedAct = {
  readonly actor: Actor;
  readonly key: string;
  /** Its operation with path and query: together with the body what the key stands for. */
  readonly request: string;
  readonly entry: Pick<AuditedAct, 'act' | 'subject' | 'reason' | 'detail'>;
  readonly secret: boolean;
  /** The body, where it has been read. */
  readonly body: Buffer | undefined;
};

export type Acted = { readonly status: number; readonly headers: Record<string, string>; readonly body: Buffer };

export type Acts = {
  /**
   * Carries an act out once for its key, with an entry in the trail before and after. `work` answers; `refused` makes the
   * answer of a refusal; `read` tells what was read of a body that comes while the act goes on. Returns the answer, and
   * whether it is one that was given before.
   * @throws Problem as `beginRequest`; whatever else `work` throws
   */
  perform(
    asked: AskedAct,
    how: {
      readonly work: () => Promise<Acted>;
      readonly refused: (problem: Problem) => Promise<Acted>;
      readonly read: () => { readonly sha256: Buffer; readonly bytes: number };
      readonly again: Request;
      readonly againMs: number;
    },
  ): Promise<{ readonly answer: Acted; readonly replayed: boolean }>;
};

const tooMany = 429;
/** What an `Idempotency-Key` may be. */
const keyShape = /^[\x21-\x7e]{1,200}$/;

/** @throws Problem `idempotency_key_missing`, `idempotency_key_invalid` */
export function readKey(headers: Headers): string {
  const key = headers.get('idempotency-key');
  if (key === null || key === '') throw new Problem('idempotency_key_missing');
  if (!keyShape.test(key)) throw new Problem('idempotency_key_invalid');
  return key;
}

export function createActs({ pool, log, audit, holder, now }: ActPorts): Acts {
  const here = new Set<string>();
  return {
    async perform(asked, how) {
      const { actor, key, request, entry, secret, body } = asked;
      const own = JSON.stringify([actor.who, key]);
      const known = body === undefined ? undefined : { sha256: sha256(body), bytes: body.length };
      let isOurs = false;
      const begun = await inTransaction(pool, async (tx) => {
        const found = await beginRequest(
          tx,
          { who: actor.who, key, request, sha256: known?.sha256, bytes: known?.bytes },
          { holder, actsHere: here.has(own), now: now() },
        );
        if (found === 'begun') {
          await audit.record(tx, { actor, ...entry, outcome: 'asked' });
          here.add(own);
          isOurs = true;
        }
        return found;
      }).catch((error: unknown) => {
        if (isOurs) here.delete(own);
        throw error;
      });
      if (begun !== 'begun') return { answer: await replay(begun, known, how, request), replayed: true };

      const settle = (answer: Acted, ended: Pick<AuditedAct, 'outcome' | 'detail'>) =>
        inTransaction(pool, async (tx) => {
          const kept: KeptAnswer = { ...answer, ...(known ?? how.read()) };
          const isSecret = secret && ended.outcome === 'done';
          // Who is told to come again may do so under the same key: nothing was done.
          if (ended.outcome === 'refused' && answer.status === tooMany) await dropRequest(tx, { who: actor.who, key });
          else await keepAnswer(tx, { who: actor.who, key }, kept, { secret: isSecret, now: now() });
          await audit.record(tx, { actor, ...entry, ...ended });
        }).catch((error: Error) => {
          // Done all the same: whoever asks again hears that its outcome has to be looked up.
          log.error({ err: error, act: entry.act, who: actor.who }, 'the answer of an act could not be kept');
        });
      try {
        const answer = await whileActing(() => ({ ...actor, reason: entry.reason }), how.work);
        await settle(answer, { outcome: 'done', ...detailed(entry, { status: answer.status }) });
        return { answer, replayed: false };
      } catch (error) {
        if (isProblem(error)) {
          const answer = await how.refused(error);
          await settle(answer, { outcome: 'refused', ...detailed(entry, { problem: error.code }) });
          return { answer, replayed: false };
        }
        await Promise.allSettled([
          giveUpRequest(pool, { who: actor.who, key }),
          audit.record(pool, { actor, ...entry, outcome: 'failed' }),
        ]);
        throw error;
      } finally {
        here.delete(own);
      }
    },
  };
}

/** The answer that was given before, where this is the same request: of a body that is streamed as much as was read. */
async function replay(
  kept: KeptAnswer,
  known: { readonly sha256: Buffer } | undefined,
  how: { readonly again: Request; readonly againMs: number },
  request: string,
): Promise<Acted> {
  const same = known ?? { sha256: await hashOfFirst(how.again, kept.bytes, how.againMs) };
  if (same.sha256?.equals(kept.sha256) !== true) throw new Problem('idempotency_key_reused', { request });
  return kept;
}

function detailed(entry: Pick<AuditedAct, 'detail'>, more: Record<string, unknown>): Pick<AuditedAct, 'detail'> {
  return { detail: { ...entry.detail, ...more } };
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
