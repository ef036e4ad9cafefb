import { wonColumns } from './layout.ts';
import { emptySums, kindOrder, resultOrder, type Sums } from './totals.ts';

const slotCount = kindOrder.length * resultOrder.length;
/** Below this a sum and one more amount under 10^15 are exact in a double. */
const carryAt = 4e15;
/** From here on amounts are added as bigint: below it every one is exact in a double. */
const bigAmount = 10n ** 15n;

/** Adds up lines exactly and fast: doubles while they are exact, carried over to bigint before they are not. */
export class SumTable {
  readonly rows = new Float64Array(slotCount);
  /** By slot, then by won column. */
  readonly won = new Float64Array(slotCount * wonColumns.length);
  readonly #carried: bigint[] = Array.from({ length: slotCount * wonColumns.length }, () => 0n);

  /** Takes amounts below 10^15. */
  add(slot: number, column: number, value: number): void {
    const at = slot * wonColumns.length + column;
    const sum = (this.won[at] as number) + value;
    this.won[at] = sum;
    if (sum > carryAt || sum < -carryAt) this.#carry(at);
  }

  addExact(slot: number, column: number, value: bigint): void {
    if (value < bigAmount && value > -bigAmount) this.add(slot, column, Number(value));
    else this.addBig(slot, column, value);
  }

  addBig(slot: number, column: number, value: bigint): void {
    const at = slot * wonColumns.length + column;
    this.#carried[at] = (this.#carried[at] as bigint) + value;
  }

  #carry(at: number): void {
    this.#carried[at] = (this.#carried[at] as bigint) + BigInt(this.won[at] as number);
    this.won[at] = 0;
  }

  sums(): Sums {
    const sums = emptySums();
    wonColumns.forEach((name, column) => {
      sums.won[name].forEach((_, slot) => {
        const at = slot * wonColumns.length + column;
        sums.won[name][slot] = (this.#carried[at] as bigint) + BigInt(this.won[at] as number);
      });
    });
    sums.rows.forEach((_, slot) => {
      sums.rows[slot] = BigInt(this.rows[slot] as number);
    });
    return sums;
  }
}
