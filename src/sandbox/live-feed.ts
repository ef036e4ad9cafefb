import type { Pool } from 'pg';
import { importPayments } from '../payments/import-payments.ts';
import type { Log } from '../platform/log.ts';
import { providers } from '../providers/registry.ts';
import { type LiveSale, liveBurst } from './live-trade.ts';
import type { World } from './world.ts';

export type LiveFeedOptions = {
  readonly pool: Pool;
  readonly world: World;
  readonly log: Log;
  /** Sales in a burst, and the time between two. */
  readonly sales: number;
  readonly everyMs: number;
};

export type LiveFeed = { stop(): Promise<void> };

/**
 * 실시간 거래. Lets a world go on: sells, captures and cancels at this very moment, through the product's own importer,
 * until it is stopped. What fails (a database that is away) is logged, and the next burst comes all the same.
 */
export function startLiveFeed({ pool, world, log, sales, everyMs }: LiveFeedOptions): LiveFeed {
  const known = providers.map(({ id }) => id);
  const stopping = new AbortController();
  let before: readonly LiveSale[] = [];
  let burst = Promise.resolve();
  const sell = async (): Promise<void> => {
    const { csv, sales: sold } = liveBurst(world, Temporal.Now.instant(), sales, before);
    const source = { name: 'live.csv', format: 'csv', bytes: chunks(csv) } as const;
    try {
      const outcome = await importPayments(pool, source, { who: 'sandbox', providers: known, signal: stopping.signal });
      before = sold;
      log.debug({ added: outcome.added, refused: outcome.refused }, 'live sales');
    } catch (error) {
      if (!stopping.signal.aborted) log.warn({ err: error }, 'live sales failed');
    }
  };
  const timer = setInterval(() => {
    burst = burst.then(sell);
  }, everyMs);
  burst = sell();
  return {
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await burst;
    },
  };
}

async function* chunks(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
