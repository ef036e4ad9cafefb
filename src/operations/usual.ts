/** 평소. When a run of a job is out of the usual; a row of `run_usual`. */
export type UsualRule = {
  /** Compared with runs of the same hour only. */
  readonly sameHour: boolean;
  /** With fewer nothing is said. */
  readonly samplesLeast: number;
  readonly samplesMost: number;
  /** How many spreads from the median are usual. */
  readonly spreads: number;
  /** Of the median: less than this is never unusual. */
  readonly slackPercent: number;
  readonly slackMs: number;
  /** Running so many times the upper bound is stuck. */
  readonly stuckTimes: number;
  /** Where too little is known. */
  readonly stuckMs: number;
};

/** Of what a run is measured by: `milliseconds`, or the name of a count. */
export type Sample = { readonly milliseconds: number; readonly counts: Readonly<Record<string, number>> };

/** 통상 범위. Of so many samples. Bounds are never below 0. */
export type Usual = {
  readonly samples: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
};

/** What is not as usual: a duration above its bound, a count outside of its bounds. */
export type Unusual = Usual & { readonly what: string; readonly value: number };

/** The middle of the values; of an even number the mean of both. At least one is needed. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Of values that are normally distributed, the MAD times this is the standard deviation. */
const consistency = 1.4826;

/**
 * The median, and how far from it is usual: so many spreads, where a spread is the median absolute deviation. One wild
 * run among the samples moves neither, as it would a mean; and where all were the same the slack still leaves room.
 * undefined where too few are known.
 */
export function usualOf(
  values: readonly number[],
  { samplesLeast, spreads, slackPercent }: Pick<UsualRule, 'samplesLeast' | 'spreads' | 'slackPercent'>,
  slack = 0,
): Usual | undefined {
  if (values.length < samplesLeast) return undefined;
  const middle = median(values);
  const spread = consistency * median(values.map((value) => Math.abs(value - middle)));
  const usual = Math.max(spreads * spread, (middle * slackPercent) / 100, slack);
  return {
    samples: values.length,
    median: middle,
    low: Math.max(0, Math.floor(middle - usual)),
    high: Math.ceil(middle + usual),
  };
}

/** What is unusual of a run that went well. To be quick is no fault; to have read less than ever may well be one. */
export function findUnusual(run: Sample, samples: readonly Sample[], rule: UsualRule): Unusual[] {
  const found: Unusual[] = [];
  const took = usualDuration(samples, rule);
  if (took !== undefined && run.milliseconds > took.high) {
    found.push({ what: 'milliseconds', value: run.milliseconds, ...took });
  }
  for (const [what, value] of Object.entries(run.counts)) {
    const values = samples.flatMap(({ counts }) => counts[what] ?? []);
    const usual = usualOf(values, rule);
    if (usual !== undefined && (value < usual.low || value > usual.high)) found.push({ what, value, ...usual });
  }
  return found;
}

export function usualDuration(samples: readonly Sample[], rule: UsualRule): Usual | undefined {
  return usualOf(
    samples.map(({ milliseconds }) => milliseconds),
    rule,
    rule.slackMs,
  );
}

/** After how long a run that still runs is stuck, in ms. */
export function stuckAfterMs(samples: readonly Sample[], rule: UsualRule): number {
  const usual = usualDuration(samples, rule);
  return usual === undefined ? rule.stuckMs : Math.round(usual.high * rule.stuckTimes);
}
