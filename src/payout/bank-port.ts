import type { Problem } from '../kernel/problem.ts';

/**
 * What a bank said about a transfer. Only `succeeded` and `rejected` end one. `duplicate`: the bank knows the number
 * already and moved nothing this time; `processing`: it has the order and has not decided.
 * `not_sent`: it is certain that no byte of the order reached the bank; `closed`: the bank takes no orders at this hour
 * and moved nothing; `unknown`: everything else that is not definite (time-out, cut connection, garbage, wrong signature).
 */
export type BankAnswer = BankWord | NoWord;

/** The bank's own code and words; `bankRef`: its number of the transfer (거래번호), where it gave one. */
export type BankWord = {
  readonly outcome: 'succeeded' | 'rejected' | 'processing' | 'not_found' | 'duplicate';
  readonly code: string;
  readonly text: string;
  readonly bankRef?: string;
};

/** `reason` is for people and holds no secret and no account number. */
export type NoWord = { readonly outcome: 'not_sent' | 'closed' | 'unknown'; readonly reason: string };

/** 전문. A bank knows a transfer by its number and the bank's day that it was first sent on (`YYYY-MM-DD`, Seoul). */
export type BankMessage = { readonly messageNo: string; readonly messageOn: string };

/** `bankCode`: three digits of the 금융결제원, `accountNo` in the clear: neither is logged. */
export type BankAccount = { readonly bankCode: string; readonly accountNo: string };

/** 이체 지시. The same message number moves money at most once, however often it is sent. */
export type TransferOrder = BankMessage & BankAccount & { readonly holder: string; readonly amountWon: bigint };

/** 예금주 조회. Whose account it is, as the bank has it written. */
export type HolderAnswer =
  | { readonly outcome: 'found'; readonly holder: string }
  | { readonly outcome: 'no_account'; readonly code: string; readonly text: string }
  | NoWord;

/** A line of a day's transfer list: what is definite of the messages of that day. */
export type ListedTransfer = {
  readonly messageNo: string;
  readonly amountWon: bigint;
  readonly outcome: 'succeeded' | 'rejected';
};

/** A callback whose signature is right and whose message can be read; with the amount where the bank repeats it. */
export type BankCallback = { readonly messageNo: string; readonly amountWon?: bigint; readonly answer: BankAnswer };

/** Headers as HTTP has them, names in lower case. */
export type CallbackHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * 은행. A bank's or VAN's transfer API; one file below `banks/` each. An answer that can be explained away is never a
 * rejection: whatever is not the bank's own definite word is `unknown`. No method throws for what a bank or the way to
 * it may do, except `transfers`, which brings either the whole list or a Problem.
 */
export type Bank = {
  readonly id: string;
  readonly name: { readonly ko: string; readonly en: string };
  /** Seoul wall clock, from 23:30 to 00:30 for instance; the same twice: never closed. */
  readonly closed: { readonly from: string; readonly to: string };
  /** So long after the last sending NOT_FOUND is no proof yet that the bank has no such transfer. */
  readonly settlingMs: number;
  /** A transfer that is not answered after this is given up: so long it may be under way, whoever sent it. */
  readonly patienceMs: number;
  holder(account: BankAccount): Promise<HolderAnswer>;
  transfer(order: TransferOrder): Promise<BankAnswer>;
  /** Asks what became of a transfer. Moves nothing. */
  inquire(message: BankMessage): Promise<BankAnswer>;
  /** 이체 내역. All definite transfers of the messages of a day. Throws Problem `bank_list_unavailable`. */
  transfers(on: Temporal.PlainDate): AsyncIterable<ListedTransfer>;
  /**
   * Reads a callback; the signature is compared in constant time. Returns Problem `callback_signature` or
   * `callback_unreadable`.
   */
  readCallback(headers: CallbackHeaders, body: Buffer): BankCallback | Problem;
};
