/** What a statement says as a whole, once every line has been read. Sums are signed won over the readable lines. */
export type StatementFacts = {
  /** Readable data lines. */
  readonly lines: number;
  readonly amountWon: bigint;
  readonly feeWon: bigint;
  readonly vatWon: bigint;
  readonly netWon: bigint;
  /** The signed amount by the file's own control totals: `declaredWon − amountWon` stands in unreadable lines. */
  readonly declaredWon: bigint;
  readonly mids: readonly string[];
  readonly unreadable: readonly UnreadableLine[];
  readonly suspects: readonly Suspect[];
  readonly payIn: readonly PayIn[];
};

/** A line that was set aside because a field of it cannot be read. */
export type UnreadableLine = {
  readonly lineNo: number;
  /** The field's bytes in the file: from 0, `byteTo` excluded. */
  readonly byteFrom: number;
  readonly byteTo: number;
  readonly field: string;
  /** A `FieldFault`. */
  readonly problem: string;
  /** The whole line without its line break. */
  readonly raw: Buffer;
  readonly providerTid?: string;
  readonly cancelSeq?: number;
};

/** A line whose identity was perhaps read before in the same file; none that was is left out. */
export type Suspect = { readonly lineNo: number; readonly providerTid: string; readonly cancelSeq: number };

/** 입금 예정. What the lines of one pay-in day add up to. */
export type PayIn = {
  readonly payInOn: string;
  readonly lines: number;
  readonly amountWon: bigint;
  readonly feeWon: bigint;
  readonly vatWon: bigint;
  readonly netWon: bigint;
};

/** The file as we expect it. `mid` where a file belongs to one MID. */
export type ExpectedStatement = {
  readonly provider: string;
  readonly stage: string;
  readonly on: Temporal.PlainDate;
  readonly fileName: string;
  readonly mid?: string;
};

/** Lines that cannot be read beyond which a file as a whole is refused. */
export const maxUnreadable = 100;
