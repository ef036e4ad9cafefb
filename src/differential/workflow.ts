import { closeFinding, openFinding } from '../findings/store.ts';
import { isProblem, Problem } from '../kernel/problem.ts';
import { inTransaction } from '../platform/database/pool.ts';
import type { Durable, Handle } from '../platform/durable/durable.ts';
import { leavesRun, runId, transaction } from '../platform/durable/step.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { type BatchTotals, batchTotals, failBatch, finishBatch, isFailed, noteWaiting } from './batch-end-store.ts';
import { openBatch } from './batch-store.ts';
import { claimsExchange } from './claims-exchange.ts';
import { applyLateAnswers, exchangeFiles } from './exchange.ts';
import { sendInstant } from './exchange-calendar.ts';
import { closeSelection, planSelection } from './plan-store.ts';
import type { DifferentialPorts, DifferentialStep } from './ports.ts';
import { selectPart } from './select-store.ts';
import { fileNumbers, type WrittenClaims, writeClaims } from './write-store.ts';

export type DifferentialRequest = { readonly provider: string; readonly on: string; readonly who: string };

/** What a provider's day came to. `differenceWon` is ours, of all claims; `acceptedWon` theirs, of what was accepted. */
export type BatchResult = Omit<BatchTotals, 'state'> & {
  readonly runId: string;
  readonly provider: string;
  readonly on: string;
  /** answered: every claim that was sent has been answered; expired: the deadline passed before; empty: none to send. */
  readonly outcome: 'answered' | 'expired' | 'empty';
  /** Answers to files of earlier days that were applied on the way. */
  readonly late: number;
};

export type DifferentialSettlement = {
  /**
   * 차액정산. Runs a provider's day through the five steps and waits for its end, or finds what it came to: a day runs
   * once. @throws Problem `not_found` for a provider that nobody knows, `differential_not_configured`,
   * `business_no_not_configured`; whatever made its run fail
   */
  run(request: DifferentialRequest): Promise<BatchResult>;
  /** The same, without waiting for its end, which may be days away. */
  begin(request: DifferentialRequest): Promise<Handle<BatchResult>>;
};

/** The id of the run of a provider's day: `differential:welcome:2026-11-20`. */
export function differentialRunId({ provider, on }: Pick<DifferentialRequest, 'provider' | 'on'>): string {
  return `differential:${provider}:${on}`;
}

/** A finding while a provider's day has failed; its subject is the run. */
const failed = 'differential_failed';
const capturesPerPartDefault = 500_000;
/** So many parts are selected at the same time. */
const lanes = 2;

/** 차액정산. Registers the workflow; call before the engine is launched. */
export function registerDifferential(durable: Durable, ports: DifferentialPorts): DifferentialSettlement {
  const workflow = durable.register('differential', (request: DifferentialRequest) => settleDay(ports, request));
  const begin: DifferentialSettlement['begin'] = async (request) => {
    // What is not configured is said at once, and leaves no run behind.
    providerOf(ports, request.provider);
    ports.businessNo();
    await ports.remote(request.provider).close();
    return await durable.start(workflow, differentialRunId(request), request);
  };
  return { begin, run: async (request) => await (await begin(request)).result() };
}

type Day = {
  readonly ports: DifferentialPorts;
  readonly provider: DifferentialProvider;
  readonly on: Temporal.PlainDate;
  readonly who: string;
};

async function settleDay(ports: DifferentialPorts, request: DifferentialRequest): Promise<BatchResult> {
  const { on, who } = request;
  try {
    return await fiveSteps({
      ports,
      provider: providerOf(ports, request.provider),
      on: Temporal.PlainDate.from(on),
      who,
    });
  } catch (error) {
    if (!leavesRun(error)) await noteFailure(request, error);
    throw error;
  }
}

/** 선별 → 작성 → 송신 → 수신 → 반영; what came late of earlier days before them. */
async function fiveSteps(day: Day): Promise<BatchResult> {
  const { ports, provider, on, who } = day;
  const id = runId();
  const exchange = claimsExchange(ports, provider);
  const late = await applyLateAnswers(ports, exchange, { kind: 'claims', on });
  if (late > 0) tell(day, 'late', 'done', { answers: late });
  const opened = await transaction('open', (tx) => openBatch(tx, { provider, on: on.toString(), runId: id, who }));
  const { batchId } = opened;
  if (opened.state !== 'done') {
    await select(day, batchId);
    const fileIds = await write(day, batchId);
    const sendAt = sendInstant(provider.differential.calendar, on);
    await exchangeFiles(ports, { ...exchange, fileIds, sendAt, waits: () => noteWaitsAgain(ports, batchId, id) });
  }
  return await transaction('finish', async (tx) => {
    await finishBatch(tx, batchId, ports.clock.now());
    await closeFinding(tx, { kind: failed, subject: id, by: id });
    const { state: _, ...totals } = await batchTotals(tx, batchId);
    const outcome = totals.files === 0 ? 'empty' : totals.expired > 0 ? 'expired' : 'answered';
    return { runId: id, provider: provider.id, on: on.toString(), outcome, late, ...totals };
  });
}

