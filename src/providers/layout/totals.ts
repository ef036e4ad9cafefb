import { type Stage, stageColumns } from '../stage.ts';
import type { RecordLayout, StatementLayout, Total, WonColumn } from './layout.ts';

/** Kinds and capture results in the order of their slots. */
export const kindOrder = ['A', 'C', 'P'] as const;
export const resultOrder = ['A', 'R', 'H', 'L'] as const;
const slotCount = kindOrder.length * resultOrder.length;

/** Where a line's figures are added up: by kind and capture result (the first, where a stage has none). */
export function slotOf(kind: string, result: string | undefined): number {
  const resultAt = result === undefined ? 0 : resultOrder.indexOf(result as (typeof resultOrder)[number]);
  return kindOrder.indexOf(kind as (typeof kindOrder)[number]) * resultOrder.length + resultAt;
}

/** Exact counts and sums of the readable lines, by slot. */
export type Sums = { readonly rows: readonly bigint[]; readonly won: Readonly<Record<WonColumn, readonly bigint[]>> };

export function emptySums(): { rows: bigint[]; won: Record<WonColumn, bigint[]> } {
  const zeros = () => Array.from({ length: slotCount }, () => 0n);
  return { rows: zeros(), won: { amountWon: zeros(), feeWon: zeros(), vatWon: zeros(), netWon: zeros() } };
}

/** The total as the trailer must declare it. */
export function totalOf(total: Total, sums: Sums): bigint {
  const values = total.of === 'rows' ? sums.rows : sums.won[total.of];
  let sum = 0n;
  values.forEach((value, slot) => {
    if (isCounted(total, slot)) sum += value;
  });
  return total.negated ? -sum : sum;
}

function isCounted(total: Total, slot: number): boolean {
  const kind = kindOrder[Math.floor(slot / resultOrder.length)] ?? '';
  const result = resultOrder[slot % resultOrder.length] ?? '';
  return (total.kinds?.includes(kind) ?? true) && (total.results?.includes(result) ?? true);
}

/** A sum over all lines. */
export function grandTotal(values: readonly bigint[]): bigint {
  return values.reduce((sum, value) => sum + value, 0n);
}

/** The signed amount that the file itself declares. */
export function declaredWon(layout: StatementLayout, declared: ReadonlyMap<string, bigint>): bigint {
  return layout.declaredWon.reduce((sum, { name, factor }) => sum + factor * (declared.get(name) ?? 0n), 0n);
}

/** Which totals add up to the signed amount of all lines: one over all, or several that share the slots out. */
export function declaredAmount(stage: Stage, totals: readonly Total[]): StatementLayout['declaredWon'] | undefined {
  const amounts = totals.filter((total) => total.of === 'amountWon');
  const term = (total: Total) => ({ name: total.name, factor: total.negated ? (-1n as const) : (1n as const) });
  const whole = amounts.find((total) => total.kinds === null && total.results === null);
  if (whole !== undefined) return [term(whole)];
  const kinds = stage === 'transaction' ? kindOrder : kindOrder.slice(0, 2);
  const results = stage === 'capture' ? resultOrder : resultOrder.slice(0, 1);
  const once = kinds.every((kind) =>
    results.every((result) => amounts.filter((total) => isCounted(total, slotOf(kind, result))).length === 1),
  );
  return once ? amounts.map(term) : undefined;
}

/** What is wrong with the declared totals, in words for the integrator. */
export function totalDefects(stage: Stage, totals: readonly Total[], trailer: RecordLayout, type: string): string[] {
  const faults: string[] = [];
  const columns: Readonly<Record<string, string>> = stageColumns[stage];
  if (!totals.some(({ of, kinds, results }) => of === 'rows' && kinds === null && results === null)) {
    faults.push('totals: the number of lines is not declared');
  }
  for (const { name, of, results } of totals) {
    const field = trailer.fields.find((candidate) => candidate.name === name)?.field;
    const wanted = of === 'rows' ? 'number' : 'won';
    if (field === undefined) faults.push(`totals.${name}: no field of the trailer`);
    else if (field.type !== wanted) faults.push(`totals.${name}: a field of type ${field.type}, not ${wanted}`);
    else if (field.type === 'won' && field.negativeWhen.length > 0) faults.push(`totals.${name}: a total has no kind`);
    if (of !== 'rows' && !(of in columns)) faults.push(`totals.${name}: ${of} is no column of this stage`);
    if (results !== null && stage !== 'capture') faults.push(`totals.${name}: only captures have results`);
  }
  for (const { name, field } of trailer.fields) {
    const known = name === type || field.type === 'always' || field.type === 'filler';
    if (!known && !totals.some((total) => total.name === name)) faults.push(`trailer.${name}: no total`);
  }
  return faults;
}
