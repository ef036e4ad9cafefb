import type { Pool } from 'pg';
import { query } from '../platform/database/pool.ts';

/** 결제 현황. A payment of ours, or one of its cancels, with what every stage says of it. Won is signed. */
export type PaymentStanding = {
  readonly provider: string;
  readonly tradedOn: string;
  readonly providerTid: string;
  readonly cancelSeq: number;
  readonly kind: string;
  readonly amountWon: bigint;
  readonly mid: string;
  /** Of the transaction stage: `matched`, `timing`, `awaiting`, `not_reconciled`, or kinds of break. */
  readonly verdict: string;
  readonly capture: { readonly state: string; readonly on: string | null; readonly resultCode: string | null };
  readonly settlement: {
    readonly state: string;
    readonly feeWon: bigint | null;
    readonly vatWon: bigint | null;
    readonly netWon: bigint | null;
    readonly payInOn: string | null;
    /** How it differs, if it does. */
    readonly kinds: string | null;
  };
};

type Row = Omit<PaymentStanding, 'capture' | 'settlement'> & {
  readonly captureState: string;
  readonly capturedOn: string | null;
  readonly resultCode: string | null;
  readonly settlementState: string;
  readonly feeWon: bigint | null;
  readonly vatWon: bigint | null;
  readonly netWon: bigint | null;
  readonly payInOn: string | null;
  readonly kinds: string | null;
};

/** Everything that has this TID at these providers, oldest first; none if nothing has. */
export async function findPayments(
  pool: Pool,
  { providerTid, providers }: { readonly providerTid: string; readonly providers: readonly string[] },
): Promise<PaymentStanding[]> {
  const days = await query<{ provider: string; day: string }>(
    pool,
    `select distinct provider, traded_on::text as day from payment
     where provider = any($1) and provider_tid = $2 order by day, provider`,
    [providers, providerTid],
  );
  // A day at a time, so that each look reads the leaves of that day alone.
  const found: PaymentStanding[] = [];
  for (const { provider, day } of days) {
    const rows = await query<Row>(pool, standing, [provider, day, providerTid]);
    found.push(...rows.map(toStanding));
  }
  return found;
}

const standing = `
  select v.provider, v.traded_on::text as "tradedOn", v.provider_tid as "providerTid", v.cancel_seq as "cancelSeq",
    v.kind, v.amount_won as "amountWon", v.mid, v.verdict, c.state as "captureState",
    c.captured_on::text as "capturedOn", c.result_code as "resultCode", s.state as "settlementState",
    s.fee_won as "feeWon", s.vat_won as "vatWon", s.net_won as "netWon", s.pay_in_on::text as "payInOn", s.kinds
  from payment_verdict v
  join payment_capture c on c.provider = v.provider and c.traded_on = v.traded_on and c.provider_tid = v.provider_tid
    and c.cancel_seq = v.cancel_seq
  join payment_settlement s on s.provider = v.provider and s.traded_on = v.traded_on
    and s.provider_tid = v.provider_tid and s.cancel_seq = v.cancel_seq
  where v.provider = $1 and v.traded_on = $2 and v.provider_tid = $3
  order by v.cancel_seq`;

function toStanding({ captureState, capturedOn, resultCode, settlementState, ...row }: Row): PaymentStanding {
  const { feeWon, vatWon, netWon, payInOn, kinds, ...payment } = row;
  return {
    ...payment,
    capture: { state: captureState, on: capturedOn, resultCode },
    settlement: { state: settlementState, feeWon, vatWon, netWon, payInOn, kinds },
  };
}
