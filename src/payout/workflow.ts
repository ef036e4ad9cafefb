import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { openAccount } from '../merchants/account-seal-store.ts';
import type { Cipher } from '../platform/cipher.ts';
import { inTransaction, type Pool, type PoolClient } from '../platform/database/pool.ts';
import { retryFaults } from '../platform/durable/database-fault.ts';
import type { Durable } from '../platform/durable/durable.ts';
import type { Log } from '../platform/durable/engine-log.ts';
import { runId } from '../platform/durable/step.ts';
import { type Answered, type Noted, noteAnswers, unknownFindingMs } from './answer-store.ts';
import type { Bank, BankAnswer, NoWord, TransferOrder } from './bank-port.ts';
import { createBatch } from './batch.ts';
import { type Carried, markSending, noteHolder, releaseClaim, releaseLeft, type Sending } from './claim-store.ts';
import { createDirectPayouts, type PayoutSlot } from './direct-store.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import { sameHolder } from './holder.ts';
import { opensAt } from './opening-hours.ts';
import { type Payout, type PayoutRequest, requestPayout } from './request-store.ts';
import { createSightings } from './sightings.ts';
import type { PayoutState } from './states.ts';

export type PayoutPorts = {
  readonly pool: Pool;
  readonly log: Log;
  /** The first one sends. A process without any registers the workflow all the same, and sends nothing. */
  readonly banks: readonly Bank[];
  readonly cipher: Cipher;
  now(): Temporal.Instant;
};

/** 지급대행. Requests, and the carrying of payouts to the banks. */
export type Payouts = {
  readonly dispatcher: Dispatcher;
  /** @throws Problems of `requestPayout` */
  request(wanted: PayoutRequest): Promise<Payout>;
  /** What is paid by itself after a slot, in the slot's transaction; returns how many payouts. */
  createDirect(tx: PoolClient, slot: PayoutSlot): Promise<number>;
};

/** Payouts whose states are written in one transaction, where so many come at the same time. */
const batchMost = 200;

type Desk = {
  readonly bank: Bank;
  readonly send: (payout: Carried) => Promise<Sending | undefined>;
  readonly note: (answered: Answered) => Promise<Noted>;
};

/**
 * Registers the workflow that carries one payout; call before the engine is launched. A run holds no connection while
 * the bank thinks, and has no steps of the engine: what it has done is the payout's state, stored before and after
 * every word with the bank, so that the next run reads the state and goes on from there where a process has died.
 */
export function registerPayouts(durable: Durable, ports: PayoutPorts): Payouts {
  const { pool } = ports;
  const [first] = ports.banks;
  const desks = new Map(ports.banks.map((bank) => [bank.id, openDesk(bank, ports)]));
  const sightings = createSightings();
  const handed = new Map<string, Carried>();
  const workflow = durable.register('payout', async (_payoutId: string): Promise<PayoutState | 'nothing'> => {
    const run = runId();
    const payout = handed.get(run);
    handed.delete(run);
    if (payout === undefined) {
      for (const desk of desks.values()) if (await passOn(ports, desk, run)) dispatcher.wake(desk.bank.id);
      return 'nothing';
    }
    const desk = desks.get(payout.bank);
    check(desk, 'what was claimed here has its bank here');
    dispatcher.began(payout.bank, run);
    try {
      return await carry(ports, { ...desk, heard: () => dispatcher.heard(payout.bank, run) }, sightings, payout);
    } finally {
      dispatcher.ended(payout.bank, run);
    }
  });
  const dispatcher = createDispatcher({
    ...ports,
    begin: async (payout) => {
      handed.set(payout.run, payout);
      try {
        await durable.start(workflow, payout.run, String(payout.payoutId));
      } catch (error) {
        handed.delete(payout.run);
        throw error;
      }
    },
  });
  return {
    dispatcher,
    async request(wanted) {
      if (first === undefined) throw new Problem('not_found', { what: 'bank', id: 'JEONGSAN_BANK_…' });
      const payout = await requestPayout(pool, wanted, { bank: first.id, now: ports.now() });
      dispatcher.wake(payout.bank);
      return payout;
    },
    createDirect: async (tx, slot) =>
      first === undefined ? 0 : await createDirectPayouts(tx, slot, { bank: first.id, now: ports.now() }),
  };
}

/** Where payouts of one bank are written down, those of the same moment together. */
function openDesk(bank: Bank, { pool, now }: PayoutPorts): Desk {
  const never = () => false;
  const send = createBatch<Carried, Sending | undefined>(batchMost, async (payouts) => {
    const marked = await retryFaults(never, () => markSending(pool, payouts, now()));
    return payouts.map(({ payoutId }) => marked.get(payoutId));
  });
  const note = createBatch<Answered, Noted>(batchMost, (answered) => {
    const at = now();
    const rules = {
      bank: bank.id,
      now: at,
      settlingMs: bank.settlingMs,
      opensAt: opensAt(bank.closed, at),
      unknownFindingMs,
    };
    return retryFaults(never, () => inTransaction(pool, (tx) => noteAnswers(tx, answered, rules)));
  });
  return { bank, send, note };
}

/**
 * A run that another process began, which is dead, or only seems to be. Never carried on under its name, by which two
 * would let go of what the other one still has: the payout is claimed anew, now or by whoever sweeps.
 */
