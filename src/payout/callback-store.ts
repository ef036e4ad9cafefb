import { createHash } from 'node:crypto';
import { openFinding } from '../findings/store.ts';
import { isProblem, type Problem } from '../kernel/problem.ts';
import { inTransaction, type Pool, type PoolClient, type Queryable } from '../platform/database/pool.ts';
import type { Bank, BankCallback, CallbackHeaders } from './bank-port.ts';
import { applyAnswer } from './late-answer-store.ts';

/** What came of a callback. `disagrees`: the payout's end was another one, or the amount is not ours; nothing changed. */
export type CallbackVerdict =
  | 'applied'
  | 'repeated'
  | 'no_such_payout'
  | 'disagrees'
  | 'unreadable'
  | 'wrong_signature';

/** Of what anybody may send, because its signature is wrong, so many an hour are kept as they came. */
const mostUnsignedKept = 1_000;

/**
 * 결과 통지. Keeps a callback as it came and applies it, in one transaction: so a callback that was answered is applied,
 * and one that was not comes again. `problem` says why it was refused.
 */
export async function receiveCallback(
  pool: Pool,
  bank: Bank,
  { headers, body }: { readonly headers: CallbackHeaders; readonly body: Buffer },
  now: Temporal.Instant,
): Promise<{ readonly verdict: CallbackVerdict; readonly problem?: Problem }> {
  const read = bank.readCallback(headers, body);
  return await inTransaction(pool, async (tx) => {
    if (read instanceof Error) {
      const verdict = isProblem(read, 'callback_signature') ? 'wrong_signature' : 'unreadable';
      await keep(tx, bank.id, body, verdict);
      const detail = { bank: bank.id, verdict, reason: read.details['reason'] };
      await openFinding(tx, { kind: 'callback_refused', subject: `bank:${bank.id}`, audience: 'in_charge', detail });
      return { verdict, problem: read };
    }
    const { verdict, payoutId } = await apply(tx, bank.id, read, now);
    await keep(tx, bank.id, body, verdict, payoutId);
    return { verdict };
  });
}

type Applied = { readonly verdict: CallbackVerdict; readonly payoutId?: bigint };

async function apply(tx: PoolClient, bank: string, callback: BankCallback, now: Temporal.Instant): Promise<Applied> {
  const { messageNo, amountWon, answer } = callback;
  const ours = await amountOf(tx, bank, messageNo);
  if (ours !== undefined && amountWon !== undefined && amountWon !== ours.amountWon) {
    const detail = { bank, messageNo, oursWon: ours.amountWon, theirsWon: amountWon, theirs: answer.outcome };
    const subject = `payout:${ours.payoutId}`;
    await openFinding(tx, { kind: 'callback_amount_differs', subject, audience: 'operations', detail });
    return { verdict: 'disagrees', payoutId: ours.payoutId };
  }
  const applied = await applyAnswer(tx, { bank, messageNo, answer, source: 'callback', who: `bank:${bank}` }, now);
  if (applied.verdict !== 'no_such_payout') return applied;
  const detail = { bank, messageNo, theirsWon: amountWon ?? null, theirs: answer.outcome };
  await openFinding(tx, { kind: 'callback_unknown', subject: `bank:${bank}`, audience: 'in_charge', detail });
  return applied;
}

async function amountOf(
  tx: PoolClient,
  bank: string,
  messageNo: string,
): Promise<{ readonly payoutId: bigint; readonly amountWon: bigint } | undefined> {
  const { rows } = await tx.query<{ payoutId: bigint; amountWon: bigint }>(
    'select payout_id as "payoutId", amount_won as "amountWon" from payout where bank = $1 and message_no = $2',
    [bank, messageNo],
  );
  return rows[0];
}

async function keep(
  tx: PoolClient,
  bank: string,
  body: Buffer,
  verdict: CallbackVerdict,
  payoutId?: bigint,
): Promise<void> {
  const sha256 = createHash('sha256').update(body).digest('hex');
  await tx.query(
    `insert into bank_callback (bank, body_sha256, body, verdict, payout_id)
     select $1, $2, $3, $4, $5
      where $4 <> 'wrong_signature'
         or (select count(*) from bank_callback where bank = $1 and verdict = 'wrong_signature'
                and received_at > clock_timestamp() - interval '1 hour') < $6`,
    [bank, sha256, body, verdict, payoutId ?? null, mostUnsignedKept],
  );
}

/** 보존. Removes callbacks that were signed wrongly, so by nobody that is known; the oldest first, at most `most`. */
export async function forgetUnsigned(db: Queryable, before: Temporal.Instant, most: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from bank_callback where callback_id in (
       select callback_id from bank_callback where verdict = 'wrong_signature' and received_at < $1
        order by received_at limit $2)`,
    [before.toString(), most],
  );
  return rowCount ?? 0;
}
