import { setTimeout as wait } from 'node:timers/promises';
import { isProblem, type ProblemCode } from '../../src/kernel/problem.ts';
import { walletOf } from '../../src/ledger/accounts.ts';
import { approveAdjustment, proposeAdjustment } from '../../src/ledger/adjustment-store.ts';
import { balanceOf } from '../../src/ledger/store.ts';
import { importMerchants } from '../../src/merchants/import-merchants.ts';
import { importAccounts, importContracts, importTerms } from '../../src/merchants/import-terms.ts';
import { importPayments } from '../../src/payments/import-payments.ts';
import { changeControl } from '../../src/payout/control-store.ts';
import { applyAnswer } from '../../src/payout/late-answer-store.ts';
import { makeJournal } from '../../src/payout/payout.fixture.ts';
import { registerPayoutReconciliation } from '../../src/payout/reconcile-workflow.ts';
import { cancelPayout, decidePayout } from '../../src/payout/request-store.ts';
import { registerPayouts } from '../../src/payout/workflow.ts';
import type { Cipher } from '../../src/platform/cipher.ts';
import { inTransaction, query } from '../../src/platform/database/pool.ts';
import { createDurable } from '../../src/platform/durable/durable.ts';
import { providers } from '../../src/providers/registry.ts';
import { listHolds, placeHold, releaseHold } from '../../src/settlement/hold-store.ts';
import { formatSlot, nextSlot, slotAt } from '../../src/settlement/slot.ts';
import { registerSettlement } from '../../src/settlement/workflow.ts';
import type { TestDatabase } from './database.ts';
import { merchantFiles, merchants, soundMerchants } from './few-merchants.ts';
import { textSource } from './import-text.ts';
import { approval, cancel, capture, type PaymentLine, paymentsCsv } from './payment-lines.ts';
import type { RandomHistory, Step } from './random-history.ts';
import { bankTruth, createScriptedBank, settlingMs } from './scripted-bank.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} } as never;
const day = '2026-11-20';
const refusedHolds = ['not_found', 'hold_stands', 'ledger_insufficient'] as const;

type Sold = {
  readonly tid: string;
  readonly merchantId: string;
  readonly won: number;
  cancels: number;
  leftWon: number;
};

/**
 * A gateway of a few merchants with a database of its own, whose half hour from noon on is made of steps; the bank is
 * scripted, and keeps its journal. `finish` lets everything come to its end, far into the next business day.
 */
