import { draw } from './draw.ts';
import { effectivePlant, isOnCancel, midOf, type Payment, paymentOf, planDraw } from './payment.ts';
import { plantedIndex } from './plant.ts';
import type { WorldProvider } from './world.ts';

/** Something that happened to a payment: its approval (seq 0) or a cancel (seq 1, 2, …). */
export type PaymentEvent = {
  readonly seq: number;
  readonly kind: 'A' | 'C' | 'P';
  readonly day: number;
  readonly seconds: number;
  /** Signed won. */
  readonly amountWon: number;
  /** The day on which it was captured (매입); never for what was voided on its day, or not captured at all. */
  readonly capturedDay: number | undefined;
};

/** An event with the payment it belongs to. */
export type Happening = { readonly payment: Payment; readonly event: PaymentEvent };

/** The longest a cancel and its capture may follow the payment, in days. */
const longestLag = 4;

/** 1/1000 of payments: voided on their day, cancelled in full later, cancelled in parts. */
const voided = 25;
const cancelledLater = 38;
const cancelledInParts = 52;

const cancelClass = (plan: number): number => (plan >>> 10) % 1_000;
const captureLag = (plan: number): number | undefined => {
  const kind = plan % 1_000;
  return kind < 2 ? undefined : kind < 80 ? 1 : 0;
};

/** True when nothing happens to an unplanted payment after its own day. */
function endsOnItsDay(plan: number, by: 'day' | 'capturedDay'): boolean {
  return cancelClass(plan) >= cancelledInParts && (by === 'day' || captureLag(plan) !== 1);
}

/** All that happens to a payment within the world, the approval first. */
function eventsOf(provider: WorldProvider, payment: Payment): readonly PaymentEvent[] {
  const all = payment.plant === undefined ? naturalEvents(provider, payment) : plantedEvents(provider, payment);
  const { lastDay } = provider.world;
  if (all.every((event) => event.day <= lastDay && (event.capturedDay ?? 0) <= lastDay)) return all;
  return all
    .filter((event) => event.day <= lastDay)
    .map((event) => ((event.capturedDay ?? 0) <= lastDay ? event : { ...event, capturedDay: undefined }));
}

function naturalEvents(provider: WorldProvider, payment: Payment): readonly PaymentEvent[] {
  const plan = planDraw(provider, payment.day, payment.index);
  const lag = captureLag(plan);
  const kind = cancelClass(plan);
  if (kind >= cancelledInParts) return [approval(payment, lag)];
  const chance = (salt: number): number => draw(plan, payment.index, salt);
  if (kind < cancelledLater && payment.seconds >= 79_200) {
    // Bought late in the evening and regretted after midnight.
    return withCancels(payment, lag, [{ lag: 1, seconds: chance(1) % 3_600, amountWon: payment.amountWon }], chance);
  }
  if (kind < voided) {
    const seconds = Math.min(86_399, payment.seconds + 20 + (chance(1) % 7_200));
    return [approval(payment, undefined), cancel(1, 'C', payment.day, seconds, payment.amountWon, undefined)];
  }
  if (kind < cancelledLater) {
    const later = { lag: 1 + (chance(1) % 3), seconds: 32_400 + (chance(2) % 43_200), amountWon: payment.amountWon };
    return withCancels(payment, lag, [later], chance);
  }
  return withCancels(payment, lag, parts(payment, chance, provider.world.differential), chance);
}

type Cancel = { readonly lag: number; readonly seconds: number; readonly amountWon: number };

/**
 * One to three partial cancels, in the order of time, together less than the payment; `toTheEnd`: of some the last one
 * leaves nothing.
 */
function parts(payment: Payment, chance: (salt: number) => number, toTheEnd: boolean): readonly Cancel[] {
  const count = 1 + (chance(3) % 3);
  const share = Math.floor(payment.amountWon / (count + 2));
  let lag = chance(4) % 3;
  let seconds = lag === 0 ? payment.seconds : 28_800 + (chance(5) % 36_000);
  const leavesNothing = toTheEnd && chance(30) % 3 === 0;
  let left = payment.amountWon;
  return Array.from({ length: count }, (_, n) => {
    seconds = Math.min(86_399, seconds + 60 + (chance(6 + n) % 3_600));
    const amountWon = leavesNothing && n === count - 1 ? left : share - (chance(10 + n) % 3) * 10;
    left -= amountWon;
    const part = { lag, seconds, amountWon };
    if (lag < 3 && chance(14 + n) % 2 === 0) {
      lag += 1;
      seconds = 28_800 + (chance(18 + n) % 36_000);
    }
    return part;
  });
}

