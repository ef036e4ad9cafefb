import { escapeLiteral, type PoolClient } from 'pg';
import { closeFinding, openFinding } from '../findings/store.ts';
import { check } from '../kernel/check.ts';
import { query } from '../platform/database/pool.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { leavesOf, paymentDays } from './candidate-store.ts';
import { lookBack } from './exchange-calendar.ts';

export type RegistrationPlan = {
  readonly provider: DifferentialProvider;
  readonly on: Temporal.PlainDate;
  readonly who: string;
};

/** How many requests a plan made. */
export type PlannedRegistrations = {
  readonly added: number;
  readonly changed: number;
  readonly terminated: number;
};

/** Sales of so many days, the day itself among them, say with which card companies a merchant has to do. */
const salesDays = 7;
/** Merchants that sell and are small, but of whom it is not known through whom they sell. */
const factsMissing = 'registration_facts_missing';
const namedMost = 20;

/** One plan of a provider at a time, so that each request is in one file. */
export async function lockRegistrations(tx: PoolClient, provider: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('jeongsan:registration:' || $1))`, [provider]);
}

/**
 * 등록 대상 선별. Puts down what each card company has to be told, as requests that are in no file yet:
 * - new: a merchant that sold through the provider, or has claims held back, for whose days something may still be claimed
 *   (small, and open, within `tooOldDays`), and that is not registered;
 * - change: what it is registered as is no longer so;
 * - terminate: nothing can be claimed for it any more: closed that long ago, or stated as not small (일반) since then.
 * What was refused or rejected is asked for again once it reads differently, or as the provider's resend rule allows.
 */
export async function planRegistrations(
  tx: PoolClient,
  { provider, on, who }: RegistrationPlan,
): Promise<PlannedRegistrations> {
  const { calendar, resend, codes } = provider.differential;
  const from = on.subtract({ days: calendar.tooOldDays }).toString();
  await lapse(tx, provider.id, lookBack(calendar, on));
  await tx.query(
    `create temp table registration_pair on commit drop as
     select merchant_id, acquirer from (${await salesSql(tx, provider, on)}) sold
      union select merchant_id, acquirer from claim
             where provider = ${escapeLiteral(provider.id)} and state = 'H' and reason = 'not_registered'
      union select merchant_id, acquirer from registered where provider = ${escapeLiteral(provider.id)}`,
  );
  await tx.query(
    `create temp table registration_fact on commit drop as
     with overlapping as (
       select half, starts_on <= $1 and coalesce(ends_on, 'infinity') >= $1 as is_current
         from half_year_period where starts_on <= $1 and coalesce(ends_on, 'infinity') >= $2),
     graded as (
       select business_no, bool_or(tier < 4) as is_small, bool_or(tier = 4 and is_current) as is_large
         from (select distinct on (t.business_no, half) t.business_no, half, tier, is_current
                 from merchant_tier t join overlapping using (half)
                order by t.business_no, half, tier_id desc) latest
        group by 1),
     dated as (
       select distinct on (merchant_id) merchant_id, intermediary_no, closed_on
         from sub_merchant where valid_from <= $1 order by merchant_id, valid_from desc, sub_merchant_id desc)
     select m.merchant_id, m.name as shop_name, m.business_no as final_no, d.intermediary_no,
            d.merchant_id is not null as is_known, coalesce(g.is_small, false) as is_small,
            coalesce(d.closed_on <= $2, false) as is_closed, coalesce(g.is_large and not g.is_small, false) as is_large
       from (select distinct merchant_id from registration_pair) p
       join merchant m using (merchant_id)
       left join graded g using (business_no)
       left join dated d using (merchant_id)`,
    [on.toString(), from],
  );
  await tx.query('analyze registration_pair, registration_fact');
  const correct = Object.keys(codes).filter((code) => codes[code]?.means === 'correct');
  const rows = await query<{ action: string; requests: number }>(
    tx,
    `with wanted as (
       select p.merchant_id, p.acquirer, case when r.merchant_id is null then 'N' else 'C' end::"char" as action,
              f.final_no, f.intermediary_no, f.shop_name
         from registration_pair p
         join registration_fact f using (merchant_id)
         left join registered r on r.provider = $1 and r.merchant_id = p.merchant_id and r.acquirer = p.acquirer
        where f.is_known and f.is_small and not f.is_closed
          and (r.merchant_id is null
               or (r.final_no, r.intermediary_no, r.shop_name) is distinct from (f.final_no, f.intermediary_no, f.shop_name))
        union all
       select r.merchant_id, r.acquirer, 'T', r.final_no, r.intermediary_no, r.shop_name
         from registered r join registration_fact f using (merchant_id)
        where r.provider = $1 and (f.is_closed or f.is_large)),
     asked as (
       select distinct on (merchant_id, acquirer) g.*
         from registration g join wanted using (merchant_id, acquirer)
        where g.provider = $1 order by merchant_id, acquirer, registration_id desc),
     -- Tries for the same since it was last accepted, and how many of them ended as the last one did.
     tried as (
       select a.registration_id, count(*) as tries, count(*) filter (where g.code = a.code) as alike
         from asked a
         join registration g on g.provider = $1 and g.merchant_id = a.merchant_id and g.acquirer = a.acquirer
              and g.state = 'rejected'
              and (g.action, g.final_no, g.intermediary_no, g.shop_name)
                  is not distinct from (a.action, a.final_no, a.intermediary_no, a.shop_name)
              and g.registration_id > coalesce((select max(registration_id) from registration y
                                                 where y.provider = $1 and y.merchant_id = a.merchant_id
                                                   and y.acquirer = a.acquirer and y.state = 'accepted'), 0)
        where a.state = 'rejected' group by 1),
     added as (
       insert into registration (provider, merchant_id, acquirer, action, final_no, intermediary_no, shop_name, state,
                                 requested_by)
       select $1, w.merchant_id, w.acquirer, w.action, w.final_no, w.intermediary_no, w.shop_name, 'requested', $2
         from wanted w
         left join asked a using (merchant_id, acquirer)
         left join tried t using (registration_id)
        where case
                when a.registration_id is null or a.state = 'accepted' then true
                when a.state = 'requested' then false
                when (a.action, a.final_no, a.intermediary_no, a.shop_name)
                     is distinct from (w.action, w.final_no, w.intermediary_no, w.shop_name) then true
                when a.state = 'refused' then false
                when a.code is null then true
                else a.code = any ($3::text[]) and t.tries < $4 and ($5 or t.alike < 2)
              end
        order by w.merchant_id, w.acquirer
       on conflict do nothing
       returning action)
     select action, count(*)::int as requests from added group by 1`,
    [provider.id, who, correct, resend.attempts, resend.sameReasonAgain],
  );
  await tellMissingFacts(tx, provider.id);
  const of = (action: string): number => rows.find((row) => row.action === action)?.requests ?? 0;
  return { added: of('N'), changed: of('C'), terminated: of('T') };
}

/** SQL: which merchants sold with which card companies on the last days, over the provider's channels. */
async function salesSql(tx: PoolClient, { channels }: DifferentialProvider, on: Temporal.PlainDate): Promise<string> {
  const from = on.subtract({ days: salesDays - 1 }).toString();
  const leaves: string[] = [];
  for (const channel of channels) {
    const days = await paymentDays(tx, channel, from, on.toString());
    leaves.push(leavesOf('payment', channel, days, 'distinct merchant_id, acquirer', `kind = 'A'`));
  }
  check(leaves.length > 0, 'a provider has channels');
  return leaves.join(' union ');
}

/** What a file asked for that nobody answered, and nobody will: it may be asked for again. */
async function lapse(tx: PoolClient, provider: string, { from, sentFrom }: ReturnType<typeof lookBack>): Promise<void> {
  await tx.query(
    `update registration r set state = 'rejected', reason = 'unanswered', answered_at = clock_timestamp()
       from claim_file f
      where f.file_id = r.file_id and r.provider = $1 and r.state = 'requested' and f.state = 'expired'
        and f.on_day < $2 and f.sending_at < $3`,
    [provider, from, sentFrom],
  );
}

/** One finding a provider, while there are any: whom nothing can be claimed for until somebody says through whom it sells. */
async function tellMissingFacts(tx: PoolClient, provider: string): Promise<void> {
  const missing = await query<{ merchantId: string; merchants: number }>(
    tx,
    `select merchant_id as "merchantId", count(*) over ()::int as merchants
       from registration_fact where is_small and not is_known order by 1 limit ${namedMost}`,
  );
  const [first] = missing;
  if (first === undefined) {
    await closeFinding(tx, { kind: factsMissing, subject: provider, by: 'jeongsan' });
    return;
  }
  const detail = { merchants: first.merchants, first: missing.map(({ merchantId }) => merchantId) };
  await openFinding(tx, { kind: factsMissing, subject: provider, audience: 'in_charge', detail });
}
