import { type Stage, stages } from '../providers/stage.ts';

/** 불일치 종류. Every way in which a record of ours and a line of theirs may differ. */
export const breakKinds = [
  'missing_at_provider',
  'missing_here',
  'amount_differs',
  'status_differs',
  'date_differs',
  'fee_differs',
  'vat_differs',
  'net_differs',
  'duplicate',
  'capture_rejected',
  'capture_held',
  'unreadable',
  'deposit_differs',
] as const;
export type BreakKind = (typeof breakKinds)[number];

/** A stage of reconciliation; the deposit check (입금 대사) follows the settlement stage and has no file of its own. */
export type ReconciledStage = Stage | 'deposit';
export const reconciledStages = [...stages, 'deposit'] as const satisfies readonly ReconciledStage[];

/**
 * How a stage of a provider stands for a day: `reconciled`; `missing` a file that is expected; `waiting` for a file
 * that still grows, or for an earlier day; `refused` a file that cannot be read; `failed`; `not_run` yet, or
 * not since more came in.
 */
export const stageStates = ['reconciled', 'missing', 'waiting', 'refused', 'failed', 'not_run'] as const;
export type StageState = (typeof stageStates)[number];

/** The counts of one stage of one provider for a business day, as they stand now. Amounts are signed won. */
export type StageSummary = {
  readonly provider: string;
  readonly stage: ReconciledStage;
  readonly on: string;
  readonly state: StageState;
  /** Readable lines of their files, and records of ours, with their signed sums. */
  readonly lines: number;
  readonly linesWon: bigint;
  readonly ours: number;
  readonly oursWon: bigint;
  readonly matched: number;
  readonly timing: number;
  /** Unmatched records near midnight, or of a day not yet reconciled: not breaks before the neighbouring day is in. */
  readonly awaiting: number;
  /** Captures that the provider rejected or holds: not expected in a settlement. */
  readonly held: number;
  /** Differences that exist, whether somebody has resolved them or not. */
  readonly breaks: Readonly<Partial<Record<BreakKind, BreakSum>>>;
  /** Names of expected files that are not there, of files still growing, and of refused files with the reason. */
  readonly missing: readonly string[];
  readonly waiting: readonly string[];
  readonly refused: readonly RefusedFile[];
  readonly reconciledAt: string | null;
  /** Lines or records have come in, or another day has taken some, since it was reconciled. */
  readonly due?: true;
  /** Why the last run of the stage failed, if it did. */
  readonly error?: string;
};

export type BreakSum = { readonly count: number; readonly unresolved: number; readonly differenceWon: bigint };
export type RefusedFile = {
  readonly file: string;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
};

/**
 * The day's equation (law 2) for one provider, in signed won. Each side is stated by one party and the breaks must
 * explain the rest; `residualWon` other than 0n means that something was not found, and the day is INCOMPLETE.
 *
 * Transactions: `statedWon` (approved − cancelled by their files) = `capturedWon` + `notCapturedWon` + `breaksWon`
 * + `timingWon`. Settlement: `capturedWon` = `netWon` + `feeWon` + `vatWon` + `heldWon` − `breaksWon` − `timingWon`;
 * of `netWon`, `depositedWon` belongs to pay-in days whose deposits agree, `depositBreaksWon` to pay-in days whose
 * deposits differ, and `notDueWon` to days that are not due or not judged yet.
 * `approvedWon` and `cancelledWon` are our own books of the day.
 * `timingWon` also holds records that await a neighbouring day. A side is null when its files are not in.
 */
export type DayEquation = {
  readonly provider: string;
  readonly on: string;
  readonly transactions: {
    readonly approvedWon: bigint;
    readonly cancelledWon: bigint;
    readonly statedWon: bigint;
    readonly capturedWon: bigint;
    readonly notCapturedWon: bigint;
    readonly breaksWon: bigint;
    readonly timingWon: bigint;
    readonly residualWon: bigint;
  } | null;
  readonly settlement: {
    readonly capturedWon: bigint;
    readonly netWon: bigint;
    readonly feeWon: bigint;
    readonly vatWon: bigint;
    readonly heldWon: bigint;
    readonly breaksWon: bigint;
    readonly timingWon: bigint;
    readonly depositedWon: bigint;
    readonly notDueWon: bigint;
    readonly depositBreaksWon: bigint;
    readonly residualWon: bigint;
  } | null;
};

/** A business day as it stands. `complete` only when every file is in, read and reconciled and every residual is 0. */
export type DaySummary = {
  readonly on: string;
  readonly outcome: 'complete' | 'incomplete';
  /** Why it is incomplete, one sentence each, in the language asked for. */
  readonly reasons: readonly string[];
  readonly stages: readonly StageSummary[];
  readonly equations: readonly DayEquation[];
};
