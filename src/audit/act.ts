import type { Actor } from '../kernel/permission.ts';

/**
 * 행위 결과. `asked` before an act and `done`, `refused` (a `Problem`) or `failed` (a bug, a fault) after it; `denied` where
 * the permission is missing; `changed` for a row of configuration, written by the database.
 */
export const outcomes = ['asked', 'done', 'refused', 'failed', 'denied', 'changed'] as const;
export type Outcome = (typeof outcomes)[number];

/** 행위. Who did what to what, and how it went. `detail` holds no secret and no personal data. */
export type Act = {
  readonly actor: Pick<Actor, 'who' | 'from' | 'key'>;
  /** `payouts.pause`, `listBreaks`: the command or the route. */
  readonly act: string;
  /** `payout:17`, `bank_control:hanbit`: what it is about. */
  readonly subject: string;
  readonly outcome: Outcome;
  readonly reason?: string | undefined;
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
};
