import { statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** 상태. How a process and its machine are, since they were asked last. */
export type VitalSigns = {
  readonly host: string;
  readonly pid: number;
  readonly diskFreeBytes: bigint;
  readonly diskAllBytes: bigint;
  /** The longest of a hundred waits of the event loop. */
  readonly loopDelayMs: number;
  readonly memoryBytes: bigint;
};

const resolutionMs = 20;

/** Reads them; the disk is the one that holds `folder`. */
export function createVitalSigns(folder: string): { read(): Promise<VitalSigns>; close(): void } {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  return {
    async read() {
      const disk = await statfs(folder, { bigint: true });
      // A wait is measured with the interval that was asked for.
      const loopDelayMs = Math.max(0, delay.percentile(99) / 1e6 - resolutionMs);
      delay.reset();
      return {
        host: hostname(),
        pid: process.pid,
        diskFreeBytes: disk.bavail * disk.bsize,
        diskAllBytes: disk.blocks * disk.bsize,
        loopDelayMs: Number.isFinite(loopDelayMs) ? loopDelayMs : 0,
        memoryBytes: BigInt(process.memoryUsage.rss()),
      };
    },
    close: () => void delay.disable(),
  };
}
