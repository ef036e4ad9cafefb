import type { Severity } from './finding-words.ts';

/**
 * What a message says, as it is kept until it is through: bounded, in no language, without what only its reader's
 * programs need. A repeated try says the same.
 */
export type Content = (AlertContent | DigestContent | ReportContent | TestContent) & {
  /** Of a mail that its server took for the channel's others: whom it is tried for again, and nobody else. */
  readonly readers?: readonly string[];
};

export type AlertContent = {
  readonly type: 'alert';
  readonly word: 'first' | 'update' | 'repeat' | 'escalation' | 'all_clear';
  readonly alert: number;
  readonly rule: string;
  readonly severity: Severity;
  readonly openedAt: string;
  readonly at: string;
  /** All findings so far, those that are new since the last word, and those still open. */
  readonly findings: number;
  readonly fresh: number;
  readonly open: number;
  /** How many of each kind; the most frequent. */
  readonly kinds: readonly { readonly kind: string; readonly findings: number }[];
  /** The newest, of which a message holds so many. */
  readonly top: readonly TopFinding[];
  readonly acknowledgedBy: string | null;
};

export type TopFinding = {
  readonly id: number;
  readonly kind: string;
  readonly subject: string;
  readonly openedAt: string;
  readonly times: number;
  readonly detail: readonly (readonly [string, string])[];
};

/** 일일 요약. */
export type DigestContent = {
  readonly type: 'digest';
  readonly on: string;
  readonly at: string;
  readonly stages: readonly DigestStage[];
  readonly outcome: 'complete' | 'incomplete' | 'not_run';
  readonly reasons: readonly string[];
  readonly money: {
    readonly settledWon: string;
    readonly settledItems: number;
    readonly feeWon: string;
    readonly vatWon: string;
    readonly paidOutWon: string;
    readonly paidOut: number;
    readonly inFlightWon: string;
    readonly inFlight: number;
    readonly rejectedWon: string;
    readonly rejected: number;
    readonly refundedWon: string;
    readonly refunds: number;
    readonly clawedBackWon: string;
  };
  readonly cycles: {
    readonly settled: number;
    readonly failed: number;
    readonly skipped: number;
    readonly late: number;
  };
  readonly breaks: readonly {
    readonly age: '0-1' | '2-5' | '6-30' | '31+';
    readonly count: number;
    readonly won: string;
  }[];
  readonly waiting: {
    readonly approvals: number;
    readonly alerts: number;
    readonly heldClaims: number;
    readonly payoutsUnknown: number;
    readonly payoutsUnknownWon: string;
    readonly unsettled: number;
    readonly unsettledWon: string;
    readonly findings: number;
  };
  readonly urgent: readonly { readonly kind: string; readonly findings: number }[];
  /** The audit trail's latest entry: who keeps this mail can prove later that nothing before it was changed. */
  readonly audit: { readonly entry: number; readonly hash: string } | null;
};

export type DigestStage = {
  readonly provider: string;
  readonly stage: string;
  readonly state: string;
  readonly records: number;
  readonly amountWon: string;
  readonly breaks: number;
  readonly breaksWon: string;
};

/** 대사 리포트. */
export type ReportContent = {
  readonly type: 'report';
  readonly runId: string;
  readonly on: string;
  readonly at: string;
  readonly outcome: 'complete' | 'incomplete';
  readonly reasons: readonly string[];
  readonly moreReasons: number;
  readonly stages: readonly DigestStage[];
  readonly breaks: number;
  readonly breaksWon: string;
};

export type TestContent = { readonly type: 'test'; readonly at: string; readonly by: string; readonly channel: string };

/** A finding's detail as few short texts: it may hold anything. */
export function boundedDetail(detail: Readonly<Record<string, unknown>>): (readonly [string, string])[] {
  const entries = Object.entries(detail).filter(([, value]) => value !== null && value !== undefined);
  return entries.slice(0, mostDetails).map(([name, value]) => [cut(name, 40), cut(textOf(value), 200)] as const);
}

const mostDetails = 8;

function textOf(value: unknown): string {
  if (Array.isArray(value))
    return value.slice(0, 5).map(textOf).join(', ') + (value.length > 5 ? ` … (${value.length})` : '');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function cut(text: string, most: number): string {
  const characters = [...text];
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : text;
}
