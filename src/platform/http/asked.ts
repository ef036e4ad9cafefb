import type { Actor } from '../../kernel/permission.ts';
import type { Language } from '../../kernel/problem.ts';
import type { Pool } from '../database/pool.ts';
import type { Log } from '../log.ts';
import type { Acts } from './act.ts';
import type { AuditPort } from './audit-port.ts';
import type { ApiLimits } from './limits.ts';
import type { OpenStreams } from './open-streams.ts';
import type { RequestObserver } from './request-observer.ts';

/** What the interface needs from outside. */
export type MountPorts = {
  readonly pool: Pool;
  readonly log: Log;
  /** Who asks; undefined where nobody does. `address` is whence, as the server saw it. */
  authenticate(request: Request, address: string): Promise<Actor | undefined>;
  readonly audit: AuditPort;
  /** This process, by the name of its proof of life. */
  readonly holder: string;
  /** Of answers to who names none. */
  readonly language: Language;
  /** Aborted when the process is about to end: streams end, and nothing new is begun. */
  readonly signal: AbortSignal;
  readonly version: string;
  readonly limits?: Partial<ApiLimits>;
  now(): Temporal.Instant;
  /** Sees each request to a route, and its answer. */
  readonly observe?: RequestObserver;
};

/** What the server knows of a request beside what it says: whence it came, and how its connection is cut. */
export type Connection = { readonly address: string; readonly closed: AbortSignal; cut(): void };
export type ApiEnv = { Bindings: { readonly connection: Connection } };

/** One request on its way. */
export type Asked = {
  readonly request: Request;
  readonly url: URL;
  readonly connection: Connection;
  readonly language: Language;
  readonly requestId: string;
};

/** A request of somebody who may make it. */
export type AskedBy = Asked & { readonly actor: Actor; readonly params: Readonly<Record<string, string>> };

/** What every answer is made with. */
export type Working = MountPorts & {
  readonly limits: ApiLimits;
  readonly acts: Acts;
  readonly streams: OpenStreams;
};
