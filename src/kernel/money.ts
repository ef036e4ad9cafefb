import { check } from './check.ts';

/** PostgreSQL's bigint, the widest amount that can be kept. */
export const maxWon = 2n ** 63n - 1n;

/** Won as a JSON integer; a bug beyond 2^53 − 1, where JSON numbers stop being exact. */
export function wonToJson(amount: bigint): number {
  check(
    amount <= BigInt(Number.MAX_SAFE_INTEGER) && amount >= BigInt(Number.MIN_SAFE_INTEGER),
    `not exact in JSON: ${amount}`,
  );
  return Number(amount);
}

/** Won that nobody has judged yet, of any size: a JSON integer where that is exact, else its digits in a string. */
export function anyWonToJson(amount: bigint): number | string {
  return BigInt(Number.MIN_SAFE_INTEGER) <= amount && amount <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(amount)
    : String(amount);
}

/** `1234567n` → `1,234,567`. */
export function formatWon(amount: bigint): string {
  return amount.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}
