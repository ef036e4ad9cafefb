import { escapeLiteral, type PoolClient } from 'pg';
import { postAll } from '../ledger/store.ts';
import { holdFirstAccounts } from './first-accounts-store.ts';
import { type Failure, inHalves } from './isolation.ts';
import type { Part } from './part.ts';
import { day, instant } from './stage-store.ts';
import { addVolume } from './volume-store.ts';

/**
 * Books what settles: items, a settlement and one entry of the ledger for each merchant. A merchant that the database
 * refuses is set aside with all its captures of the slot; the others are booked.
 */
export async function bookMerchants(tx: PoolClient, part: Part): Promise<void> {
  await tx.query(`
    create temp table provider_sum on commit drop as
    select merchant_id, provider, count(*) as items, sum(amount_won)::bigint as gross_won,
           sum(fee_won)::bigint as fee_won, sum(vat_won)::bigint as vat_won
      from judged where reason is null and is_due group by merchant_id, provider;
    create temp table merchant_sum on commit drop as
    select merchant_id, sum(items)::int as items,
           sum(gross_won)::bigint as gross_won, sum(fee_won)::bigint as fee_won, sum(vat_won)::bigint as vat_won,
           sum(gross_won - fee_won - vat_won)::bigint as net_won
      from provider_sum group by merchant_id;
    create temp table booked (items bigint, merchants bigint, gross_won bigint, fee_won bigint, vat_won bigint,
      wallet_won bigint) on commit drop;
    analyze merchant_sum (net_won)`);
  const merchants = await tx.query<{ merchant_id: string }>('select merchant_id from merchant_sum order by 1');
  const ids = merchants.rows.map((row) => row.merchant_id);
  // Nobody places or releases a hold until this is committed: what is credited would pass it by.
  await tx.query('lock table settlement_hold in share mode');
  await holdFirstAccounts(tx, { from: 'merchant_sum', which: 'net_won < 0' });
  const culprits = await inHalves(tx, { from: 1, to: ids.length }, async (from, to) => {
    await book(tx, part, between(ids, from, to));
  });
  for (const [no, failure] of culprits) await setMerchantAside(tx, ids[no - 1] as string, failure);
}

/** SQL: nothing for all merchants, so that the set as a whole is spared the comparison. */
function between(ids: readonly string[], from: number, to: number): string {
  if (from === 1 && to === ids.length) return 'true';
  return `m.merchant_id between ${escapeLiteral(ids[from - 1] as string)} and ${escapeLiteral(ids[to - 1] as string)}`;
}

async function book(tx: PoolClient, part: Part, merchants: string): Promise<void> {
  await allot(tx, merchants);
  await tx.query(`
    insert into settlement_item (provider, captured_on, provider_tid, cancel_seq, merchant_id, slot, part, amount_won,
      contract_id, rate_ppm, rule, fee_won, vat_won)
    select provider, captured_on, provider_tid, cancel_seq, merchant_id, ${instant(part.slot)}, ${part.part}, amount_won,
           contract_id, rate_ppm, rule, fee_won, vat_won
      from judged m where reason is null and is_due and ${merchants}`);
  await tx.query(`
    insert into settlement (settled_on, slot, merchant_id, part, items, gross_won, fee_won, vat_won, net_won, offset_won,
      carried_won, held_won, wallet_won)
    select ${day(part.settledOn)}, ${instant(part.slot)}, merchant_id, ${part.part}, items, gross_won, fee_won, vat_won,
           net_won, offset_won, carried_won, held_won, wallet_won
      from allotted;
    insert into booked select sum(items), count(*), sum(gross_won), sum(fee_won), sum(vat_won), sum(wallet_won) from allotted`);
  await addVolume(tx, part, merchants);
  await postEntries(tx, part, merchants);
  await tx.query('drop table allotted');
}

/**
 * Where each merchant's net goes: the temporary table `allotted`. What comes first repays its debt, then it goes to the
 * wallet, or is held. What is taken back comes from what is held, then from the wallet; what neither has is its debt.
 */