function withCancels(
  payment: Payment,
  approvalLag: number | undefined,
  cancels: readonly Cancel[],
  chance: (salt: number) => number,
): readonly PaymentEvent[] {
  const made = cancels.map(({ lag, seconds, amountWon }, n) => {
    const kind = amountWon === payment.amountWon ? 'C' : 'P';
    const day = payment.day + lag;
    const later = chance(22 + n) % 10 === 0 ? 1 : 0;
    const captured = approvalLag === undefined ? undefined : Math.max(payment.day + approvalLag, day + later);
    return cancel(n + 1, kind, day, seconds, amountWon, captured);
  });
  return [approval(payment, approvalLag), ...made];
}

function approval(payment: Payment, lag: number | undefined): PaymentEvent {
  const { day, seconds, amountWon } = payment;
  return { seq: 0, kind: 'A', day, seconds, amountWon, capturedDay: lag === undefined ? undefined : day + lag };
}

function cancel(
  seq: number,
  kind: 'C' | 'P',
  day: number,
  seconds: number,
  amountWon: number,
  capturedDay: number | undefined,
): PaymentEvent {
  return { seq, kind, day, seconds, amountWon: -amountWon, capturedDay };
}

/** A planted payment lives plainly, so that nothing but the plant is special about it. */
function plantedEvents(provider: WorldProvider, payment: Payment): readonly PaymentEvent[] {
  const plant = payment.plant;
  if (plant === undefined) return [];
  const plan = planDraw(provider, payment.day, payment.index);
  const chance = (salt: number): number => draw(plan, payment.index, salt);
  const mayGoOn = payment.day < provider.world.lastDay;
  if (!isOnCancel(plant, provider)) {
    const lag = mayGoOn && plant.kind !== 'released' && plant.kind !== 'missing_here' && chance(0) % 5 === 0 ? 1 : 0;
    return [approval(payment, lag)];
  }
  if (plant.kind === 'timing_late') {
    // Voided just before midnight; the provider dates the cancel on the next day.
    const seconds = 85_800 + (chance(1) % 590);
    const { day, amountWon } = payment;
    return [approval(payment, undefined), cancel(1, 'C', day, seconds, amountWon, undefined)];
  }
  if (plant.kind === 'timing_early') {
    return withCancels(payment, 0, [{ lag: 1, seconds: chance(1) % 590, amountWon: payment.amountWon }], () => 1);
  }
  const lag = mayGoOn ? chance(2) % 2 : 0;
  const amountWon = lag === 1 && chance(3) % 2 === 0 ? payment.amountWon : Math.ceil(payment.amountWon / 2);
  const seconds = lag === 1 ? 36_000 + (chance(4) % 36_000) : Math.min(84_000, payment.seconds + 600);
  return withCancels(payment, 0, [{ lag, seconds, amountWon }], () => 1);
}

/** The one event of a planted payment that the plant is about. */
export function isPlanted(provider: WorldProvider, { payment, event }: Happening): boolean {
  if (payment.plant === undefined) return false;
  return event.seq === (isOnCancel(payment.plant, provider) ? 1 : 0);
}

/**
 * Everything that happened (`by` day) or was captured (`by` capturedDay) on a day, payments that only the provider
 * knows included: payments of the day in the order of time, then what is left of earlier days. Nothing is remembered:
 * earlier payments are made again. `mid` limits it to the payments of one MID.
 */
export function* happeningsOn(
  provider: WorldProvider,
  on: number,
  by: 'day' | 'capturedDay',
  mid?: number,
): Generator<Happening> {
  const step = mid === undefined ? 1 : provider.mids.length;
  for (let day = on; day >= 0 && day >= on - longestLag; day -= 1) {
    for (let index = mid ?? 0; index < provider.paymentsPerDay; index += step) {
      if (day < on && endsOnItsDay(planDraw(provider, day, index), by) && !effectivePlant(provider, day, index))
        continue;
      const payment = paymentOf(provider, day, index);
      for (const event of eventsOf(provider, payment)) if (event[by] === on) yield { payment, event };
    }
  }
}

/** The planted events of the payments of a day, found by their slots alone. */
export function* plantedOn(provider: WorldProvider, day: number, mid?: number): Generator<Happening> {
  if (day < 0 || day > provider.world.lastDay) return;
  for (let slot = 0; slot < provider.plants.plants.length; slot += 1) {
    const index = plantedIndex(provider.plants, provider.dayBases[day] as number, slot);
    if (mid !== undefined && midOf(provider, index) !== mid) continue;
    const payment = paymentOf(provider, day, index);
    for (const event of eventsOf(provider, payment))
      if (isPlanted(provider, { payment, event })) yield { payment, event };
  }
}
