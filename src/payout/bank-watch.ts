import type { Bank } from './bank-port.ts';

/** How long a bank took for a call, and what it came to. */
export type BankNote = (
  bank: string,
  call: 'holder' | 'transfer' | 'inquire',
  outcome: string,
  seconds: number,
) => void;

/** The same bank, each of whose answers is noted; `nowMs` is a clock that is never set. */
export function watchBank(bank: Bank, note: BankNote, nowMs: () => number): Bank {
  const noted = async <A extends { readonly outcome: string }>(
    call: Parameters<BankNote>[1],
    ask: () => Promise<A>,
  ): Promise<A> => {
    const began = nowMs();
    const answer = await ask();
    note(bank.id, call, answer.outcome, (nowMs() - began) / 1000);
    return answer;
  };
  return {
    id: bank.id,
    name: bank.name,
    closed: bank.closed,
    settlingMs: bank.settlingMs,
    patienceMs: bank.patienceMs,
    holder: (account) => noted('holder', () => bank.holder(account)),
    transfer: (order) => noted('transfer', () => bank.transfer(order)),
    inquire: (message) => noted('inquire', () => bank.inquire(message)),
    transfers: (on) => bank.transfers(on),
    readCallback: (headers, body) => bank.readCallback(headers, body),
  };
}
