import type { Log } from '../platform/log.ts';
import { lookAtAlerts } from './course-store.ts';
import { putReports } from './report-store.ts';
import { type SendPorts, sendDue } from './send-port.ts';
import { type ExpectedStatements, watch } from './watch-store.ts';

/** How often each is done, and how many sendings one process has under way. */
const every = { lookMs: 1_000, sendMs: 1_000, watchMs: 30_000 } as const;
const mostSending = 4;

/**
 * 알림. What a server process does by itself so that people are told: looks for what is wrong, makes alerts of it, and
 * sends them. Any number of processes may. `stop` waits for what is being sent.
 */
export function startAlerts(ports: SendPorts & { readonly expected: readonly ExpectedStatements[] }): {
  stop(): Promise<void>;
} {
  const { pool, log, now, expected } = ports;
  const works = [
    again(log, { everyMs: every.watchMs, most: 1, what: 'watch' }, async () => {
      await watch(pool, { now: now(), expected });
      await putReports(pool, now());
    }),
    again(log, { everyMs: every.lookMs, most: 1, what: 'look at alerts' }, () => lookAtAlerts(pool, now())),
    // A channel that hangs holds up its own messages alone: others are sent beside it.
    again(log, { everyMs: every.sendMs, most: mostSending, what: 'send alerts' }, () => sendDue(ports)),
  ];
  return { stop: async () => void (await Promise.all(works.map((work) => work.stop()))) };
}

/** Works at once and then again and again, at most so many at a time; what fails is logged and done at the next turn. */
function again(
  log: Log,
  { everyMs, most, what }: { readonly everyMs: number; readonly most: number; readonly what: string },
  work: () => Promise<unknown>,
): { stop(): Promise<void> } {
  const underWay = new Set<Promise<void>>();
  const turn = () => {
    if (underWay.size >= most) return;
    const one = work().then(
      () => undefined,
      (error: unknown) => log.warn({ err: error }, `could not ${what}`),
    );
    underWay.add(one);
    void one.finally(() => underWay.delete(one));
  };
  turn();
  const timer = setInterval(turn, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
    },
  };
}
