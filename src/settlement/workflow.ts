import type { Pool, PoolClient } from 'pg';
import { businessCalendar } from '../calendar/store.ts';
import { closeFinding, openFinding } from '../findings/store.ts';
import { seoul } from '../kernel/business-day.ts';
import { check } from '../kernel/check.ts';
import { isProblem, Problem } from '../kernel/problem.ts';
import { ensureLedgerDay } from '../ledger/store.ts';
import type { Durable, Handle } from '../platform/durable/durable.ts';
import { type RunState, showRun } from '../platform/durable/runs.ts';
import { runId, step, transaction } from '../platform/durable/step.ts';
import type { Log } from '../platform/log.ts';
import {
  type CycleResult,
  cycleResult,
  failCycle,
  finishCycle,
  isRunning,
  lanes,
  makeItemLeaves,
  makeSettlementLeaf,
  openCycle,
  runningCycle,
  type SkippedBecause,
  takeCaptures,
} from './cycle-store.ts';
import { type KnownImports, knownImports } from './known-imports-store.ts';
import type { Part } from './part.ts';
import type { StuckCaptures } from './set-aside-store.ts';
import { settlePart } from './settle-store.ts';
import { formatSlot, parseSlot } from './slot.ts';

/** The slot that has just been credited, as the direct payouts need to know it. */
export type CreditedSlot = { readonly slot: string; readonly settledOn: string; readonly runId: string };

export type SettlementPorts = {
  readonly pool: Pool;
  readonly log: Log;
  now(): Temporal.Instant;
  /** 실시간. Creates the payouts of merchants that are paid right after settlement; returns how many. */
  afterCredit(tx: PoolClient, slot: CreditedSlot): Promise<number>;
  /** Slots that set a capture aside before a person hears of it. */
  readonly findingAfter?: number;
  /** At most so many captures are settled in one transaction. */
  readonly capturesPerPart?: number;
};

export type SettleRequest = { readonly who: string; readonly makesUp?: Temporal.Instant };

export type Settlement = {
  /**
   * 정산. Settles a slot, or finds what it came to: a slot runs once.
   * @throws Problem `slot_refused` where it is no slot or has not come yet; whatever made its run fail
   */
  settle(slot: Temporal.Instant, request: SettleRequest): Promise<CycleResult>;
  /** The same, without waiting for its end. */
  begin(slot: Temporal.Instant, request: SettleRequest): Promise<Handle<CycleResult>>;
};

type SlotRequest = { readonly slot: string; readonly who: string; readonly makesUp?: string };

/** Slots that set a capture aside before a person hears of it, where nothing else is said. */
export const findingAfterDefault = 3;
const capturesPerPartDefault = 150_000;
/** So many are named to people in one part of a slot; of what is more they are told how much it is. */
const findingsMax = 100;
/** While slots fail nobody is credited: one finding, however many they are, until one goes through. */
const failing = { kind: 'settlement_failed', subject: 'settlement' };
/** While a run hangs each slot is skipped: one finding, too. */
const skipping = { kind: 'settlement_skipped', subject: 'settlement' };
const tries = { attempts: 7, firstWaitMs: 200 };

/** 정산 회차. Registers the workflow of a slot; call before the engine is launched. */
export function registerSettlement(durable: Durable, ports: SettlementPorts): Settlement {
  const workflow = durable.register('settle', (request: SlotRequest) => settleSlot(ports, request));
  const begin: Settlement['begin'] = async (slot, { who, makesUp }) => {
    const [text, now] = [formatSlot(slot), ports.now()];
    if (parseSlot(text)?.equals(slot) !== true) throw new Problem('slot_refused', { slot: text, now: `${now}` });
    if (Temporal.Instant.compare(slot, now) > 0) throw new Problem('slot_refused', { slot: text, now: `${now}` });
    const request = { slot: text, who, ...(makesUp === undefined ? {} : { makesUp: makesUp.toString() }) };
    return await durable.start(workflow, `settle:${text}`, request);
  };
  return { begin, settle: async (slot, request) => await (await begin(slot, request)).result() };
}

