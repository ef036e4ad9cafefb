import type { Stage } from '../providers/stage.ts';

/**
 * A planted difference as `truth.json` tells it, in the words of `breaks list --json`. `on` is the day of the statement
 * in which the line stands (of our record where there is no line; the pay-in day of a deposit); `differenceWon` is
 * theirs − ours in signed won, null where nobody could know it.
 */
export type Difference = {
  readonly provider: string;
  readonly stage: Stage | 'deposit';
  readonly on: string;
  readonly kind: DifferenceKind;
  readonly providerTid: string | null;
  readonly line: number | null;
  readonly differenceWon: number | null;
};

/** `timing` is no break: it must be paired by itself, and stands here so that nobody calls it one. */
export type DifferenceKind =
  | 'timing'
  | 'missing_at_provider'
  | 'missing_here'
  | 'amount_differs'
  | 'status_differs'
  | 'date_differs'
  | 'fee_differs'
  | 'vat_differs'
  | 'net_differs'
  | 'duplicate'
  | 'capture_rejected'
  | 'capture_held'
  | 'unreadable'
  | 'deposit_differs';

/** Plants that are no difference in the end: matches by a weaker key, held captures that are released later. */
export type Peculiarity = 'weak' | 'released';
