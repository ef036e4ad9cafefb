import type { VatPolicy } from '../kernel/fee.ts';
import type { Rounding } from '../kernel/rounding.ts';
import type { ExchangeLayout } from './layout/exchange-layout.ts';

/**
 * 차액정산 원천사. Whom we claim overcharged fees from, as data: layouts, transport, codes, rounding, calendar. Everything
 * that is done with it is common to all (`src/differential`).
 */
export type DifferentialProvider = {
  readonly id: string;
  readonly name: { readonly ko: string; readonly en: string };
  /** The providers of payments whose captures are claimed here. */
  readonly channels: readonly string[];
  readonly differential: Differential;
};

export type Differential = {
  readonly claims: FileSpec<'claim'>;
  /** 검증 파일. Where the provider first says which lines it took in. */
  readonly validation?: FileSpec<'validation'>;
  readonly answers: FileSpec<'answer'>;
  /** Where a merchant has to be registered with each card company before anything is claimed for it. */
  readonly registration?: {
    readonly request: FileSpec<'registration'>;
    readonly answers: FileSpec<'registrationAnswer'>;
  };
  readonly transport: Transport;
  readonly codes: Codes;
  readonly rounding: DifferenceRounding;
  readonly calendar: Calendar;
  readonly resend: ResendRule;
};

/** A file of the exchange: its name and how it is laid out. */
export type FileSpec<R extends string> = {
  /** Template with `{biz}` (our business number), `{day}` (YYYYMMDD) and, where there is a file for each MID, `{mid}`. */
  readonly fileName: string;
  readonly perMid: boolean;
  readonly layout: ExchangeLayout<R>;
};

/** How files travel; host and credentials are configuration (`JEONGSAN_DIFFERENTIAL_<ID>`). */
export type Transport = {
  readonly kind: 'sftp' | 'https';
  /** Where our files are put, and where theirs are found, below the address's folder. */
  readonly outbox: string;
  readonly inbox: string;
  /** The suffix under which a file stands until it is whole. */
  readonly temporarySuffix: string;
  /**
   * Whether the provider takes files away once it has seen them. Then "it is not there" says nothing after a doubt, and a
   * person decides whether a file is sent again.
   */
  readonly takesAway: boolean;
};

/** 결과 코드. What the provider's codes mean; the same code of another provider means something else. */
export type Codes = Readonly<
  Record<
    string,
    {
      readonly ko: string;
      readonly en: string;
      /** accepted: it pays; correct: may be corrected and sent again; final: rejected for good. */
      readonly means: 'accepted' | 'correct' | 'final';
    }
  >
>;

export type DifferenceRounding = {
  /** Of the preferential fee, before it is taken from what was charged. */
  readonly fee: Rounding;
  readonly vat: VatPolicy;
  /** A VAT-inclusive difference x splits into supply = x · 10/11, rounded so, and VAT = x − supply. */
  readonly supply: Rounding;
  /** What the cancel that leaves nothing claws back: what remained of the approval's difference, or its own by the rate. */
  readonly lastCancel: 'remainder' | 'rate';
};

/** Times of Seoul's clock, days counted in business days from the one that is named. */
export type Calendar = {
  /** When the file of a day goes out: so many days after it (calendar days), not before this time. */
  readonly send: { readonly days: number; readonly at: string };
  /** From when answers are looked for, counted from the day on which the file went out, and how often. */
  readonly poll: { readonly days: number; readonly at: string; readonly everySeconds: number };
  /** Until when, in business days from the day on which the file went out. */
  readonly deadline: { readonly businessDays: number; readonly at: string };
  /** Later than so many days after its trade a transaction is not taken any more: it is brought to a person. */
  readonly tooOldDays: number;
  /** Answers that come late, or are corrected, are looked for so many days back. */
  readonly lookBackDays: number;
};

export type ResendRule = {
  /** At most so many tries of a claim in all. */
  readonly attempts: number;
  /** Whether a claim may be sent again for a reason for which it was sent again before. */
  readonly sameReasonAgain: boolean;
};
