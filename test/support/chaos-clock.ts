import type { BankAddress } from '../../src/platform/bank-address.ts';

/** A clock that shows `from` when the real one shows `sinceMs`, and runs so many times as fast. */
export type FastClock = { readonly from: string; readonly sinceMs: number; readonly speed: number };

export function fastClock({ from, sinceMs, speed }: FastClock): () => Temporal.Instant {
  const first = Temporal.Instant.from(from);
  return () => first.add({ milliseconds: Math.round((Date.now() - sinceMs) * speed) });
}

/** What a worker is told, as JSON in its argument. */
export type ChaosWorker = {
  readonly databaseUrl: string;
  readonly home: string;
  readonly clock: FastClock;
  readonly bank: Omit<BankAddress, 'secret'>;
  readonly secret: string;
};
