import { type KeyPart, keysetPage } from '../platform/database/keyset.ts';
import type { Queryable } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';

export type MerchantRow = { readonly merchantId: string; readonly name: string; readonly businessNo: string };

const byMerchant: readonly KeyPart[] = [{ sql: 'merchant_id', type: 'text' }];

/** A page of the merchants; of one business where it is named. @throws Problem `cursor_invalid` */
export async function pageOfMerchants(
  db: Queryable,
  { businessNo }: { readonly businessNo?: string | undefined },
  request: PageRequest<'merchantId'>,
): Promise<Page<MerchantRow>> {
  return keysetPage<MerchantRow>(
    db,
    byMerchant,
    request,
    [businessNo ?? null],
    ({ key, after, order, limit }) =>
      `select merchant_id as "merchantId", name, business_no as "businessNo", ${key} from merchant
        where ($1::text is null or business_no = $1) and ${after} order by ${order} limit ${limit}`,
  );
}

/** 하위가맹점. What was said of a merchant as a sub-merchant, once. */
export type SubMerchantFact = {
  readonly id: bigint;
  readonly merchantId: string;
  readonly validFrom: string;
  readonly intermediaryNo: string | null;
  readonly openedOn: string;
  readonly closedOn: string | null;
  readonly recordedBy: string;
  readonly recordedAt: Date;
};

/** A page of all that was said of sub-merchants. @throws Problem `cursor_invalid` */
export async function pageOfSubMerchants(
  db: Queryable,
  { merchant }: { readonly merchant?: string | undefined },
  request: PageRequest<'id'>,
): Promise<Page<SubMerchantFact>> {
  return keysetPage<SubMerchantFact>(
    db,
    [{ sql: 'sub_merchant_id', type: 'bigint' }],
    request,
    [merchant ?? null],
    ({ key, after, order, limit }) =>
      `select sub_merchant_id as id, merchant_id as "merchantId", valid_from as "validFrom",
              intermediary_no as "intermediaryNo", opened_on as "openedOn", closed_on as "closedOn",
              recorded_by as "recordedBy", recorded_at as "recordedAt", ${key}
         from sub_merchant
        where ($1::text is null or merchant_id = $1) and ${after} order by ${order} limit ${limit}`,
  );
}

/** 카드 BIN. What was said of the first six digits of cards, once. */
export type CardBinFact = {
  readonly id: bigint;
  readonly bin: string;
  readonly cardType: 'C' | 'K';
  readonly validFrom: string;
  readonly recordedBy: string;
  readonly recordedAt: Date;
};

/** A page of all that was said of card BINs. @throws Problem `cursor_invalid` */
export async function pageOfCardBins(
  db: Queryable,
  { bin }: { readonly bin?: string | undefined },
  request: PageRequest<'id'>,
): Promise<Page<CardBinFact>> {
  return keysetPage<CardBinFact>(
    db,
    [{ sql: 'card_bin_id', type: 'bigint' }],
    request,
    [bin ?? null],
    ({ key, after, order, limit }) =>
      `select card_bin_id as id, bin, card_type as "cardType", valid_from as "validFrom", recorded_by as "recordedBy",
              recorded_at as "recordedAt", ${key}
         from card_bin where ($1::text is null or bin = $1) and ${after} order by ${order} limit ${limit}`,
  );
}
