import { decide, latestProposal, propose } from '../approvals/store.ts';
import { closeFinding } from '../findings/store.ts';
import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Pool, type PoolClient } from '../platform/database/pool.ts';
import { noteAnswers } from './answer-store.ts';
import { rulesOfLate } from './late-answer-store.ts';
import { closeBreaksOf } from './payout-break-store.ts';
import type { PayoutState } from './states.ts';

/** What two people may say of a payout in the bank's stead. */
export const handOutcomes = ['succeeded', 'rejected'] as const;
export type HandOutcome = (typeof handOutcomes)[number];

const kind = 'payout_settle';

/**
 * 수기 확정 요청. Proposes what became of a payout of which the bank says nothing definite, with the evidence; nothing
 * is booked before another person approves. The same again while it waits is the same proposal.
 * @throws Problem `not_found`; `payout_not_settleable`; `payout_in_hand`; `approval_waits`
 */
export function proposeSettle(
  pool: Pool,
  id: bigint,
  { as, who, reason }: { readonly as: HandOutcome; readonly who: string; readonly reason: string },
): Promise<void> {
  return inTransaction(pool, async (tx) => {
    const payout = await hold(tx, id);
    refuseUnlessOpen(payout);
    const { merchantId, amountWon, bank, messageNo } = payout;
    const detail = { payoutId: String(id), as, merchantId, amountWon, bank, messageNo };
    const { changed } = await propose(tx, { kind, about: String(id), detail, askedBy: who, reason });
    if (changed) await trail(tx, payout, { who, what: 'settle_proposed', detail: { as, reason } });
  });
}

/**
 * 수기 확정. The second person's word: approved, the payout ends as proposed by the same table of states and the same
 * postings as by the bank's word, and its finding and breaks are closed; refused, the bank goes on being asked. The same
 * person's same decision once more is no fault. What the bank says otherwise later is a finding, and books nothing.
 * @throws Problem `not_found`; as `decide`; `payout_not_settleable` and `payout_in_hand`, and it stays undecided
 */
export function decideSettle(
  pool: Pool,
  id: bigint,
  by: { readonly who: string; readonly decision: 'approved' | 'refused'; readonly note?: string },
  now: Temporal.Instant,
): Promise<void> {
  return inTransaction(pool, async (tx) => {
    const payout = await hold(tx, id);
    const proposal = await latestProposal(tx, kind, String(id));
    if (proposal === undefined) throw new Problem('not_found', { what: 'approval', id: String(id) });
    const { who: decidedBy, decision } = by;
    const note = by.note === undefined ? {} : { note: by.note };
    const { changed } = await decide(tx, { kind, subject: proposal.subject, decidedBy, decision, ...note });
    if (!changed) return;
    if (decision === 'refused') {
      await trail(tx, payout, { who: decidedBy, what: 'settle_refused', detail: note });
      return;
    }
    refuseUnlessOpen(payout);
    const outcome = handOutcomes.find((each) => each === proposal.detail['as']);
    check(outcome, 'a proposal names its outcome');
    const answer = { outcome, code: '', text: proposal.reason };
    const [noted] = await noteAnswers(
      tx,
      [{ payoutId: id, source: 'hand', answer, who: decidedBy }],
      rulesOfLate(payout.bank, now),
    );
    check(noted?.verdict === 'applied', 'what is open under its lock is settled');
    await closeFinding(tx, { kind: 'payout_unknown', subject: `payout:${id}`, by: decidedBy });
    await closeBreaksOf(tx, id, { by: decidedBy, note: proposal.reason });
  });
}

type Held = {
  readonly id: bigint;
  readonly state: PayoutState;
  readonly merchantId: string;
  readonly amountWon: bigint;
  readonly bank: string;
  readonly messageNo: string | null;
  readonly run: string | null;
};

async function hold(tx: PoolClient, id: bigint): Promise<Held> {
  const { rows } = await tx.query<Held>(
    `select payout_id as id, state, merchant_id as "merchantId", amount_won as "amountWon", bank,
            message_no as "messageNo", claimed_by as run
       from payout where payout_id = $1 for update`,
    [id],
  );
  const [payout] = rows;
  if (payout === undefined) throw new Problem('not_found', { what: 'payout', id: String(id) });
  return payout;
}

/** In a worker's hands the bank is being spoken with: its word is worth more. */
function refuseUnlessOpen({ id, state, run }: Held): void {
  if (state !== 'sent' && state !== 'unknown') throw new Problem('payout_not_settleable', { id, state });
  if (run !== null) throw new Problem('payout_in_hand', { id, run });
}

type Act = { readonly who: string; readonly what: string; readonly detail: Readonly<Record<string, string>> };

async function trail(tx: PoolClient, { id, state }: Held, { who, what, detail }: Act): Promise<void> {
  await tx.query(
    'insert into payout_event (payout_id, who, from_state, to_state, what, detail) values ($1, $2, $3, $3, $4, $5)',
    [id, who, state, what, JSON.stringify(detail)],
  );
}
