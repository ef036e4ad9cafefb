import { escapeLiteral, type PoolClient } from 'pg';
import { check } from '../kernel/check.ts';
import { ensureLedgerDay, postAll } from '../ledger/store.ts';
import { query } from '../platform/database/pool.ts';
import { holdFirstAccounts } from '../settlement/first-accounts-store.ts';
import { type Failure, inHalves } from '../settlement/isolation.ts';
import { lookingUp } from './candidate-store.ts';

/** 환급 결과. What was booked; `refused` are merchants that the ledger took no entry of, and why. */
export type RefundsBooked = {
  readonly merchants: bigint;
  readonly claims: bigint;
  /** Refunds and clawbacks together. */
  readonly netWon: bigint;
  readonly refused: ReadonlyMap<string, Failure>;
};

/**
 * 환급·환수. Books for each merchant of a temporary table (provider, merchant_id, difference_won; a row a claim, all of
 * one provider) one entry `<eventPrefix><merchant>` and the row that explains it. What comes first repays the merchant's
 * debt, then goes to its wallet, or is held where all of it is; where more is taken back than comes, that is its debt: it
 * is paid by the next refund. A merchant that the ledger refuses is left out with all its claims, and returned.
 */
export async function bookRefunds(
  tx: PoolClient,
  refunds: {
    readonly from: string;
    readonly eventPrefix: string;
    readonly kind: 'differential' | 'retroactive';
    /** Null: no answer was the cause. */
    readonly answerId: bigint | null;
    /** The business day, `YYYY-MM-DD`. */
    readonly postedOn: string;
    readonly postedBy: string;
  },
): Promise<RefundsBooked> {
  check(/^[a-z_][a-z0-9_]*$/.test(refunds.from), `not the name of a table: ${refunds.from}`);
  // Few merchants are looked up among all accounts, many are not: the planner knows how many they are.
  await tx.query(`
    set local enable_nestloop = on;
    create temp table refund_sum on commit drop as
    select merchant_id, provider, count(*)::int as claims,
           sum(difference_won) filter (where difference_won > 0)::bigint as refund_won,
           sum(difference_won) filter (where difference_won < 0)::bigint as clawback_won,
           sum(difference_won)::bigint as net_won
      from pg_temp.${refunds.from} group by merchant_id, provider;
    create temp table refund_booked (merchants bigint, claims bigint, net_won bigint) on commit drop;
    analyze refund_sum`);
  const merchants = await query<{ id: string }>(tx, 'select merchant_id as id from refund_sum order by 1');
  const ids = merchants.map(({ id }) => id);
  check(new Set(ids).size === ids.length, 'refunds are of one provider');
  // Nobody places or releases a hold until this is committed: what is credited would pass it by.
  await tx.query('lock table settlement_hold in share mode');
  await holdFirstAccounts(tx, { from: 'refund_sum', which: 'net_won > 0' });
  // The day's place before any account: who makes it comes to the accounts next.
  await ensureLedgerDay(tx, refunds.postedOn);
  const culprits = await inHalves(tx, { from: 1, to: ids.length }, async (from, to) => {
    const merchants = between(ids, from, to);
    await tx.query('savepoint refunds');
    while (!(await book(tx, refunds, merchants))) await tx.query('rollback to savepoint refunds');
    await tx.query('release savepoint refunds');
  });
  const [sums] = await query<Omit<RefundsBooked, 'refused'>>(
    tx,
    `select coalesce(sum(merchants), 0)::bigint as merchants, coalesce(sum(claims), 0)::bigint as claims,
            coalesce(sum(net_won), 0)::bigint as "netWon" from refund_booked`,
  );
  check(sums, 'sums are a row');
  await tx.query('drop table refund_sum, refund_booked');
  return { ...sums, refused: new Map([...culprits].map(([no, failure]) => [ids[no - 1] as string, failure])) };
}

/** SQL: nothing for all merchants, so that the set as a whole is spared the comparison. */
function between(ids: readonly string[], from: number, to: number): string {
  if (from === 1 && to === ids.length) return 'true';
  return `m.merchant_id between ${escapeLiteral(ids[from - 1] as string)} and ${escapeLiteral(ids[to - 1] as string)}`;
}

type Refunds = Parameters<typeof bookRefunds>[1];

/** False where a merchant came to owe something meanwhile: its account, which was not there to be locked, is now. */
async function book(tx: PoolClient, refunds: Refunds, merchants: string): Promise<boolean> {
  const { eventPrefix, kind, answerId, postedOn, postedBy } = refunds;
  await allot(tx, merchants);
  await tx.query(`
    insert into claim_refund (event, provider, answer_id, merchant_id, claims, refund_won, clawback_won, offset_won,
                              carried_won, held_won, wallet_won, booked_on)
    select ${escapeLiteral(eventPrefix)} || merchant_id, provider, ${answerId ?? 'null'}::bigint, merchant_id, claims,
           refund_won, clawback_won, offset_won, carried_won, held_won, wallet_won, date ${escapeLiteral(postedOn)}
      from refund_allotted order by merchant_id;
    insert into refund_booked select count(*), sum(claims), sum(net_won) from refund_allotted;
    create temp table refund_posting on commit drop as
    select ${escapeLiteral(eventPrefix)} || merchant_id as event, ${escapeLiteral(kind)}::text as kind,
           date ${escapeLiteral(postedOn)} as posted_on, ${escapeLiteral(postedBy)}::text as posted_by, null::text as reason,
           l.account, l.amount_won
      from refund_allotted a, lateral (values
             ('refund_receivable:' || provider, -net_won), ('wallet:' || merchant_id, wallet_won),
             ('held:' || merchant_id, held_won), ('debt:' || merchant_id, offset_won - carried_won)
           ) l (account, amount_won)
     where l.amount_won <> 0`);
  await postAll(tx, { from: 'refund_posting' });
  const owing = await lookingUp(
    tx,
    `select from refund_allotted m
      cross join lateral (
        select balance_won from ledger_balance
         where account = 'debt:' || m.merchant_id collate "C" and shard = 0 offset 0) owed
      where owed.balance_won < 0 and m.wallet_won + m.held_won > 0 limit 1`,
  );
  await tx.query('drop table refund_posting, refund_allotted');
  return owing === 0;
}

/** Where each merchant's net goes: the temporary table `refund_allotted`. */
async function allot(tx: PoolClient, merchants: string): Promise<void> {
  await tx.query(`
    create temp table refund_allotted on commit drop as
    with owed as materialized (
      -- Nobody else may repay of these before this is committed; all that change, and in order, so that two who lock do not
      -- dead-lock.
      select b.account, -b.balance_won as won from ledger_balance b
        join refund_sum m on b.account = 'debt:' || m.merchant_id collate "C"
       where b.shard = 0 and m.net_won <> 0 and ${merchants} order by b.account for update of b
    ), placed as (
      select m.*, least(greatest(net_won, 0), coalesce(o.won, 0)) as offset_won, h.merchant_id is not null as on_hold
        from refund_sum m
        left join owed o on o.account = 'debt:' || m.merchant_id
        left join (select distinct merchant_id from settlement_hold where released_at is null and amount_won is null) h
          on h.merchant_id = m.merchant_id
       where ${merchants}
    )
    select merchant_id, provider, claims, coalesce(refund_won, 0) as refund_won, coalesce(clawback_won, 0) as clawback_won,
           net_won, offset_won, greatest(-net_won, 0) as carried_won,
           case when on_hold then greatest(net_won, 0) - offset_won else 0 end as held_won,
           case when on_hold then 0 else greatest(net_won, 0) - offset_won end as wallet_won
      from placed`);
}
