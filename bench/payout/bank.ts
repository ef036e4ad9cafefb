/** The simulated bank in a process of its own, over real HTTPS. Says where it is, and at the end how long it took. */

import type { BankMoods } from '../../src/sandbox/bank-moods.ts';
import { startBankServer } from '../../src/sandbox/bank-server.ts';

export type BankRequest = { readonly folder: string; readonly latencyMs: readonly [number, number] };
/** An address without its secret, which all know. */
export type BankPlace = { readonly port: number; readonly caPath: string };

const [key, secret] = ['bench', 'bench-secret'] as const;

/** What it made its callers wait for in all. */
export type BankPace = { readonly requests: number; readonly latencyMs: number };

const { folder, latencyMs } = JSON.parse(process.argv[2] ?? '') as BankRequest;
const moods: BankMoods = { shares: {}, latencyMs, processingMs: [1, 1], lateMs: [1, 1] };
let pace: BankPace = { requests: 0, latencyMs: 0 };
const onLatency = (ms: number) => {
  pace = { requests: pace.requests + 1, latencyMs: pace.latencyMs + ms };
};
const server = await startBankServer({ folder, key, secret, seed: 'bench', moods, onLatency, holderOf: () => 'bench' });
process.on('disconnect', () => process.exit());
process.on('message', () => process.send?.(pace));
process.send?.({ port: server.port, caPath: server.address.caPath ?? '' } satisfies BankPlace);
