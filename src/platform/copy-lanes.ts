import { once } from 'node:events';
import type { Pool, PoolClient } from 'pg';
import { type CopyStreamQuery, from as copyFrom } from 'pg-copy-streams';
import { check } from '../kernel/check.ts';

/** Bytes that one connection may hold that PostgreSQL has not taken yet, before the reader waits. */
const laneBytes = 512 * 1024;

/** More than any socket's high-water mark. */
const drainedBytes = 128 * 1024;

type Lane = { readonly client: PoolClient; readonly stream: CopyStreamQuery; heldBytes: number; failed: boolean };

/**
 * One COPY spread over up to `width` connections: a block goes to whichever holds least. Each connection is its own
 * transaction, so rows may be committed though the whole failed: they have to be invisible until someone says otherwise.
 * Only the first connection is waited for; the others join when the pool has one to spare, so that loads which run side
 * by side never wait for each other's.
 */
export class CopyLanes {
  private readonly lanes: Lane[] = [];
  private readonly joining: Promise<void>[] = [];
  private readonly copy: { readonly sql: string; readonly header: Buffer; readonly trailer: Buffer };
  private state: 'open' | 'ending' | 'failed' = 'open';
  private fault: Error | undefined;
  private wake: (() => void) | undefined;

  private constructor(copy: CopyLanes['copy']) {
    this.copy = copy;
  }

  /** Begins `sql` (`copy … from stdin (format binary)`) on the first connection; header and trailer frame each. */
  static async open(pool: Pool, width: number, copy: CopyLanes['copy']): Promise<CopyLanes> {
    const lanes = new CopyLanes(copy);
    lanes.join(await pool.connect());
    for (let more = 1; more < width; more += 1) lanes.joining.push(lanes.joinLater(pool));
    return lanes;
  }

  /**
   * Hands a block on. It must not be touched before `onTaken`, which is called for every large block once the system has
   * taken its bytes; for a small one nobody can tell, and it is never called.
   */
  write(block: Buffer, onTaken?: () => void): void {
    if (this.fault) return; // `room` and `end` throw it.
    const lane = this.leastLoaded();
    lane.heldBytes += block.length;
    lane.stream.write(block, (error) => {
      lane.heldBytes -= block.length;
      // The stream waits for its socket to drain only after a write that filled it.
      if (!error && block.length >= drainedBytes) onTaken?.();
      this.wakeUp();
    });
  }

  /** Waits until a connection can take more. @throws what ended one of them */
  async room(): Promise<void> {
    while (!this.fault && this.leastLoaded().heldBytes >= laneBytes) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    if (this.fault) throw this.fault;
  }

  /** Ends every COPY and returns when all are committed. @throws what ended one of them */
  async end(): Promise<void> {
    check(this.state === 'open', 'the lanes have ended');
    if (this.fault) throw this.fault;
    this.state = 'ending';
    await this.settle(async (lane) => {
      lane.stream.end(this.copy.trailer);
      await once(lane.stream, 'finish');
    });
    if (this.fault) throw this.fault;
  }

  /** Takes every COPY back that is not committed. */
  async abort(reason: Error): Promise<void> {
    this.state = 'failed';
    this.fault ??= reason;
    this.wakeUp();
    await this.settle(async (lane) => {
      // A COPY that PostgreSQL ended has nothing to take back, and its stream would wait for an answer for ever.
      if (lane.failed) return;
      lane.stream.destroy(reason);
      await once(lane.stream, 'close').catch(() => {});
    });
  }

  private join(client: PoolClient): void {
    const stream = client.query(copyFrom(this.copy.sql));
    const lane: Lane = { client, stream, heldBytes: 0, failed: false };
    const onFault = (error: Error) => {
      this.fault ??= error;
      if (!lane.failed) {
        lane.failed = true;
        // What the stream still holds must not go to a connection that it no longer has.
        stream.destroy();
      }
      this.wakeUp();
    };
    client.on('error', onFault);
    stream.on('error', onFault);
    stream.on('close', () => client.off('error', onFault));
    stream.write(this.copy.header);
    this.lanes.push(lane);
  }

  private async joinLater(pool: Pool): Promise<void> {
    const client = await pool.connect().catch(() => undefined);
    if (!client) return;
    if (this.state === 'open' && !this.fault) this.join(client);
    else client.release();
  }

  private leastLoaded(): Lane {
    const [first, ...others] = this.lanes;
    check(first, 'no lane is open');
    return others.reduce((least, lane) => (lane.heldBytes < least.heldBytes ? lane : least), first);
  }

  /** A connection that failed is closed instead of going back to the pool. */
  private async settle(finish: (lane: Lane) => Promise<void>): Promise<void> {
    await Promise.all(
      this.lanes.splice(0).map(async (lane) => {
        try {
          await finish(lane);
          lane.client.release(this.state === 'failed');
        } catch (error) {
          this.fault ??= error as Error;
          lane.client.release(true);
        }
      }),
    );
  }

  private wakeUp(): void {
    this.wake?.();
    this.wake = undefined;
  }
}
