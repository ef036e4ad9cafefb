/**
 * `npm run bench -- payout [--transfers 100] [--limit 10] [--latency 4000|200-4000] [--json]`: so many transfers to a
 * simulated bank over HTTPS in a process of its own, through the durable engine, every state stored; against the ideal,
 * in which the latency that the bank drew is all that takes time. The holders were asked for before.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { changeControl } from '../src/payout/control-store.ts';
import { createDirectPayouts } from '../src/payout/direct-store.ts';
import { makeMerchants } from '../src/payout/payout.fixture.ts';
import { openCipher } from '../src/platform/cipher.ts';
import { inTransaction } from '../src/platform/database/pool.ts';
import { type Bench, inProcess, onServer, print } from './harness.ts';
import type { BankPace, BankPlace, BankRequest } from './payout/bank.ts';
import type { OursRequest, OursResult } from './payout/ours.ts';

const { values } = parseArgs({
  options: {
    transfers: { type: 'string', default: '100' },
    limit: { type: 'string', default: '10' },
    latency: { type: 'string', default: '4000' },
    json: { type: 'boolean', default: false },
  },
});
const transfers = Number(values.transfers);
const limit = Number(values.limit);
const [shortest = 0, longest = shortest] = values.latency.split('-').map(Number);
const bank = 'json-van';
print(await onServer(8, measure), values.json);

async function measure({ home, url, pool }: Bench) {
  const cipher = await openCipher({ home });
  const merchants = await makeMerchants(pool, cipher, { count: transfers, balanceWon: 1_000n, known: bank });
  await pool.query(
    `insert into settlement_terms (merchant_id, valid_from, cycle, roll, payout, recorded_by)
     select id, '2026-01-01', 'M5', 'none', 'direct', 'bench' from unnest($1::text[]) id`,
    [merchants],
  );
  const now = Temporal.Now.instant();
  const slot = { slot: now, settledOn: now.toZonedDateTimeISO('Asia/Seoul').toPlainDate(), runId: 'bench' };
  await inTransaction(pool, (tx) => createDirectPayouts(tx, slot, { bank, now }));
  await changeControl(pool, bank, { transferLimit: limit }, { who: 'bench', reason: 'bench' });
  await pool.query('analyze');
  const place = await startBank({ folder: path.join(home, 'bank'), latencyMs: [shortest, longest] });
  const ours = await inProcess<OursResult>('payout/ours.ts', { home, url, bank: place.bank } satisfies OursRequest);
  const pace = await place.stop();
  const { rows } = await pool.query<{ state: string; payouts: number; sends: number }>(
    'select state, min(result_reason) as reason, count(*)::int as payouts, sum(sends)::int as sends from payout group by state order by state',
  );
  const idealSeconds = pace.latencyMs / 1000 / limit;
  return {
    transfers,
    limit,
    latencyMs: values.latency,
    meanLatencyMs: rounded(pace.latencyMs / pace.requests),
    idealSeconds: rounded(idealSeconds),
    tookSeconds: rounded(ours.seconds),
    timesIdeal: rounded(ours.seconds / idealSeconds),
    efficiency: rounded(idealSeconds / ours.seconds),
    peakRssBytes: ours.peakRssBytes,
    idleRssBytes: ours.idleRssBytes,
    cpuSeconds: rounded(ours.cpuSeconds),
    ended: rows,
  };
}

async function startBank(request: BankRequest): Promise<{ bank: BankPlace; stop(): Promise<BankPace> }> {
  const child = fork(path.join(import.meta.dirname, 'payout/bank.ts'), [JSON.stringify(request)]);
  const [bank] = (await once(child, 'message')) as [BankPlace];
  return {
    bank,
    async stop() {
      child.send('pace');
      const [pace] = (await once(child, 'message')) as [BankPace];
      child.disconnect();
      return pace;
    },
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
