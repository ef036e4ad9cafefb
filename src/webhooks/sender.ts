import { closeFinding, openFinding } from '../findings/store.ts';
import { storableText } from '../kernel/exact-json.ts';
import type { Cipher } from '../platform/cipher.ts';
import { inTransaction, type Pool } from '../platform/database/pool.ts';
import type { Log } from '../platform/durable/engine-log.ts';
import type { Post, PostOutcome } from '../platform/http-signed-post.ts';
import { Secret } from '../platform/secret.ts';
import { type Due, noteAttempt, takeDue } from './delivery-store.ts';
import { secretOf } from './endpoint-store.ts';
import { closeMadeGood, holdEndpoint, isLossOpen, tellLoss } from './given-up-store.ts';
import { pauseAfterSeconds } from './retry-times.ts';

export type SenderPorts = {
  readonly pool: Pool;
  readonly log: Log;
  readonly cipher: Cipher;
  /** Sends a signed message; what it came to. */
  post(message: Post): Promise<PostOutcome>;
  now(): Temporal.Instant;
  /** How often is looked for what is due; after a round that sent something it is looked at once. */
  readonly everyMs?: number;
};

export type Sender = {
  /** Ends what is being sent and begins nothing more. */
  stop(): Promise<void>;
};

const everyMs = 500;
/** At a time in this process, and to one endpoint from all processes. */
const most = 32;
const mostEach = 4;
/** From this try on, some ten minutes after the first, people are told. */
const failingFrom = 4;
const mostFaultLetters = 500;

/**
 * 전달기. Sends what is due, at least once: a receiver knows by the event's number what it has had. Any number of
 * processes may. Endpoints do not wait for one another.
 */
export function startSender(ports: SenderPorts): Sender {
  const { pool, log } = ports;
  const stopping = new AbortController();
  const sending = new Set<Promise<void>>();
  let ring = () => {};

  const begin = (due: Due) => {
    const work = deliver(ports, due)
      .catch((error: unknown) => {
        // It stays in hand until its time is over, and is tried again then.
        log.warn({ delivery: String(due.id), reason: (error as Error).message }, 'a try was not noted');
      })
      .finally(() => {
        sending.delete(work);
        ring();
      });
    sending.add(work);
  };
  const round = async (): Promise<void> => {
    const free = most - sending.size;
    if (free <= 0) return;
    for (const due of await takeDue(pool, free, mostEach)) begin(due);
  };
  const loop = async () => {
    while (!stopping.signal.aborted) {
      await round().catch((error: unknown) => {
        log.warn({ reason: (error as Error).message }, 'webhooks could not be looked at');
      });
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ports.everyMs ?? everyMs);
        ring = () => {
          clearTimeout(timer);
          resolve();
        };
        if (stopping.signal.aborted) ring();
      });
    }
  };
  const looping = loop();
  return {
    async stop() {
      stopping.abort();
      ring();
      await looping;
      await Promise.all(sending);
    },
  };
}

async function deliver(ports: SenderPorts, due: Due): Promise<void> {
  const { pool } = ports;
  const began = performance.now();
  // What cannot even be sent, as with a secret that no key opens, is a try like any other: it ends, and people are told.
  const outcome = await send(ports, due).catch(
    (error: unknown): PostOutcome => ({ kind: 'refused', reason: (error as Error).message }),
  );
  const tookMs = performance.now() - began;
  const status = outcome.kind === 'answered' ? outcome.status : undefined;
  const delivered = status !== undefined && status >= 200 && status < 300;
  const fault = delivered ? undefined : faultOf(outcome);
  const nextInSeconds = delivered ? undefined : pauseAfterSeconds(due.attempt, retryAfterOf(outcome));
  const isLost = !delivered && nextInSeconds === undefined;
  await inTransaction(pool, async (tx) => {
    const mayMakeGood = delivered && (await isLossOpen(tx, due.name));
    if (isLost || mayMakeGood) await holdEndpoint(tx, due.endpointId);
    if (!(await noteAttempt(tx, due, { delivered, tookMs, status, fault, nextInSeconds }))) return;
    const subject = due.name;
    if (mayMakeGood) await closeMadeGood(tx, due);
    if (delivered) await closeFinding(tx, { kind: 'webhook_failing', subject, by: 'jeongsan' });
    else if (isLost) await tellLoss(tx, due, fault);
    else if (due.attempt >= failingFrom) {
      const detail = { attempt: due.attempt, fault };
      await openFinding(tx, { kind: 'webhook_failing', subject, audience: 'operations', detail });
    }
  });
}

async function send({ cipher, post, now }: SenderPorts, due: Due): Promise<PostOutcome> {
  const secret = new Secret(cipher.unseal(due.sealed, due.keyId, secretOf(due.name)));
  return post({ url: due.url, id: `evt_${due.eventId}`, body: bodyOf(due), secrets: [secret], at: now() });
}

/** What a receiver answers may be any bytes. */
function faultOf(outcome: PostOutcome): string {
  const said =
    outcome.kind === 'answered' ? `HTTP ${outcome.status} ${outcome.answer}` : `${outcome.kind}: ${outcome.reason}`;
  return storableText(said.slice(0, mostFaultLetters));
}

function retryAfterOf(outcome: PostOutcome): number {
  return outcome.kind === 'answered' ? (outcome.retryAfterMs ?? 0) / 1000 : 0;
}

/** The same bytes at every try. */
export function bodyOf({
  eventId,
  type,
  subject,
  at,
  data,
}: Pick<Due, 'eventId' | 'type' | 'subject' | 'at' | 'data'>): string {
  return JSON.stringify({ id: `evt_${eventId}`, type, subject, at: at.toISOString(), data });
}
