import { type Card, drawCard } from './card.ts';
import { draw, drawBelow, drawShare } from './draw.ts';
import type { Merchant } from './merchant.ts';
import { type Plant, plantAt } from './plant.ts';
import { type WorldProvider, worldDay } from './world.ts';

/** A card payment (승인) as it truly happened, by its day and its index in the day. */
export type Payment = {
  readonly day: number;
  readonly index: number;
  readonly seconds: number;
  readonly amountWon: number;
  readonly merchant: Merchant;
  readonly card: Card;
  readonly providerTid: string;
  readonly approvalNo: string;
  readonly orderNo: string;
  readonly cardNo: string;
  readonly cardMerchantNo: string;
  readonly instalments: number;
  readonly plant: Plant | undefined;
};

/** What each draw of a payment is for. */
const salt = {
  plan: 1,
  time: 2,
  merchant: 3,
  card: 4,
  amountClass: 5,
  amount: 6,
  instalments: 7,
  approvalNo: 8,
  cardNo: 9,
  plantedTime: 10,
} as const;

/** Payments by hour of day, in 1/1000: online sales rise in the evening, shops sell at noon and after work. */
const onlineHours = [22, 14, 9, 6, 5, 6, 11, 22, 37, 48, 54, 57, 58, 55, 53, 53, 54, 54, 56, 62, 72, 76, 66, 50];
const offlineHours = [8, 4, 3, 2, 2, 5, 15, 32, 44, 46, 55, 88, 105, 78, 58, 55, 58, 72, 92, 83, 52, 25, 12, 6];

type HourCurve = {
  readonly from: readonly number[];
  readonly share: readonly number[];
  readonly first: readonly number[];
};
const steps = 512;

/** The curve's inverse: where in the day the payment at a share of all payments falls. */
function hourCurve(weights: readonly number[]): HourCurve {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const share = weights.map((weight) => weight / total);
  const from = share.map((_, hour) => share.slice(0, hour).reduce((sum, part) => sum + part, 0));
  const first = Array.from({ length: steps }, (_, step) =>
    Math.max(
      0,
      from.findLastIndex((at) => at <= step / steps),
    ),
  );
  return { from, share, first };
}
const curves = { online: hourCurve(onlineHours), offline: hourCurve(offlineHours) };

function secondsOf(provider: WorldProvider, dayBase: number, index: number): number {
  const curve = provider.online ? curves.online : curves.offline;
  const at = (index + drawShare(dayBase, index, salt.time)) / provider.paymentsPerDay;
  let hour = curve.first[Math.floor(at * steps)] ?? 0;
  while (hour < 23 && (curve.from[hour + 1] ?? 1) <= at) hour += 1;
  const within = (at - (curve.from[hour] ?? 0)) / (curve.share[hour] ?? 1);
  return Math.min(86_390, hour * 3_600 + Math.floor(within * 3_600));
}

/** Prices as people meet them: many small ones, few large, mostly whole hundreds, online often ending in 900. */
function amountOf(provider: WorldProvider, dayBase: number, index: number): number {
  const kind = drawBelow(dayBase, index, salt.amountClass, 1_000);
  const h = draw(dayBase, index, salt.amount);
  if (kind < 4) return 1_000_000 + (h % 20_000) * 100;
  if (!provider.online) return kind < 700 ? 1_500 + (h % 250) * 100 : 20_000 + (h % 1_800) * 50;
  if (kind < 450) return 2_900 + (h % 47) * 1_000;
  return kind < 900 ? 10_000 + (h % 9_000) * 10 : 100_000 + (h % 4_000) * 100;
}

/** 거래고유번호. Each provider's own style; unique by day and index, and no other index ever yields the same. */
export function providerTidOf(provider: WorldProvider, day: number, index: number, seconds: number): string {
  const { compact, short } = worldDay(provider, day);
  const serial = padded(index, 100_000_000);
  if (provider.id === 'ksnet') return `7${short}${serial}`;
  if (provider.id === 'welcome-online') return `WP${compact}${compactClocks[seconds]}${serial}`;
  if (provider.id === 'nice') return `${provider.mids[midOf(provider, index)] ?? ''}01${short}${serial}`;
  return `${80_000_000 + (index % 997)}${short}${serial}`;
}

/** Payments of one MID stand at every so-manieth index, so that a file of one MID needs no look at the others. */
export function midOf(provider: WorldProvider, index: number): number {
  return index % provider.mids.length;
}