async function passOn({ pool }: PayoutPorts, { bank }: Desk, run: string): Promise<boolean> {
  return await retryFaults(
    () => false,
    () => releaseLeft(pool, run, bank),
  );
}

type Sightings = ReturnType<typeof createSightings>;

type Counter = Desk & {
  /** To be called with the bank's last word of a run. */
  readonly heard: () => void;
};

/** One payout as far as it goes now: to its end, to the next time that the bank is asked, or back to waiting. */
async function carry(
  ports: PayoutPorts,
  desk: Counter,
  sightings: Sightings,
  payout: Carried,
): Promise<PayoutState | 'nothing'> {
  const base = { payoutId: payout.payoutId, who: payout.run, releases: payout.run };
  if (payout.state === 'created' || payout.state === 'holder_checked') {
    const refuse = async (answer: BankAnswer) => (await desk.note({ ...base, source: 'holder', answer })).state;
    const order = openOrder(ports, payout);
    if ('outcome' in order) return await refuse(order);
    const refused = await beforeSending(ports, desk.bank, payout, order);
    if (refused !== undefined) return await refuse(refused);
    const sending = await desk.send(payout);
    // Not to be sent any more, which the next look tells; or stored by a commit whose answer was lost, and then it is asked about next.
    if (sending === undefined) return await letGo(ports, payout);
    const { sends, ...message } = sending;
    sightings.forget(payout.payoutId);
    const answer = await said(() => desk.bank.transfer({ ...message, ...order }));
    if (answer.outcome !== 'succeeded' && answer.outcome !== 'rejected') sightings.see(payout.payoutId, sends);
    if (answer.outcome !== 'duplicate') {
      desk.heard();
      return (await desk.note({ ...base, source: 'transfer', answer })).state;
    }
    const { releases: _, ...held } = base;
    await desk.note({ ...held, source: 'transfer', answer });
    return await ask(desk, sightings, payout, sending);
  }
  if (payout.state !== 'sent' && payout.state !== 'unknown') return await letGo(ports, payout);
  check(payout.messageNo !== null && payout.messageOn !== null, 'what was sent has a message number');
  const { messageNo, messageOn, sends } = payout;
  return await ask(desk, sightings, payout, { messageNo, messageOn, sends });
}

/** 처리결과 조회. By the same number; NOT_FOUND proves something only when this process has long known it as sent. */
async function ask(
  desk: Counter,
  sightings: Sightings,
  { payoutId, run }: Carried,
  { sends, ...message }: Sending,
): Promise<PayoutState> {
  const settled = sightings.see(payoutId, sends) >= desk.bank.settlingMs;
  const answer = await said(() => desk.bank.inquire(message));
  desk.heard();
  const noted = await desk.note({ payoutId, who: run, releases: run, source: 'inquiry', answer, settled });
  if (noted.state !== 'unknown') sightings.forget(payoutId);
  return noted.state;
}

type Order = Pick<TransferOrder, 'bankCode' | 'accountNo' | 'holder' | 'amountWon'>;

/**
 * Why it cannot be sent, or not now; undefined where nothing stands against it. What may have left before is the same
 * order once more: only the bank can say now that it is not to be paid.
 */
async function beforeSending(
  ports: PayoutPorts,
  bank: Bank,
  payout: Carried,
  order: Order,
): Promise<BankAnswer | undefined> {
  if (payout.sends > 0) return undefined;
  if (!payout.accountInForce) return refusal('account_changed');
  if (payout.holderKnown) return undefined;
  const found = await bank
    .holder(order)
    .catch((error: Error) => ({ outcome: 'unknown', reason: error.message }) as const);
  const keep = (outcome: 'matches' | 'differs' | 'no_account', holder: string | null) =>
    retryFaults(
      () => false,
      () => noteHolder(ports.pool, payout, outcome, holder),
    );
  switch (found.outcome) {
    case 'found': {
      const same = sameHolder(found.holder, order.holder);
      await keep(same ? 'matches' : 'differs', found.holder);
      return same ? undefined : refusal('holder_differs');
    }
    case 'no_account':
      await keep('no_account', null);
      return { outcome: 'rejected', code: found.code, text: found.text };
    default:
      return found;
  }
}

/** A rejection of ours, before the bank was told anything. */
function refusal(reason: string): BankAnswer {
  return { outcome: 'rejected', code: '', text: reason };
}

/** Before anything is stored as sent: an account number that cannot be read has left nowhere, and waits. */
function openOrder({ cipher }: PayoutPorts, payout: Carried): Order | NoWord {
  try {
    return { bankCode: payout.bankCode, amountWon: payout.amountWon, ...openAccount(cipher, payout) };
  } catch (error) {
    return { outcome: 'not_sent', reason: (error as Error).message };
  }
}

/** Whatever goes wrong on the way to the bank's word leaves it unknown. */
async function said(work: () => Promise<BankAnswer>): Promise<BankAnswer> {
  try {
    return await work();
  } catch (error) {
    return { outcome: 'unknown', reason: (error as Error).message };
  }
}

async function letGo({ pool }: PayoutPorts, { run }: Carried): Promise<'nothing'> {
  await retryFaults(
    () => false,
    () => releaseClaim(pool, run),
  );
  return 'nothing';
}
