import type { KnownImports } from './known-imports-store.ts';

/** 정산 회차의 한 부분. What a transaction of a slot settles: everything, or the captures of one of several parts. */
export type Part = {
  readonly runId: string;
  readonly slot: Temporal.Instant;
  /** `2026-11-20T12:05+09:00`: what the slot is called in the ledger's events. */
  readonly slotText: string;
  /** The slot's day in Seoul. */
  readonly settledOn: string;
  readonly part: number;
  readonly parts: number;
  /** Approvals of no other import count in a slot of several parts, whose captures they would move from part to part. */
  readonly imports?: KnownImports | undefined;
  readonly holidays: ReadonlySet<string>;
  /** Slots that set a capture aside before a person hears of it. */
  readonly findingAfter: number;
};
