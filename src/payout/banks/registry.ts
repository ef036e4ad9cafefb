import { check } from '../../kernel/check.ts';
import type { BankAddress } from '../../platform/bank-address.ts';
import type { HttpClient, HttpClientOptions } from '../../platform/http-client.ts';
import type { Bank } from '../bank-port.ts';
import { createJsonVan, type JsonVanFacts } from './json-van.ts';

type BankKind = {
  readonly facts: Omit<JsonVanFacts, 'patienceMs'>;
  readonly open: (facts: JsonVanFacts, ports: { readonly http: HttpClient; readonly address: BankAddress }) => Bank;
};

/** Every bank API there is an adapter for, the one that payouts are sent by first. */
const kinds: readonly BankKind[] = [
  {
    facts: {
      id: 'json-van',
      name: { ko: 'JSON VAN (예시 전문)', en: 'JSON VAN (sample format)' },
      closed: { from: '23:30', to: '00:30' },
      settlingMs: 60_000,
    },
    open: createJsonVan,
  },
];

/** How long is waited for a connection, and for an answer where an address does not say. */
const patience = { connectMs: 5_000, answerMs: 15_000 };

/** The ids that `JEONGSAN_BANK_<ID>` may name. */
export const bankIds: readonly string[] = kinds.map(({ facts }) => facts.id);

/** Banks with the way to each. */
export type OpenBanks = { readonly banks: readonly Bank[]; close(): void };

/**
 * Opens the banks that have an address, in the order of the registry. What an address says of hours and settling time
 * goes before what the adapter says. Connections are made by `connect` at the first call.
 */
export function openBanks(
  addresses: Readonly<Record<string, BankAddress>>,
  connect: (options: HttpClientOptions) => HttpClient,
): OpenBanks {
  for (const id of Object.keys(addresses)) check(bankIds.includes(id), `there is no bank ${id}`);
  const opened = kinds.flatMap(({ facts, open }) => {
    const address = addresses[facts.id];
    if (address === undefined) return [];
    const { host, port, caPath, answerMs = patience.answerMs } = address;
    const http = connect({ host, port, caPath, patience: { ...patience, answerMs } });
    const closed = address.closed ?? facts.closed;
    const settlingMs = address.settlingMs ?? facts.settlingMs;
    const patienceMs = patience.connectMs + answerMs;
    return [{ bank: open({ ...facts, closed, settlingMs, patienceMs }, { http, address }), http }];
  });
  return {
    banks: opened.map(({ bank }) => bank),
    close() {
      for (const { http } of opened) http.close();
    },
  };
}
