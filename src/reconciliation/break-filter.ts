import type { BreakKind, ReconciledStage } from './outcome.ts';
import type { BreakState } from './words.ts';

/**
 * Which breaks are meant. Every field narrows; `states` null means all, history included.
 * Days are `YYYY-MM-DD`.
 */
export type BreakFilter = {
  readonly states: readonly BreakState[] | null;
  readonly on?: string;
  readonly from?: string;
  readonly to?: string;
  /** Breaks of days before this one, which is how an age is asked for. */
  readonly before?: string;
  readonly providers?: readonly string[];
  readonly stages?: readonly ReconciledStage[];
  readonly kinds?: readonly BreakKind[];
  readonly assignedTo?: string;
  readonly unassigned?: true;
  /** Differences of at least so many won, whichever way they point. */
  readonly leastWon?: bigint;
  readonly escalated?: true;
  /** Differences that exist, whether somebody has resolved them or not. */
  readonly standing?: true;
};

/** 미종결. The breaks that still wait for somebody. */
export const unresolved: BreakFilter = { states: ['open', 'investigating'] };

/** True where nothing but the state narrows the filter: an act on it would take everything. */
export function namesNothing({ states: _, ...narrowing }: BreakFilter): boolean {
  return Object.values(narrowing).every((value) => value === undefined);
}

/** Takes the values of a statement one by one and hands out their `$n`. */
export type Parameters = { readonly values: readonly unknown[]; add(value: unknown): string };

export function createParameters(): Parameters {
  const values: unknown[] = [];
  return { values, add: (value) => `$${values.push(value)}` };
}

/** The filter over `break b`. States are literals: a partial index is used only where the plan can prove its predicate. */
export function breakCondition(filter: BreakFilter, parameters: Parameters): string {
  const clauses: string[] = [];
  const add = (value: unknown, clause: (parameter: string) => string): void => {
    if (value !== undefined) clauses.push(clause(parameters.add(value)));
  };
  if (filter.states !== null) clauses.push(stateCondition(filter.states));
  add(filter.on, (p) => `b.business_on = ${p}::date`);
  add(filter.from, (p) => `b.business_on >= ${p}::date`);
  add(filter.to, (p) => `b.business_on <= ${p}::date`);
  add(filter.before, (p) => `b.business_on < ${p}::date`);
  add(filter.providers, (p) => `b.provider = any (${p}::text[])`);
  add(filter.stages, (p) => `b.stage = any (${p}::text[])`);
  add(filter.kinds, (p) => `b.kind = any (${p}::text[])`);
  add(filter.assignedTo, (p) => `b.assigned_to = ${p}::text`);
  add(filter.leastWon, (p) => `abs(b.difference_won) >= ${p}::bigint`);
  if (filter.unassigned) clauses.push('b.assigned_to is null');
  if (filter.standing) clauses.push('b.gone_at is null');
  if (filter.escalated) clauses.push('b.escalated_at is not null');
  return clauses.length === 0 ? 'true' : clauses.join(' and ');
}

/** `b` stands in one of these states. */
export function stateCondition(states: readonly BreakState[]): string {
  const clause = `b.state in (${states.map((state) => `'${state}'`).join(', ')})`;
  return states.includes('resolved') ? clause : `b.state <> 'resolved' and ${clause}`;
}