export async function openLivedHistory(
  db: Pick<TestDatabase, 'url' | 'pool'>,
  cipher: Cipher,
  { moods }: Pick<RandomHistory, 'moods'>,
) {
  const { pool } = db;
  await makeJournal(pool);
  const state = { at: Temporal.Instant.from(`${day}T12:01+09:00`), since: performance.now() };
  const now = () => state.at.add({ milliseconds: Math.round(performance.now() - state.since) });
  const setClock = (at: Temporal.Instant) => {
    if (Temporal.Instant.compare(at, now()) > 0) [state.at, state.since] = [at, performance.now()];
  };
  const truth = () => bankTruth(pool);
  const bank = createScriptedBank(pool, moods);

  const bring = async (importer: typeof importMerchants, text: string) => {
    const { refused } = await importer(pool, textSource(text), { who: 'test' });
    if (refused > 0) throw new Error(`${refused} refused of\n${text}`);
  };
  await bring(importMerchants, merchantFiles.merchants);
  await bring(importContracts, merchantFiles.contracts);
  await bring(importTerms, merchantFiles.terms);
  await bring((onPool, source, how) => importAccounts(onPool, cipher, source, how), merchantFiles.accounts);
  let engine = await start();
  const limits = { approvalOverWon: 1_500_000n, transferLimit: 3 };
  await changeControl(pool, bank.id, limits, { who: 'test', reason: 'test' });
  const sold: Sold[] = [];
  let withheld: PaymentLine[] = [];
  const brought = { approvals: new Set<string>(), captures: new Set<string>() };
  let keys = 0;

  return { pool, truth, live, finish, expectedItems, settledItems, close };

  async function start() {
    const durable = createDurable({ databaseUrl: db.url, pool, log: quiet });
    const payouts = registerPayouts(durable, { pool, log: quiet, banks: [bank], cipher, now });
    const afterCredit = payouts.createDirect;
    const settlement = registerSettlement(durable, { pool, log: quiet, now, afterCredit });
    const lists = registerPayoutReconciliation(durable, { pool, banks: [bank], now });
    await durable.launch();
    await payouts.dispatcher.start();
    return { durable, payouts, settlement, lists };
  }

  async function stop(): Promise<void> {
    await engine.payouts.dispatcher.stop();
    await engine.durable.shutdown(5_000);
  }

  async function close(): Promise<void> {
    await stop();
    await bank.arrived();
  }

  /** One step; money does what it does meanwhile. */
  async function live(step: Step): Promise<unknown> {
    switch (step.does) {
      case 'bring':
        return bringSales(step);
      case 'slot': {
        let slot = nextSlot(slotAt(now()));
        for (let n = 0; n < step.skips; n += 1) slot = nextSlot(slot);
        return settle(slot);
      }
      case 'withdraw':
        return withdraw(step);
      case 'hold':
        return hold(step);
      case 'release':
        return release(step);
      case 'adjust':
        return adjust(step);
      case 'callback':
        return callBack(step);
      case 'list':
        await engine.lists.reconcile({ bank: bank.id, on: day, who: `test ${keys++}` });
        return;
      case 'later':
        setClock(now().add({ minutes: 2 }));
        return engine.payouts.dispatcher.wake(bank.id);
      case 'rest':
        return engine.payouts.dispatcher.idle();
      case 'cancel':
        return cancelOne(step);
      case 'decide':
        return decideOne(step.decision);
      case 'restart':
        await stop();
        engine = await start();
        return;
    }
  }

  async function settle(slot: Temporal.Instant): Promise<void> {
    setClock(slot);
    const { state: became } = await engine.settlement.settle(slot, { who: 'test' });
    if (became !== 'settled') throw new Error(`slot ${formatSlot(slot)} was ${became}`);
    engine.payouts.dispatcher.wake(bank.id);
  }

  async function bringSales({ sales, cancels }: Extract<Step, { does: 'bring' }>): Promise<void> {
    const lines: PaymentLine[] = withheld;
    withheld = [];
    const tradedAt = `${now().toZonedDateTimeISO('Asia/Seoul').toString({ timeZoneName: 'never', smallestUnit: 'second' })}`;
    const add = (payment: PaymentLine, isLate: boolean) => {
      const { providerTid = '', cancelSeq = '', amountWon = '' } = payment;
      const common = { providerTid, cancelSeq, amountWon, tradedAt, capturedOn: day };
      lines.push(capture({ ...common, feeWon: '0', vatWon: '0' }));
      if (isLate) withheld.push(payment);
      else lines.push(payment);
    };
    for (const { merchant, won, late: isLate } of sales) {
      const tid = `T${sold.length}`;
      const merchantId = merchants[merchant] as string;
      sold.push({ tid, merchantId, won, cancels: 0, leftWon: won });
      add(approval({ providerTid: tid, amountWon: `${won}`, merchantId, tradedAt }), isLate);
    }
    for (const { of, quarters, late: isLate } of cancels) {
      const sale = sold[of % sold.length] as Sold;
      const won = Math.min(sale.leftWon, Math.max(1, Math.floor((sale.won * quarters) / 4)));
      if (won === 0) continue;
      sale.cancels += 1;
      sale.leftWon -= won;
      const record = sale.cancels === 1 && sale.leftWon === 0 ? 'cancel' : 'partial_cancel';
      const { tid: providerTid, merchantId } = sale;
      add(
        cancel({ record, providerTid, cancelSeq: `${sale.cancels}`, amountWon: `-${won}`, merchantId, tradedAt }),
        isLate,
      );
    }
    // Backwards: cancels before what they cancel, captures after their approvals.
    const shuffled = sold.length % 2 === 0 ? lines.toReversed() : lines;
    await bring((onPool, source, how) => {
      const known = providers.map(({ id }) => id);
      return importPayments(onPool, source, { ...how, providers: known });
    }, paymentsCsv(shuffled));
    for (const { record, providerTid, cancelSeq } of shuffled) {
      brought[record === 'capture' ? 'captures' : 'approvals'].add(`${providerTid}/${cancelSeq}`);
    }
  }

  /** Of a merchant that has something: the same request twice at once, and another one for the same money. */
  async function withdraw({ merchant, percent }: Extract<Step, { does: 'withdraw' }>): Promise<void> {
    const wallets = await query<{ owner: string; won: bigint }>(
      pool,
      `select owner, balance_won as won from ledger_account where kind = 'wallet' and balance_won > 0 order by 1`,
    );
    const wallet = wallets[merchant % Math.max(wallets.length, 1)];
    const merchantId = wallet?.owner ?? (merchants[merchant] as string);
    const amountWon = ((wallet?.won ?? 0n) * BigInt(percent)) / 100n + 1n;
    keys += 1;
    const wanted = { merchantId, amountWon, key: `w${keys}`, who: 'test' };
    const refusals: ProblemCode[] = ['payout_balance_short', 'payout_below_minimum', 'not_found', 'hold_stands'];
    const requests = [wanted, wanted, { ...wanted, key: `v${keys}` }];
    await Promise.all(requests.map((each) => unless(() => engine.payouts.request(each), refusals)));
  }

  /** Of a share of the wallet; 0: of all that is in it and all that comes. */
  async function hold({ merchant, percent }: Extract<Step, { does: 'hold' }>): Promise<void> {
    const merchantId = merchants[merchant] as string;
    const walletWon = await balanceOf(pool, walletOf(merchantId));
    const amount = percent === 0 ? {} : { amountWon: (walletWon * BigInt(percent)) / 100n + 1n };
    const wanted = { merchantId, by: 'test', reason: 'complaint', on: day, ...amount };
    await unless(() => inTransaction(pool, (tx) => placeHold(tx, wanted)), refusedHolds);
  }

  async function release({ which }: Extract<Step, { does: 'release' }>): Promise<void> {
    const standing = await listHolds(pool);
    const id = standing[which % Math.max(standing.length, 1)]?.id;
    if (id === undefined) return;
    await inTransaction(pool, (tx) => releaseHold(tx, id, { by: 'test', reason: 'over', on: day }));
  }

  async function adjust({ merchant, won }: Extract<Step, { does: 'adjust' }>): Promise<void> {
    const account = `wallet:${merchants[merchant % 6]}`;
    const lines = [
      { account, amountWon: BigInt(won) },
      { account: 'suspense', amountWon: -BigInt(won) },
    ];
    await unless(async () => {
      const event = await proposeAdjustment(pool, lines, { who: 'kim', why: 'test' });
      await approveAdjustment(pool, event, { by: 'lee', postedOn: day });
    }, ['ledger_insufficient']);
  }

  /** The bank's word on a transfer that it knows, repeatedly and whenever it likes. */
  async function callBack({ which, times }: Extract<Step, { does: 'callback' }>): Promise<void> {
    const known = await truth();
    const transfer = known[which % Math.max(known.length, 1)];
    if (transfer === undefined) return;
    const { messageNo, outcome } = transfer;
    const answer = { outcome, code: 'C', text: 'called back' };
    const word = { bank: bank.id, messageNo, answer, source: 'callback', who: 'bank' } as const;
    for (let n = 0; n < times; n += 1) await inTransaction(pool, (tx) => applyAnswer(tx, word, now()));
  }

  async function cancelOne({ which }: Extract<Step, { does: 'cancel' }>): Promise<void> {
    const open = await query<{ id: bigint }>(pool, 'select payout_id as id from payout order by payout_id');
    const id = open[which % Math.max(open.length, 1)]?.id;
    if (id !== undefined)
      await unless(() => cancelPayout(pool, id, { who: 'test' }, now()), ['payout_not_cancellable']);
  }

  /** The second person decides on the first of the payouts that wait for one; false where none does. */
  async function decideOne(decision: 'approved' | 'refused'): Promise<boolean> {
    const [waiting] = await query<{ id: bigint }>(
      pool,
      `select payout_id as id from payout where state = 'awaiting_approval' order by 1 limit 1`,
    );
    if (waiting !== undefined) await decidePayout(pool, waiting.id, { who: 'lee', decision }, now());
    return waiting !== undefined;
  }

  /** Lets the bank be clear, and time go on until every payout is at its end and everything due is settled. */
  async function finish(): Promise<void> {
    for (let n = 0; n < 3; n += 1) await settle(nextSlot(slotAt(now())));
    await settle(Temporal.Instant.from('2026-11-23T09:05+09:00'));
    bank.clearUp();
    while (await decideOne('approved'));
    await bank.arrived();
    for (let n = 0; n < 40; n += 1) {
      setClock(now().add({ minutes: 10 }));
      await engine.payouts.dispatcher.idle();
      const [open] = await query(
        pool,
        `select from payout where state not in ('succeeded', 'rejected', 'cancelled') limit 1`,
      );
      if (open === undefined) return;
      await wait(settlingMs / 2);
    }
    const left = await query(pool, `select * from payout where state not in ('succeeded', 'rejected', 'cancelled')`);
    throw new Error(
      `payouts never end: ${JSON.stringify(left, (_, value) => (typeof value === 'bigint' ? `${value}` : value))}`,
    );
  }

  /** Captures that have to be settled in the end: whose merchant, approval and original are what they have to be. */
  function expectedItems(): string[] {
    return sold
      .flatMap(({ tid, merchantId, cancels }) => {
        const isSound = (seq: number) => soundMerchants.has(merchantId) && brought.approvals.has(`${tid}/${seq}`);
        return Array.from({ length: cancels + 1 }, (_, seq) => seq)
          .filter((seq) => isSound(seq) && isSound(0))
          .map((seq) => `${tid}/${seq}`);
      })
      .sort();
  }

  async function settledItems(): Promise<string[]> {
    const rows = await query<{ key: string }>(
      pool,
      `select provider_tid || '/' || cancel_seq as key from settlement_item`,
    );
    return rows.map(({ key }) => key).sort();
  }
}

/** Work that may be refused for these reasons and for no others. */
async function unless(work: () => Promise<unknown>, codes: readonly ProblemCode[]): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!codes.some((code) => isProblem(error, code))) throw error;
  }
}
