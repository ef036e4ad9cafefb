import { cardBins } from './card.ts';
import { drawBase, drawBelow } from './draw.ts';
import { businessNoOf, type Merchant } from './merchant.ts';
import type { World, WorldProvider } from './world.ts';

/** The columns of the files below, as docs/tiers.md describes them. */
export const tierColumns = 'businessNo,half,validFrom,validTo,tier';
export const subMerchantColumns = 'merchantId,validFrom,intermediaryNo,openedOn,closedOn';
export const cardBinColumns = 'bin,cardType,validFrom';

const validFrom = '2024-01-01';

/** 영중소 등급: 0 영세 to 3 중소3, 4 일반; undefined where nobody graded the merchant. */
export type Tier = 0 | 1 | 2 | 3 | 4;

/** A half-year by its name, `2026H2`, with the day on which it starts. */
export type Half = { readonly name: string; readonly startsOn: string };

/** 반기. The half-year that a day `YYYY-MM-DD` lies in, from the calendar of the regulator. */
export function halfOf(day: string): Half {
  const year = Number(day.slice(0, 4));
  const halves = [year - 1, year].flatMap((of) => [
    { name: `${of}H1`, startsOn: of >= 2025 ? `${of}-02-14` : `${of}-01-31` },
    { name: `${of}H2`, startsOn: of >= 2024 ? `${of}-08-14` : `${of}-07-31` },
  ]);
  return halves.findLast(({ startsOn }) => startsOn <= day) as Half;
}

/** What is charged at a preferential rate already, by the credit rate in millionths: the tier it belongs to. */
const tierOfRate: Readonly<Record<number, Tier>> = { 4000: 0, 10000: 1, 11500: 2, 14500: 3 };

/**
 * The tier of a provider's merchant `no` in a half-year. Most are charged more than their tier's rate; some are charged
 * just that, some are not small, some have no grade; one in eight has another one in each half-year.
 */
export function tierOf(seed: string, provider: WorldProvider, no: number, half: Half): Tier | undefined {
  const merchant = provider.merchants[no] as Merchant;
  const opened = openedOn(provider, no);
  // Too young to have been graded for the half-year in which it opened.
  if (opened !== undefined && halfOf(opened).name === half.name) return undefined;
  const tier = plainTier(drawBase(seed, 'tiers', provider.id), no, merchant.creditFeePpm);
  const changes = drawBelow(drawBase(seed, 'tiers', provider.id, half.name), no, 0, 8) === 0;
  if (opened !== undefined) return (no % 4) as Tier;
  if (!changes) return tier;
  return tier === undefined ? 1 : (((tier + 1) % 5) as Tier);
}

function plainTier(base: number, no: number, creditFeePpm: number): Tier | undefined {
  const chance = drawBelow(base, no, 0, 100);
  const preferential = tierOfRate[creditFeePpm];
  if (preferential === 0) return 0;
  if (preferential === undefined) {
    if (chance < 72) return drawBelow(base, no, 1, 4) as Tier;
    return chance < 84 ? 4 : undefined;
  }
  if (chance < 30) return preferential;
  return chance < 92 ? (drawBelow(base, no, 1, preferential) as Tier) : 4;
}

/** The day on which a merchant opened, where that is in the half-year of the world's first day. */
export function openedOn(provider: WorldProvider, no: number): string | undefined {
  if (no % 11 !== 5) return undefined;
  const first = provider.world.days[0]?.on ?? '';
  const opened = Temporal.PlainDate.from(halfOf(first).startsOn)
    .add({ days: 12 + no })
    .toString();
  return [opened, first].sort()[0];
}

/** 영중소 등급. A line for each merchant and half-year that the world touches, and the ones before and after it. */
export function* tierLines(world: World): Generator<string> {
  for (const half of halvesOf(world)) {
    for (const provider of world.providers) {
      for (const [no, { businessNo }] of provider.merchants.entries()) {
        const tier = tierOf(world.spec.seed, provider, no, half);
        if (tier !== undefined) yield `${businessNo},${half.name},,,${tier}\n`;
      }
    }
  }
}

/** The half-years of the world's days, and the one before, in their order. */
function halvesOf(world: World): readonly Half[] {
  const first = halfOf(world.days[0]?.on ?? '');
  const before = halfOf(Temporal.PlainDate.from(first.startsOn).subtract({ days: 1 }).toString());
  const halves = new Map([before, ...world.days.map(({ on }) => halfOf(on))].map((half) => [half.name, half]));
  return [...halves.values()];
}

/** 중간하위사업자. Every fifth merchant sells through another business. */
export function intermediaryOf(provider: WorldProvider, no: number): string | undefined {
  return no % 5 === 1 && isSubMerchant(provider, no)
    ? businessNoOf(`${220 + provider.no}81${String(1_000 + (no % 7))}`)
    : undefined;
}

/** Nobody knows through whom the last merchant of each provider sells: it is in no file of sub-merchants. */
export const isSubMerchant = (provider: WorldProvider, no: number): boolean => no < provider.merchants.length - 1;

/** 하위가맹점. Every merchant but a few. */
export function* subMerchantLines(world: World): Generator<string> {
  for (const provider of world.providers) {
    for (const [no, { merchantId }] of provider.merchants.entries()) {
      if (!isSubMerchant(provider, no)) continue;
      const opened = openedOn(provider, no) ?? '2021-03-02';
      const from = opened > validFrom ? opened : validFrom;
      yield `${merchantId},${from},${intermediaryOf(provider, no) ?? ''},${opened},\n`;
    }
  }
}

/** A BIN that nobody has listed, and one that is listed some days later: their claims cannot be priced until then. */
export const unlistedBin = cardBins[7]?.bin ?? '';
export const lateBin = cardBins[3]?.bin ?? '';
/** The day of the world before whose first hour the late one is listed: batches from the day before it on know it. */
export const lateBinDay = 12;

/** 카드 BIN. All that the sandbox's cards have but two. */
export function* cardBinLines(): Generator<string> {
  for (const { bin, type } of cardBins) {
    if (bin !== unlistedBin && bin !== lateBin) yield `${bin},${type},${validFrom}\n`;
  }
}

/** What comes later: the one BIN that was overlooked. */
export function* lateBinLines(): Generator<string> {
  for (const { bin, type } of cardBins) if (bin === lateBin) yield `${bin},${type},${validFrom}\n`;
}

/** The name by which we know a merchant: in a world for differential settlement one has a character that CP949 lacks. */
export function nameOf(provider: WorldProvider, no: number): string {
  const { name } = provider.merchants[no] as Merchant;
  return provider.world.differential && no === unwritableMerchant ? `${name} ☕` : name;
}

/** Which merchant of each provider no file in CP949 can name. */
export const unwritableMerchant = 3;
