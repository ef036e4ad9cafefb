import type { PoolClient } from 'pg';

/** How far back a statement may promise a pay-in; longer than any settlement cycle with its holidays. */
const lookBackDays = 14;

/**
 * 입금 대사. Compares, for every pay-in day up to `on`, the net total that the provider's current settlement statements
 * promise with the bank deposits we imported, and keeps a break `deposit_differs` where they disagree. A pay-in day is
 * judged only once every day with captures before it has its settlement reconciled, every MID's file in: before that the
 * promise is not whole. One that a correction no longer promises is judged again. Safe to repeat; days on which nothing
 * changed are left alone.
 */
export async function checkDeposits(
  tx: PoolClient,
  { provider, on }: { readonly provider: string; readonly on: Temporal.PlainDate },
  runId: string,
): Promise<{ readonly checked: number }> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`deposits ${provider}`]);
  const { rowCount } = await tx.query(
    `with expected as (
       select p.pay_in_on as day, sum(p.net_won)::bigint as won
       from statement s join statement_pay_in p using (load_id)
       where s.provider = $1 and s.stage = 'settlement' and s.state = 'imported'
         and s.business_on >= $2::date - 3 * $3::int
       group by 1
     ), received as (
       select deposited_on as day, sum(amount_won)::bigint as won, count(*) as deposits
       from deposit where provider = $1 and deposited_on >= $2::date - 2 * $3::int group by 1
     ), judged as (
       select day, coalesce(e.won, 0) as expected, coalesce(r.won, 0) as deposited, coalesce(r.deposits, 0) as deposits
       from (
         select day from expected union select day from received
         union select pay_in_on from deposit_check where provider = $1
       ) days left join expected e using (day) left join received r using (day)
       where day between $2::date - 2 * $3::int
           and greatest($2::date, (select max(business_on) from reconciled_stage
                                   where provider = $1 and stage = 'settlement'))
         and not exists (
           select from capture_total c where c.provider = $1 and c.captured_on between day - $3::int and day - 1
             and not exists (select from reconciled_stage d where d.provider = $1 and d.stage = 'settlement'
                               and d.business_on = c.captured_on and d.inputs like '%; mids all'))
     )
     insert into deposit_check as k (provider, pay_in_on, expected_won, deposited_won, deposits, run_id)
     select $1, day, expected, deposited, deposits, $4 from judged
     on conflict (provider, pay_in_on) do update set expected_won = excluded.expected_won,
       deposited_won = excluded.deposited_won, deposits = excluded.deposits, run_id = excluded.run_id, checked_at = now()
     where (k.expected_won, k.deposited_won, k.deposits)
       is distinct from (excluded.expected_won, excluded.deposited_won, excluded.deposits)`,
    [provider, on.toString(), lookBackDays, runId],
  );
  await closeAgreedDeposits(tx, provider, runId);
  await openDifferingDeposits(tx, provider, runId);
  return { checked: rowCount ?? 0 };
}

async function closeAgreedDeposits(tx: PoolClient, provider: string, runId: string): Promise<void> {
  await tx.query(
    `with agreed as materialized (
       -- Under its lock: whoever acts on it meanwhile leaves it in the state that the trail goes on from.
       select b.break_id, b.state from break b
         join deposit_check k on k.provider = b.provider and k.pay_in_on = b.business_on
        where b.provider = $1 and b.stage = 'deposit' and b.gone_at is null and k.expected_won = k.deposited_won
        order by b.break_id for update of b
     ), gone as (
       update break b set state = 'resolved', resolution = coalesce(b.resolution, 'matched_later'), gone_at = now(),
         resolved_at = coalesce(b.resolved_at, now())
       from agreed a where a.break_id = b.break_id
       returning b.break_id, a.state as from_state
     )
     insert into break_event (break_id, who, action, from_state, to_state, note)
     select break_id, 'jeongsan', 'gone', from_state, 'resolved', 'matched_later in ' || $2 from gone`,
    [provider, runId],
  );
}

/** Who resolved one agreed to another amount: a difference of a new size is open again. */
async function openDifferingDeposits(tx: PoolClient, provider: string, runId: string): Promise<void> {
  await tx.query(
    `with differing as materialized (
       select *, deposited_won - expected_won as difference from deposit_check
       where provider = $1 and run_id = $2 and deposited_won <> expected_won
     ), held as materialized (
       select b.break_id, b.state as from_state, b.difference_won as before, d.difference as after, d.expected_won,
         d.deposited_won, d.deposits,
         case when b.difference_won <> d.difference and b.state = 'resolved' then 'open' else b.state end as to_state
       from break b join differing d on d.pay_in_on = b.business_on
       where b.provider = $1 and b.stage = 'deposit' and b.gone_at is null order by b.break_id for update of b
     ), changed as (
       update break b set difference_won = h.after, effect_won = 0, state = h.to_state,
         resolution = case h.to_state when 'resolved' then b.resolution end,
         resolved_at = case h.to_state when 'resolved' then b.resolved_at end,
         ours = jsonb_build_object('amountWon', h.expected_won),
         theirs = jsonb_build_object('amountWon', h.deposited_won, 'deposits', h.deposits)
       from held h where h.break_id = b.break_id
       returning b.break_id, h.from_state, h.to_state, h.before, h.after
     ), opened as (
       insert into break (provider, stage, business_on, kind, identity, difference_won, effect_won, opened_run, ours, theirs)
       select $1, 'deposit', pay_in_on, 'deposit_differs', 'deposit', difference, 0, $2,
         jsonb_build_object('amountWon', expected_won),
         jsonb_build_object('amountWon', deposited_won, 'deposits', deposits)
       from differing d where not exists (select from break b where b.provider = $1 and b.stage = 'deposit'
         and b.business_on = d.pay_in_on and b.gone_at is null)
       returning break_id
     )
     insert into break_event (break_id, who, action, from_state, to_state, note)
     select break_id, 'jeongsan', 'opened', null, 'open', $2 from opened
     union all
     select break_id, 'jeongsan', 'changed', from_state, to_state, before || ' → ' || after || ' won in ' || $2 from changed
     where before <> after`,
    [provider, runId],
  );
}
