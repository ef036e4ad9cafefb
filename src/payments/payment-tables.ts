import type { StagedTable } from '../imports/staged-table.ts';

const identity = ['provider', 'provider_tid', 'cancel_seq'] as const;

/** 결제. Approvals and cancels, with the control totals of what an import added. */
export const paymentTable: StagedTable = {
  name: 'payment',
  identity,
  day: 'traded_on',
  columns: [
    { name: 'provider', type: 'text', field: 'provider' },
    { name: 'provider_tid', type: 'text', field: 'providerTid' },
    { name: 'cancel_seq', type: 'smallint', field: 'cancelSeq' },
    { name: 'amount_won', type: 'bigint', field: 'amountWon' },
    { name: 'mid', type: 'text', field: 'mid' },
    { name: 'merchant_id', type: 'text', field: 'merchantId' },
    { name: 'order_no', type: 'text', field: 'orderNo' },
    { name: 'approval_no', type: 'text', field: 'approvalNo' },
    { name: 'acquirer', type: 'text', field: 'acquirer' },
    { name: 'issuer', type: 'text', field: 'issuer' },
    { name: 'card_merchant_no', type: 'text', field: 'cardMerchantNo' },
    { name: 'card_no', type: 'text', field: 'cardNo' },
    { name: 'instalments', type: 'smallint', field: 'instalments' },
    { name: 'kind', type: '"char"', field: 'record' },
    { name: 'traded_on', type: 'date', field: 'tradedOn' },
    { name: 'traded_at', type: 'timestamptz', field: 'tradedAt' },
  ],
  totals: `
    insert into payment_total (provider, traded_on, mid, import_id, payments, approved_won, cancelled_won)
    select provider, traded_on, mid, $1, count(*),
           coalesce(sum(amount_won) filter (where kind = 'A'), 0),
           coalesce(sum(amount_won) filter (where kind <> 'A'), 0)
      from {added} group by provider, traded_on, mid`,
};

/** 매입. What we captured, with the control totals of what an import added, and its arrival for settlement. */
export const captureTable: StagedTable = {
  name: 'capture',
  identity,
  day: 'captured_on',
  columns: [
    { name: 'provider', type: 'text', field: 'provider' },
    { name: 'provider_tid', type: 'text', field: 'providerTid' },
    { name: 'cancel_seq', type: 'smallint', field: 'cancelSeq' },
    { name: 'captured_on', type: 'date', field: 'capturedOn' },
    { name: 'amount_won', type: 'bigint', field: 'amountWon' },
    { name: 'fee_won', type: 'bigint', field: 'feeWon' },
    { name: 'vat_won', type: 'bigint', field: 'vatWon' },
    { name: 'mid', type: 'text', field: 'mid' },
    { name: 'kind', type: '"char"', field: 'record' },
    { name: 'traded_on', type: 'date', field: 'tradedAt' },
  ],
  totals: `
    with total as (
      insert into capture_total
             (provider, captured_on, traded_on, mid, import_id, captures, captured_won, fee_won, vat_won)
      select provider, captured_on, traded_on, mid, $1, count(*), sum(amount_won), sum(fee_won), sum(vat_won)
        from {added} group by provider, captured_on, traded_on, mid
      returning import_id, provider, captured_on, captures)
    insert into capture_arrival (import_id, provider, captured_on, captures)
    select import_id, provider, captured_on, sum(captures) from total group by 1, 2, 3`,
};
