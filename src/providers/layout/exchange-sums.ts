import { check } from '../../kernel/check.ts';
import {
  type ExchangeLayout,
  type ExchangeSums,
  type ExchangeTotal,
  summedColumns,
  type TotalOf,
} from './exchange-layout.ts';
import type { FieldValue } from './field-write.ts';

/** Below this a sum and one more amount under 10^15 are exact in a double. */
const carryAt = 4e15;

/** Adds up the lines of a group exactly and fast: doubles while they are exact, carried over to bigint before they are not. */
export class LineSums {
  lines = 0;
  /** By the order of `summedColumns`. */
  readonly #won = new Float64Array(summedColumns.length);
  readonly #carried: bigint[] = summedColumns.map(() => 0n);

  /** Takes amounts below 10^15. */
  add(column: number, value: number): void {
    const sum = (this.#won[column] as number) + value;
    this.#won[column] = sum;
    if (sum <= carryAt && sum >= -carryAt) return;
    this.#won[column] = 0;
    this.addBig(column, BigInt(sum));
  }

  addBig(column: number, value: bigint): void {
    this.#carried[column] = (this.#carried[column] as bigint) + value;
  }

  /** Adds what another one holds, and empties it. */
  take(other: LineSums): void {
    this.lines += other.lines;
    other.lines = 0;
    summedColumns.forEach((_, column) => {
      this.addBig(column, other.#sumOf(column));
      other.#won[column] = 0;
      other.#carried[column] = 0n;
    });
  }

  /** A difference that is stated as supply and VAT alone is their sum. */
  sums({ data }: ExchangeLayout): ExchangeSums {
    const [amountWon = 0n, stated = 0n, supplyWon = 0n, vatWon = 0n] = summedColumns.map((_, at) => this.#sumOf(at));
    const isStated = data.columns.some(({ name, source }) => name === 'differenceWon' && source.from !== 'nowhere');
    return { lines: this.lines, amountWon, differenceWon: isStated ? stated : supplyWon + vatWon, supplyWon, vatWon };
  }

  #sumOf(column: number): bigint {
    return (this.#carried[column] as bigint) + BigInt(this.#won[column] as number);
  }
}

/** What a total must be of these lines, and so many records, its own included. */
export function totalOfLines(of: TotalOf, sums: ExchangeSums, records: number): bigint {
  return of === 'records' ? BigInt(records) : BigInt(sums[of]);
}

/**
 * The first declared total that does not agree: counts include the lines that cannot be read, amounts can only be
 * compared if all were.
 */
export function differingTotal(
  totals: readonly ExchangeTotal[],
  declared: ReadonlyMap<string, FieldValue>,
  sums: ExchangeSums,
  records: number,
  unreadable: number,
): { field: string; declared: string; found: string } | undefined {
  for (const { field, of } of totals) {
    const said = declared.get(field);
    check(said !== undefined, `the totals declare ${field}`);
    const isAmount = of !== 'lines' && of !== 'records';
    if (isAmount && unreadable > 0) continue;
    const found = totalOfLines(of, sums, records) + (of === 'lines' ? BigInt(unreadable) : 0n);
    if (BigInt(said) !== found) return { field, declared: String(said), found: String(found) };
  }
  return undefined;
}
