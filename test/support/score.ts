/** What `truth.json` and `breaks list --json` have in common; a break may carry more. */
export type ScoredBreak = {
  readonly provider: string;
  readonly stage: string;
  readonly on: string;
  readonly kind: string;
  readonly providerTid: string | null;
  readonly line: number | null;
  readonly differenceWon: number | null;
};

/** How one kind of break was found. Precision: the reported that are true; recall: the planted that were reported. */
export type KindScore = {
  readonly planted: number;
  readonly reported: number;
  readonly right: number;
  readonly precision: number;
  readonly recall: number;
};

export type Score = {
  readonly kinds: Readonly<Record<string, KindScore>>;
  /** Planted but not reported exactly so, and reported but not planted exactly so. */
  readonly missed: readonly ScoredBreak[];
  readonly invented: readonly ScoredBreak[];
  /** Planted timing differences (시차) of which a break of any kind was reported. */
  readonly timingAsBreaks: readonly ScoredBreak[];
};

/** Compares breaks with the truth: a break is right when all seven fields agree with a planted difference, once each. */
export function score(breaks: readonly ScoredBreak[], truth: readonly ScoredBreak[]): Score {
  const planted = truth.filter(({ kind }) => kind !== 'timing');
  const invented = without(breaks, planted);
  const missed = without(planted, breaks);
  const kinds: Record<string, KindScore> = {};
  for (const kind of new Set([...planted, ...breaks].map((difference) => difference.kind))) {
    const of = (list: readonly ScoredBreak[]): number => list.filter((difference) => difference.kind === kind).length;
    const right = of(breaks) - of(invented);
    kinds[kind] = {
      planted: of(planted),
      reported: of(breaks),
      right,
      precision: of(breaks) === 0 ? 1 : right / of(breaks),
      recall: of(planted) === 0 ? 1 : right / of(planted),
    };
  }
  const timing = new Set(truth.filter(({ kind }) => kind === 'timing').map(recordOf));
  return { kinds, missed, invented, timingAsBreaks: breaks.filter((found) => timing.has(recordOf(found))) };
}

const recordOf = ({ provider, stage, providerTid }: ScoredBreak): string => `${provider} ${stage} ${providerTid}`;

/** All seven fields, in one order, so that equal differences are equal texts. */
export function differenceText({ provider, stage, on, kind, providerTid, line, differenceWon }: ScoredBreak): string {
  return [provider, stage, on, kind, providerTid ?? '-', line ?? '-', differenceWon ?? '?'].join(' ');
}

/** The members of `list` that are not in `other`, each of whose members accounts for one. */
function without(list: readonly ScoredBreak[], other: readonly ScoredBreak[]): ScoredBreak[] {
  const left = new Map<string, number>();
  for (const difference of other) {
    const text = differenceText(difference);
    left.set(text, (left.get(text) ?? 0) + 1);
  }
  return list.filter((difference) => {
    const text = differenceText(difference);
    const count = left.get(text) ?? 0;
    left.set(text, count - 1);
    return count <= 0;
  });
}
