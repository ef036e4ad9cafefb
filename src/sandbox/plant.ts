import { Problem } from '../kernel/problem.ts';
import type { Stage } from '../providers/stage.ts';
import { draw } from './draw.ts';

/** What is planted in the files of a stage. The last two of the transaction stage are no differences: they must pair. */
const plantKinds = {
  transaction: [
    'timing_late',
    'timing_early',
    'missing_at_provider',
    'missing_here',
    'amount_differs',
    'status_differs',
    'date_differs',
    'duplicate',
    'unreadable',
    'weak_by_approval',
    'weak_by_order',
  ],
  capture: [
    'missing_at_provider',
    'missing_here',
    'amount_differs',
    'duplicate',
    'capture_rejected',
    'capture_held',
    'unreadable',
    'released',
  ],
  settlement: [
    'missing_at_provider',
    'missing_here',
    'amount_differs',
    'fee_differs',
    'vat_differs',
    'net_differs',
    'duplicate',
  ],
} as const satisfies Record<Stage, readonly string[]>;

export type PlantKind = (typeof plantKinds)[Stage][number];

/** One planted peculiarity: a payment has at most one, over all stages. */
export type Plant = { readonly stage: Stage; readonly kind: PlantKind; readonly ordinal: number };

/** Where plants stand among a provider's payments of a day: one in each stretch of `width` payments from `first`. */
export type PlantSlots = {
  readonly first: number;
  readonly width: number;
  readonly plants: readonly Plant[];
  readonly stride: number;
  /** How many of the plants are payments that only the provider knows. */
  readonly onlyTheirs: number;
};

/** Held captures that are released later are few: one for so many of the others. */
const releasedOneIn = 4;

/** A file with too many lines that cannot be read is refused as a whole, which is another story. */
const unreadableAtMost = 40;

/**
 * Spreads a stated number of each kind over the middle of a day (so that none but timing comes near midnight).
 * `breaks` below 1 is a share of the payments for each stage (at least one of each kind, at most what there is room
 * for), else the count of each kind; throws `usage` where a count does not fit.
 */
export function plantSlots(stages: readonly Stage[], payments: number, breaks: number): PlantSlots {
  const first = Math.floor(payments * 0.15);
  const room = Math.floor(payments * 0.65);
  const kinds = stages.reduce((count, stage) => count + plantKinds[stage].length, 0);
  const most = Math.floor(room / kinds);
  if (breaks >= 1 && breaks > most) {
    throw new Problem('usage', {
      reason: `${breaks} breaks of each kind need more than ${payments} payments a day of one provider`,
    });
  }
  const plants: readonly Plant[] = stages.flatMap((stage) =>
    plantKinds[stage].flatMap((kind) => {
      const share = breaks === 0 ? 0 : Math.max(1, Math.round((payments * breaks) / plantKinds[stage].length));
      const count = Math.min(breaks >= 1 ? breaks : share, most);
      const length =
        kind === 'released'
          ? Math.ceil(count / releasedOneIn)
          : kind === 'unreadable'
            ? Math.min(count, unreadableAtMost)
            : count;
      return Array.from({ length }, (_, ordinal) => ({ stage, kind, ordinal }));
    }),
  );
  const width = plants.length === 0 ? 0 : Math.floor(room / plants.length);
  return {
    first,
    width,
    plants,
    stride: strideThrough(plants.length),
    onlyTheirs: plants.filter((plant) => plant.kind === 'missing_here').length,
  };
}

/** A step that visits all of `count` places once and mixes the kinds. */
function strideThrough(count: number): number {
  const divides = (a: number, b: number): number => (b === 0 ? a : divides(b, a % b));
  let stride = Math.max(1, Math.floor(count * 0.618));
  while (divides(count, stride) > 1) stride += 1;
  return stride;
}

/** The index of the payment that stands in slot `slot`. */
export function plantedIndex(slots: PlantSlots, dayBase: number, slot: number): number {
  return slots.first + slot * slots.width + (draw(dayBase, slot, 90) % slots.width);
}

/** The plant of a slot: kinds change places from day to day. */
function plantInSlot(slots: PlantSlots, day: number, slot: number): Plant {
  return slots.plants[(slot * slots.stride + day * 17) % slots.plants.length] as Plant;
}

/** What is planted on a payment by its index, or undefined. */
export function plantAt(slots: PlantSlots, dayBase: number, day: number, index: number): Plant | undefined {
  if (slots.width === 0 || index < slots.first) return undefined;
  const slot = Math.floor((index - slots.first) / slots.width);
  if (slot >= slots.plants.length || plantedIndex(slots, dayBase, slot) !== index) return undefined;
  return plantInSlot(slots, day, slot);
}
