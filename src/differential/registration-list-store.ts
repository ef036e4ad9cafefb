import { keysetPage } from '../platform/database/keyset.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';

export const registrationStates = ['requested', 'accepted', 'rejected', 'refused'] as const;
export type RegistrationState = (typeof registrationStates)[number];

/** 하위가맹점 등록 신청. One request to a card company, and what became of it. */
export type Registration = {
  readonly registrationId: bigint;
  readonly provider: string;
  readonly merchantId: string;
  readonly acquirer: string;
  /** N new, C change, T terminate. */
  readonly action: 'N' | 'C' | 'T';
  readonly finalNo: string;
  readonly intermediaryNo: string | null;
  readonly shopName: string;
  readonly state: RegistrationState;
  readonly code: string | null;
  /** Of rejected ones the namespaced code, or `unanswered`; of refused ones column, fault and character. */
  readonly reason: string | null;
  readonly fileName: string | null;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly answeredAt: Date | null;
};

export type RegistrationFilter = {
  readonly providers?: readonly string[];
  readonly merchantId?: string;
  readonly states?: readonly RegistrationState[];
};

const where = `($1::text[] is null or r.provider = any ($1)) and ($2::text is null or r.merchant_id = $2)
  and ($3::text[] is null or r.state = any ($3))`;

const registrationFields = `r.registration_id as "registrationId", r.provider, r.merchant_id as "merchantId", r.acquirer,
  r.action, r.final_no as "finalNo", r.intermediary_no as "intermediaryNo", r.shop_name as "shopName", r.state, r.code,
  r.reason, f.file_name as "fileName", r.requested_by as "requestedBy", r.requested_at as "requestedAt",
  r.answered_at as "answeredAt"`;

/** A page of the requests. @throws Problem `cursor_invalid` */
export async function pageOfRegistrations(
  db: Queryable,
  filter: RegistrationFilter,
  request: PageRequest<'id'>,
): Promise<Page<Registration>> {
  return keysetPage<Registration>(
    db,
    [{ sql: 'r.registration_id', type: 'bigint' }],
    request,
    valuesOf(filter),
    ({ key, after, order, limit }) =>
      `select ${registrationFields}, ${key} from registration r left join claim_file f using (file_id)
        where ${where} and ${after} order by ${order} limit ${limit}`,
  );
}

/** Requests, newest first. */
export async function listRegistrations(
  db: Queryable,
  filter: RegistrationFilter,
  limit: number | null,
): Promise<Registration[]> {
  return query<Registration>(
    db,
    `select ${registrationFields}
       from registration r left join claim_file f using (file_id)
      where ${where} order by r.registration_id desc limit $4`,
    [...valuesOf(filter), limit],
  );
}

export async function countRegistrations(db: Queryable, filter: RegistrationFilter): Promise<bigint> {
  const [row] = await query<{ count: bigint }>(
    db,
    `select count(*) as count from registration r where ${where}`,
    valuesOf(filter),
  );
  return row?.count ?? 0n;
}

function valuesOf({ providers, merchantId, states }: RegistrationFilter): unknown[] {
  return [providers ?? null, merchantId ?? null, states ?? null];
}
