import { seoul } from '../kernel/business-day.ts';
import { drawCard } from './card.ts';
import { draw, drawBase, drawBelow } from './draw.ts';
import { recordColumns } from './our-records.ts';
import type { World, WorldProvider } from './world.ts';

/** A sale that is captured at once, as it may be cancelled later. */
export type LiveSale = {
  readonly provider: WorldProvider;
  readonly merchantNo: number;
  readonly index: number;
  readonly providerTid: string;
  readonly amountWon: number;
};

/** What a burst holds: a payments file, and its sales for the cancels of the next one. */
export type LiveBurst = { readonly csv: string; readonly sales: readonly LiveSale[] };

/** One sale in so many is taken back in the next burst, every other of them in part. */
const cancelEvery = 25;

/**
 * 실시간 거래. Sales of this moment over all merchants of a world, captured as they are made, and cancels of `before`.
 * Transaction ids carry the instant, so that a later process never repeats one.
 */
export function liveBurst(world: World, at: Temporal.Instant, count: number, before: readonly LiveSale[]): LiveBurst {
  const base = drawBase(world.spec.seed, 'live', at.epochMilliseconds);
  const stamp = at.epochMilliseconds.toString(36).toUpperCase();
  const sales = Array.from({ length: count }, (_, index): LiveSale => {
    const provider = world.providers[drawBelow(base, index, 0, world.providers.length)] as WorldProvider;
    return {
      provider,
      merchantNo: drawBelow(base, index, 1, provider.merchants.length),
      index,
      providerTid: `LIVE${stamp}${String(index).padStart(5, '0')}`,
      amountWon: 1_000 + drawBelow(base, index, 2, 900) * 100,
    };
  });
  const cancels = before.filter((sale) => sale.index % cancelEvery === 0);
  const lines = [
    ...sales.flatMap((sale) => recordsOf(sale, base, at, { name: 'approval', seq: 0, amountWon: sale.amountWon })),
    ...cancels.flatMap((sale) => recordsOf(sale, base, at, cancelOf(sale))),
  ];
  return { csv: `${recordColumns}\n${lines.join('')}`, sales };
}

type LiveEvent = {
  readonly name: 'approval' | 'cancel' | 'partial_cancel';
  readonly seq: number;
  readonly amountWon: number;
};

function cancelOf({ index, amountWon }: LiveSale): LiveEvent {
  return index % (2 * cancelEvery) === 0
    ? { name: 'cancel', seq: 1, amountWon: -amountWon }
    : { name: 'partial_cancel', seq: 1, amountWon: -Math.floor(amountWon / 300) * 100 };
}

function recordsOf(sale: LiveSale, base: number, at: Temporal.Instant, event: LiveEvent): string[] {
  const { provider, merchantNo, index, providerTid } = sale;
  const merchant = provider.merchants[merchantNo];
  if (merchant === undefined || event.amountWon === 0) return [];
  const card = drawCard(base, index, 3);
  const time = at.toZonedDateTimeISO(seoul);
  const tradedAt = time.toString({ timeZoneName: 'never', smallestUnit: 'second' });
  const fee = Math.floor((Math.abs(event.amountWon) * merchant.creditFeePpm) / 1_000_000);
  const sign = event.amountWon < 0 ? -1 : 1;
  const [feeWon, vatWon] = [sign * fee || 0, sign * Math.floor(fee / 10) || 0];
  const approvalNo = String(draw(base, index, 4) % 100_000_000).padStart(8, '0');
  const cardNo = `${card.bin}******${String(draw(base, index, 5) % 10_000).padStart(4, '0')}`;
  const cardMerchantNo = merchant.cardMerchantNos[card.acquirerNo] ?? '';
  const { mid, merchantId } = merchant;
  return [
    `${event.name},${provider.id},${providerTid},${event.seq},${tradedAt},,${event.amountWon},,,${mid},${merchantId},L${providerTid},${approvalNo},${card.acquirer},${card.issuer},${cardMerchantNo},${cardNo},0\n`,
    `capture,${provider.id},${providerTid},${event.seq},${tradedAt},${time.toPlainDate().toString()},${event.amountWon},${feeWon},${vatWon},${mid},,,,,,,,\n`,
  ];
}
