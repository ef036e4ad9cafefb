import { decide, latestProposal, propose } from '../approvals/store.ts';
import { closeFinding } from '../findings/store.ts';
import { anyWonToJson } from '../kernel/money.ts';
import { Problem } from '../kernel/problem.ts';
import { keysetPage } from '../platform/database/keyset.ts';
import { inTransaction, type Pool, type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import { noLongerStuck } from './set-aside-store.ts';

const kind = 'dismissal';

/** A capture as people name it; the day of its capture where it was captured on several. */
export type NamedCapture = {
  readonly provider: string;
  readonly providerTid: string;
  readonly cancelSeq: number;
  readonly capturedOn?: string;
};

type SetAside = Required<NamedCapture> & {
  readonly mid: string;
  readonly merchantId: string | null;
  readonly amountWon: bigint;
  readonly reason: string | null;
};

/** 정산 제외. What two people took out for good. */
export type Dismissed = SetAside & { readonly approval: string; readonly dismissedAt: Date };

const columns = `provider, captured_on as "capturedOn", provider_tid as "providerTid", cancel_seq as "cancelSeq", mid,
  merchant_id as "merchantId", amount_won as "amountWon", reason`;

/**
 * 정산 제외 요청. Proposes that a capture which is set aside is never settled; another person decides. The same again while
 * it waits is the same proposal.
 * @throws Problem `not_found`; `usage` where the capture was captured on several days; `capture_not_set_aside`;
 * `approval_waits`
 */
export function proposeDismissal(
  pool: Pool,
  capture: NamedCapture,
  { who, reason }: { readonly who: string; readonly reason: string },
): Promise<SetAside> {
  return inTransaction(pool, async (tx) => {
    const found = await take(tx, capture);
    const detail = { ...found, amountWon: anyWonToJson(found.amountWon) };
    await propose(tx, { kind, about: keyOf(found), detail, askedBy: who, reason });
    return found;
  });
}

/**
 * 정산 제외. The second person's word: approved, the capture waits no longer, is listed as dismissed, and its cancels are
 * never settled either; refused, it waits as before. What was settled meanwhile is not dismissed.
 * @throws Problem `not_found`; `usage`; `capture_not_set_aside`; as `decide`
 */
export function decideDismissal(
  pool: Pool,
  capture: NamedCapture,
  by: { readonly who: string; readonly decision: 'approved' | 'refused'; readonly note?: string },
  findingAfter: number,
): Promise<SetAside> {
  return inTransaction(pool, async (tx) => {
    // A slot that is being settled ends first: what it settles is no longer here to be dismissed.
    await tx.query('lock table dismissed_capture in row exclusive mode');
    const found = await take(tx, capture);
    const proposal = await latestProposal(tx, kind, keyOf(found));
    if (proposal === undefined) throw new Problem('not_found', { what: 'approval', id: keyOf(found) });
    const { subject } = proposal;
    const note = by.note === undefined ? {} : { note: by.note };
    await decide(tx, { kind, subject, decidedBy: by.who, decision: by.decision, ...note });
    if (by.decision === 'approved') await dismiss(tx, found, { who: by.who, subject, findingAfter });
    return found;
  });
}

async function dismiss(
  tx: PoolClient,
  found: SetAside,
  { who, subject, findingAfter }: { readonly who: string; readonly subject: string; readonly findingAfter: number },
): Promise<void> {
  const { provider, capturedOn, providerTid, cancelSeq, mid, merchantId, amountWon, reason } = found;
  await tx.query(
    `insert into dismissed_capture (provider, captured_on, provider_tid, cancel_seq, mid, merchant_id, amount_won, reason,
       approval) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [provider, capturedOn, providerTid, cancelSeq, mid, merchantId, amountWon, reason, subject],
  );
  await tx.query(
    `delete from unsettled_capture
      where provider = $1 and captured_on = $2 and provider_tid = $3 and cancel_seq = $4`,
    [provider, capturedOn, providerTid, cancelSeq],
  );
  const freed = [{ owner: merchantId ?? mid, reason: reason ?? '' }];
  for (const { owner, reason: over } of await noLongerStuck(tx, freed, findingAfter)) {
    await closeFinding(tx, { kind: 'capture_unsettled', subject: `${owner} ${over}`, by: who });
  }
}

/** The capture under its lock. */
async function take(tx: PoolClient, capture: NamedCapture): Promise<SetAside> {
  const { provider, providerTid, cancelSeq, capturedOn } = capture;
  const rows = await query<SetAside>(
    tx,
    `select ${columns} from unsettled_capture
      where provider = $1 and provider_tid = $2 and cancel_seq = $3 and ($4::date is null or captured_on = $4)
      order by captured_on for update`,
    [provider, providerTid, cancelSeq, capturedOn ?? null],
  );
  const [found] = rows;
  const id = `${provider} ${providerTid}/${cancelSeq}`;
  if (found === undefined) throw new Problem('not_found', { what: 'unsettled capture', id });
  if (rows.length > 1) {
    const days = rows.map((row) => row.capturedOn).join(', ');
    throw new Problem('usage', { reason: `${id}: --captured-on DAY (${days})` });
  }
  if (found.reason === null) throw new Problem('capture_not_set_aside', { capture: id });
  return found;
}

const keyOf = ({ provider, capturedOn, providerTid, cancelSeq }: SetAside) =>
  [provider, capturedOn, providerTid, cancelSeq].join(':');

/** What was dismissed, the latest first; of one merchant if it is named. */
export async function listDismissed(
  db: Queryable,
  { merchantId, limit }: { readonly merchantId?: string; readonly limit: number },
): Promise<Dismissed[]> {
  return await query<Dismissed>(
    db,
    `select ${columns}, approval, dismissed_at as "dismissedAt" from dismissed_capture
      where $1::text is null or merchant_id = $1 order by dismissed_at desc, provider_tid limit $2`,
    [merchantId ?? null, limit],
  );
}

/** A page of what was dismissed, by its capture. @throws Problem `cursor_invalid` */
export async function pageOfDismissed(
  db: Queryable,
  { merchant }: { readonly merchant?: string | undefined },
  request: PageRequest<'capture'>,
): Promise<Page<Dismissed>> {
  return keysetPage<Dismissed>(
    db,
    [
      { sql: 'provider', type: 'text' },
      { sql: 'provider_tid', type: 'text' },
      { sql: 'cancel_seq', type: 'integer' },
      { sql: 'captured_on', type: 'date' },
    ],
    request,
    [merchant ?? null],
    ({ key, after, order, limit }) =>
      `select ${columns}, approval, dismissed_at as "dismissedAt", ${key} from dismissed_capture
        where ($1::text is null or merchant_id = $1) and ${after} order by ${order} limit ${limit}`,
  );
}
