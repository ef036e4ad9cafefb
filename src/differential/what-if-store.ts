import type { Pool, PoolClient } from 'pg';
import type { Rounding } from '../kernel/rounding.ts';
import { query } from '../platform/database/pool.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { planForSets } from './candidate-store.ts';
import { createPriced, daysCaptured, pricePastDay } from './history-store.ts';
import { knownPrices, type PriceSource } from './price-store.ts';

/** A tier, and a rate, as the files that are imported say them. */
export type SupposedTier = { readonly businessNo: string; readonly half: string; readonly tier: number };
export type SupposedRate = {
  readonly validFrom: string;
  readonly tier: number;
  /** `C` credit, `K` check. */
  readonly cardType: string;
  readonly rate: number;
};

/** 가정. As if these had been imported, and fees were rounded so. */
export type Supposed = {
  readonly tiers?: readonly SupposedTier[];
  readonly rates?: readonly SupposedRate[];
  readonly rounding?: Rounding;
};

/** What claims would be, as it is known and as it is supposed; won are signed sums of sales and their cancels. */
export type WhatIfLine = {
  readonly claims: bigint;
  readonly differenceWon: bigint;
  readonly supposedClaims: bigint;
  readonly supposedWon: bigint;
};

export type WhatIf = {
  readonly total: WhatIfLine;
  /** By the tier that each side gives: a merchant whose tier is supposed to be another is in two lines. */
  readonly byTier: readonly (WhatIfLine & { readonly provider: string; readonly tier: number })[];
  readonly byProvider: readonly (WhatIfLine & { readonly provider: string })[];
  /** Merchants for whom it makes a difference, the greatest first. */
  readonly byMerchant: readonly (WhatIfLine & { readonly provider: string; readonly merchantId: string })[];
};

/**
 * 가정 계산. What would have been claimed of the captures of a period if tiers, rates or the rounding were others, against
 * what it is by the facts as they are known now. In a transaction that is rolled back: nothing is touched.
 */
export async function whatIf(
  pool: Pool,
  asked: {
    readonly from: string;
    readonly to: string;
    readonly providers: readonly DifferentialProvider[];
    readonly supposed: Supposed;
    /** Told the day that is computed, for people who wait. */
    readonly onDay?: (provider: string, day: string) => void;
  },
): Promise<WhatIf> {
  const tx = await pool.connect();
  try {
    await tx.query('begin isolation level repeatable read');
    await planForSets(tx);
    const source = await supposedPrices(tx, asked.supposed);
    await tx.query(`
      create temp table sum_of (provider text, merchant_id text, tier smallint, claims bigint, won bigint, supposed_claims bigint,
                                supposed_won bigint) on commit drop`);
    for (const provider of asked.providers) {
      for (const channel of provider.channels) {
        for (const day of await daysCaptured(tx, channel, asked.from, asked.to)) {
          asked.onDay?.(provider.id, day);
          await compareDay(tx, provider, { channel, day, source, rounding: asked.supposed.rounding });
        }
      }
    }
    return await sums(tx);
  } finally {
    // Also what a failure left: nothing of this may stay.
    await tx.query('rollback').then(
      () => tx.release(),
      (error: Error) => tx.release(error),
    );
  }
}

/** The facts with what is supposed in the place of what is known of the same business and half, or tier, card and day. */
async function supposedPrices(tx: PoolClient, { tiers = [], rates = [] }: Supposed): Promise<PriceSource> {
  await tx.query(`
    create temp table supposed_tier (business_no text collate "C", half text collate "C", tier smallint) on commit drop;
    create temp table supposed_rate (valid_from date, tier smallint, card_type "char", rate_ppm int) on commit drop`);
  await tx.query('insert into supposed_tier select * from unnest($1::text[], $2::text[], $3::smallint[])', [
    tiers.map(({ businessNo }) => businessNo),
    tiers.map(({ half }) => half),
    tiers.map(({ tier }) => tier),
  ]);
  await tx.query(
    'insert into supposed_rate select * from unnest($1::date[], $2::smallint[], $3::text[]::"char"[], $4::int[])',
    [
      rates.map(({ validFrom }) => validFrom),
      rates.map(({ tier }) => tier),
      rates.map(({ cardType }) => cardType),
      rates.map(({ rate }) => rate),
    ],
  );
  return {
    tiers: `select * from supposed_tier union all
            select * from (${knownPrices.tiers}) k
             where not exists (select from supposed_tier s where s.business_no = k.business_no and s.half = k.half)`,
    rates: `select tier, card_type, rate_ppm, valid_from,
                   lead(valid_from) over (partition by tier, card_type order by valid_from) - 1 as valid_to
              from (select * from supposed_rate union all
                    select valid_from, tier, card_type, rate_ppm from (${knownPrices.rates}) k
                     where not exists (select from supposed_rate s where s.valid_from = k.valid_from and s.tier = k.tier
                                          and s.card_type = k.card_type)) r`,
  };
}

async function compareDay(
  tx: PoolClient,
  provider: DifferentialProvider,
  at: {
    readonly channel: string;
    readonly day: string;
    readonly source: PriceSource;
    readonly rounding: Rounding | undefined;
  },
): Promise<void> {
  const { rounding } = provider.differential;
  await createPriced(tx, 'as_known');
  await createPriced(tx, 'as_supposed');
  await pricePastDay(tx, { channel: at.channel, capturedOn: at.day }, [
    { name: 'as_known', source: knownPrices, rounding },
    { name: 'as_supposed', source: at.source, rounding: { ...rounding, fee: at.rounding ?? rounding.fee } },
  ]);
  await tx.query(
    `insert into sum_of
     select $1, merchant_id, tier, count(*), sum(difference_won), 0, 0 from as_known group by merchant_id, tier
     union all
     select $1, merchant_id, tier, 0, 0, count(*), sum(difference_won) from as_supposed group by merchant_id, tier`,
    [provider.id],
  );
  await tx.query('drop table as_known, as_supposed');
}

const figures = `coalesce(sum(claims), 0)::bigint as claims, coalesce(sum(won), 0)::bigint as "differenceWon",
  coalesce(sum(supposed_claims), 0)::bigint as "supposedClaims", coalesce(sum(supposed_won), 0)::bigint as "supposedWon"`;

async function sums(tx: PoolClient): Promise<WhatIf> {
  const [total] = await query<WhatIfLine>(tx, `select ${figures} from sum_of`);
  return {
    total: total as WhatIfLine,
    byTier: await query(tx, `select provider, tier::int as tier, ${figures} from sum_of group by 1, 2 order by 1, 2`),
    byProvider: await query(tx, `select provider, ${figures} from sum_of group by 1 order by 1`),
    byMerchant: await query(
      tx,
      `select provider, merchant_id as "merchantId", ${figures} from sum_of group by 1, 2
       having sum(won) <> sum(supposed_won) or sum(claims) <> sum(supposed_claims)
        order by abs(sum(supposed_won) - sum(won)) desc, 1, 2`,
    ),
  };
}
