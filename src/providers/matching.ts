/**
 * How the records of a stage are paired, as data: ordered passes, strongest key first. The first pass runs over the
 * whole day; the later ones only over what it left and over the open items of other days.
 */
export type MatchingSpec = {
  readonly passes: readonly [WholeDayPass, ...ResiduePass[]];
  /** Days within which a pair of different dates is a timing difference (시차) and not a break. */
  readonly timingDays: number;
  /** Minutes around midnight in which an unmatched record waits for the neighbouring day before it is a break. */
  readonly midnightMinutes: number;
  /** Won by which amounts of a pair may differ and still agree. */
  readonly amountToleranceWon: bigint;
  /** Business days after which an unmatched record is brought to a person. */
  readonly escalateAfterBusinessDays: number;
};

/** Pairs within one business day on the provider's own identity. */
export type WholeDayPass = { readonly id: string; readonly key: readonly ['providerTid', 'cancelSeq'] };

/** A weaker key, tried on the residue; where several records share it, those that agree in `tieBreak` go first. */
export type ResiduePass = {
  readonly id: string;
  readonly key: readonly MatchingColumn[];
  readonly tieBreak?: readonly MatchingColumn[];
  /** False: only records of the same business day; true: also the open items of other days. */
  readonly acrossDays: boolean;
};

export type MatchingColumn =
  | 'providerTid'
  | 'cancelSeq'
  | 'kind'
  | 'amountWon'
  | 'tradedOn'
  | 'approvalNo'
  | 'orderNo'
  | 'acquirer'
  | 'cardMerchantNo'
  | 'cardNo'
  | 'mid';

const byTid = { id: 'tid', key: ['providerTid', 'cancelSeq'] } as const;
const byTidAcrossDays = { id: 'tid-across-days', key: ['providerTid', 'cancelSeq'], acrossDays: true } as const;
const byApproval = {
  id: 'approval',
  key: ['approvalNo', 'tradedOn', 'amountWon', 'kind', 'acquirer', 'cardMerchantNo'],
  acrossDays: true,
} as const;
const byOrder = { id: 'order', key: ['orderNo', 'mid', 'kind', 'amountWon', 'cancelSeq'], acrossDays: true } as const;

/** The passes of `domain.md` §2 for a stage whose records carry a time of day and a masked card number. */
export const transactionMatching: MatchingSpec = {
  passes: [byTid, byTidAcrossDays, { ...byApproval, tieBreak: ['cardNo'] }, byOrder],
  timingDays: 1,
  midnightMinutes: 10,
  amountToleranceWon: 0n,
  escalateAfterBusinessDays: 3,
};

/** The same for captures and settlements, whose records carry days only. */
export const captureMatching: MatchingSpec = {
  passes: [byTid, byTidAcrossDays, byApproval, byOrder],
  timingDays: 1,
  midnightMinutes: 0,
  amountToleranceWon: 0n,
  escalateAfterBusinessDays: 3,
};
