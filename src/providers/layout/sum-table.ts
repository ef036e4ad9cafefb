import { wonColumns } from './layout.ts';
import { emptySums, kindOrder, resultOrder, type Sums } from './totals.ts';

const slotCount = kindOrder.length * resultOrder.length;
/** Below this a sum and one more amount under `bigAmount` are exact in a double. */
const carryAt = 4e15;
/** From here on amounts are added as bigint. */
export const bigAmount = 1e15;

/** Adds up lines exactly and fast: doubles while they are exact, carried over to bigint before they are not. */
export class SumTable {
  readonly rows = new Float64Array(slotCount);
  /** By slot, then by won column. */
  readonly won = new Float64Array(slotCount * wonColumns.length);
  readonly #carried: bigint[] = Array.from({ length: slotCount * wonColumns.length }, () => 0n);

  add(slot: number, column: number, value: number): void {
    const at = slot * wonColumns.length + column;
    const sum = (this.won[at] as number) + value;
    this.won[at] = sum;
    if (sum > carryAt || sum < -carryAt) this.#carry(at);
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
