import type { Method } from '../kernel/method.ts';
import type { StatementLayout } from './layout/layout.ts';
import type { MatchingSpec } from './matching.ts';
import type { Stage } from './stage.ts';

/** 원천사. A PG or VAN whose statements we reconcile: one file of data each, no code. */
export type Provider = {
  readonly id: string;
  readonly name: { readonly ko: string; readonly en: string };
  /** Where its statements are fetched; host and credentials are configuration. */
  readonly remote: { readonly kind: 'sftp'; readonly folder: string };
  readonly statements: { readonly [S in Stage]?: StatementSpec<S> };
  /** 입금 주기. A capture is paid in so many business days after its capture day. */
  readonly payIn: { readonly businessDays: number };
  /** 결제 수단. Which of a merchant's fee contracts its captures fall under. */
  readonly method: Method;
};

/** 대사 파일. What a provider sends for a stage: its name, when it is complete, how it is laid out and matched. */
export type StatementSpec<S extends Stage = Stage> = {
  /** Template with `{day}` (YYYYMMDD) and, where there is a file for each MID, `{mid}`. */
  readonly fileName: string;
  readonly perMid: boolean;
  /** How it shows that a file is complete: its size no longer grows, or a marker of its name plus a suffix exists. */
  readonly complete:
    | { readonly kind: 'stable'; readonly seconds: number }
    | { readonly kind: 'marker'; readonly suffix: string };
  readonly layout: StatementLayout<S>;
  readonly matching: MatchingSpec;
};
