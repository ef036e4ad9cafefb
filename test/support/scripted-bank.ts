import { setTimeout as wait } from 'node:timers/promises';
import type { ListedTransfer, TransferOrder } from '../../src/payout/bank-port.ts';
import { createJournalBank, type JournalBank, type Mood } from '../../src/payout/payout.fixture.ts';
import { type Pool, query } from '../../src/platform/database/pool.ts';
import type { BankTruth } from './invariants.ts';
import type { BankMoodName } from './random-history.ts';

/** So long after a transfer was sent the bank would not carry it out any more; what is late comes before that. */
export const settlingMs = 250;
const lateMs = 150;

/** A bank that does with one transfer after the other what it is told, until it clears up. */
export type ScriptedBank = JournalBank & {
  /** From now on everything succeeds and every question is answered. */
  clearUp(): void;
  /** When every order that is late has arrived. */
  arrived(): Promise<void>;
};

/** Everything that the bank has in its journal. */
export async function bankTruth(pool: Pool): Promise<BankTruth[]> {
  const columns = 'message_no as "messageNo", amount_won as "amountWon", outcome';
  return await query<BankTruth>(pool, `select ${columns} from bank_journal order by message_no`);
}

export function createScriptedBank(pool: Pool, moods: readonly BankMoodName[]): ScriptedBank {
  const bank = createJournalBank(pool, { settlingMs });
  const late: Promise<void>[] = [];
  let isClear = false;
  const arriveLate = async (order: TransferOrder): Promise<void> => {
    await wait(lateMs);
    await pool.query(
      `insert into bank_journal (message_no, amount_won, outcome, account_no) values ($1, $2, 'succeeded', $3)
       on conflict (message_no) do update set sends = bank_journal.sends + 1`,
      [order.messageNo, order.amountWon, order.accountNo],
    );
  };
  bank.holderOf = async ({ accountNo }) => ({ outcome: 'found', holder: `홀더M${accountNo.slice(6)}` });
  bank.mood = (order, nth) => {
    const name = isClear ? 'succeeds' : (moods[nth % moods.length] as BankMoodName);
    if (name === 'late') late.push(arriveLate(order));
    return fates[name];
  };
  bank.inquiry = () =>
    !isClear && bank.calls.inquire % 3 === 0 ? { outcome: 'unknown', reason: 'garbage' } : undefined;
  return Object.assign(bank, {
    async *transfers(): AsyncGenerator<ListedTransfer> {
      yield* await bankTruth(pool);
    },
    clearUp() {
      isClear = true;
    },
    async arrived() {
      await Promise.all(late);
    },
  });
}

const fates: Readonly<Record<BankMoodName, Mood>> = {
  succeeds: {},
  rejects: { rejects: true },
  moves_unheard: { hears: { outcome: 'unknown', reason: 'time-out' } },
  refuses_unheard: { rejects: true, hears: { outcome: 'unknown', reason: 'cut' } },
  lost: { arrives: false },
  late: { arrives: false },
  not_sent: { arrives: false, hears: { outcome: 'not_sent', reason: 'refused' } },
  closed: { arrives: false, hears: { outcome: 'closed', reason: 'maintenance' } },
  duplicate: { hears: { outcome: 'duplicate', code: 'D1', text: 'known' } },
  processing: { hears: { outcome: 'processing', code: 'P1', text: 'in process' } },
};
