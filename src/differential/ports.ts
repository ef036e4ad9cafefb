import type { Pool } from 'pg';
import type { Archive } from '../platform/archive.ts';
import type { Log } from '../platform/log.ts';
import type { RemoteFolder } from '../platform/remote-folder.ts';
import type { DifferentialProvider } from '../providers/differential.ts';

/** What differential settlement needs from outside; the composition root decides where files go and what time it is. */
export type DifferentialPorts = {
  readonly pool: Pool;
  readonly log: Log;
  /** Where what is sent and what is answered is kept, by content. */
  readonly archive: Archive;
  readonly providers: readonly DifferentialProvider[];
  /** Opens a provider's folder; whoever asks closes it. @throws Problem `differential_not_configured` */
  remote(provider: string): RemoteFolder;
  /** 우리 사업자등록번호, ten digits. @throws Problem `business_no_not_configured` */
  businessNo(): string;
  readonly clock: Clock;
  /** Told what is under way and what came of it, for people who watch. */
  watch(event: DifferentialEvent): void;
  /** At most so many captures are selected in one transaction. */
  readonly capturesPerPart?: number;
  /** At most so many lines of an answer are applied in one transaction. */
  readonly linesPerPart?: number;
};

/** 시계. Production reads the wall clock and waits durably; a simulation lives through a month in minutes. */
export type Clock = {
  now(): Temporal.Instant;
  /** Waits in a workflow or in one of its steps; a run that is taken over goes on waiting for the same instant. */
  waitUntil(instant: Temporal.Instant, label: string): Promise<void>;
};

export type DifferentialStep = 'late' | 'select' | 'write' | 'send' | 'receive' | 'apply';

export type DifferentialEvent = {
  readonly provider: string;
  /** The day whose captures are claimed. */
  readonly on: string;
  readonly step: DifferentialStep;
  readonly state: 'begun' | 'waiting' | 'done' | 'failed';
  readonly file?: string;
  /** What it came to so far: claims, lines, bytes. */
  readonly counts?: Readonly<Record<string, bigint | number | string>>;
  readonly until?: string;
  readonly reason?: string;
};

/** What an exchange of files needs: the claims' and the registrations' alike. */
export type ExchangePorts = Pick<
  DifferentialPorts,
  'pool' | 'log' | 'archive' | 'remote' | 'businessNo' | 'clock' | 'watch'
>;
