import type { Pool } from '../platform/database/pool.ts';
import type { Log } from '../platform/durable/engine-log.ts';
import type { VitalSigns } from '../platform/vital-signs.ts';
import { beat, noteStopped, watchNodes } from './node-store.ts';

export type NodeWatchPorts = {
  readonly pool: Pool;
  readonly log: Log;
  readonly executorId: string;
  readonly version: string;
  readonly startedAt: Temporal.Instant;
  vitalSigns(): Promise<VitalSigns>;
  clockAheadMs(): number;
  readonly everyMs?: number;
};

export type NodeWatch = {
  /** When the first sign of life was given. */
  readonly first: Promise<void>;
  stop(): Promise<void>;
};

const beatEveryMs = 3_000;

/** Says every few seconds that this node lives, and how it is, and looks whether the others do. */
export function startNodeWatch(ports: NodeWatchPorts): NodeWatch {
  const { pool, log, executorId, version, startedAt, everyMs = beatEveryMs } = ports;
  const once = async () => {
    try {
      const clockAheadMs = ports.clockAheadMs();
      await beat(pool, { ...(await ports.vitalSigns()), executorId, version, startedAt, clockAheadMs });
      await watchNodes(pool);
    } catch (error) {
      log.warn({ err: error }, 'no sign of life could be given');
    }
  };
  let beating: Promise<void> | undefined = once();
  const first = beating;
  void first.then(() => {
    beating = undefined;
  });
  const timer = setInterval(() => {
    beating ??= once().finally(() => {
      beating = undefined;
    });
  }, everyMs);
  return {
    first,
    async stop() {
      clearInterval(timer);
      await beating;
      await noteStopped(pool, executorId).catch((error: unknown) => log.debug({ err: error }, 'no word of the end'));
    },
  };
}
