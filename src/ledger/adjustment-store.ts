import { type Approval, askApproval, decide, listApprovals, pageOfApprovals } from '../approvals/store.ts';
import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Pool, type PoolClient, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import { parseAccount } from './accounts.ts';
import { type LedgerLine, linesOf, post, reverse } from './store.ts';

/** 수기 조정. Lines that a person wants booked, or the event whose entry is to be taken back; another person approves. */
export type Adjustment = {
  readonly event: string;
  readonly lines: readonly LedgerLine[];
  readonly reverses: string | null;
  readonly approval: Approval;
};

export type By = { readonly who: string; readonly why: string };

/**
 * Proposes lines; returns the event under which they will be booked once approved.
 * @throws Problem `adjustment_unbalanced`, `adjustment_in_flight`, `ledger_account_unknown`
 */
export function proposeAdjustment(pool: Pool, lines: readonly LedgerLine[], by: By): Promise<string> {
  const differenceWon = lines.reduce((sum, { amountWon }) => sum + amountWon, 0n);
  if (differenceWon !== 0n) throw new Problem('adjustment_unbalanced', { differenceWon });
  refuseInFlight(lines);
  return inTransaction(pool, async (tx) => {
    await refuseStrangers(tx, lines);
    const [row] = await query<{ no: bigint }>(tx, `select nextval('ledger_adjustment_no') as no`);
    check(row, 'a sequence has a next value');
    const event = `adjustment:${row.no}`;
    await ask(tx, { event, lines, reverses: null }, by);
    return event;
  });
}

/**
 * Proposes to take back what an event booked; returns the event of the reversal. Proposed twice, it is one proposal.
 * @throws Problem `ledger_event_unknown`; `adjustment_in_flight`; `approval_decided` where that was decided on before
 */
export function proposeReversal(pool: Pool, reverses: string, by: By): Promise<string> {
  return inTransaction(pool, async (tx) => {
    const booked = await linesOf(tx, reverses);
    refuseInFlight(booked);
    const lines = booked.map(({ account, amountWon }) => ({ account, amountWon: -amountWon }));
    const event = `reversal:${reverses}`;
    await ask(tx, { event, lines, reverses }, by);
    return event;
  });
}

async function ask(tx: PoolClient, { event, lines, reverses }: Omit<Adjustment, 'approval'>, by: By): Promise<void> {
  const detail = { lines, reverses };
  const subject = { kind: 'adjustment', subject: event } as const;
  if (await askApproval(tx, { ...subject, detail, askedBy: by.who, reason: by.why })) return;
  const [asked] = await listApprovals(tx, { ...subject, decided: true });
  if (asked?.decision) throw new Problem('approval_decided', { subject: event, ...decisionOf(asked) });
}

function decisionOf({ decision, decidedBy }: Approval): {
  readonly decision: string | null;
  readonly by: string | null;
} {
  return { decision, by: decidedBy };
}

/**
 * Approves and books, in one transaction: what the ledger refuses stays undecided. Approved twice by the same person it
 * is booked once.
 * @throws Problem as `decide` and `post`
 */
export function approveAdjustment(
  pool: Pool,
  event: string,
  { by, note, postedOn }: { readonly by: string; readonly note?: string; readonly postedOn: string },
): Promise<Adjustment> {
  return inTransaction(pool, async (tx) => {
    const said = { kind: 'adjustment', subject: event, decidedBy: by, decision: 'approved' } as const;
    const { approval } = await decide(tx, { ...said, ...(note === undefined ? {} : { note }) });
    const adjustment = toAdjustment(approval);
    const { lines, reverses } = adjustment;
    const reason = approval.reason;
    if (reverses !== null) await reverse(tx, { event: reverses, by, reason, postedOn, kind: 'adjustment' });
    else await post(tx, { event, kind: 'adjustment', postedOn, postedBy: by, reason, lines });
    return adjustment;
  });
}

/** Refuses a proposal: it is never booked. @throws Problem as `decide` */
export function refuseAdjustment(pool: Pool, event: string, { who, why }: By): Promise<Adjustment> {
  return inTransaction(pool, async (tx) => {
    const said = { kind: 'adjustment', subject: event, decidedBy: who, decision: 'refused', note: why } as const;
    return toAdjustment((await decide(tx, said)).approval);
  });
}

/** Proposals, newest first: those that wait, or all. */
export async function listAdjustments(pool: Pool, options: { readonly decided: boolean }): Promise<Adjustment[]> {
  return (await listApprovals(pool, { kind: 'adjustment', ...options })).map(toAdjustment);
}

/** A page of the proposals; those that wait, or with `decided` all. @throws Problem `cursor_invalid` */
export async function pageOfAdjustments(
  pool: Pool,
  { decided }: { readonly decided?: boolean | undefined },
  request: PageRequest<'id'>,
): Promise<Page<Adjustment>> {
  const page = await pageOfApprovals(pool, { kind: ['adjustment'], decided }, request);
  return { ...page, rows: page.rows.map(toAdjustment) };
}

function toAdjustment(approval: Approval): Adjustment {
  const { lines, reverses } = approval.detail as {
    readonly lines: readonly { readonly account: string; readonly amountWon: string }[];
    readonly reverses: string | null;
  };
  return {
    event: approval.subject,
    lines: lines.map(({ account, amountWon }) => ({ account, amountWon: BigInt(amountWon) })),
    reverses,
    approval,
  };
}

/** A payout whose money was moved away could not be booked when the bank has paid it. */
function refuseInFlight(lines: readonly LedgerLine[]): void {
  const line = lines.find(({ account }) => account.startsWith('in_flight:'));
  if (line !== undefined) throw new Problem('adjustment_in_flight', { account: line.account });
}

/**
 * An account typed by hand has to be one that could have been meant: the house's own, that of a merchant we know, or one
 * that has moved before. A mistyped name would otherwise open an account of nobody's.
 */
async function refuseStrangers(tx: PoolClient, lines: readonly LedgerLine[]): Promise<void> {
  const accounts = lines.map(({ account }) => account);
  const outside = accounts.find((account) => parseAccount(account) === undefined);
  if (outside !== undefined) throw new Problem('ledger_account_unknown', { account: outside });
  const [stranger] = await query<{ account: string }>(
    tx,
    `select account from unnest($1::text[]) as a (account)
      where position(':' in account) > 0
        and not exists (select from ledger_balance b where b.account = a.account)
        and not exists (select from merchant m where m.merchant_id = substr(a.account, position(':' in a.account) + 1)
                           and a.account not like 'receivable:%') limit 1`,
    [accounts],
  );
  if (stranger) throw new Problem('ledger_account_unknown', { account: stranger.account });
}
