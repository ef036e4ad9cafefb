import { randomUUID } from 'node:crypto';
import { parseDay, seoul } from '../kernel/business-day.ts';
import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { ensureLedgerDay } from '../ledger/store.ts';
import type { Pool } from '../platform/database/pool.ts';
import type { Durable, Handle } from '../platform/durable/durable.ts';
import { runId, step, transaction } from '../platform/durable/step.ts';
import type { Bank } from './bank-port.ts';
import { countUnknown, keepDayList, settleByList } from './day-list-store.ts';
import { type Compared, compareWithList } from './payout-break-store.ts';

export type PayoutReconcileRequest = { readonly bank: string; readonly on: string; readonly who: string };

/** `settled`: brought to their end by the list; `unknown`: without one even now. */
export type PayoutReconciled = Compared & {
  readonly bank: string;
  readonly on: string;
  readonly listed: number;
  readonly settled: number;
  readonly unknown: number;
};

export type PayoutReconciliation = {
  /**
   * Reconciles a bank's day and waits for its end.
   * @throws Problem `not_found` for a bank that is not configured, `bank_list_unavailable`
   */
  reconcile(request: PayoutReconcileRequest): Promise<PayoutReconciled>;
  /** The same, without waiting for its end. @throws Problem `not_found` */
  begin(request: PayoutReconcileRequest): Promise<Handle<PayoutReconciled>>;
};

export type PayoutReconciliationPorts = {
  readonly pool: Pool;
  readonly banks: readonly Bank[];
  now(): Temporal.Instant;
};

/** Payouts settled in one transaction. */
const settledAtOnce = 200;
/** A database that is restarted is back by then; a list that a bank does not give is said at once. */
const tries = { attempts: 5, firstWaitMs: 500 };

/** 지급 대사. Registers its workflow; call before the engine is launched. Every run has an id of its own: it is repeatable. */
export function registerPayoutReconciliation(durable: Durable, ports: PayoutReconciliationPorts): PayoutReconciliation {
  const banks = new Map(ports.banks.map((bank) => [bank.id, bank]));
  const workflow = durable.register('payout-reconcile', (request: PayoutReconcileRequest) => {
    const bank = banks.get(request.bank);
    check(bank, `there is no bank ${request.bank}`);
    return reconcileDay(ports, bank, request);
  });
  const begin: PayoutReconciliation['begin'] = async (request) => {
    if (!banks.has(request.bank)) throw new Problem('not_found', { what: 'bank', id: request.bank });
    return await durable.start(workflow, `payout-reconcile:${request.bank}:${request.on}:${randomUUID()}`, request);
  };
  return { begin, reconcile: async (request) => await (await begin(request)).result() };
}

async function reconcileDay(
  { pool, now }: PayoutReconciliationPorts,
  bank: Bank,
  { on }: PayoutReconcileRequest,
): Promise<PayoutReconciled> {
  const list = { bank: bank.id, on };
  const day = parseDay(on);
  check(day, `${on} is a day`);
  const fetched = await step(
    'fetch',
    async () => {
      const askedAt = now();
      const today = askedAt.toZonedDateTimeISO(seoul).toPlainDate();
      await ensureLedgerDay(pool, today.toString());
      const listed = await keepDayList(pool, list, bank.transfers(day), askedAt);
      return { listed, askedAt: askedAt.toString(), dayIsOver: Temporal.PlainDate.compare(day, today) < 0 };
    },
    { retries: tries },
  );
  const { listed, dayIsOver } = fetched;
  let settled = 0;
  for (let part = 1; ; part += 1) {
    const who = runId();
    const found = await transaction(`settle ${part}`, (tx) =>
      settleByList(tx, list, { who, most: settledAtOnce, now: now() }),
    );
    settled += found;
    if (found < settledAtOnce) break;
  }
  const askedAt = Temporal.Instant.from(fetched.askedAt);
  const compared = await transaction('compare', async (tx) => ({
    ...(await compareWithList(tx, list, { askedAt, dayIsOver })),
    unknown: await countUnknown(tx, list),
  }));
  return { ...list, listed, settled, ...compared };
}
