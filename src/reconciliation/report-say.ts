import type { Language } from '../kernel/problem.ts';
import type { BreakKind } from './outcome.ts';
import { reportWords } from './report-words.ts';

/** A word of the report in its language. */
export type Say = (name: keyof typeof reportWords) => string;

export function sayIn(language: Language): Say {
  return (name) => reportWords[name][language];
}

/** The sum of a kind, or null where none of its amounts can be known: an unreadable line is not one of 0 won. */
export function knownWon(kind: BreakKind, won: bigint): bigint | null {
  return kind === 'unreadable' ? null : won;
}