/** Makes payment `index` of `day` again; the same one every time. */
export function paymentOf(provider: WorldProvider, day: number, index: number): Payment {
  const dayBase = provider.dayBases[day] as number;
  const plant = effectivePlant(provider, day, index);
  const mid = midOf(provider, index);
  const perMid = provider.merchants.length / provider.mids.length;
  const merchantNo = drawBelow(dayBase, index, salt.merchant, perMid) * provider.mids.length + mid;
  const merchant = provider.merchants[merchantNo] as Merchant;
  const card = drawCard(dayBase, index, salt.card, provider.world.differential);
  const amountWon = amountOf(provider, dayBase, index);
  const seconds = plantedSeconds(provider, dayBase, index, plant) ?? secondsOf(provider, dayBase, index);
  const mayInstal =
    amountWon >= 50_000 && card.type === 'credit' && drawBelow(dayBase, index, salt.instalments, 5) === 0;
  return {
    day,
    index,
    seconds,
    amountWon,
    merchant,
    card,
    providerTid: providerTidOf(provider, day, index, seconds),
    approvalNo: approvalNoOf(provider, dayBase, index),
    orderNo: `${provider.online ? 'ORD' : 'POS'}${worldDay(provider, day).compact}${padded(index, 1_000_000_000)}`,
    cardNo: `${card.bin}******${padded(drawBelow(dayBase, index, salt.cardNo, 10_000), 10_000)}`,
    cardMerchantNo: merchant.cardMerchantNos[card.acquirerNo] as string,
    instalments: mayInstal ? ([2, 3, 3, 6, 10, 12][drawBelow(dayBase, index, salt.amount, 6)] ?? 0) : 0,
    plant,
  };
}

/** 승인번호: eight digits. Terminals share a small range, so that offline an approval number alone says nothing. */
function approvalNoOf(provider: WorldProvider, dayBase: number, index: number): string {
  const range = provider.online ? 80_000_000 : Math.max(20, Math.floor(provider.paymentsPerDay / 8));
  return String(10_000_000 + drawBelow(dayBase, index, salt.approvalNo, range));
}

function plantedSeconds(provider: WorldProvider, dayBase: number, index: number, plant: Plant | undefined) {
  if (plant === undefined || isOnCancel(plant, provider)) return undefined;
  if (plant.kind === 'timing_late') return 85_800 + drawBelow(dayBase, index, salt.plantedTime, 590);
  if (plant.kind === 'timing_early') return drawBelow(dayBase, index, salt.plantedTime, 590);
  return undefined;
}

/** The plant of a payment, unless the world ends (or begins) too near for what it needs. */
export function effectivePlant(provider: WorldProvider, day: number, index: number): Plant | undefined {
  const plant = plantAt(provider.plants, provider.dayBases[day] as number, day, index);
  if (plant === undefined) return undefined;
  const { lastDay } = provider.world;
  if ((plant.kind === 'timing_late' || plant.kind === 'released') && day === lastDay) return undefined;
  if (plant.kind === 'timing_early' && (isOnCancel(plant, provider) ? day === lastDay : day === 0)) return undefined;
  return plant;
}

/** Some plants sit on the payment's cancel instead of its approval. */
export function isOnCancel(plant: Plant, provider: WorldProvider): boolean {
  if (!cancelable.has(plant.kind)) return false;
  return (plant.ordinal + provider.no + plant.kind.length) % 3 === 0;
}

const cancelable: ReadonlySet<string> = new Set([
  'timing_late',
  'timing_early',
  'missing_at_provider',
  'amount_differs',
  'duplicate',
  'fee_differs',
  'vat_differs',
  'net_differs',
  'weak_by_approval',
  'weak_by_order',
]);

/** The draw that decides a payment's further life: see `planOf`. */
export function planDraw(provider: WorldProvider, day: number, index: number): number {
  return draw(provider.dayBases[day] as number, index, salt.plan);
}

/** A number below a power of ten with as many digits as that has zeros; quicker than padStart. */
const padded = (value: number, powerOfTen: number): string => String(powerOfTen + value).slice(1);

/** `HH:MM:SS`. */
export function clock(seconds: number): string {
  return clocks[seconds] as string;
}
const two = (n: number): string => String(n).padStart(2, '0');
const clocks: readonly string[] = Array.from(
  { length: 86_400 },
  (_, s) => `${two(Math.floor(s / 3_600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`,
);
const compactClocks: readonly string[] = clocks.map((time) => time.replaceAll(':', ''));
