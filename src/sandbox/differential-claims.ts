import { cardBins } from './card.ts';
import {
  halfOf,
  intermediaryOf,
  isSubMerchant,
  lateBin,
  lateBinDay,
  type Tier,
  tierOf,
  unlistedBin,
} from './differential-facts.ts';
import { type CardType, type Manner, preferentialRate, preferentialWon } from './differential-rates.ts';
import { type Happening, happeningsOn } from './event.ts';
import { feeOf } from './fee.ts';
import { type World, type WorldProvider, worldDay } from './world.ts';

/** Whom the sandbox answers claims as. */
export const claimProviders = ['ksnet', 'welcome', 'nice'] as const;
export type ClaimProvider = (typeof claimProviders)[number];

type Played = { readonly channels: readonly string[]; readonly manner: Manner; readonly registers: boolean };

/** What the providers' manuals say of how they count. */
export const played: Readonly<Record<ClaimProvider, Played>> = {
  ksnet: {
    channels: ['ksnet'],
    manner: { feeEnds: 'half_up', supplyEnds: 'half_up', lastCancel: 'remainder' },
    registers: true,
  },
  welcome: {
    channels: ['welcome-online', 'welcome-offline'],
    manner: { feeEnds: 'cut', supplyEnds: 'cut', lastCancel: 'remainder' },
    registers: true,
  },
  nice: {
    channels: ['nice'],
    manner: { feeEnds: 'cut', supplyEnds: 'half_up', lastCancel: 'remainder' },
    registers: false,
  },
};

/** A claim that has to be made, by the sandbox's own books. Won are signed: what is claimed of a cancel is below zero. */
export type DueClaim = {
  readonly provider: ClaimProvider;
  readonly channel: string;
  readonly providerTid: string;
  readonly cancelSeq: number;
  readonly type: 'A' | 'C' | 'P';
  readonly tradedOn: string;
  readonly originalOn: string;
  readonly capturedOn: string;
  readonly amountWon: bigint;
  readonly originalWon: bigint;
  readonly chargedWon: bigint;
  readonly differenceWon: bigint;
  readonly tier: Exclude<Tier, 4>;
  readonly cardType: CardType;
  readonly merchantNo: number;
  readonly isSubMerchant: boolean;
  readonly merchantId: string;
  readonly mid: string;
  readonly acquirer: string;
  readonly finalNo: string;
  readonly intermediaryNo: string | undefined;
  /** Nobody has listed the card's BIN: `never`, or not before somebody brings it in. */
  readonly binListed: 'always' | 'later' | 'never';
};

/** By what a provider and we know a claim. */
export const claimKey = ({ providerTid, cancelSeq }: Pick<DueClaim, 'providerTid' | 'cancelSeq'>): string =>
  `${providerTid}/${cancelSeq}`;

/**
 * 청구되어야 하는 건. What a provider owes by law for the captures of a world: computed payment by payment, in the order
 * in which the payments were made, an approval before its cancels. All of a world's payments are held at once.
 */
export function dueClaims(world: World, provider: ClaimProvider): readonly DueClaim[] {
  const payments = new Map<string, Happening[]>();
  for (const channel of world.providers.filter(({ id }) => played[provider].channels.includes(id))) {
    for (const day of world.days) {
      for (const happening of happeningsOn(channel, day.no, 'capturedDay')) {
        if (happening.payment.plant?.kind === 'missing_here') continue;
        const key = `${channel.id} ${happening.payment.providerTid}`;
        const known = payments.get(key);
        if (known === undefined) payments.set(key, [happening]);
        else known.push(happening);
      }
    }
  }
  return [...payments].flatMap(([key, captured]) => {
    const channel = world.providers.find(({ id }) => id === key.split(' ')[0]) as WorldProvider;
    return claimsOfPayment(world, channel, provider, captured);
  });
}

/** The claims of one payment: its approval's, and those of its cancels, which take back no more than that one gave. */
function claimsOfPayment(
  world: World,
  channel: WorldProvider,
  provider: ClaimProvider,
  captured: readonly Happening[],
): DueClaim[] {
  const approval = captured.find(({ event }) => event.seq === 0);
  if (approval === undefined) return [];
  const { payment } = approval;
  const merchantNo = channel.merchants.indexOf(payment.merchant);
  const originalOn = worldDay(channel, payment.day).on;
  const tier = tierOf(world.spec.seed, channel, merchantNo, halfOf(originalOn));
  if (tier === undefined || tier === 4) return [];
  const cardType = cardBins.find(({ bin }) => bin === payment.card.bin)?.type ?? 'credit';
  const { manner } = played[provider];
  const rate = preferentialRate(originalOn, tier, cardType);
  const overcharged = (happening: Happening): bigint =>
    chargedOf(happening) - preferentialWon(BigInt(happening.event.amountWon), rate, manner);
  const claim = (happening: Happening, differenceWon: bigint): DueClaim => ({
    provider,
    channel: channel.id,
    providerTid: payment.providerTid,
    cancelSeq: happening.event.seq,
    type: happening.event.kind,
    tradedOn: worldDay(channel, happening.event.day).on,
    originalOn,
    capturedOn: worldDay(channel, happening.event.capturedDay ?? happening.event.day).on,
    amountWon: BigInt(happening.event.amountWon),
    originalWon: BigInt(payment.amountWon),
    chargedWon: chargedOf(happening),
    differenceWon,
    tier,
    cardType,
    merchantNo,
    isSubMerchant: isSubMerchant(channel, merchantNo),
    merchantId: payment.merchant.merchantId,
    mid: payment.merchant.mid,
    acquirer: payment.card.acquirer,
    finalNo: payment.merchant.businessNo,
    intermediaryNo: intermediaryOf(channel, merchantNo),
    binListed: payment.card.bin === unlistedBin ? 'never' : payment.card.bin === lateBin ? 'later' : 'always',
  });
  let leftWon = overcharged(approval);
  const { binListed } = claim(approval, 0n);
  const batchDay = approval.event.capturedDay ?? 0;
  // What could not be priced when its day was claimed is a claim all the same.
  const isBlind = binListed === 'never' || (binListed === 'later' && batchDay < lateBinDay - 1);
  if (leftWon <= 0n && !isBlind) return [];
  const claims = [claim(approval, leftWon)];
  let soldWon = BigInt(payment.amountWon);
  const cancels = captured.filter((happening) => happening !== approval).sort(byCapture);
  for (const cancel of cancels) {
    soldWon += BigInt(cancel.event.amountWon);
    const ownWon = -overcharged(cancel);
    const leavesNothing = soldWon === 0n && manner.lastCancel === 'remainder';
    const backWon = leavesNothing || ownWon > leftWon ? leftWon : ownWon;
    if (backWon <= 0n && !isBlind) continue;
    leftWon -= backWon;
    claims.push(claim(cancel, -backWon));
  }
  return claims;
}

function chargedOf(happening: Happening): bigint {
  const { feeWon, vatWon } = feeOf(happening);
  return BigInt(feeWon) + BigInt(vatWon);
}

function byCapture({ event: one }: Happening, { event: other }: Happening): number {
  return (one.capturedDay ?? 0) - (other.capturedDay ?? 0) || one.seq - other.seq;
}
