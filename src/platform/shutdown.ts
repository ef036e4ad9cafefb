import { type ActiveWork, createActiveWork } from './active-work.ts';
import type { Log } from './log.ts';

/** 종료. The orderly end of this process. */
export type Shutdown = {
  /** What runs here; whoever starts work says so. */
  readonly active: ActiveWork;
  /** Aborted when the end begins: take no new work, finish or park what runs. */
  readonly signal: AbortSignal;
  /**
   * What has to be closed, the last registered first: what was opened later may use what was opened before.
   * Returns a function that takes it off the list again.
   */
  onClose(name: string, close: () => Promise<void> | void): () => void;
  /** Says in the log what runs at this moment: once after the start. */
  started(): void;
  /** Begins the end, as a signal would. Resolves when everything is closed; calling it again awaits the same end. */
  end(reason: string): Promise<void>;
};

type Closer = { readonly name: string; readonly close: () => Promise<void> | void };

/** A signal's exit status by the shells' convention. */
const signalStatus = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Handles SIGTERM and SIGINT: no new work (`signal`), then waits for what runs for `graceMs`, then closes everything in
 * turn; the process ends by itself when nothing is left, and a closer that fails does not keep the others from closing.
 * A second signal ends at once; `hardLimitMs` ends a shutdown that hangs. Both use `exit`, which tests replace.
 */
export function createShutdown(options: {
  readonly log: Log;
  readonly graceMs?: number;
  readonly hardLimitMs?: number;
  readonly exit?: (status: number) => void;
}): Shutdown {
  const { log, graceMs = 20_000, hardLimitMs = 60_000, exit = process.exit } = options;
  const active = createActiveWork();
  const abort = new AbortController();
  const closers: Closer[] = [];
  let ending: Promise<void> | undefined;

  const end = (reason: string): Promise<void> => {
    ending ??= finish(reason);
    return ending;
  };
  const finish = async (reason: string) => {
    log.info({ reason, active: active.list(), threads: threadNames() }, 'shutting down');
    const hardLimit = setTimeout(() => {
      log.error({ active: active.list(), hardLimitMs }, 'shutdown took too long: ending now');
      exit(1);
    }, hardLimitMs);
    hardLimit.unref();
    abort.abort(new Error(reason));
    const idle = await active.whenIdle(graceMs);
    if (!idle) log.warn({ active: active.list(), graceMs }, 'still active: closing all the same, it is parked');
    await closeAll(closers, log);
    log.info({ active: active.list(), threads: threadNames() }, 'shut down');
    clearTimeout(hardLimit);
    for (const name of signals) process.off(name, onSignal);
  };
  const onSignal = (name: NodeJS.Signals) => {
    if (ending) {
      log.warn({ signal: name, active: active.list() }, 'second signal: ending now');
      exit(signalStatus[name as keyof typeof signalStatus] ?? 1);
      return;
    }
    void end(name);
  };
  const signals = Object.keys(signalStatus) as (keyof typeof signalStatus)[];
  for (const name of signals) process.on(name, onSignal);

  return {
    active,
    signal: abort.signal,
    onClose(name, close) {
      const closer = { name, close };
      closers.push(closer);
      return () => {
        const at = closers.indexOf(closer);
        if (at >= 0) closers.splice(at, 1);
      };
    },
    started: () => log.info({ active: active.list(), threads: threadNames() }, 'started'),
    end,
  };
}

async function closeAll(closers: Closer[], log: Log): Promise<void> {
  for (let next = closers.pop(); next; next = closers.pop()) {
    try {
      await next.close();
      log.debug({ closed: next.name }, 'closed');
    } catch (error) {
      log.error({ err: error, closer: next.name }, 'could not be closed');
    }
  }
}

/** What keeps Node's event loop alive: open connections, servers, timers, child processes; each kind with its count. */
function threadNames(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
