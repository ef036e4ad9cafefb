import { closeFinding, openFinding } from '../findings/store.ts';
import { isProblem, Problem } from '../kernel/problem.ts';
import type { Durable, Handle } from '../platform/durable/durable.ts';
import { leavesRun, runId, transaction } from '../platform/durable/step.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { applyLateAnswers, type Exchanged, exchangeFiles } from './exchange.ts';
import type { DifferentialPorts } from './ports.ts';
import { registrationExchange } from './registration-exchange.ts';
import { tellStanding } from './registration-finding-store.ts';
import { lockRegistrations, type PlannedRegistrations, planRegistrations } from './registration-plan-store.ts';
import { writeRegistrations } from './registration-write-store.ts';

export type RegistrationRequest = { readonly provider: string; readonly on: string; readonly who: string };

/** What a provider's day of registrations came to. */
export type RegistrationResult = PlannedRegistrations & {
  readonly runId: string;
  readonly provider: string;
  readonly on: string;
  /** not_needed: the provider wants nobody registered; empty: there was nothing to say; expired: the deadline passed. */
  readonly outcome: 'answered' | 'expired' | 'empty' | 'not_needed';
  readonly fileName: string | null;
  /** Requests that could not be written, refused by us. */
  readonly refused: number;
  readonly accepted: bigint;
  readonly rejected: bigint;
  readonly setAside: bigint;
  /** Answers to files of earlier days that were applied on the way. */
  readonly late: number;
};

export type Registrations = {
  /**
   * 하위가맹점 등록. Tells a provider's card companies whom we claim for, and waits for their answer, or finds what a day
   * came to: a day runs once. @throws Problem `not_found` for a provider that nobody knows, `differential_not_configured`,
   * `business_no_not_configured`; whatever made its run fail
   */
  register(request: RegistrationRequest): Promise<RegistrationResult>;
  /** The same, without waiting for its end, which may be days away. */
  begin(request: RegistrationRequest): Promise<Handle<RegistrationResult>>;
};

/** The id of the run of a provider's day: `registration:welcome:2026-11-20`. */
export function registrationRunId({ provider, on }: Pick<RegistrationRequest, 'provider' | 'on'>): string {
  return `registration:${provider}:${on}`;
}

/** A finding while a provider's day has failed; its subject is the run. */
const failed = 'registration_failed';

/** 하위가맹점 등록. Registers the workflow; call before the engine is launched. */
export function registerRegistrations(durable: Durable, ports: DifferentialPorts): Registrations {
  const workflow = durable.register('registration', (request: RegistrationRequest) => tellDay(ports, request));
  const begin: Registrations['begin'] = async (request) => {
    // What is not configured is said at once, and leaves no run behind.
    const { differential } = providerOf(ports, request.provider);
    if (differential.registration !== undefined) {
      ports.businessNo();
      await ports.remote(request.provider).close();
    }
    return await durable.start(workflow, registrationRunId(request), request);
  };
  return { begin, register: async (request) => await (await begin(request)).result() };
}

async function tellDay(ports: DifferentialPorts, request: RegistrationRequest): Promise<RegistrationResult> {
  try {
    return await planWriteExchange(ports, request);
  } catch (error) {
    if (!leavesRun(error)) await noteFailure(request, error);
    throw error;
  }
}

/** 선별 → 작성 → 송신 → 수신 → 반영; what came late of earlier days before them. */
async function planWriteExchange(ports: DifferentialPorts, request: RegistrationRequest): Promise<RegistrationResult> {
  const provider = providerOf(ports, request.provider);
  const on = Temporal.PlainDate.from(request.on);
  const exchange = registrationExchange(ports, provider);
  const nothing = { added: 0, changed: 0, terminated: 0, refused: 0, fileName: null };
  const day = { runId: runId(), provider: provider.id, on: request.on };
  if (exchange === null) return { ...day, ...nothing, ...sumOf([]), outcome: 'not_needed', late: 0 };
  const late = await applyLateAnswers(ports, exchange, { kind: 'registration', on });
  const { fileId, ...planned } = await transaction('plan and write', async (tx) => {
    await lockRegistrations(tx, provider.id);
    const plan = await planRegistrations(tx, { provider, on, who: request.who });
    if (plan.added + plan.changed + plan.terminated === 0) return { ...nothing, fileId: null };
    const written = await writeRegistrations(tx, ports.archive, { provider, on, businessNo: ports.businessNo() });
    await tellStanding(tx, provider.id);
    const fileName = written.fileId === null ? null : written.fileName;
    return { ...plan, refused: written.refused, fileId: written.fileId, fileName };
  });
  const files = fileId === null ? [] : await exchangeFiles(ports, { ...exchange, fileIds: [fileId] });
  await transaction('finish', async (tx) => {
    await closeFinding(tx, { kind: failed, subject: day.runId, by: day.runId });
  });
  const outcome = fileId === null ? 'empty' : files.some(({ state }) => state === 'expired') ? 'expired' : 'answered';
  return { ...day, ...planned, ...sumOf(files), outcome, late };
}

function sumOf(files: readonly Exchanged[]): Pick<RegistrationResult, 'accepted' | 'rejected' | 'setAside'> {
  const sum = (key: 'accepted' | 'rejected' | 'setAside') => files.reduce((total, file) => total + file[key], 0n);
  return { accepted: sum('accepted'), rejected: sum('rejected'), setAside: sum('setAside') };
}

async function noteFailure({ provider, on }: RegistrationRequest, error: unknown): Promise<void> {
  const id = runId();
  const reason = error instanceof Error ? error.message : String(error);
  const detail = { provider, on, code: isProblem(error) ? error.code : 'error', reason };
  await transaction('fail', (tx) => openFinding(tx, { kind: failed, subject: id, audience: 'operations', detail }));
}

/** @throws Problem `not_found` */
function providerOf({ providers }: DifferentialPorts, id: string): DifferentialProvider {
  const provider = providers.find((candidate) => candidate.id === id);
  if (provider === undefined) throw new Problem('not_found', { what: 'differential provider', id });
  return provider;
}
