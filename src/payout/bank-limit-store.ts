import { decide, latestProposal, propose } from '../approvals/store.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Pool, type PoolClient } from '../platform/database/pool.ts';
import { type ControlChange, changeControl } from './control-store.ts';

const kind = 'bank_limit';

/**
 * Changes what one person may change; a higher `approvalOverWon` (승인 기준 금액) is proposed instead, and waits for
 * another person. Returns the subject of the proposal, if there is one.
 * @throws Problem `not_found` for a bank that has no controls; `approval_waits`
 */
export function changeOrPropose(
  pool: Pool,
  bank: string,
  { approvalOverWon, ...others }: ControlChange,
  by: { readonly who: string; readonly reason: string },
): Promise<string | undefined> {
  return inTransaction(pool, async (tx) => {
    const currentWon = await holdLimit(tx, bank);
    const raises = approvalOverWon !== undefined && approvalOverWon > currentWon;
    const alone = { ...others, ...(raises || approvalOverWon === undefined ? {} : { approvalOverWon }) };
    if (Object.keys(alone).length > 0) await changeControl(tx, bank, alone, by);
    if (!raises) return undefined;
    const detail = { bank, approvalOverWon };
    return (await propose(tx, { kind, about: bank, detail, askedBy: by.who, reason: by.reason })).subject;
  });
}

/**
 * The second person's word on a limit that is to be raised; the same once more is no fault.
 * @throws Problem `not_found`; as `decide`
 */
export function decideLimit(
  pool: Pool,
  bank: string,
  by: { readonly who: string; readonly decision: 'approved' | 'refused'; readonly note?: string },
): Promise<void> {
  return inTransaction(pool, async (tx) => {
    await holdLimit(tx, bank);
    const proposal = await latestProposal(tx, kind, bank);
    if (proposal === undefined) throw new Problem('not_found', { what: 'approval', id: bank });
    const note = by.note === undefined ? {} : { note: by.note };
    const said = { kind, subject: proposal.subject, decidedBy: by.who, decision: by.decision, ...note } as const;
    const { changed } = await decide(tx, said);
    if (!changed || by.decision === 'refused') return;
    await tx.query(
      `update bank_control set approval_over_won = $2, raised_under = $3, changed_by = $4,
              changed_at = clock_timestamp(), reason = $5 where bank = $1`,
      [bank, proposal.detail['approvalOverWon'], proposal.id, by.who, proposal.reason],
    );
  });
}

async function holdLimit(tx: PoolClient, bank: string): Promise<bigint> {
  const { rows } = await tx.query<{ won: bigint }>(
    'select approval_over_won as won from bank_control where bank = $1 for update',
    [bank],
  );
  const [row] = rows;
  if (row === undefined) throw new Problem('not_found', { what: 'bank', id: bank });
  return row.won;
}
