import type { Words } from '../reconciliation/words.ts';
import type { ClaimStatus } from './claim-words.ts';

/** Claims that are alike, and what they come to. Won are signed; `claimedWon` is ours, `acceptedWon` theirs. */
export type ClaimGroup = {
  readonly provider: string;
  /** Of their trade, `YYYY-MM`. */
  readonly month: string;
  /** D daily, R retroactive. */
  readonly kind: string;
  readonly tier: number;
  readonly status: ClaimStatus;
  readonly reason: string | null;
  /** The capture day of those that are outstanding; null: of all others. */
  readonly since: string | null;
  readonly claims: bigint;
  /** Of them, those that cannot be priced yet. */
  readonly unpriced: bigint;
  readonly claimedWon: bigint;
  readonly acceptedWon: bigint;
  /** Accepted with another difference than ours, and how much that is more or less. */
  readonly differing: bigint;
  readonly differingWon: bigint;
};

/** What was booked for merchants in the period, by provider. */
export type RefundSums = {
  readonly provider: string;
  readonly bookings: bigint;
  readonly refundWon: bigint;
  readonly clawbackWon: bigint;
  readonly offsetWon: bigint;
  readonly carriedWon: bigint;
  readonly heldWon: bigint;
  readonly walletWon: bigint;
};

/** All that a report shows. Days are days of trade, both included. */
export type ReportData = {
  readonly from: string;
  readonly to: string;
  readonly madeAt: Temporal.Instant;
  readonly providerNames: Readonly<Record<string, Words>>;
  readonly groups: readonly ClaimGroup[];
  readonly refunds: readonly RefundSums[];
  /** Names of the files beside the page. */
  readonly files: readonly string[];
};

/** 미결. Claims that may still bring money: held ones and those that wait for an answer. */
export function isOutstanding({ status }: Pick<ClaimGroup, 'status'>): boolean {
  return status === 'held' || status === 'waiting';
}

/** How many, and what they come to. */
export type Counted = { readonly claims: bigint; readonly won: bigint };

/** What so many groups come to. Accepted are paid and clawed back together; their won are theirs, all others' ours. */
export type Sums = {
  readonly claimed: Counted;
  readonly accepted: Counted;
  readonly paid: Counted;
  readonly clawedBack: Counted;
  readonly rejected: Counted;
  readonly held: Counted;
  readonly waiting: Counted;
  readonly differing: Counted;
};

export function sumGroups(groups: readonly ClaimGroup[]): Sums {
  const count = (
    among: (group: ClaimGroup) => boolean,
    won: (group: ClaimGroup) => bigint,
    claims: (group: ClaimGroup) => bigint = (group) => group.claims,
  ): Counted => {
    const chosen = groups.filter(among);
    return {
      claims: chosen.reduce((sum, group) => sum + claims(group), 0n),
      won: chosen.reduce((sum, group) => sum + won(group), 0n),
    };
  };
  const ours = (group: ClaimGroup): bigint => group.claimedWon;
  const theirs = (group: ClaimGroup): bigint => group.acceptedWon;
  const having =
    (...statuses: ClaimStatus[]) =>
    ({ status }: ClaimGroup) =>
      statuses.includes(status);
  return {
    claimed: count(() => true, ours),
    accepted: count(having('paid', 'clawed_back'), theirs),
    paid: count(having('paid'), theirs),
    clawedBack: count(having('clawed_back'), theirs),
    rejected: count(having('rejected'), ours),
    held: count(having('held'), ours),
    waiting: count(having('waiting'), ours),
    differing: count(
      () => true,
      (group) => group.differingWon,
      (group) => group.differing,
    ),
  };
}

/** The groups by a key, each key's in their order; keys in the order of their first group. */
export function groupBy(
  groups: readonly ClaimGroup[],
  keyOf: (group: ClaimGroup) => string,
): ReadonlyMap<string, readonly ClaimGroup[]> {
  return Map.groupBy(groups, keyOf);
}

/** A line of the sheet: the groups that differ in nothing but their capture day, with the oldest of those. */
export type SheetLine = Omit<ClaimGroup, 'since'> & { readonly oldest: string | null };

export function sheetLines(groups: readonly ClaimGroup[]): readonly SheetLine[] {
  const key = ({ month, provider, kind, tier, status, reason }: ClaimGroup): string =>
    [month, provider, kind, tier, status, reason ?? ''].join('\n');
  return [...groupBy(groups, key).values()].map((alike) => {
    const sum = (of: (group: ClaimGroup) => bigint): bigint => alike.reduce((total, group) => total + of(group), 0n);
    const days = alike.flatMap(({ since }) => since ?? []).sort();
    const { since: _, ...first } = alike[0] as ClaimGroup;
    return {
      ...first,
      claims: sum((group) => group.claims),
      unpriced: sum((group) => group.unpriced),
      claimedWon: sum((group) => group.claimedWon),
      acceptedWon: sum((group) => group.acceptedWon),
      differing: sum((group) => group.differing),
      differingWon: sum((group) => group.differingWon),
      oldest: days[0] ?? null,
    };
  });
}
