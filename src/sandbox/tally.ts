import type { Difference, Peculiarity } from './difference.ts';
import type { RecordCounts } from './our-records.ts';
import type { WorldFile } from './world-file.ts';

type Counts = Record<string, number>;

/** Counts what a world holds while it is written, and writes the truth as it is told. */
export class Tally {
  readonly planted: Record<string, Record<string, Counts>> = {};
  readonly records: Record<string, Record<string, RecordCounts>> = {};
  readonly lines: Record<string, Record<string, Counts>> = {};
  readonly peculiar: Record<Peculiarity, number> = { weak: 0, released: 0 };
  /** Lines of theirs so far, for progress. */
  allLines = 0;
  readonly #payIn = new Map<string, Map<string, bigint>>();
  readonly #truth: WorldFile;
  #first = true;

  constructor(truth: WorldFile) {
    this.#truth = truth;
  }

  difference(difference: Difference): void {
    const { provider, stage, kind } = difference;
    this.planted[provider] ??= {};
    const stages = this.planted[provider];
    stages[stage] ??= {};
    const kinds = stages[stage];
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    this.#truth.write(`${this.#first ? '[\n' : ',\n'}${JSON.stringify(difference)}`);
    this.#first = false;
  }

  endTruth(): void {
    this.#truth.write(this.#first ? '[]\n' : '\n]\n');
  }

  recordsOf(provider: string, on: string): RecordCounts {
    this.records[provider] ??= {};
    const days = this.records[provider];
    days[on] ??= { approvals: 0, cancels: 0, captures: 0 };
    return days[on];
  }

  lineOf(provider: string, on: string, stage: string): void {
    this.lines[provider] ??= {};
    const days = this.lines[provider];
    days[on] ??= {};
    const stages = days[on];
    stages[stage] = (stages[stage] ?? 0) + 1;
    this.allLines += 1;
  }

  /** What a settlement line promises for its pay-in day. */
  promise(provider: string, payInOn: string, netWon: bigint): void {
    const days = this.#payIn.get(provider) ?? new Map<string, bigint>();
    this.#payIn.set(provider, days);
    days.set(payInOn, (days.get(payInOn) ?? 0n) + netWon);
  }

  /** All that was promised, by provider and pay-in day. */
  *promises(): Generator<{ readonly provider: string; readonly payInOn: string; readonly netWon: bigint }> {
    for (const [provider, days] of this.#payIn) {
      for (const [payInOn, netWon] of [...days].sort()) yield { provider, payInOn, netWon };
    }
  }
}
