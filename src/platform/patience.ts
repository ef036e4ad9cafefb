import { setTimeout as wait } from 'node:timers/promises';

/** How long to wait for a server and how often to come back; real servers need the defaults, tests are impatient. */
export type Patience = {
  /** From the first packet to the end of authentication. */
  readonly connectMs: number;
  /** For the answer to one request; of a transfer: without anything moving. */
  readonly answerMs: number;
  /** Failures in a row that bring nothing new, before the server counts as unreachable. */
  readonly tries: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
};

export const usualPatience: Patience = {
  connectMs: 20_000,
  answerMs: 30_000,
  tries: 6,
  firstWaitMs: 500,
  longestWaitMs: 15_000,
};

/** The pause after so many failures in a row; each is twice as long as the one before it, and none shorter than `leastMs`. */
export async function pause(
  { firstWaitMs, longestWaitMs }: Patience,
  failures: number,
  leastMs: number = 0,
): Promise<void> {
  await wait(Math.max(leastMs, Math.min(longestWaitMs, firstWaitMs * 2 ** (failures - 1))));
}
