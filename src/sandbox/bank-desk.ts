import type { z } from 'zod';
import { wonToJson } from '../kernel/money.ts';
import {
  type holderRequest,
  type inquiryRequest,
  listPageRows,
  type transferRequest,
} from '../payout/banks/van-messages.ts';
import { type BankJournal, type BankTransfer, keyOf } from './bank-journal.ts';
import type { BankMoods, MoodDice } from './bank-moods.ts';
import { drawBase } from './draw.ts';

export type Order = z.infer<typeof transferRequest>;

export type DeskPorts = {
  readonly journal: BankJournal;
  readonly dice: MoodDice;
  readonly moods: BankMoods;
  /** Whose an account is; undefined where there is none. */
  holderOf(bankCode: string, accountNo: string): string | undefined;
  /** The bank's clock. */
  now(): Temporal.Instant;
};

/** What a bank does behind its counter, whatever befalls the messages on their way. */
export type BankDesk = ReturnType<typeof openDesk>;

export function openDesk({ journal, dice, moods, holderOf, now }: DeskPorts) {
  const stateOf = (transfer: BankTransfer) =>
    Temporal.Instant.compare(transfer.definiteAt, now()) <= 0 ? transfer.outcome : ('processing' as const);
  const said = (transfer: BankTransfer) => {
    const state = stateOf(transfer);
    const { messageNo, messageOn, code, text, bankRef } = transfer;
    const words = state === 'processing' ? { code: '0100', text: '처리중' } : { code, text };
    return { messageNo, messageOn, state, ...words, bankRef };
  };
  return {
    holder({ bankCode, accountNo }: z.infer<typeof holderRequest>) {
      const holder = holderOf(bankCode, accountNo);
      return holder === undefined
        ? { state: 'no_account', code: '1001', text: '계좌 없음' }
        : { state: 'found', code: '0000', text: '정상', holder };
    },
    /** Moves the money, unless the number is known already. */
    transfer(order: Order, processing: boolean) {
      const key = keyOf(order);
      const at = now();
      const takesMs = processing ? dice.within(moods.processingMs, key, 1) : 0;
      const isNew = journal.add({
        messageNo: order.messageNo,
        messageOn: order.messageOn,
        amountWon: order.amountWon,
        bankCode: order.bankCode,
        last4: order.accountNo.slice(-4),
        ...resultOf(order),
        bankRef: drawBase(key).toString(36).padStart(7, '0').toUpperCase(),
        receivedAt: at,
        definiteAt: at.add({ milliseconds: takesMs }),
      });
      const transfer = journal.find(key) as BankTransfer;
      if (isNew) return said(transfer);
      return { messageNo: order.messageNo, state: 'duplicate', code: '2001', text: '전문번호 중복' };
    },
    inquire(message: z.infer<typeof inquiryRequest>) {
      const transfer = journal.find(keyOf(message));
      if (transfer !== undefined) return said(transfer);
      return { ...message, state: 'not_found', code: '2404', text: '해당 거래 없음' };
    },
    list(on: string, after: string) {
      const definite = journal.of(on).filter((each) => each.messageNo > after && stateOf(each) !== 'processing');
      const page = definite.slice(0, listPageRows);
      const transfers = page.map(({ messageNo, amountWon, outcome }) => ({
        messageNo,
        amountWon: wonToJson(amountWon),
        state: outcome,
      }));
      return { on, transfers, next: definite.length > page.length ? (page.at(-1)?.messageNo ?? null) : null };
    },
    callback(transfer: BankTransfer) {
      return { ...said(transfer), amountWon: wonToJson(transfer.amountWon) };
    },
  };

  function resultOf(order: Order): Pick<BankTransfer, 'outcome' | 'code' | 'text'> {
    if (holderOf(order.bankCode, order.accountNo) === undefined) {
      return { outcome: 'rejected', code: '1001', text: '계좌 없음' };
    }
    if (dice.rejects(keyOf(order))) return { outcome: 'rejected', code: '1002', text: '입금 불능 계좌' };
    return { outcome: 'succeeded', code: '0000', text: '정상' };
  }
}
