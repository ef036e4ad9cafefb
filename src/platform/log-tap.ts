import type { DestinationStream } from 'pino';

/** Hears each line of this process's log where and when it is said: one JSON object, secrets hidden; `level` is pino's. */
export type LogTap = (line: string, level: number) => void;

const taps = new Set<LogTap>();

/** Lets `tap` hear the log until the returned function is called. It must be quick and must not throw. */
export function tapLog(tap: LogTap): () => void {
  taps.add(tap);
  return () => void taps.delete(tap);
}

/** By this name pino tells a stream the level of the line that it is about to write. */
const wantsLevel = Symbol.for('pino.metadata');

/** The destination, which shows lines from `shownFrom` up, and everybody who listens. */
export function tapped(destination: DestinationStream, shownFrom: number): DestinationStream {
  const stream = {
    [wantsLevel]: true,
    lastLevel: 0,
    write(line: string): void {
      const level = stream.lastLevel;
      if (level >= shownFrom) destination.write(line);
      for (const tap of taps) tap(line, level);
    },
  };
  return stream;
}
