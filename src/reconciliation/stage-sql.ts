import { compactDay } from '../kernel/business-day.ts';
import type { Stage } from '../providers/stage.ts';

/** One stage of one provider on one business day: the unit that is reconciled. */
export type StageDay = { readonly provider: string; readonly stage: Stage; readonly on: Temporal.PlainDate };

/** How a stage reads its two hot tables. Aliases: `o` our record, `p` its payment, `t` their line. */
type StageSql = {
  readonly oursTable: string;
  readonly oursDay: string;
  readonly linesTable: string;
  /** Compared in the first pass besides the key; both subqueries of the hash join carry no more than this. */
  readonly oursCompared: readonly string[];
  readonly theirsCompared: readonly string[];
  /** True where a pair of the first pass is not plainly equal. `:tolerance` and `:day` are literals. */
  readonly differs: string;
  /** Columns of an item in the order of `itemColumns`. */
  readonly oursItem: string;
  /** Joins what only the payment knows. `:provider` and `:tradedDays` are literals, for only their leaves to be read. */
  readonly oursJoin: string;
  readonly theirsItem: string;
  /** What the lines say was moved, for the day's equation. */
  readonly theirsEffect: string;
};

/** The columns of an unmatched or differing record, the same for both sides and every stage. */
export const itemColumns = `kind, amount_won, fee_won, vat_won, net_won, dated_on, traded_on, mid, approval_no, order_no,
  acquirer, card_merchant_no, card_no`;

/** SQL: what a person needs to see of an item, in the product's own names. */
export function itemAsJson(alias: string): string {
  const fields = {
    providerTid: 'provider_tid',
    cancelSeq: 'cancel_seq',
    kind: 'kind',
    amountWon: 'amount_won',
    feeWon: 'fee_won',
    vatWon: 'vat_won',
    netWon: 'net_won',
    datedOn: 'dated_on',
    tradedOn: 'traded_on',
    mid: 'mid',
    approvalNo: 'approval_no',
    orderNo: 'order_no',
    acquirer: 'acquirer',
    cardMerchantNo: 'card_merchant_no',
    cardNo: 'card_no',
  };
  const pairs = Object.entries(fields).map(([name, column]) => `'${name}', ${alias}.${column}`);
  return `jsonb_build_object(${pairs.join(', ')})`;
}

const paymentOfCapture = `left join payment p on p.provider = :provider and p.traded_on in (:tradedDays)
  and p.traded_on = o.traded_on and p.provider_tid = o.provider_tid and p.cancel_seq = o.cancel_seq`;

const captureItem = `o.kind, o.amount_won, o.fee_won, o.vat_won, o.amount_won - o.fee_won - o.vat_won, o.captured_on,
  o.traded_on, o.mid, coalesce(p.approval_no, ''), coalesce(p.order_no, ''), coalesce(p.acquirer, ''),
  coalesce(p.card_merchant_no, ''), coalesce(p.card_no, '')`;

export const stageSql: Record<Stage, StageSql> = {
  transaction: {
    oursTable: 'payment',
    oursDay: 'traded_on',
    linesTable: 'transaction_line',
    oursCompared: ['kind', 'amount_won'],
    theirsCompared: ['kind', 'amount_won', 'traded_on'],
    differs: `o.kind <> t.kind or abs(o.amount_won - t.amount_won) > :tolerance or t.traded_on <> :day`,
    oursItem: `o.kind, o.amount_won, 0, 0, o.amount_won, o.traded_on, o.traded_on, o.mid, o.approval_no, o.order_no,
      o.acquirer, o.card_merchant_no, o.card_no`,
    oursJoin: '',
    theirsItem: `t.kind, t.amount_won, 0, 0, t.amount_won, t.traded_on, t.traded_on, t.mid, t.approval_no, t.order_no,
      t.acquirer, t.card_merchant_no, t.card_no`,
    theirsEffect: 'amount_won',
  },
  capture: {
    oursTable: 'capture',
    oursDay: 'captured_on',
    linesTable: 'capture_line',
    oursCompared: ['kind', 'amount_won'],
    theirsCompared: ['kind', 'amount_won', 'captured_on', 'result'],
    differs: `o.kind <> t.kind or abs(o.amount_won - t.amount_won) > :tolerance or t.captured_on <> :day
      or t.result <> 'A'`,
    oursItem: captureItem,
    oursJoin: paymentOfCapture,
    theirsItem: `t.kind, t.amount_won, 0, 0, t.amount_won, t.captured_on, t.traded_on, t.mid, t.approval_no, t.order_no,
      t.acquirer, t.card_merchant_no, ''`,
    theirsEffect: 'amount_won',
  },
  settlement: {
    oursTable: 'capture',
    oursDay: 'captured_on',
    linesTable: 'settlement_line',
    oursCompared: ['kind', 'amount_won', 'fee_won', 'vat_won'],
    theirsCompared: ['kind', 'amount_won', 'fee_won', 'vat_won', 'net_won', 'captured_on'],
    differs: `o.kind <> t.kind or abs(o.amount_won - t.amount_won) > :tolerance or t.captured_on <> :day
      or o.fee_won <> t.fee_won or o.vat_won <> t.vat_won or t.net_won <> t.amount_won - t.fee_won - t.vat_won`,
    oursItem: captureItem,
    oursJoin: paymentOfCapture,
    theirsItem: `t.kind, t.amount_won, t.fee_won, t.vat_won, t.net_won, t.captured_on, t.traded_on, t.mid, t.approval_no,
      t.order_no, t.acquirer, t.card_merchant_no, ''`,
    theirsEffect: 'net_won + fee_won + vat_won',
  },
};

/** The leaf of a hot table for a provider and a day, as `ensure_leaf` names it. */
export function leafName(hotTable: string, provider: string, on: Temporal.PlainDate): string {
  return `${hotTable}_${provider.replaceAll('-', '_')}_${compactDay(on)}`;
}
