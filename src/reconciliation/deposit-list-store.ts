import { type KeyPart, keysetPage } from '../platform/database/keyset.ts';
import type { Queryable } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';

export type DepositFilter = {
  readonly on?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly provider?: readonly string[] | undefined;
};

/** 입금. What the bank says that a provider paid in, or took back. */
export type Deposit = {
  readonly provider: string;
  readonly depositedOn: string;
  readonly bankRef: string;
  readonly amountWon: bigint;
  readonly importId: bigint;
};

/** 입금 대사. What a provider's statements promise for a day, and what came. */
export type DepositCheck = {
  readonly provider: string;
  readonly payInOn: string;
  readonly expectedWon: bigint;
  readonly depositedWon: bigint;
  readonly differenceWon: bigint;
  readonly deposits: bigint;
  readonly run: string;
  readonly checkedAt: Date;
};

const named = (day: string): string =>
  `($1::date is null or ${day} = $1) and ($2::date is null or ${day} >= $2) and ($3::date is null or ${day} <= $3)
    and ($4::text[] is null or provider = any ($4))`;
const values = ({ on, from, to, provider }: DepositFilter) => [on ?? null, from ?? null, to ?? null, provider ?? null];
const provider: KeyPart = { sql: 'provider', type: 'text' };

/** A page of the deposits. @throws Problem `cursor_invalid` */
export async function pageOfDeposits(
  db: Queryable,
  filter: DepositFilter,
  request: PageRequest<'on'>,
): Promise<Page<Deposit>> {
  return keysetPage<Deposit>(
    db,
    [{ sql: 'deposited_on', type: 'date' }, provider, { sql: 'bank_ref', type: 'text' }],
    request,
    values(filter),
    ({ key, after, order, limit }) =>
      `select provider, deposited_on as "depositedOn", bank_ref as "bankRef", amount_won as "amountWon",
              import_id as "importId", ${key}
         from deposit where ${named('deposited_on')} and ${after} order by ${order} limit ${limit}`,
  );
}

/** A page of the deposit checks; those that differ if `differs`. @throws Problem `cursor_invalid` */
export async function pageOfDepositChecks(
  db: Queryable,
  { differs, ...filter }: DepositFilter & { readonly differs?: boolean | undefined },
  request: PageRequest<'on'>,
): Promise<Page<DepositCheck>> {
  return keysetPage<DepositCheck>(
    db,
    [{ sql: 'pay_in_on', type: 'date' }, provider],
    request,
    [...values(filter), differs ?? null],
    ({ key, after, order, limit }) =>
      `select provider, pay_in_on as "payInOn", expected_won as "expectedWon", deposited_won as "depositedWon",
              deposited_won - expected_won as "differenceWon", deposits, run_id as run, checked_at as "checkedAt", ${key}
         from deposit_check
        where ${named('pay_in_on')} and ($5::boolean is null or (expected_won <> deposited_won) = $5)
          and ${after} order by ${order} limit ${limit}`,
  );
}
