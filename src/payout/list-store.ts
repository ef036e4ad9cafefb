import { Problem } from '../kernel/problem.ts';
import { keysetPage } from '../platform/database/keyset.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import { isEnd, type PayoutState, transitions } from './states.ts';

/** 지급. One payout as people ask for it; the account by its bank and its last digits alone. */
export type ListedPayout = {
  readonly id: bigint;
  readonly key: string;
  readonly kind: 'withdrawal' | 'scheduled' | 'direct';
  readonly merchantId: string;
  readonly amountWon: bigint;
  readonly bank: string;
  readonly bankCode: string;
  readonly last4: string;
  readonly holder: string;
  readonly state: PayoutState;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly messageNo: string | null;
  readonly messageOn: string | null;
  readonly sends: number;
  readonly asks: number;
  /** The run that has it in its hands. */
  readonly inHand: string | null;
  readonly nextAt: Date;
  readonly firstSentAt: Date | null;
  readonly finishedAt: Date | null;
  readonly resultCode: string | null;
  readonly resultReason: string | null;
};

export type PayoutEvent = {
  readonly at: Date;
  readonly who: string;
  readonly from: PayoutState | null;
  readonly to: PayoutState;
  readonly what: string;
  readonly detail: Readonly<Record<string, unknown>>;
};

export type PayoutFilter = {
  readonly merchantId?: string;
  readonly states?: readonly PayoutState[];
  readonly on?: string;
  readonly limit?: number;
};

const columns = `p.payout_id as id, p.idempotency_key as key, p.kind, p.merchant_id as "merchantId", p.amount_won as "amountWon",
         p.bank, a.bank_code as "bankCode", a.last4, mask_name(a.holder) as holder, p.state, p.requested_by as "requestedBy",
         p.requested_at as "requestedAt", p.message_no as "messageNo", p.message_on as "messageOn", p.sends, p.asks,
         p.claimed_by as "inHand", p.next_at as "nextAt", p.first_sent_at as "firstSentAt",
         p.finished_at as "finishedAt", p.result_code as "resultCode", p.result_reason as "resultReason"`;
const tables = 'payout p join bank_account a using (account_id)';
const select = `select ${columns} from ${tables}`;

/** A page of the payouts. @throws Problem `cursor_invalid` */
export async function pageOfPayouts(
  db: Queryable,
  filter: {
    readonly merchant?: string | undefined;
    readonly state?: readonly PayoutState[] | undefined;
    readonly on?: string | undefined;
    readonly bank?: string | undefined;
  },
  request: PageRequest<'id'>,
): Promise<Page<ListedPayout>> {
  const { merchant, state, on, bank } = filter;
  // States are literals: what waits is found by its index only where the plan can prove its predicate.
  const wanted = state?.filter((each) => each in transitions) ?? [];
  const named = `p.state in (${wanted.map((each) => `'${each}'`).join(', ')})`;
  const open = wanted.some(isEnd) ? '' : " and p.state not in ('succeeded', 'rejected', 'cancelled')";
  return keysetPage<ListedPayout>(
    db,
    [{ sql: 'p.payout_id', type: 'bigint' }],
    request,
    [merchant ?? null, on ?? null, bank ?? null],
    ({ key, after, order, limit }) =>
      `select ${columns}, ${key} from ${tables}
        where ($1::text is null or p.merchant_id = $1) and ($2::date is null or p.requested_on = $2)
          and ($3::text is null or p.bank = $3) and ${wanted.length === 0 ? 'true' : `${named}${open}`}
          and ${after} order by ${order} limit ${limit}`,
  );
}

/** Payouts, newest first. */
export async function listPayouts(db: Queryable, filter: PayoutFilter = {}): Promise<ListedPayout[]> {
  return await query<ListedPayout>(
    db,
    `${select}
      where ($1::text is null or p.merchant_id = $1) and ($2::text[] is null or p.state = any ($2))
        and ($3::date is null or p.requested_on = $3)
      order by p.payout_id desc limit $4`,
    [filter.merchantId ?? null, filter.states ?? null, filter.on ?? null, filter.limit ?? 100],
  );
}

/**
 * A payout with its trail, oldest first.
 * @throws Problem `not_found`
 */
export async function showPayout(
  db: Queryable,
  id: bigint,
): Promise<ListedPayout & { readonly events: readonly PayoutEvent[] }> {
  const [payout] = await query<ListedPayout>(db, `${select} where p.payout_id = $1`, [id]);
  if (payout === undefined) throw new Problem('not_found', { what: 'payout', id: String(id) });
  const events = await query<PayoutEvent>(
    db,
    `select at, who, from_state as "from", to_state as "to", what, detail from payout_event
      where payout_id = $1 order by event_id`,
    [id],
  );
  return { ...payout, events };
}
