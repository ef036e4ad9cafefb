// A process that settles and pays out by itself under a clock that runs fast, to be killed at any moment.
import { openBanks } from '../../src/payout/banks/registry.ts';
import { registerPayouts } from '../../src/payout/workflow.ts';
import { openCipher } from '../../src/platform/cipher.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { createDurable } from '../../src/platform/durable/durable.ts';
import { createHttpClient } from '../../src/platform/http-client.ts';
import { Secret } from '../../src/platform/secret.ts';
import { noteClock, settlementStanding } from '../../src/settlement/lateness-store.ts';
import { slotAt } from '../../src/settlement/slot.ts';
import { startSlotClock } from '../../src/settlement/slot-clock.ts';
import { registerSettlement } from '../../src/settlement/workflow.ts';
import { type ChaosWorker, fastClock } from './chaos-clock.ts';

const given = JSON.parse(process.argv[2] ?? '{}') as ChaosWorker;
const now = fastClock(given.clock);
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const pool = createPool(given.databaseUrl, { applicationName: 'chaos worker', max: 8 });
const cipher = await openCipher({ home: given.home });
const address = { ...given.bank, secret: new Secret(given.secret) };
const { banks } = openBanks({ 'json-van': address }, createHttpClient);
const durable = createDurable({
  databaseUrl: given.databaseUrl,
  pool,
  log,
  frozenAfterMs: 1_500,
  takeOverEveryMs: 100,
});
const payouts = registerPayouts(durable, { pool, log, banks, cipher, now });
const afterCredit = payouts.createDirect;
const settlement = registerSettlement(durable, { pool, log: log as never, now, afterCredit });
await durable.launch();
await payouts.dispatcher.start();
startSlotClock({
  log,
  now,
  // The database is in our time, not in the world's.
  standing: async () => ({ ...(await settlementStanding(pool)), databaseNow: now() }),
  settle: (slot, request) => settlement.settle(slot, request),
  note: (fault) => noteClock(pool, fault),
  ticks(ring) {
    let slot = slotAt(now());
    const timer = setInterval(() => {
      if (slotAt(now()).equals(slot)) return;
      slot = slotAt(now());
      ring();
    }, 20);
    return { stop: () => clearInterval(timer) };
  },
});
process.stdout.write('ready\n');
