import { escapeLiteral, type PoolClient } from 'pg';
import { Problem } from '../kernel/problem.ts';
import { query } from '../platform/database/pool.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { leavesOf } from './candidate-store.ts';
import { createPriced, daysCaptured, pricePastDay } from './history-store.ts';
import { knownPrices } from './price-store.ts';

/** What a merchant is owed by a provider; won are signed. */
export type RetroactiveLine = {
  readonly provider: string;
  readonly merchantId: string;
  readonly claims: bigint;
  readonly refundWon: bigint;
  readonly clawbackWon: bigint;
  readonly differenceWon: bigint;
};

/**
 * Computes, as the temporary table `refund_claim`, what merchants that opened in the half-year and are small in the next
 * one are owed: their sales from opening to its end at the rates of their days by the next half-year's tier, and all
 * cancels of them that have come in. What was claimed daily is left out, with its cancels.
 * @throws Problem `retroactive_half_unknown` where the half-year, or when it ends, is not known
 */
export async function computeRefunds(
  tx: PoolClient,
  {
    half,
    today,
    providers,
  }: { readonly half: string; readonly today: string; readonly providers: readonly DifferentialProvider[] },
): Promise<void> {
  const [period] = await query<{ from: string; next: string }>(
    tx,
    `select p.starts_on::text as from, n.half as next
       from half_year_period p join half_year_period n on n.starts_on = p.ends_on + 1 where p.half = $1`,
    [half],
  );
  if (period === undefined) throw new Problem('retroactive_half_unknown', { half });
  await findNewMerchants(tx, half, period.next);
  await tx.query(`create temp table refund_claim (like claim) on commit drop`);
  await tx.query('alter table refund_claim alter column kind drop not null, alter column state drop not null');
  const source = {
    ...knownPrices,
    tiers: `select distinct business_no, ${escapeLiteral(half)} as half, tier from new_merchant`,
  };
  for (const provider of providers) {
    for (const channel of provider.channels) {
      await createPriced(tx, 'refund_priced');
      const pricing = { name: 'refund_priced', source, rounding: provider.differential.rounding };
      for (const capturedOn of await daysCaptured(tx, channel, period.from, today)) {
        await pricePastDay(tx, { channel, capturedOn, merchants: 'select merchant_id from new_merchant' }, [pricing]);
      }
      await keepUnclaimed(tx, provider.id, channel);
      await tx.query('drop table refund_priced');
    }
  }
  await tx.query('drop table new_merchant; analyze refund_claim');
}

/** Merchants that opened in the half-year and are small in the next one: `new_merchant`. */
async function findNewMerchants(tx: PoolClient, half: string, next: string): Promise<void> {
  await tx.query(`
    create temp table new_merchant on commit drop as
    select m.merchant_id, m.business_no, t.tier, s.opened_on, p.ends_on
      from (select distinct on (merchant_id) merchant_id, opened_on from sub_merchant
             order by merchant_id, valid_from desc, sub_merchant_id desc) s
      join merchant m using (merchant_id)
      join (select business_no, tier from (${knownPrices.tiers}) k where half = ${escapeLiteral(next)} and tier < 4) t
        using (business_no)
      join half_year_period p on p.half = ${escapeLiteral(half)} and s.opened_on between p.starts_on and p.ends_on;
    analyze new_merchant`);
}

/** Of what was priced, what is of the merchant's first half-year and was not claimed daily. */
async function keepUnclaimed(tx: PoolClient, provider: string, channel: string): Promise<void> {
  const rows = await query<{ day: string }>(
    tx,
    'select distinct original_on::text as day from refund_priced order by 1',
  );
  const claimed = leavesOf(
    'claim',
    channel,
    rows.map(({ day }) => day),
    'traded_on, provider_tid, cancel_seq',
    `kind = 'D'`,
  );
  await tx.query(`
    insert into refund_claim (channel, traded_on, provider_tid, cancel_seq, type, card_type, rule, tier, attempt, rate_ppm,
      captured_on, original_on, amount_won, original_won, charged_won, preferential_won, difference_won, provider, merchant_id, mid,
      acquirer, order_no, final_no, intermediary_no)
    select distinct on (r.traded_on, r.provider_tid, r.cancel_seq)
           r.channel, r.traded_on, r.provider_tid, r.cancel_seq, r.type, r.card_type, r.rule, r.tier, 1, r.rate_ppm,
           r.captured_on, r.original_on, r.amount_won, r.original_won, r.charged_won, r.preferential_won, r.difference_won,
           ${escapeLiteral(provider)}, r.merchant_id, r.mid, r.acquirer, r.order_no, r.final_no, r.intermediary_no
      from refund_priced r
      join new_merchant n on n.merchant_id = r.merchant_id and r.original_on between n.opened_on and n.ends_on
      left join (${claimed}) k on k.traded_on = r.original_on and k.provider_tid = r.provider_tid and k.cancel_seq = 0
     where k.provider_tid is null
     order by r.traded_on, r.provider_tid, r.cancel_seq, r.captured_on`);
}

/** What `refund_claim` comes to, by provider and merchant. */
export async function refundLines(tx: PoolClient): Promise<RetroactiveLine[]> {
  return await query<RetroactiveLine>(
    tx,
    `select provider, merchant_id as "merchantId", count(*) as claims,
            coalesce(sum(difference_won) filter (where difference_won > 0), 0)::bigint as "refundWon",
            coalesce(sum(difference_won) filter (where difference_won < 0), 0)::bigint as "clawbackWon",
            sum(difference_won)::bigint as "differenceWon"
       from refund_claim group by provider, merchant_id order by provider, merchant_id`,
  );
}
