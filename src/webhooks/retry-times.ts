const minute = 60;
const hour = 60 * minute;
/** Some two days and a half in all: a receiver's weekend outage on a Saturday morning is over by then. */
const pausesSeconds = [
  10,
  30,
  2 * minute,
  10 * minute,
  30 * minute,
  hour,
  2 * hour,
  4 * hour,
  8 * hour,
  12 * hour,
  12 * hour,
  24 * hour,
] as const;

/** However long a receiver asks us to wait. */
const mostSeconds = 24 * hour;

/** How long after this try (from 1) comes the next one, and not before the receiver asked for; undefined after the last. */
export function pauseAfterSeconds(attempt: number, askedSeconds = 0): number | undefined {
  const pause = pausesSeconds[attempt - 1];
  return pause === undefined ? undefined : Math.max(pause, Math.min(Math.ceil(askedSeconds), mostSeconds));
}
