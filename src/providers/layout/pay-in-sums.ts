import type { PayIn } from './facts.ts';
import { SumTable } from './sum-table.ts';
import { grandTotal } from './totals.ts';

/** Sums by pay-in day (입금 예정일). Lines mostly come many of one day in a row. */
export class PayInSums {
  readonly #days = new Map<number, SumTable>();
  #lastDay = Number.NaN;
  #last = new SumTable();

  /** The sums of a day, counted from 2000-01-01 as PostgreSQL does. */
  of(day: number): SumTable {
    if (day === this.#lastDay) return this.#last;
    const known = this.#days.get(day) ?? new SumTable();
    this.#days.set(day, known);
    this.#lastDay = day;
    this.#last = known;
    return known;
  }

  all(): readonly PayIn[] {
    const days = [...this.#days].sort(([a], [b]) => a - b);
    return days.map(([day, table]) => {
      const { rows, won } = table.sums();
      return {
        payInOn: Temporal.PlainDate.from('2000-01-01').add({ days: day }).toString(),
        lines: Number(grandTotal(rows)),
        amountWon: grandTotal(won.amountWon),
        feeWon: grandTotal(won.feeWon),
        vatWon: grandTotal(won.vatWon),
        netWon: grandTotal(won.netWon),
      };
    });
  }
}
