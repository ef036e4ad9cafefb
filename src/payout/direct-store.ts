import { askApproval } from '../approvals/store.ts';
import { closeFinding, openFinding } from '../findings/store.ts';
import { seoul } from '../kernel/business-day.ts';
import { postAll } from '../ledger/store.ts';
import { type PoolClient, query } from '../platform/database/pool.ts';
import { ensureControl } from './control-store.ts';
import { mostWon, type RequestRules } from './request-store.ts';

/** The slot after whose credits money goes out, as an instant or its text; `settledOn` is its business day. */
export type PayoutSlot = {
  readonly slot: string | Temporal.Instant;
  readonly settledOn: string | Temporal.PlainDate;
  readonly runId: string;
};

/**
 * 실시간 정산 이체. Pays out what is in the wallets of merchants whose money goes straight to their account, and, once a
 * day at their time, of those who are paid by schedule; by the set, and again for the same slot nothing new. What is
 * above the bank's limit waits for a second person. A merchant without a bank account is a finding, its money stays.
 * Returns how many payouts were made.
 */
export async function createDirectPayouts(tx: PoolClient, slot: PayoutSlot, rules: RequestRules): Promise<number> {
  const at = Temporal.Instant.from(slot.slot.toString()).toZonedDateTimeISO(seoul);
  await ensureControl(tx, rules.bank);
  await dueWallets(tx, at);
  const made = await makePayouts(tx, at, slot, rules);
  if (made > 0) await lockAll(tx, slot);
  await tellOfAccounts(tx, at, slot);
  await tx.query('drop table payout_wanted, payout_due, payout_made');
  return made;
}

/** One finding for a merchant as long as it has money to be paid and no account. */
async function tellOfAccounts(tx: PoolClient, at: Temporal.ZonedDateTime, { slot, runId }: PayoutSlot): Promise<void> {
  const kind = 'payout_account_missing';
  const found = await query<{ merchantId: string }>(
    tx,
    `select subject as "merchantId" from finding f
      where kind = $1 and closed_at is null
        and exists (select from bank_account a where a.merchant_id = f.subject and a.valid_from <= $2) order by 1`,
    [kind, at.toPlainDate().toString()],
  );
  for (const { merchantId } of found) await closeFinding(tx, { kind, subject: merchantId, by: runId });
  const missing = await query<{ merchantId: string }>(
    tx,
    'select merchant_id as "merchantId" from payout_due where account_id is null order by 1',
  );
  for (const { merchantId } of missing) {
    const detail = { merchantId, slot: slot.toString() };
    await openFinding(tx, { kind, subject: merchantId, audience: 'in_charge', detail });
  }
}

/**
 * Wallets with enough in them whose time has come. Locked as the ledger locks, in the order of the accounts' names, and
 * then looked at again: while they were waited for somebody may have been credited, or have had all held. What came back
 * of a payout is in the wallet beside a debt that arose meanwhile: as much as is owed stays.
 */
