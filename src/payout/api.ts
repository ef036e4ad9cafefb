import { type Context, Hono } from 'hono';
import { seoul } from '../kernel/business-day.ts';
import { problems } from '../kernel/problem.ts';
import { ensureLedgerDay } from '../ledger/store.ts';
import type { Pool } from '../platform/database/pool.ts';
import type { Log } from '../platform/durable/engine-log.ts';
import type { Bank } from './bank-port.ts';
import { receiveCallback } from './callback-store.ts';

export type BankApiPorts = {
  readonly pool: Pool;
  readonly log: Log;
  readonly banks: readonly Bank[];
  now(): Temporal.Instant;
};

const mostBodyBytes = 64 * 1024;
/** A body that takes longer is not waited for. */
const bodyMs = 10_000;

/**
 * `POST /bank/:bank/callback`: what a bank says by itself. 200 with the verdict when it was taken, 404 where there is no
 * such payout, 400 and 401 for what cannot be read or is not signed, 408 and 413 for what is too slow or too large; 503
 * where it could not be kept, so that the bank comes again. `limits` are for impatient tests.
 */
export function createBankApi(ports: BankApiPorts, limits: { readonly bodyMs?: number } = {}): Hono {
  const { pool, log, now } = ports;
  const banks = new Map(ports.banks.map((bank) => [bank.id, bank]));
  let ledgerDay = '';
  const api = new Hono();
  api.post('/bank/:bank/callback', async (context) => {
    const bank = banks.get(context.req.param('bank'));
    if (bank === undefined) return refuse(context, 404, 'not_found');
    const body = await readWithin(context.req.raw, limits.bodyMs ?? bodyMs);
    if (body === 'slow') return refuse(context, 408, 'callback_too_slow');
    if (body === 'large') return refuse(context, 413, 'callback_too_large');
    if (body === 'cut') return refuse(context, 400, 'callback_unreadable');
    try {
      const at = now();
      const today = at.toZonedDateTimeISO(seoul).toPlainDate().toString();
      if (today !== ledgerDay) await ensureLedgerDay(pool, today);
      ledgerDay = today;
      const { verdict, problem } = await receiveCallback(pool, bank, { headers: context.req.header(), body }, at);
      if (problem !== undefined) return refuse(context, problems[problem.code].status, problem.code);
      return verdict === 'no_such_payout' ? refuse(context, 404, 'not_found') : context.json({ verdict }, 200);
    } catch (error) {
      log.error({ bank: bank.id, reason: (error as Error).message }, 'a callback could not be kept');
      return refuse(context, 503, 'not_kept');
    }
  });
  return api;
}

async function readWithin(request: Request, withinMs: number): Promise<Buffer | 'slow' | 'large' | 'cut'> {
  if (request.body === null) return Buffer.alloc(0);
  const reader = request.body.getReader();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void reader.cancel().catch(() => {});
  }, withinMs);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      bytes += piece.value.length;
      if (bytes > mostBodyBytes) return 'large';
      pieces.push(piece.value);
    }
    return isLate ? 'slow' : Buffer.concat(pieces);
  } catch {
    return isLate ? 'slow' : 'cut';
  } finally {
    clearTimeout(timer);
  }
}

/** Closes the connection too: the rest of a body that is refused is not read. */
function refuse(context: Context, status: number, code: string): Response {
  return context.body(JSON.stringify({ status, code }), status as 400, {
    'content-type': 'application/problem+json',
    connection: 'close',
  });
}
