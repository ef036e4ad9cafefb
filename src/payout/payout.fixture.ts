// What tests of payouts share: merchants with money, and a bank whose journal is a table, so that it outlives its callers.
import { setTimeout as wait } from 'node:timers/promises';
import { Problem } from '../kernel/problem.ts';
import { house, walletOf } from '../ledger/accounts.ts';
import { post } from '../ledger/store.ts';
import { accountOf } from '../merchants/account.ts';
import type { Cipher } from '../platform/cipher.ts';
import { inTransaction, type Pool } from '../platform/database/pool.ts';
import type { Bank, BankAnswer, TransferOrder } from './bank-port.ts';

export const on = '2026-11-20';
/** Noon in Seoul: no bank is closed. */
export const noon = Temporal.Instant.from('2026-11-20T12:00:00+09:00');

/** `P00001` → `100-00001` */
const accountNoOf = (merchantId: string): string => `100-${merchantId.slice(1)}`;

/** Merchants P00001… with a bank account and so much in the wallet; `known`: the bank has named their holders before. */
export async function makeMerchants(
  pool: Pool,
  cipher: Cipher,
  given: { readonly from?: number; readonly count: number; readonly balanceWon: bigint; readonly known?: string },
): Promise<string[]> {
  const ids = Array.from({ length: given.count }, (_, n) => `P${String((given.from ?? 1) + n).padStart(5, '0')}`);
  await pool.query(
    `with import as (insert into import (kind, file_name, imported_by) values ('merchants', 'test', 'test') returning import_id)
     insert into merchant (merchant_id, name, business_no, import_id)
     select id, id, '0000000000', import_id from unnest($1::text[]) id, import`,
    [ids],
  );
  const sealed = ids.map((id) => cipher.seal(accountNoOf(id), accountOf(id, '004')));
  await pool.query(
    `insert into bank_account (merchant_id, valid_from, bank_code, sealed, key_id, fingerprint, last4, holder, recorded_by)
     select id, '2026-01-01', '004', sealed, $3, print, right(id, 4), '홀더' || id, 'test'
       from unnest($1::text[], $2::bytea[], $4::bytea[]) as m (id, sealed, print)`,
    [ids, sealed.map((each) => each.sealed), cipher.keyId, ids.map((id) => cipher.fingerprint(accountNoOf(id)))],
  );
  if (given.known !== undefined) {
    await pool.query(
      `insert into holder_check (account_id, bank, outcome, holder)
       select account_id, $2, 'matches', holder from bank_account where merchant_id = any ($1)`,
      [ids, given.known],
    );
  }
  if (given.balanceWon > 0n) {
    await inTransaction(pool, (tx) =>
      post(tx, {
        event: `test:${ids[0]}`,
        kind: 'settlement',
        postedOn: on,
        postedBy: 'test',
        lines: [
          ...ids.map((id) => ({ account: walletOf(id), amountWon: given.balanceWon })),
          { account: house.suspense, amountWon: -given.balanceWon * BigInt(ids.length) },
        ],
      }),
    );
  }
  return ids;
}

/** What the bank does with one transfer: `moves` before or after whatever else happens. */
export type Mood = {
  readonly latencyMs?: number;
  /** Whether the order reaches the bank at all. */
  readonly arrives?: boolean;
  readonly rejects?: boolean;
  /** What we hear instead of the bank's answer. */
  readonly hears?: BankAnswer;
  /** Called when the bank has written the transfer into its journal, before it answers. */
  readonly moved?: () => void;
};

export type JournalBank = Omit<Bank, 'settlingMs' | 'patienceMs'> & {
  /** A test that looks at what is before and after it sets it, so that no slow machine decides. */
  settlingMs: number;
  patienceMs: number;
  mood: (order: TransferOrder, nth: number) => Mood | Promise<Mood>;
  inquiry: (messageNo: string) => BankAnswer | undefined;
  holderOf: Bank['holder'];
  readonly calls: { transfer: number; inquire: number; holder: number; flying: number; peak: number };
};

/** The bank's own table. `sends`: how often an order came in; money moves at the first one alone. */
export async function makeJournal(pool: Pool): Promise<void> {
  await pool.query(
    `create table bank_journal (message_no text primary key, amount_won bigint not null, outcome text not null,
                                account_no text not null, sends int not null default 1)`,
  );
}

export function createJournalBank(
  pool: Pool,
  given: Partial<Pick<Bank, 'id' | 'closed' | 'settlingMs'>> = {},
): JournalBank {
  const calls = { transfer: 0, inquire: 0, holder: 0, flying: 0, peak: 0 };
  const bank: JournalBank = {
    id: 'journal',
    name: { ko: '시험은행', en: 'Test Bank' },
    closed: { from: '00:00', to: '00:00' },
    settlingMs: 300,
    patienceMs: 0,
    ...given,
    calls,
    mood: () => ({}),
    inquiry: () => undefined,
    holderOf: async ({ accountNo }) => ({ outcome: 'found', holder: `홀더P${accountNo.slice(4)}` }),
    holder: async (account) => {
      calls.holder += 1;
      return await bank.holderOf(account);
    },
    async transfer(order) {
      calls.transfer += 1;
      calls.flying += 1;
      calls.peak = Math.max(calls.peak, calls.flying);
      try {
        const mood = await bank.mood(order, calls.transfer);
        if (mood.latencyMs) await wait(mood.latencyMs);
        if (mood.arrives === false) return mood.hears ?? { outcome: 'unknown', reason: 'time-out' };
        const outcome = mood.rejects ? 'rejected' : 'succeeded';
        const { rows } = await pool.query<{ sends: number }>(
          `insert into bank_journal (message_no, amount_won, outcome, account_no) values ($1, $2, $3, $4)
           on conflict (message_no) do update set sends = bank_journal.sends + 1 returning sends`,
          [order.messageNo, order.amountWon, outcome, order.accountNo],
        );
        mood.moved?.();
        if (rows[0]?.sends !== 1) return { outcome: 'duplicate', code: 'D1', text: 'known' };
        return mood.hears ?? { outcome, code: outcome === 'succeeded' ? '0000' : 'R1', text: outcome };
      } finally {
        calls.flying -= 1;
      }
    },
    async inquire({ messageNo }) {
      calls.inquire += 1;
      const scripted = bank.inquiry(messageNo);
      if (scripted) return scripted;
      const { rows } = await pool.query<{ outcome: 'succeeded' | 'rejected' }>(
        'select outcome from bank_journal where message_no = $1',
        [messageNo],
      );
      return { outcome: rows[0]?.outcome ?? 'not_found', code: rows[0] ? '0000' : '0404', text: '' };
    },
    transfers: async function* () {},
    readCallback: () => new Problem('usage', { reason: 'no callbacks' }),
  };
  return bank;
}
