import type { StreamLimits } from './open-streams.ts';
import type { Rate } from './rate-limit.ts';

/** 한도. What one caller may ask of a server process. */
export type ApiLimits = {
  /** Of one address, before it is known who asks: many people may share it. */
  readonly perAddress: Rate;
  /** Of one actor. */
  readonly perActor: Rate;
  /** What a request without a valid session or key costs its address, so that keys cannot be guessed. */
  readonly strangerCost: number;
  /** Requests that are worked on at once; what comes above that is told to come again. */
  readonly atOnce: number;
  readonly streams: StreamLimits;
  /** Of the body of a usual act. */
  readonly bodyBytes: number;
  readonly bodyMs: number;
  /** Of a file that is sent in, and how long its next piece may take. */
  readonly uploadBytes: number;
  readonly uploadIdleMs: number;
  /** How long nobody may take anything of a file or of events before the connection is cut. */
  readonly takeIdleMs: number;
  readonly heartbeatMs: number;
  /** After this, events end and whoever listens comes again and is asked anew who they are. */
  readonly eventsMs: number;
};

export const usualLimits: ApiLimits = {
  perAddress: { burst: 600, perSecond: 200 },
  perActor: { burst: 200, perSecond: 50 },
  strangerCost: 20,
  atOnce: 200,
  streams: { each: 16, all: 256 },
  bodyBytes: 1024 * 1024,
  bodyMs: 15_000,
  uploadBytes: 16 * 1024 ** 3,
  uploadIdleMs: 30_000,
  takeIdleMs: 60_000,
  heartbeatMs: 15_000,
  eventsMs: 15 * 60_000,
};
