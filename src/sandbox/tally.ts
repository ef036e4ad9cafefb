import type { Difference, Peculiarity } from './difference.ts';

type Counts = Record<string, number>;

/** How many of a day's records of ours there were. */
export type RecordCounts = { approvals: number; cancels: number; captures: number };

/** What settlement statements promise to pay in on a day. */
export type Promised = { readonly provider: string; readonly payInOn: string; readonly netWon: bigint };

/** What was counted while a part of a world was written: plain data, small whatever the part's size. */
export type Tallied = {
  readonly planted: Record<string, Record<string, Counts>>;
  readonly records: Record<string, Record<string, RecordCounts>>;
  readonly lines: Record<string, Record<string, Counts>>;
  readonly peculiar: Record<Peculiarity, number>;
  readonly promised: readonly Promised[];
};

/** Counts what a part of a world holds. */
export class Tally {
  readonly planted: Tallied['planted'] = {};
  readonly records: Tallied['records'] = {};
  readonly lines: Tallied['lines'] = {};
  readonly peculiar: Record<Peculiarity, number> = { weak: 0, released: 0 };
  readonly #promised = new Map<string, Promised>();

  difference({ provider, stage, kind }: Difference): void {
    this.planted[provider] ??= {};
    const stages = this.planted[provider];
    stages[stage] ??= {};
    const kinds = stages[stage];
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }

  recordsOf(provider: string, on: string): RecordCounts {
    this.records[provider] ??= {};
    const days = this.records[provider];
    days[on] ??= { approvals: 0, cancels: 0, captures: 0 };
    return days[on];
  }

  /** The lines of a statement, one of several where there is a file for each MID. */
  addLines(provider: string, on: string, stage: string, count: number): void {
    this.lines[provider] ??= {};
    const days = this.lines[provider];
    days[on] ??= {};
    const stages = days[on];
    stages[stage] = (stages[stage] ?? 0) + count;
  }

  promise(provider: string, payInOn: string, netWon: bigint): void {
    const key = `${provider} ${payInOn}`;
    const before = this.#promised.get(key)?.netWon ?? 0n;
    this.#promised.set(key, { provider, payInOn, netWon: before + netWon });
  }

  result(): Tallied {
    const { planted, records, lines, peculiar } = this;
    return { planted, records, lines, peculiar, promised: [...this.#promised.values()] };
  }
}

/** The tallies of parts that have no provider's statements, and no provider's records, in common. */
export function mergeTallies(parts: readonly Tallied[]): Tallied {
  return {
    planted: Object.assign({}, ...parts.map(({ planted }) => planted)),
    records: Object.assign({}, ...parts.map(({ records }) => records)),
    lines: Object.assign({}, ...parts.map(({ lines }) => lines)),
    peculiar: {
      weak: parts.reduce((sum, { peculiar }) => sum + peculiar.weak, 0),
      released: parts.reduce((sum, { peculiar }) => sum + peculiar.released, 0),
    },
    promised: parts.flatMap(({ promised }) => promised),
  };
}
