import type { Pool, PoolClient } from 'pg';
import type { DayEquation } from './outcome.ts';

type EquationRow = {
  provider: string;
  stated_won: bigint | null;
  unreadable_won: bigint;
  approved_won: bigint;
  cancelled_won: bigint;
  ours_won: bigint;
  captured_of_day_won: bigint;
  transaction_breaks_won: bigint;
  transaction_timing_won: bigint;
  captured_won: bigint;
  settled: boolean;
  net_won: bigint;
  fee_won: bigint;
  vat_won: bigint;
  settlement_breaks_won: bigint;
  settlement_timing_won: bigint;
  held_won: bigint;
  deposited_won: bigint;
  disputed_won: bigint;
};

/**
 * Law 2, a day adds up: each provider's statement against our books, with the breaks that explain the difference. All
 * terms are read from control totals and the small tables, never derived from one another; the residual is what is
 * left. A side is null until its stage is reconciled.
 */
export async function dayEquations(
  db: Pool | PoolClient,
  on: Temporal.PlainDate,
  providers: readonly string[],
): Promise<DayEquation[]> {
  const { rows } = await db.query<EquationRow>(equationQuery, [on.toString(), providers]);
  return rows.map((row) => ({
    provider: row.provider,
    on: on.toString(),
    transactions: transactionSide(row),
    settlement: settlementSide(row),
  }));
}

function transactionSide(row: EquationRow): DayEquation['transactions'] {
  if (row.stated_won === null) return null;
  const notCapturedWon = row.ours_won - row.captured_of_day_won;
  const breaksWon = row.transaction_breaks_won + row.unreadable_won;
  return {
    approvedWon: row.approved_won,
    cancelledWon: row.cancelled_won,
    statedWon: row.stated_won,
    capturedWon: row.captured_of_day_won,
    notCapturedWon,
    breaksWon,
    timingWon: row.transaction_timing_won,
    residualWon: row.stated_won - row.captured_of_day_won - notCapturedWon - breaksWon - row.transaction_timing_won,
  };
}

function settlementSide(row: EquationRow): DayEquation['settlement'] {
  if (!row.settled) return null;
  const stated = row.net_won + row.fee_won + row.vat_won;
  return {
    capturedWon: row.captured_won,
    netWon: row.net_won,
    feeWon: row.fee_won,
    vatWon: row.vat_won,
    heldWon: row.held_won,
    breaksWon: row.settlement_breaks_won,
    timingWon: row.settlement_timing_won,
    depositedWon: row.deposited_won,
    depositBreaksWon: row.disputed_won,
    notDueWon: row.net_won - row.deposited_won - row.disputed_won,
    residualWon: row.captured_won - stated - row.held_won + row.settlement_breaks_won + row.settlement_timing_won,
  };
}

/** Won of breaks, of records that await a neighbouring day, and of pairs across days, as theirs − ours of the day. */
function explained(stage: 'transaction' | 'settlement'): string {
  const theirs = stage === 'settlement' ? 'net_won + fee_won + vat_won' : 'amount_won';
  return `
    (select coalesce(sum(effect_won), 0)::bigint from break b where b.provider = w.provider and b.stage = '${stage}'
       and b.business_on = $1 and b.gone_at is null) as ${stage}_breaks_won,
    (select coalesce(sum(case side when 'ours' then -amount_won else ${theirs} end), 0)::bigint from open_item i
     where i.provider = w.provider and i.stage = '${stage}' and i.business_on = $1 and awaits_on is not null)
    + (select coalesce(sum(case when theirs_on = $1 then theirs_won else 0 end
                         - case when ours_on = $1 then ours_won else 0 end), 0)::bigint
       from pairing q where q.provider = w.provider and q.stage = '${stage}' and $1 in (theirs_on, ours_on)
         and theirs_on <> ours_on) as ${stage}_timing_won`;
}

const equationQuery = `
  select w.provider, t.stated_won, coalesce(t.unreadable_won, 0) as unreadable_won,
    p.approved_won, p.cancelled_won, coalesce(t.ours_won, 0) as ours_won,
    (select coalesce(sum(captured_won), 0)::bigint from capture_total c
     where c.provider = w.provider and c.traded_on = $1) as captured_of_day_won,
    ${explained('transaction')},
    (select coalesce(sum(captured_won), 0)::bigint from capture_total c
     where c.provider = w.provider and c.captured_on = $1) as captured_won,
    exists (select from reconciled_stage r where r.provider = w.provider and r.stage = 'settlement'
              and r.business_on = $1 and r.inputs like '%; mids all') as settled,
    s.net_won, s.fee_won, s.vat_won,
    ${explained('settlement')},
    (select coalesce(sum(amount_won), 0)::bigint from open_item i where i.provider = w.provider
       and i.stage = 'settlement' and i.business_on = $1 and i.held) as held_won,
    d.deposited_won, d.disputed_won
  from unnest($2::text[]) with ordinality as w (provider, nth)
  left join lateral (
    select r.declared_won as stated_won, r.declared_won - r.lines_won as unreadable_won, r.ours_won
    from reconciled_stage r where r.provider = w.provider and r.stage = 'transaction' and r.business_on = $1
      and r.inputs like '%; mids all'
  ) t on true
  cross join lateral (
    select coalesce(sum(approved_won), 0)::bigint as approved_won,
      coalesce(sum(cancelled_won), 0)::bigint as cancelled_won
    from payment_total p where p.provider = w.provider and p.traded_on = $1
  ) p
  cross join lateral (
    select coalesce(sum(l.net_won), 0)::bigint as net_won, coalesce(sum(l.fee_won), 0)::bigint as fee_won,
      coalesce(sum(l.vat_won), 0)::bigint as vat_won
    from statement s join statement_load l using (load_id)
    where s.provider = w.provider and s.stage = 'settlement' and s.business_on = $1 and s.state = 'imported'
  ) s
  cross join lateral (
    select coalesce(sum(i.net_won) filter (where k.deposited_won = k.expected_won), 0)::bigint as deposited_won,
      coalesce(sum(i.net_won) filter (where k.deposited_won <> k.expected_won), 0)::bigint as disputed_won
    from statement s join statement_pay_in i using (load_id)
    join deposit_check k on k.provider = s.provider and k.pay_in_on = i.pay_in_on
    where s.provider = w.provider and s.stage = 'settlement' and s.business_on = $1 and s.state = 'imported'
  ) d
  order by w.nth`;
