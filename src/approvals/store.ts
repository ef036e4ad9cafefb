import { check } from '../kernel/check.ts';
import { exactJson } from '../kernel/exact-json.ts';
import { Problem } from '../kernel/problem.ts';
import { keysetPage } from '../platform/database/keyset.ts';
import { type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';

/** What needs a second person. */
export const approvalKinds = [
  'payout',
  'payout_settle',
  'bank_limit',
  'adjustment',
  'retroactive_refund',
  'dismissal',
] as const;
export type ApprovalKind = (typeof approvalKinds)[number];
export type Decision = 'approved' | 'refused';

/** 승인. What one person asked for and another one decides on; `subject` names it, `detail` says all that is decided on. */
export type Approval = {
  readonly id: bigint;
  readonly kind: ApprovalKind;
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly askedBy: string;
  readonly askedAt: Date;
  readonly reason: string;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
  readonly decision: Decision | null;
  readonly note: string | null;
};

const columns = `approval_id as id, kind, subject, detail, asked_by as "askedBy", asked_at as "askedAt", reason,
  decided_by as "decidedBy", decided_at as "decidedAt", decision, note`;

/** Asks for a second person's word; false where that was asked before, which changes nothing. */
export async function askApproval(
  tx: PoolClient,
  asked: Pick<Approval, 'kind' | 'subject' | 'detail' | 'askedBy' | 'reason'>,
): Promise<boolean> {
  const rows = await query(
    tx,
    `insert into approval (kind, subject, detail, asked_by, reason) values ($1, $2, $3::jsonb, $4, $5)
     on conflict (kind, subject) do nothing returning approval_id`,
    [asked.kind, asked.subject, exactJson(asked.detail), asked.askedBy, asked.reason],
  );
  return rows.length > 0;
}

/**
 * Proposes what may be proposed anew once it was decided on: the subjects are numbered, `17:1`, `17:2`, one of them waits
 * at a time. The same again while it waits is the same proposal. The caller holds what it is about.
 * @throws Problem `approval_waits` while another proposal about it waits
 */
export async function propose(
  tx: PoolClient,
  { about, ...asked }: Pick<Approval, 'kind' | 'detail' | 'askedBy' | 'reason'> & { readonly about: string },
): Promise<{ readonly subject: string; readonly changed: boolean }> {
  const latest = await latestProposal(tx, asked.kind, about);
  if (latest !== undefined && latest.decision === null) {
    const [same] = await query<{ same: boolean }>(tx, 'select $1::jsonb = $2::jsonb as same', [
      exactJson(latest.detail),
      exactJson(asked.detail),
    ]);
    if (same?.same && latest.askedBy === asked.askedBy) return { subject: latest.subject, changed: false };
    throw new Problem('approval_waits', { subject: latest.subject, by: latest.askedBy });
  }
  const subject = `${about}:${Number(latest?.subject.split(':').at(-1) ?? 0) + 1}`;
  return { subject, changed: await askApproval(tx, { ...asked, subject }) };
}

/** The proposal of `propose` that waits, or the latest that was decided on. */
export async function latestProposal(db: Queryable, kind: ApprovalKind, about: string): Promise<Approval | undefined> {
  const [latest] = await query<Approval>(
    db,
    `select ${columns} from approval where kind = $1 and regexp_replace(subject, ':[0-9]+$', '') = $2
      order by approval_id desc limit 1`,
    [kind, about],
  );
  return latest;
}

/**
 * Decides, and returns the approval and whether this decided it: the same person's same decision once more is no fault.
 * The row stays locked until the transaction ends.
 * @throws Problem `not_found`; `approval_four_eyes` where the person who asked decides, or who stands behind them;
 * `approver_needed`; `approval_decided`
 */
export async function decide(
  tx: PoolClient,
  wanted: {
    readonly kind: ApprovalKind;
    readonly subject: string;
    readonly decidedBy: string;
    readonly decision: Decision;
    readonly note?: string;
  },
): Promise<{ readonly approval: Approval; readonly changed: boolean }> {
  const { kind, subject, decidedBy, decision } = wanted;
  const [found] = await query<Approval>(
    tx,
    `select ${columns} from approval where kind = $1 and subject = $2 for update`,
    [kind, subject],
  );
  if (!found) throw new Problem('not_found', { what: 'approval', id: subject });
  if (found.decision !== null) {
    if (found.decision === decision && found.decidedBy === decidedBy) return { approval: found, changed: false };
    throw new Problem('approval_decided', { subject, decision: found.decision, by: found.decidedBy });
  }
  try {
    const [decided] = await query<Approval>(
      tx,
      `update approval set decision = $2, decided_by = $3, decided_at = clock_timestamp(), note = $4
        where approval_id = $1 returning ${columns}`,
      [found.id, decision, decidedBy, wanted.note ?? null],
    );
    check(decided, 'the locked row is still there');
    return { approval: decided, changed: true };
  } catch (error) {
    const { constraint } = error as { constraint?: string };
    if (constraint === 'approval_by_approver') {
      throw new Problem('approver_needed', { subject, by: decidedBy }, { cause: error });
    }
    if (constraint !== 'approval_four_eyes') throw error;
    throw new Problem('approval_four_eyes', { subject, by: found.askedBy }, { cause: error });
  }
}

/** Approvals, newest first: those that wait for a decision, or all. */
export async function listApprovals(
  db: Queryable,
  filter: {
    readonly kind?: ApprovalKind;
    readonly subject?: string;
    readonly decided?: boolean;
    readonly limit?: number;
  } = {},
): Promise<Approval[]> {
  return query<Approval>(
    db,
    `select ${columns} from approval
      where ($1::text is null or kind = $1) and ($2::text is null or subject = $2) and ($3 or decision is null)
      order by approval_id desc limit $4`,
    [filter.kind ?? null, filter.subject ?? null, filter.decided ?? false, filter.limit ?? 1000],
  );
}

/** One approval. @throws Problem `not_found` */
export async function findApproval(db: Queryable, id: number): Promise<Approval> {
  const [found] = await query<Approval>(db, `select ${columns} from approval where approval_id = $1`, [id]);
  if (found === undefined) throw new Problem('not_found', { what: 'approval', id });
  return found;
}

/** A page of the approvals; those that wait unless `decided`. @throws Problem `cursor_invalid` */
export async function pageOfApprovals(
  db: Queryable,
  filter: { readonly kind?: readonly ApprovalKind[] | undefined; readonly decided?: boolean | undefined },
  request: PageRequest<'id'>,
): Promise<Page<Approval>> {
  return keysetPage<Approval>(
    db,
    [{ sql: 'approval_id', type: 'bigint' }],
    request,
    [filter.kind ?? null, filter.decided ?? false],
    ({ key, after, order, limit }) =>
      `select ${columns}, ${key} from approval
        where ($1::text[] is null or kind = any ($1)) and ($2 or decision is null) and ${after}
        order by ${order} limit ${limit}`,
  );
}
