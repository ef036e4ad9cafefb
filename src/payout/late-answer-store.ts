import { check } from '../kernel/check.ts';
import type { PoolClient } from '../platform/database/pool.ts';
import { type AnswerRules, type Noted, noteAnswers, unknownFindingMs } from './answer-store.ts';
import type { BankAnswer } from './bank-port.ts';

/** A word that came by itself, by callback or in the bank's list of a day. */
export type LateAnswer = {
  readonly bank: string;
  readonly messageNo: string;
  readonly answer: BankAnswer;
  readonly source: 'callback' | 'day_list';
  readonly who: string;
};

/** How words that came by themselves are noted. */
export const rulesOfLate = (bank: string, now: Temporal.Instant): AnswerRules => ({
  bank,
  now,
  settlingMs: 0,
  opensAt: undefined,
  unknownFindingMs,
});

/**
 * Applies a word that came by itself, in the caller's transaction; the caller notes callbacks, lists and breaks.
 * Repeatable, in any order with all other words.
 */
export async function applyAnswer(
  tx: PoolClient,
  { bank, messageNo, answer, source, who }: LateAnswer,
  now: Temporal.Instant,
): Promise<(Noted & { readonly amountWon: bigint }) | { readonly verdict: 'no_such_payout' }> {
  const { rows } = await tx.query<{ payoutId: bigint; amountWon: bigint }>(
    `select payout_id as "payoutId", amount_won as "amountWon" from payout where bank = $1 and message_no = $2`,
    [bank, messageNo],
  );
  const [payout] = rows;
  if (payout === undefined) return { verdict: 'no_such_payout' };
  const [noted] = await noteAnswers(tx, [{ payoutId: payout.payoutId, source, answer, who }], rulesOfLate(bank, now));
  check(noted, 'an answer was noted');
  return { ...noted, amountWon: payout.amountWon };
}
