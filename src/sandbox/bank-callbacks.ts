import { setTimeout as wait } from 'node:timers/promises';
import { callbackPath, signatureHeaders, signatureOf } from '../payout/banks/van-signature.ts';
import type { BankDesk } from './bank-desk.ts';
import { type BankJournal, type BankTransfer, keyOf } from './bank-journal.ts';
import type { BankMoods, MoodDice } from './bank-moods.ts';

export type CallbackPorts = {
  /** The bank's id with its customer: part of the path that is called. */
  readonly bank: string;
  readonly key: string;
  readonly secret: string;
  /** Origin of who is called back, as it is now; undefined: nobody. */
  url(): string | undefined;
  readonly journal: BankJournal;
  readonly desk: BankDesk;
  readonly dice: MoodDice;
  readonly moods: BankMoods;
};

/** How often a callback that was not taken is tried again, waiting longer each time. */
const tries = 5;
const firstWaitMs = 500;
const answerMs = 5_000;

/** 결과 통지. Calls back about transfers as their moods have it, and goes on with those that a restart interrupted. */
export type Callbacks = {
  /** Before the transfer is answered: returns when the callback was taken or given up. */
  early(transfer: BankTransfer): Promise<void>;
  /** After it was answered. */
  later(transfer: BankTransfer): void;
  close(): Promise<void>;
};

export function openCallbacks(ports: CallbackPorts): Callbacks {
  const { journal, desk, dice, moods } = ports;
  const closing = new AbortController();
  const { signal } = closing;
  const running = new Set<Promise<void>>();

  const call = async (transfer: BankTransfer): Promise<void> => {
    const body = JSON.stringify(desk.callback(transfer));
    for (let n = 0; n < tries; n += 1) {
      if (await isTaken(ports, body, signal)) break;
      await wait(firstWaitMs * 2 ** n, undefined, { signal });
    }
    journal.noteCallback(keyOf(transfer));
  };
  const follow = async (transfer: BankTransfer): Promise<void> => {
    const key = keyOf(transfer);
    const mood = dice.callback(key);
    const wanted = mood === undefined ? 0 : mood === 'callback_twice' ? 2 : 1;
    for (let n = journal.callbacksOf(key); n < wanted; n += 1) {
      await wait(dice.within(moods.lateMs, key, 3 + n), undefined, { signal });
      // The bank's clock may not be the wall's: it is looked at until it says that the transfer is definite.
      while (desk.inquire(transfer).state === 'processing') await wait(100, undefined, { signal });
      await call(transfer);
    }
  };
  const later = (transfer: BankTransfer) => {
    if (ports.url() === undefined) return;
    // Whoever is called back may be gone, and the bank may be closed: neither is the bank's concern.
    const run: Promise<void> = follow(transfer)
      .catch(() => {})
      .finally(() => running.delete(run));
    running.add(run);
  };
  for (const transfer of journal.all()) later(transfer);
  return {
    async early(transfer) {
      if (ports.url() === undefined || dice.callback(keyOf(transfer)) !== 'callback_early') return;
      if (desk.inquire(transfer).state !== 'processing') await call(transfer).catch(() => {});
    },
    later,
    async close() {
      closing.abort();
      await Promise.all(running);
    },
  };
}

async function isTaken(
  { bank, key, secret, url }: CallbackPorts,
  body: string,
  closing: AbortSignal,
): Promise<boolean> {
  const path = callbackPath(bank);
  const timestamp = String(Date.now());
  const signature = signatureOf(secret, { kind: 'request', method: 'POST', path, timestamp }, body);
  try {
    const { status } = await fetch(new URL(path, url()), {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        [signatureHeaders.key]: key,
        [signatureHeaders.timestamp]: timestamp,
        [signatureHeaders.signature]: signature,
      },
      signal: AbortSignal.any([closing, AbortSignal.timeout(answerMs)]),
    });
    // What is refused for its content is refused the next time too.
    return status < 500;
  } catch {
    closing.throwIfAborted();
    return false;
  }
}
