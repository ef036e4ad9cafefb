/** The product in a process of its own: from the first look for due payouts until the last one is noted as paid. */

import { openBanks } from '../../src/payout/banks/registry.ts';
import { registerPayouts } from '../../src/payout/workflow.ts';
import { openCipher } from '../../src/platform/cipher.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { createDurable } from '../../src/platform/durable/durable.ts';
import { createHttpClient } from '../../src/platform/http-client.ts';
import { createLog } from '../../src/platform/log.ts';
import { Secret } from '../../src/platform/secret.ts';
import type { BankPlace } from './bank.ts';

export type OursRequest = { readonly home: string; readonly url: string; readonly bank: BankPlace };
export type OursResult = {
  readonly seconds: number;
  readonly peakRssBytes: number;
  readonly idleRssBytes: number;
  readonly cpuSeconds: number;
};

const { home, url, bank } = JSON.parse(process.argv[2] ?? '') as OursRequest;
const pool = createPool(url, { applicationName: 'payout bench', max: 8 });
const log = createLog({ logLevel: 'warn' });
const durable = createDurable({ databaseUrl: url, pool, log });
const never = { from: '00:00', to: '00:00' };
const address = {
  host: '127.0.0.1',
  path: '',
  key: 'bench',
  secret: new Secret('bench-secret'),
  closed: never,
  ...bank,
};
const { banks, close } = openBanks({ 'json-van': address }, createHttpClient);
const cipher = await openCipher({ home });
const payouts = registerPayouts(durable, { pool, log, banks, cipher, now: () => Temporal.Now.instant() });
await durable.launch();
const idleRssBytes = process.memoryUsage.rss();
const began = performance.now();
const cpu = process.cpuUsage();
await payouts.dispatcher.start();
await payouts.dispatcher.idle();
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(cpu);
await payouts.dispatcher.stop();
await durable.shutdown(5_000);
await pool.end();
close();
const peakRssBytes = process.resourceUsage().maxRSS * 1024;
process.send?.({ seconds, peakRssBytes, idleRssBytes, cpuSeconds: (user + system) / 1e6 } satisfies OursResult);
process.disconnect?.();
