import { createHmac, timingSafeEqual } from 'node:crypto';

/** 서명. HMAC-SHA256 in hexadecimal over lines of text and a body, under the secret that bank and we share. */
export const signatureHeaders = {
  key: 'x-van-key',
  timestamp: 'x-van-timestamp',
  signature: 'x-van-signature',
} as const;

/** How far the clock of whoever signed may be from ours. */
const toleranceMs = 5 * 60_000;

/** What is signed: a request or a callback by its method and path, an answer by the request that it answers. */
export type Signed =
  | { readonly kind: 'request'; readonly method: string; readonly path: string; readonly timestamp: string }
  | {
      readonly kind: 'answer';
      readonly requestSignature: string;
      readonly status: number;
      readonly timestamp: string;
    };

/** The path that a bank calls us back at; where a proxy rewrites it, this one is still the one that is signed. */
export function callbackPath(bank: string): string {
  return `/bank/${bank}/callback`;
}

export function signatureOf(secret: string, signed: Signed, body: string | Uint8Array): string {
  return digestOf(secret, signed, body).toString('hex');
}

/** Whether a signature is right; takes the same time whatever of it is wrong. */
export function isSignature(secret: string, signed: Signed, body: string | Uint8Array, given: unknown): boolean {
  if (typeof given !== 'string' || !/^[0-9a-f]{64}$/.test(given)) return false;
  return timingSafeEqual(Buffer.from(given, 'hex'), digestOf(secret, signed, body));
}

/** Whether a timestamp (milliseconds since 1970) is close enough to now. */
export function isTimely(timestamp: unknown, nowMs: number): timestamp is string {
  return (
    typeof timestamp === 'string' && /^\d{13}$/.test(timestamp) && Math.abs(Number(timestamp) - nowMs) <= toleranceMs
  );
}

function digestOf(secret: string, signed: Signed, body: string | Uint8Array): Buffer {
  const lines =
    signed.kind === 'request'
      ? [signed.method, signed.path, signed.timestamp]
      : ['ANSWER', signed.requestSignature, String(signed.status), signed.timestamp];
  return createHmac('sha256', secret)
    .update(`${lines.join('\n')}\n`)
    .update(body)
    .digest();
}
