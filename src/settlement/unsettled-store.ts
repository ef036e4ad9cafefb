import { keysetPage } from '../platform/database/keyset.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import { captureKey } from './capture-key.ts';

/** 미정산 매입. A capture that is not settled yet: not due, or set aside for a reason (a Problem's code). */
export type UnsettledCapture = {
  readonly provider: string;
  readonly capturedOn: string;
  readonly providerTid: string;
  readonly cancelSeq: number;
  readonly tradedOn: string;
  readonly mid: string;
  readonly merchantId: string | null;
  readonly amountWon: bigint;
  readonly dueAt: Date;
  readonly since: Date;
  readonly attempts: number;
  readonly reason: string | null;
  readonly detail: Readonly<Record<string, string | number | null>> | null;
};

export type UnsettledFilter = {
  readonly merchantId?: string;
  readonly reason?: string;
  /** Only those that were set aside, or only those that are merely not due. */
  readonly kept?: 'set_aside' | 'not_due';
  readonly limit: number;
};

const columns = `provider, captured_on as "capturedOn", provider_tid as "providerTid", cancel_seq as "cancelSeq",
  traded_on as "tradedOn", mid, merchant_id as "merchantId", amount_won as "amountWon", due_at as "dueAt",
  since, attempts, reason, detail`;

/** A page of the captures that wait, by their key. @throws Problem `cursor_invalid` */
export async function pageOfUnsettled(
  db: Queryable,
  filter: {
    readonly merchant?: string | undefined;
    readonly reason?: string | undefined;
    readonly setAside?: boolean | undefined;
    readonly provider?: readonly string[] | undefined;
  },
  request: PageRequest<'capture'>,
): Promise<Page<UnsettledCapture>> {
  const { merchant, reason, setAside, provider } = filter;
  // Said outright, so that the few that are set aside are found by their own index.
  const kept = setAside === undefined ? 'true' : `reason is ${setAside ? 'not null' : 'null'}`;
  return keysetPage<UnsettledCapture>(
    db,
    captureKey(),
    request,
    [merchant ?? null, reason ?? null, provider ?? null],
    ({ key, after, order, limit }) =>
      `select ${columns}, ${key} from unsettled_capture
        where ($1::text is null or merchant_id = $1) and ($2::text is null or reason = $2)
          and ($3::text[] is null or provider = any ($3)) and ${kept}
          and ${after} order by ${order} limit ${limit}`,
  );
}

/** Captures that wait, those set aside most often first. */
export async function listUnsettled(db: Queryable, filter: UnsettledFilter): Promise<UnsettledCapture[]> {
  return await query<UnsettledCapture>(
    db,
    `select ${columns}
       from unsettled_capture
      where ($1::text is null or merchant_id = $1) and ($2::text is null or reason = $2)
        and ($3::text is null or (reason is not null) = ($3 = 'set_aside'))
      order by attempts desc, due_at, provider, captured_on, provider_tid, cancel_seq limit $4`,
    [filter.merchantId ?? null, filter.reason ?? null, filter.kept ?? null, filter.limit],
  );
}

/** How much waits for one reason; null: it is not due. */
export type UnsettledTotal = {
  readonly reason: string | null;
  readonly captures: bigint;
  readonly amountWon: bigint;
  readonly nextDueAt: Date;
};

/** What waits, by reason, the most first; of one merchant if it is named. */
export async function unsettledTotals(db: Queryable, merchantId?: string): Promise<UnsettledTotal[]> {
  // What is refused for its size may be more than a bigint holds, all together.
  const totals = await query<Omit<UnsettledTotal, 'amountWon'> & { amountWon: string }>(
    db,
    `select reason, count(*) as captures, sum(amount_won)::text as "amountWon", min(due_at) as "nextDueAt"
       from unsettled_capture where $1::text is null or merchant_id = $1 group by reason order by 2 desc, 1`,
    [merchantId ?? null],
  );
  return totals.map((total) => ({ ...total, amountWon: BigInt(total.amountWon) }));
}