async function allot(tx: PoolClient, merchants: string): Promise<void> {
  // All that may change, by name and not joined: a row that changed while it was waited for would be joined anew, with the
  // first of a merchant's accounts, and be lost.
  const theirs = `shard = 0 and account = any (array(
    select 'debt:' || merchant_id collate "C" from merchant_sum m where net_won <> 0 and ${merchants}
    union all select 'wallet:' || merchant_id from merchant_sum m where net_won < 0 and ${merchants}
    union all select 'held:' || merchant_id from merchant_sum m where net_won < 0 and ${merchants}))`;
  // Nobody else may spend of these before this is committed; in order, so that two who lock do not dead-lock.
  await tx.query(`
    with locked as materialized (select from ledger_balance where ${theirs} order by account for update)
    select count(*) from locked`);
  // Read once they are locked: an account that was opened while another one was waited for is seen too.
  await tx.query(`
    create temp table allotted on commit drop as
    with standing as (
      select substr(account, position(':' in account) + 1) as merchant_id,
             -coalesce(sum(balance_won) filter (where account like 'debt:%'), 0)::bigint as debt_won,
             coalesce(sum(balance_won) filter (where account like 'wallet:%'), 0)::bigint as wallet_won,
             coalesce(sum(balance_won) filter (where account like 'held:%'), 0)::bigint as held_won
        from ledger_balance where ${theirs} group by 1
    ), placed as (
      select m.*, h.merchant_id is not null as on_hold, coalesce(s.debt_won, 0) as debt_won,
             coalesce(s.wallet_won, 0) as in_wallet_won,
             case when h.merchant_id is not null then coalesce(s.held_won, 0) else 0 end as in_held_won
        from merchant_sum m
        left join standing s on s.merchant_id = m.merchant_id
        left join (select distinct merchant_id from settlement_hold where released_at is null and amount_won is null) h
          on h.merchant_id = m.merchant_id
       where ${merchants}
    ), repaid as (
      select p.*, least(greatest(net_won, 0), debt_won) as offset_won,
             -least(greatest(-net_won, 0), in_held_won) as from_held_won from placed p
    ), taken as (
      select r.*, -least(greatest(-net_won, 0) + from_held_won, in_wallet_won) as from_wallet_won from repaid r
    )
    select merchant_id, items, gross_won, fee_won, vat_won, net_won, offset_won,
           case when net_won < 0 then from_held_won when on_hold then net_won - offset_won else 0 end as held_won,
           case when net_won < 0 then from_wallet_won when on_hold then 0 else net_won - offset_won end as wallet_won,
           case when net_won < 0 then -net_won + from_held_won + from_wallet_won else 0 end as carried_won
      from taken`);
}

/** One entry a merchant: what the providers owe us for it against our fee, its VAT and what became of its net. */
async function postEntries(tx: PoolClient, part: Part, merchants: string): Promise<void> {
  await tx.query(`
    create temp table posting on commit drop as
    select ${escapeLiteral(`settlement:${part.slotText}:`)} || merchant_id as event,
           'settlement'::text as kind, ${day(part.settledOn)} as posted_on, ${escapeLiteral(part.runId)}::text as posted_by,
           null::text as reason, account, amount_won
      from (select merchant_id, 'receivable:' || provider as account, -gross_won as amount_won
              from provider_sum m where ${merchants}
            union all
            select a.merchant_id, l.account, l.amount_won
              from allotted a, lateral (values
                ('fee', fee_won), ('vat', vat_won), ('wallet:' || merchant_id, wallet_won),
                ('held:' || merchant_id, held_won), ('debt:' || merchant_id, offset_won - carried_won)
              ) l (account, amount_won)) line
     where amount_won <> 0`);
  await postAll(tx, { from: 'posting' });
  await tx.query('drop table posting');
}

async function setMerchantAside(tx: PoolClient, merchantId: string, { code, message }: Failure): Promise<void> {
  await tx.query(
    `update judged set reason = 'booking_failed', cause = $2 where merchant_id = $1 and reason is null and is_due`,
    [merchantId, `${code}: ${message}`],
  );
}
