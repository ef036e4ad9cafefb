import { check } from '../kernel/check.ts';
import type { VatPolicy } from '../kernel/fee.ts';
import type { Rounding } from '../kernel/rounding.ts';
import { keysetPage } from '../platform/database/keyset.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import { captureKey } from './capture-key.ts';

/** 정산 내역. What a slot did for a merchant, its parts together. */
export type SettledMerchant = {
  readonly slot: Date;
  readonly merchantId: string;
  readonly items: bigint;
  readonly grossWon: bigint;
  readonly feeWon: bigint;
  readonly vatWon: bigint;
  readonly netWon: bigint;
  readonly offsetWon: bigint;
  readonly carriedWon: bigint;
  readonly heldWon: bigint;
  readonly walletWon: bigint;
};

/** Days are those of the slots in Seoul, both included. */
export type SettledFilter = {
  readonly from: Temporal.PlainDate;
  readonly to: Temporal.PlainDate;
  readonly slot?: Temporal.Instant;
  readonly merchantId?: string;
  readonly limit: number;
};

const settledColumns = `slot, merchant_id as "merchantId", sum(items)::bigint as items, sum(gross_won)::bigint as "grossWon",
  sum(fee_won)::bigint as "feeWon", sum(vat_won)::bigint as "vatWon", sum(net_won)::bigint as "netWon",
  sum(offset_won)::bigint as "offsetWon", sum(carried_won)::bigint as "carriedWon",
  sum(held_won)::bigint as "heldWon", sum(wallet_won)::bigint as "walletWon"`;

/** A page of what merchants were settled, by day, merchant and slot. @throws Problem `cursor_invalid` */
export async function pageOfSettled(
  db: Queryable,
  filter: Omit<SettledFilter, 'limit'>,
  request: PageRequest<'settledOn'>,
): Promise<Page<SettledMerchant>> {
  return keysetPage<SettledMerchant>(
    db,
    [
      { sql: 'settled_on', type: 'date' },
      { sql: 'merchant_id', type: 'text' },
      { sql: 'slot', type: 'timestamptz' },
    ],
    request,
    [filter.from.toString(), filter.to.toString(), filter.slot?.toString() ?? null, filter.merchantId ?? null],
    ({ key, after, order, limit }) =>
      `select ${settledColumns}, ${key} from settlement
        where settled_on between $1 and $2 and ($3::timestamptz is null or slot = $3)
          and ($4::text is null or merchant_id = $4) and ${after}
        group by settled_on, merchant_id, slot order by ${order} limit ${limit}`,
  );
}

/** What merchants were settled, the latest slot first. */
export async function listSettled(db: Queryable, filter: SettledFilter): Promise<SettledMerchant[]> {
  return await query<SettledMerchant>(
    db,
    `select ${settledColumns}
       from settlement
      where settled_on between $1 and $2 and ($3::timestamptz is null or slot = $3)
        and ($4::text is null or merchant_id = $4)
      group by settled_on, slot, merchant_id order by slot desc, merchant_id limit $5`,
    [
      filter.from.toString(),
      filter.to.toString(),
      filter.slot?.toString() ?? null,
      filter.merchantId ?? null,
      filter.limit,
    ],
  );
}

/** 정산 건. One capture that was settled, with the working of its amounts and the contract that they come from. */
export type SettledItem = {
  readonly provider: string;
  readonly capturedOn: string;
  readonly providerTid: string;
  readonly cancelSeq: number;
  readonly amountWon: bigint;
  readonly ratePpm: number;
  readonly rule: 'rate' | 'minimum' | 'maximum' | 'remainder' | 'kept';
  readonly feeWon: bigint;
  readonly vatWon: bigint;
  readonly contractId: bigint;
  readonly validFrom: string;
  readonly contractRatePpm: number;
  readonly fixedWon: bigint;
  readonly minFeeWon: bigint | null;
  readonly maxFeeWon: bigint | null;
  readonly rounding: Rounding;
  readonly vat: VatPolicy;
};

const itemColumns = `i.provider, i.captured_on as "capturedOn", i.provider_tid as "providerTid", i.cancel_seq as "cancelSeq",
  i.amount_won as "amountWon", i.rate_ppm as "ratePpm", i.rule, i.fee_won as "feeWon", i.vat_won as "vatWon",
  i.contract_id as "contractId", c.valid_from as "validFrom", c.rate_ppm as "contractRatePpm",
  c.fixed_won as "fixedWon", c.min_fee_won as "minFeeWon", c.max_fee_won as "maxFeeWon", c.rounding, c.vat`;

/** A page of the items of a merchant in a slot. @throws Problem `cursor_invalid` */
export async function pageOfItems(
  db: Queryable,
  of: { readonly slot: Temporal.Instant; readonly merchantId: string },
  request: PageRequest<'capture'>,
): Promise<Page<SettledItem>> {
  return keysetPage<SettledItem>(
    db,
    captureKey('i.'),
    request,
    [of.slot.toString(), of.merchantId],
    ({ key, after, order, limit }) =>
      `select ${itemColumns}, ${key} from settlement_item i join fee_contract c using (contract_id)
        where i.slot = $1 and i.merchant_id = $2 and ${after} order by ${order} limit ${limit}`,
  );
}

/** The items of a merchant in a slot. */
export async function settledItems(
  db: Queryable,
  of: { readonly slot: Temporal.Instant; readonly merchantId: string; readonly limit: number },
): Promise<SettledItem[]> {
  return await query<SettledItem>(
    db,
    `select ${itemColumns}
       from settlement_item i join fee_contract c using (contract_id)
      where i.slot = $1 and i.merchant_id = $2
      order by i.provider, i.captured_on, i.provider_tid, i.cancel_seq limit $3`,
    [of.slot.toString(), of.merchantId, of.limit],
  );
}

/** What waits of a merchant to be due at a time, for one reason or none. */
export type WaitingAmount = {
  readonly dueAt: Date | null;
  readonly reason: string | null;
  readonly captures: bigint;
  readonly amountWon: bigint;
};

/** What of a merchant waits for which slot; `dueAt` null: it came in and is looked at by the next slot. */
export async function waitingOf(db: Queryable, merchantId: string): Promise<WaitingAmount[]> {
  // What is refused for its size may be more than a bigint holds, all together.
  const known = await query<Omit<WaitingAmount, 'amountWon'> & { amountWon: string }>(
    db,
    `select due_at as "dueAt", reason, count(*) as captures, sum(amount_won)::text as "amountWon"
       from unsettled_capture where merchant_id = $1 group by due_at, reason order by due_at, reason limit 1000`,
    [merchantId],
  );
  const [arrived] = await query<{ captures: bigint; amountWon: string }>(
    db,
    `select count(*) as captures, coalesce(sum(c.amount_won), 0)::text as "amountWon"
       from capture_arrival a
       join capture c on c.provider = a.provider and c.captured_on = a.captured_on and c.import_id = a.import_id
       join payment p on p.provider = c.provider and p.traded_on = c.traded_on and p.provider_tid = c.provider_tid
        and p.cancel_seq = c.cancel_seq
      where a.taken_by is null and p.merchant_id = $1`,
    [merchantId],
  );
  check(arrived, 'a sum has a row');
  const amounts = arrived.captures === 0n ? known : [{ dueAt: null, reason: null, ...arrived }, ...known];
  return amounts.map((each) => ({ ...each, amountWon: BigInt(each.amountWon) }));
}