async function dueWallets(tx: PoolClient, at: Temporal.ZonedDateTime): Promise<void> {
  const day = at.toPlainDate().toString();
  await tx.query(`
    create temporary table payout_wanted (merchant_id text, kind text, key text, min_won bigint) on commit drop;
    create temporary table payout_due (merchant_id text, kind text, key text, amount_won bigint, account_id bigint) on commit drop`);
  await tx.query(
    `insert into payout_wanted
     with terms as materialized (
       select distinct on (merchant_id) merchant_id, payout, payout_time, min_payout_won from settlement_terms
        where valid_from <= $1 order by merchant_id, valid_from desc, terms_id desc
     ), wanted as materialized (
       select merchant_id, payout as kind, greatest(min_payout_won, 1) as min_won,
              case payout when 'direct' then 'direct:' || $2 else 'scheduled:' || $1::text end || ':' || merchant_id as key
         from terms t where (payout = 'direct' or (payout = 'scheduled' and payout_time <= $3::time))
          -- What comes back to a wallet while all is held stays there until the release.
          and not ${allIsHeld('t.merchant_id')}
     )
     select w.merchant_id, w.kind, w.key, w.min_won
       from wanted w join ledger_balance b on b.account = 'wallet:' || w.merchant_id
      where b.balance_won >= w.min_won and not exists (select from payout p where p.idempotency_key = w.key)`,
    [day, at.toString({ timeZoneName: 'never', smallestUnit: 'minute' }), at.toPlainTime().toString()],
  );
  // By name and not joined: a row that changed while it was waited for would be joined anew, and might be lost.
  await tx.query(
    `select from ledger_balance where shard = 0 and account = any (array(
       select of || ':' || merchant_id from payout_wanted cross join unnest(array['debt', 'in_flight', 'wallet']) of))
      order by account for update`,
  );
  await tx.query(
    `insert into payout_due (merchant_id, kind, key, amount_won, account_id)
     select w.merchant_id, w.kind, w.key, least(p.won, $2::bigint),
            (select a.account_id from bank_account a where a.merchant_id = w.merchant_id and a.valid_from <= $1
              order by a.valid_from desc, a.account_id desc limit 1)
       from payout_wanted w join ledger_balance b on b.account = 'wallet:' || w.merchant_id
       left join ledger_balance d on d.account = 'debt:' || w.merchant_id and d.shard = 0
      cross join lateral (select b.balance_won + coalesce(d.balance_won, 0) as won) p
      where p.won >= w.min_won and not ${allIsHeld('w.merchant_id')}`,
    [day, mostWon],
  );
}

/** SQL: whether all that a merchant has and gets is held. */
function allIsHeld(merchantId: string): string {
  return `exists (select from settlement_hold h
                   where h.merchant_id = ${merchantId} and h.released_at is null and h.amount_won is null)`;
}

async function makePayouts(
  tx: PoolClient,
  at: Temporal.ZonedDateTime,
  { runId }: PayoutSlot,
  { bank, now }: RequestRules,
): Promise<number> {
  await tx.query(
    'create temporary table payout_made (payout_id bigint, merchant_id text, amount_won bigint, state text) on commit drop',
  );
  const { rowCount } = await tx.query(
    `with made as (
       insert into payout (idempotency_key, kind, merchant_id, amount_won, bank, account_id, state, requested_by,
                           requested_on, requested_at, next_at)
       select d.key, d.kind, d.merchant_id, d.amount_won, c.bank, d.account_id,
              case when d.amount_won > c.approval_over_won then 'awaiting_approval' else 'created' end, $2, $3, $4, $4
         from payout_due d join bank_control c on c.bank = $1 where d.account_id is not null order by d.merchant_id
       on conflict (idempotency_key) do nothing
       returning payout_id, merchant_id, amount_won, state
     ), noted as (
       insert into payout_event (payout_id, who, from_state, to_state, what)
       select payout_id, $2, null, state, 'requested' from made
     )
     insert into payout_made select payout_id, merchant_id, amount_won, state from made`,
    [bank, runId, at.toPlainDate().toString(), now.toString()],
  );
  const above = await query<{ id: bigint; merchantId: string; amountWon: bigint }>(
    tx,
    `select payout_id as id, merchant_id as "merchantId", amount_won as "amountWon" from payout_made
      where state = 'awaiting_approval' order by payout_id`,
  );
  for (const { id, merchantId, amountWon } of above) {
    const detail = { payoutId: id, merchantId, amountWon, bank };
    await askApproval(tx, { kind: 'payout', subject: String(id), detail, askedBy: runId, reason: 'approval_over_won' });
  }
  return rowCount ?? 0;
}

async function lockAll(tx: PoolClient, { settledOn, runId }: PayoutSlot): Promise<void> {
  await tx.query(
    `create temporary table payout_lines (event text, kind text, posted_on date, posted_by text, reason text, account text,
                                          amount_won bigint) on commit drop`,
  );
  await tx.query(
    `insert into payout_lines
     select 'payout:' || m.payout_id || ':locked', 'payout_locked', $1, $2, null, l.account, l.won
       from payout_made m cross join lateral (values ('wallet:' || m.merchant_id, -m.amount_won),
                                                     ('in_flight:' || m.merchant_id, m.amount_won)) l (account, won)`,
    [settledOn.toString(), runId],
  );
  await postAll(tx, { from: 'payout_lines' });
  await tx.query('drop table payout_lines');
}