/** One flow: open → take → (make and settle) for each part → payouts → note. A slot is one run. */
async function settleSlot(ports: SettlementPorts, request: SlotRequest): Promise<CycleResult> {
  const id = runId();
  const slot = parseSlot(request.slot);
  check(slot !== undefined, `not a slot: ${request.slot}`);
  const settledOn = slot.toZonedDateTimeISO(seoul).toPlainDate().toString();
  const ended = await step('look for a run that ended', () => endedRun(ports.pool), { retries: tries });
  const { who, makesUp } = request;
  const opened = await transaction('open', (tx) => openCycle(tx, { slot, runId: id, who, makesUp, ended }));
  if (opened === 'closed') return await transaction('find result', (tx) => resultOf(tx, slot));
  if (opened !== 'running') return await skip(ports, slot, opened);
  try {
    const perPart = ports.capturesPerPart ?? capturesPerPartDefault;
    const { parts, imports } = taken(await transaction('take', (tx) => take(tx, slot, id, perPart)));
    await step('prepare', () => prepare(ports, slot, settledOn), { retries: tries });
    for (let first = 0; first < parts; first += lanes) {
      await settleTogether(ports, { request, slot, settledOn, parts, imports }, first);
    }
    const unpaid = await payOut(ports, { slot: request.slot, settledOn, runId: id });
    return await transaction('note', async (tx) => {
      await finishCycle(tx, id, unpaid);
      await closeFinding(tx, { ...failing, by: id });
      await closeFinding(tx, { ...skipping, by: id });
      return await resultOf(tx, slot);
    });
  } catch (error) {
    const reason = reasonOf(error);
    await transaction('fail', async (tx) => {
      await failCycle(tx, id, reason);
      await openFinding(tx, { ...failing, audience: 'operations', detail: { slot: request.slot, reason } });
    });
    throw error;
  }
}

type Slot = {
  readonly request: SlotRequest;
  readonly slot: Temporal.Instant;
  readonly settledOn: string;
  readonly parts: number;
  readonly imports: KnownImports | undefined;
};

type Taken = { readonly parts: number; readonly imports?: KnownImports };

async function take(tx: PoolClient, slot: Temporal.Instant, id: string, perPart: number): Promise<Taken> {
  const parts = await takeCaptures(tx, slot, id, perPart);
  return parts > 1 ? { parts, imports: await knownImports(tx) } : { parts };
}

/** Of a run that began with an older version there is the number of its parts alone. */
const taken = (kept: Taken | number): Taken => (typeof kept === 'number' ? { parts: kept } : kept);

