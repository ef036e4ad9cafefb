import type { Break } from './break-store.ts';
import type { DaySummary } from './outcome.ts';
import type { Words } from './words.ts';

/** All that a report shows. */
export type ReportData = {
  readonly run: ReportRun;
  readonly summary: DaySummary;
  readonly providerNames: Readonly<Record<string, Words>>;
  /** Every unresolved break there is, not only this day's. */
  readonly ageing: readonly AgedBreaks[];
  readonly slowest: readonly SlowStep[];
  /** The largest differences of the day. */
  readonly largest: readonly { readonly found: Break; readonly age: number }[];
  readonly files: { readonly csv: string; readonly xlsx: string; readonly rows: number; readonly sheets: number };
};

export type ReportRun = {
  readonly runId: string;
  readonly on: string;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly providers: readonly string[];
  readonly stages: readonly string[];
};

/** Unresolved breaks of a provider and an age in business days. */
export type AgedBreaks = {
  readonly provider: string;
  readonly age: number;
  readonly count: number;
  readonly differenceWon: bigint;
  /** Without signs, so that what is too much and what is too little do not hide each other. */
  readonly absoluteWon: bigint;
};

/** A step of the run, or of the child that served `part` (`ksnet/transaction`). */
export type SlowStep = { readonly part: string; readonly name: string; readonly milliseconds: number };

/** 경과 구간: from so many to so many business days. */
const ageBuckets = [
  { from: 0, to: 0 },
  { from: 1, to: 1 },
  { from: 2, to: 3 },
  { from: 4, to: 7 },
  { from: 8, to: 30 },
  { from: 31, to: Number.POSITIVE_INFINITY },
] as const;

export type AgeBucket = {
  readonly label: string;
  readonly count: number;
  readonly differenceWon: bigint;
  readonly absoluteWon: bigint;
  readonly byProvider: Readonly<Record<string, number>>;
};

/** The aged breaks in the buckets, each bucket with its providers. */
export function bucketAges(aged: readonly AgedBreaks[]): readonly AgeBucket[] {
  return ageBuckets.map(({ from, to }) => {
    const within = aged.filter(({ age }) => age >= from && age <= to);
    const byProvider: Record<string, number> = {};
    for (const { provider, count } of within) byProvider[provider] = (byProvider[provider] ?? 0) + count;
    return {
      label: from === to ? String(from) : to === Number.POSITIVE_INFINITY ? `> ${from - 1}` : `${from}–${to}`,
      count: within.reduce((sum, { count }) => sum + count, 0),
      differenceWon: within.reduce((sum, { differenceWon }) => sum + differenceWon, 0n),
      absoluteWon: within.reduce((sum, { absoluteWon }) => sum + absoluteWon, 0n),
      byProvider,
    };
  });
}
