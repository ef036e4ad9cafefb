/** The baselines: the bare set in one transaction, and a transaction for each capture. Neither judges anything. */
import { postAll } from '../../src/ledger/store.ts';
import { inTransaction, type Pool, type PoolClient, query } from '../../src/platform/database/pool.ts';
import { on, provider } from './data.ts';

/** Items, settlements, entries, lines and with them balances of one import, by statements over the whole set. */
export async function bareSet(pool: Pool, importId: bigint, slot: string): Promise<number> {
  await pool.query('update capture_arrival set taken_by = $2 where import_id = $1', [importId, 'bare']);
  for (const leaf of [`ensure_leaf('settlement_item', '${provider}', '${on}')`, `ensure_settlement_leaf('${on}')`]) {
    await pool.query(`select ${leaf}`);
  }
  await pool.query('select ensure_ledger_leaf($1)', [on]);
  const began = performance.now();
  await inTransaction(pool, async (tx) => {
    await tx.query(`set local work_mem = '256MB'; set local jit = off`);
    for (const statement of bare(importId, slot)) await tx.query(statement);
    await postAll(tx, { from: 'posting' });
  });
  return (performance.now() - began) / 1000;
}

const bare = (importId: bigint, slot: string) => [
  `create temp table made on commit drop as
   select c.provider, c.captured_on, c.provider_tid, c.cancel_seq, p.merchant_id, c.amount_won,
          c.amount_won * 11500 / 1000000 as fee_won, c.amount_won * 11500 / 1000000 / 10 as vat_won
     from capture c join payment p on p.provider = c.provider and p.traded_on = c.traded_on
      and p.provider_tid = c.provider_tid and p.cancel_seq = c.cancel_seq
    where c.provider = '${provider}' and c.captured_on = '${on}' and c.import_id = ${importId}
      and p.provider = '${provider}' and p.traded_on = '${on}'`,
  'analyze made (merchant_id)',
  `create temp table merchant_sum on commit drop as
   select merchant_id, count(*)::int as items, sum(amount_won)::bigint as gross_won, sum(fee_won)::bigint as fee_won,
          sum(vat_won)::bigint as vat_won from made group by merchant_id`,
  `insert into settlement_item (provider, captured_on, provider_tid, cancel_seq, merchant_id, slot, part, amount_won,
     contract_id, rate_ppm, rule, fee_won, vat_won)
   select provider, captured_on, provider_tid, cancel_seq, merchant_id, '${slot}', 0, amount_won, 1, 11500, 'rate',
          fee_won, vat_won from made`,
  `insert into settlement
   select '${on}', '${slot}', merchant_id, 0, items, gross_won, fee_won, vat_won, gross_won - fee_won - vat_won, 0, 0, 0,
          gross_won - fee_won - vat_won from merchant_sum`,
  `create temp table posting on commit drop as
   select 'settlement:${slot}:' || merchant_id as event, 'settlement'::text as kind, date '${on}' as posted_on,
          'bare'::text as posted_by, null::text as reason, l.account, l.won as amount_won
     from merchant_sum m,
          lateral (values ('receivable:${provider}', -gross_won), ('fee', fee_won), ('vat', vat_won),
                          ('wallet:' || merchant_id, gross_won - fee_won - vat_won)) l (account, won)
    where l.won <> 0`,
];

/** So many captures a second where each is settled in a transaction of its own, from its look-ups to its credit. */
export async function perItemRate(pool: Pool, importId: bigint, sample: number, slot: string): Promise<number> {
  const captures = await query<{ tid: string; seq: number }>(
    pool,
    `select provider_tid as tid, cancel_seq as seq from capture
      where provider = $1 and captured_on = $2 and import_id = $3 and cancel_seq = 0 order by provider_tid limit $4`,
    [provider, on, importId, sample],
  );
  const began = performance.now();
  for (const [n, { tid, seq }] of captures.entries()) {
    await inTransaction(pool, (tx) => settleOne(tx, { tid, seq, slot, n }));
  }
  return captures.length / ((performance.now() - began) / 1000);
}

/** Whether the merchant is known, its terms, its hold, and what it owes and has, with nobody else spending of it. */
async function lookUp(tx: PoolClient, merchant: string): Promise<void> {
  await tx.query('select name from merchant where merchant_id = $1', [merchant]);
  await tx.query(
    `select cycle, due_time from settlement_terms where merchant_id = $1 and valid_from <= $2
      order by valid_from desc, terms_id desc limit 1`,
    [merchant, on],
  );
  await tx.query('select hold_id from settlement_hold where merchant_id = $1 and released_at is null', [merchant]);
  await tx.query(
    'select account, balance_won from ledger_balance where account = any ($1) order by account for update',
    [[`debt:${merchant}`, `held:${merchant}`, `wallet:${merchant}`]],
  );
}

type Item = { readonly tid: string; readonly seq: number; readonly slot: string; readonly n: number };

async function settleOne(tx: PoolClient, { tid, seq, slot, n }: Item): Promise<void> {
  const key = [provider, on, tid, seq];
  const [row] = await query<{ merchant: string; won: bigint }>(
    tx,
    `select p.merchant_id as merchant, c.amount_won as won from capture c join payment p using (provider, provider_tid, cancel_seq)
      where c.provider = $1 and c.captured_on = $2 and c.provider_tid = $3 and c.cancel_seq = $4
        and p.provider = $1 and p.traded_on = $2`,
    key,
  );
  if (row === undefined) throw new Error('a capture of the sample has no payment');
  const [contract] = await query<{ id: bigint; ppm: number }>(
    tx,
    `select contract_id as id, rate_ppm as ppm from fee_contract where merchant_id = $1 and method = 'card_online'
      order by valid_from desc, contract_id desc limit 1`,
    [row.merchant],
  );
  await lookUp(tx, row.merchant);
  const fee = (row.won * BigInt(contract?.ppm ?? 0)) / 1_000_000n;
  const vat = fee / 10n;
  const net = row.won - fee - vat;
  await tx.query(`insert into settlement_item values ($1, $2, $3, $4, $5, '${on}', 0, $6, $7, $8, 'rate', $9, $10)`, [
    ...key,
    row.merchant,
    row.won,
    contract?.id,
    contract?.ppm,
    fee,
    vat,
  ]);
  await tx.query(
    `insert into settlement values ($1::text::date, $8::timestamptz + $2 * interval '1 microsecond', $3, 0, 1, $4, $5, $6, $7, 0, 0, 0, $7)`,
    [on, n, row.merchant, row.won, fee, vat, net, slot],
  );
  await tx.query(`select post_ledger_entry($1, 'settlement', $2, 'bench', null, null, $3::text[], $4::bigint[])`, [
    `settlement:${slot}:${n}`,
    on,
    [`receivable:${provider}`, 'fee', 'vat', `wallet:${row.merchant}`],
    [-row.won, fee, vat, net],
  ]);
}