/** Settles the parts from `first` on that go together, and waits for all of them also where one fails. */
async function settleTogether(ports: SettlementPorts, of: Slot, first: number): Promise<void> {
  const together = Array.from({ length: Math.min(lanes, of.parts - first) }, (_, lane) => first + lane);
  const ends = await Promise.allSettled(
    together.map((part) => transaction(`settle-${part + 1}`, (tx) => settle(tx, ports, { ...of, part }))),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** @throws Problem `settlement_cycle_over` where the slot failed */
async function resultOf(tx: PoolClient, slot: Temporal.Instant): Promise<CycleResult> {
  const result = await cycleResult(tx, slot);
  const state = result?.state;
  if (state === 'settled' || state === 'skipped') return { ...(result as CycleResult), state };
  throw new Problem('settlement_cycle_over', { slot: formatSlot(slot) });
}

/** States in which nobody works on a run any more. */
const endedStates: readonly RunState[] = ['done', 'failed', 'cancelled', 'exhausted'];

/** A run that has ended although its cycle is still marked as running, or null. */
async function endedRun(pool: Pool): Promise<string | undefined> {
  const running = await runningCycle(pool);
  if (running === undefined) return undefined;
  try {
    const { state } = await showRun(pool, running);
    return endedStates.includes(state) ? running : undefined;
  } catch (error) {
    if (isProblem(error, 'not_found')) return running;
    throw error;
  }
}

async function skip(ports: SettlementPorts, slot: Temporal.Instant, because: SkippedBecause): Promise<CycleResult> {
  const text = formatSlot(slot);
  ports.log.warn({ slot: text, because }, 'a settlement slot was skipped');
  return await transaction('note skipped', async (tx) => {
    const running = await runningCycle(tx);
    const detail = { slot: text, because, ...(running === undefined ? {} : { running }) };
    // A slot that a later one has passed is nobody's fault that hangs, and none that goes through makes up for it.
    const kind = because === 'another_running' ? skipping : { ...skipping, subject: text };
    await openFinding(tx, { ...kind, audience: 'in_charge', detail });
    return await resultOf(tx, slot);
  });
}

async function prepare({ pool }: SettlementPorts, slot: Temporal.Instant, settledOn: string): Promise<number> {
  await makeSettlementLeaf(pool, settledOn);
  await ensureLedgerDay(pool, settledOn);
  return await makeItemLeaves(pool, slot, runId());
}

async function settle(tx: PoolClient, ports: SettlementPorts, of: Slot & { readonly part: number }): Promise<null> {
  const { request, ...own } = of;
  const id = runId();
  if (!(await isRunning(tx, id))) throw new Problem('settlement_cycle_over', { slot: request.slot });
  const findingAfter = ports.findingAfter ?? findingAfterDefault;
  const holidays = await businessCalendar(tx);
  const work: Part = { ...own, runId: id, slotText: request.slot, holidays, findingAfter };
  const { stuck, relieved } = await settlePart(tx, work);
  for (const each of stuck.slice(0, findingsMax)) await tell(tx, each);
  await tellRest(tx, stuck.slice(findingsMax), `${request.slot} ${of.part + 1}/${of.parts}`);
  for (const { owner, reason } of relieved) {
    await closeFinding(tx, { kind: 'capture_unsettled', subject: `${owner} ${reason}`, by: id });
  }
  return null;
}

/** 미정산. Names to the person in charge what a reason has kept back for several slots. */
async function tell(tx: PoolClient, stuck: StuckCaptures): Promise<void> {
  const { captures, amountWon, reason, merchantId, mid, ...first } = stuck;
  await openFinding(tx, {
    kind: 'capture_unsettled',
    subject: `${merchantId ?? mid} ${reason}`,
    audience: 'in_charge',
    detail: { reason, merchant: merchantId, mid, captures: `${captures}`, amountWon: `${amountWon}`, first },
  });
}

/** One finding for all that are not named: the list of unsettled captures has them. */
async function tellRest(tx: PoolClient, rest: readonly StuckCaptures[], subject: string): Promise<void> {
  if (rest.length === 0) return;
  const sum = (of: (each: StuckCaptures) => bigint) => `${rest.reduce((total, each) => total + of(each), 0n)}`;
  const detail = {
    merchants: rest.length,
    captures: sum(({ captures }) => captures),
    amountWon: sum(({ amountWon }) => amountWon),
  };
  await openFinding(tx, { kind: 'captures_unsettled', subject, audience: 'in_charge', detail });
}

/** The wallets are credited whatever becomes of the payouts: those that fail are left to the next slot. */
async function payOut(ports: SettlementPorts, credited: CreditedSlot): Promise<string | null> {
  try {
    await transaction('payouts', (tx) => ports.afterCredit(tx, credited));
    return null;
  } catch (error) {
    const reason = `payouts_failed: ${reasonOf(error)}`;
    ports.log.error({ slot: credited.slot, reason }, 'direct payouts were not created');
    await transaction('note payouts', async (tx) => {
      const finding = { kind: 'settlement_payouts', subject: credited.slot, audience: 'in_charge' as const };
      await openFinding(tx, { ...finding, detail: { reason } });
    });
    return reason;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