async function select(day: Day, batchId: bigint): Promise<void> {
  const { ports, provider } = day;
  tell(day, 'select', 'begun');
  const perPart = ports.capturesPerPart ?? capturesPerPartDefault;
  const parts = await transaction('plan', (tx) => planSelection(tx, batchId, provider, perPart));
  for (let first = 0; first < parts; first += lanes) {
    const together = Array.from({ length: Math.min(lanes, parts - first) }, (_, lane) => first + lane);
    const ends = await Promise.allSettled(
      together.map((part) =>
        transaction(`select ${part + 1}/${parts}`, (tx) => selectPart(tx, { batchId, provider, part, parts })),
      ),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    tell(day, 'select', 'begun', { parts: `${first + together.length}/${parts}` });
  }
  const { candidates, claims, held, differenceWon } = await transaction('close selection', (tx) =>
    closeSelection(tx, batchId, provider),
  );
  tell(day, 'select', 'done', { candidates, claims, held, differenceWon });
}

/** Returns the files that there are: one for each MID that claims anything, or one. */
async function write(day: Day, batchId: bigint): Promise<bigint[]> {
  const { ports, provider, on } = day;
  const numbers = await transaction('numbers', (tx) => fileNumbers(tx, batchId));
  const files: WrittenClaims[] = [];
  for (const [n, { fileId, mid }] of numbers.entries()) {
    tell(day, 'write', 'begun', { file: `${n + 1}/${numbers.length}` });
    const file = { batchId, provider, on, businessNo: ports.businessNo(), fileId, mid };
    const written = await transaction(`write ${mid}`.trimEnd(), (tx) => writeClaims(tx, ports.archive, file));
    if (written !== null) files.push(written);
  }
  await transaction('written', (tx) => noteWaiting(tx, batchId));
  const sum = (of: (file: WrittenClaims) => bigint) => files.reduce((total, file) => total + of(file), 0n);
  tell(day, 'write', 'done', {
    files: files.length,
    lines: sum(({ lines }) => lines),
    bytes: sum(({ bytes }) => BigInt(bytes)),
    held: sum(({ held }) => BigInt(held)),
    differenceWon: sum(({ differenceWon }) => differenceWon),
  });
  return files.map(({ fileId }) => fileId);
}

/** A day that had failed, and was restarted, is under way like any other. */
async function noteWaitsAgain({ pool }: DifferentialPorts, batchId: bigint, id: string): Promise<void> {
  await inTransaction(pool, async (tx) => {
    if (await isFailed(tx, batchId)) await noteWaiting(tx, batchId);
    await closeFinding(tx, { kind: failed, subject: id, by: id });
  });
}

async function noteFailure({ provider, on }: DifferentialRequest, error: unknown): Promise<void> {
  const id = runId();
  const reason = error instanceof Error ? error.message : String(error);
  const code = isProblem(error) ? error.code : 'error';
  await transaction('fail', async (tx) => {
    await failBatch(tx, { provider, on, reason });
    const detail = { provider, on, code, reason };
    await openFinding(tx, { kind: failed, subject: id, audience: 'operations', detail });
  });
}

function tell(
  day: Day,
  step: DifferentialStep,
  state: 'begun' | 'done',
  counts?: Readonly<Record<string, bigint | number | string>>,
): void {
  day.ports.watch({ ...eventOf(day), step, state, ...(counts === undefined ? {} : { counts }) });
}

function eventOf({ provider, on }: Day): { provider: string; on: string } {
  return { provider: provider.id, on: on.toString() };
}

/** @throws Problem `not_found` */
function providerOf({ providers }: DifferentialPorts, id: string): DifferentialProvider {
  const provider = providers.find((candidate) => candidate.id === id);
  if (provider === undefined) throw new Problem('not_found', { what: 'differential provider', id });
  return provider;
}
