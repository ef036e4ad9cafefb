import type { PoolClient } from 'pg';
import { listFindings } from '../findings/store.ts';
import { Problem, type ProblemCode, type ProblemDetails } from '../kernel/problem.ts';
import { leavesRun, step, transaction } from '../platform/durable/step.ts';
import type { DifferentialProvider, FileSpec } from '../providers/differential.ts';
import { type AnswerCounts, type AnswerStage, answerTotals } from './answer-store.ts';
import { lanes, type Share } from './candidate-store.ts';
import { lookBack } from './exchange-calendar.ts';
import { applyAnswerFile, notSent, tellNotApplied, tellUnanswered } from './exchange-store.ts';
import {
  type ClaimFile,
  type ClaimFileState,
  claimFile,
  filesOf,
  filesThatWentOut,
  lockFile,
  noteAnswered,
  noteExpired,
} from './file-store.ts';
import type { ExchangePorts } from './ports.ts';
import { lookFor, receiveAnswers } from './receive.ts';
import { createOutgoing } from './send.ts';

/** Half a minute in all: a PostgreSQL that is restarted is back by then. */
const tries = { attempts: 7, firstWaitMs: 500 };

/** Written files of one kind on their way to a provider, and what is done with what comes back. */
export type Exchange = {
  readonly provider: DifferentialProvider;
  readonly fileIds: readonly bigint[];
  /** Not before; at once where nothing is said. */
  readonly sendAt?: Temporal.Instant;
  /** Told when answers begin to be waited for, also by whoever takes over, and by a run that had failed. */
  waits?(): Promise<void>;
  /** What is answered to each, in the order in which it is expected. */
  readonly answers: readonly { readonly stage: AnswerStage; readonly spec: Pick<FileSpec<never>, 'fileName'> }[];
  /** What has to be there before an answer is applied. */
  prepare?(): Promise<void>;
  /**
   * Applies an answer in the one transaction that is given. A Problem `statement_…` refuses the file: it is noted with a
   * finding, and corrected bytes are waited for.
   */
  apply(tx: PoolClient, answerId: bigint): Promise<AnswerCounts>;
  /**
   * Applies what is large in parts, several at a time, before `apply` applies the rest: each is a transaction of its own, and
   * an answer is applied once all are. `load` says in how many; 0 where there are none.
   */
  readonly parts?: {
    load(tx: PoolClient, answerId: bigint): Promise<number>;
    apply(tx: PoolClient, answerId: bigint, share: Share): Promise<null>;
  };
  /** Of a file's lines, those of which no answer has said anything yet. */
  unanswered(tx: PoolClient, fileId: bigint): Promise<bigint>;
};

/** What became of a file: how it ended, and the sum of its answers. */
export type Exchanged = AnswerCounts & {
  readonly fileId: bigint;
  readonly fileName: string;
  readonly state: ClaimFileState;
  readonly foundThere: boolean;
  readonly answers: number;
};

/**
 * 전문 교환. Sends written files once each, and takes their answers until all lines are answered or the deadline has
 * passed. Called in a workflow, of which it is steps: a run that is restarted goes on where it was. At any moment it
 * waits at one place only.
 * @throws Problem `claim_file_not_sent` once the others have ended, and those of the provider's folder
 */
export async function exchangeFiles(ports: ExchangePorts, exchange: Exchange): Promise<readonly Exchanged[]> {
  const { fileIds } = exchange;
  const outgoing = createOutgoing(ports, exchange.provider);
  for (let round = 1; ; round += 1) {
    const open = await transaction(`files ${round}`, (tx) => openFiles(tx, fileIds));
    if (open.toSend.length + open.sent === 0) break;
    if (open.toSend.length > 0) {
      await waitToSend(ports, exchange, open.toSend);
      await step(`send ${round}`, async () => outgoing.send(await writtenOf(ports, fileIds)), { retries: tries });
    }
    const receive = async () => {
      await exchange.waits?.();
      return await receiveAnswers(ports, exchange, fileIds, outgoing);
    };
    const received = await step(`receive ${round}`, receive, { retries: tries });
    const { failures } = await applyAll(ports, exchange, received.answerIds);
    if (failures.length > 0) throw failures[0];
    if (received.overdue.length === 0) continue;
    await transaction(`expire ${round}`, async (tx) => {
      for (const fileId of received.overdue) await expire(tx, exchange, fileId);
    });
  }
  const { on, files } = await transaction('sum up', (tx) => sumUp(tx, fileIds));
  const answers = files.reduce((sum, file) => sum + file.answers, 0);
  const counts = { files: files.length, answers };
  if (on !== null) ports.watch({ provider: exchange.provider.id, on, step: 'receive', state: 'done', counts });
  return files;
}

/**
 * 늦은 결과. Applies what has come since to files of earlier days, corrected answers too, and ends the waiting for those
 * whose deadline has passed while nobody looked: their run has failed, or was cancelled. Steps of a workflow, as above.
 * One that cannot be applied is told, and harms no other, nor the day that is to come. Returns how many answers were applied.
 */
export async function applyLateAnswers(
  ports: ExchangePorts,
  exchange: Omit<Exchange, 'fileIds'>,
  of: { readonly kind: ClaimFile['kind']; readonly on: Temporal.PlainDate },
): Promise<number> {
  const { provider } = exchange;
  const lookedAt = { provider: provider.id, kind: of.kind, ...lookBack(provider.differential.calendar, of.on) };
  const answerIds = await step(
    'late',
    async () => {
      const files = await filesThatWentOut(ports.pool, lookedAt);
      return files.length === 0 ? [] : await lookFor(ports, exchange, files);
    },
    { retries: tries },
  );
  const { applied } = await applyAll(ports, exchange, answerIds);
  await transaction('expire late', async (tx) => {
    const files = await filesThatWentOut(tx, lookedAt);
    for (const { fileId } of files.filter((file) => isOverdue(file, ports.clock))) await expire(tx, exchange, fileId);
  });
  return applied;
}

type ToSend = Pick<ClaimFile, 'fileName' | 'on'>;

async function writtenOf({ pool }: ExchangePorts, fileIds: readonly bigint[]): Promise<ClaimFile[]> {
  return (await filesOf(pool, fileIds)).filter(({ state }) => state === 'written');
}

/**
 * What is still under way. @throws Problem where nothing is, and a file could not be sent: the run ends with it, and once
 * a person has decided, its restart begins here.
 */
async function openFiles(tx: PoolClient, fileIds: readonly bigint[]): Promise<{ toSend: ToSend[]; sent: number }> {
  const files = await filesOf(tx, fileIds);
  const toSend = files.filter(({ state }) => state === 'written');
  const sent = files.filter(({ state }) => state === 'sent').length;
  const failed = files.find(({ state }) => state === 'failed');
  if (toSend.length + sent === 0 && failed !== undefined) throw await problemOf(tx, failed);
  return { toSend: toSend.map(({ fileName, on }) => ({ fileName, on })), sent };
}

/** The problem for which a file was not sent, with its details, which its finding keeps. */
async function problemOf(tx: PoolClient, { fileName, reason }: ClaimFile): Promise<Problem> {
  const [finding] = await listFindings(tx, { kind: notSent, subject: fileName, closed: true, limit: 1 });
  return new Problem(
    (reason ?? 'send_in_doubt') as ProblemCode,
    (finding?.detail ?? { file: fileName }) as ProblemDetails,
  );
}

async function waitToSend(
  ports: ExchangePorts,
  { provider, sendAt }: Exchange,
  files: readonly ToSend[],
): Promise<void> {
  const [first] = files;
  if (sendAt === undefined || first === undefined) return;
  if (Temporal.Instant.compare(ports.clock.now(), sendAt) < 0) {
    const file = files.length === 1 ? { file: first.fileName } : { counts: { files: files.length } };
    const event = { provider: provider.id, on: first.on, step: 'send', state: 'waiting' } as const;
    ports.watch({ ...event, ...file, until: sendAt.toString() });
  }
  await ports.clock.waitUntil(sendAt, 'wait to send');
}

/** One that fails harms its own file only, whose later versions wait for it: applied before it, it would undo them. */
async function applyAll(ports: ExchangePorts, exchange: Omit<Exchange, 'fileIds'>, answerIds: readonly bigint[]) {
  const waiting = new Set<bigint>();
  const failures: unknown[] = [];
  let applied = 0;
  for (const answerId of answerIds) {
    if (waiting.has(answerId)) continue;
    try {
      await applyOne(ports, exchange, answerId);
      applied += 1;
    } catch (error) {
      if (leavesRun(error)) throw error;
      failures.push(error);
      const told = await transaction(`not applied ${answerId}`, (tx) => tellNotApplied(tx, answerId, error));
      for (const each of told) waiting.add(each);
    }
  }
  return { applied, failures };
}

async function applyOne(ports: ExchangePorts, exchange: Omit<Exchange, 'fileIds'>, answerId: bigint): Promise<void> {
  const { prepare, parts } = exchange;
  if (prepare !== undefined) await step('prepare', prepare, { retries: tries });
  if (parts !== undefined) await applyParts(parts, answerId);
  const event = await transaction(`apply ${answerId}`, (tx) => applyAnswerFile(tx, ports, exchange, answerId));
  if (event !== null) ports.watch({ provider: exchange.provider.id, step: 'apply', ...event });
}

async function applyParts({ load, apply }: Required<Exchange>['parts'], answerId: bigint): Promise<void> {
  const parts = await transaction(`load ${answerId}`, (tx) => load(tx, answerId));
  for (let first = 0; first < parts; first += lanes) {
    const together = Array.from({ length: Math.min(lanes, parts - first) }, (_, lane) => first + lane);
    const ends = await Promise.allSettled(
      together.map((part) =>
        transaction(`apply ${answerId} ${part + 1}/${parts}`, (tx) => apply(tx, answerId, { part, parts })),
      ),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
}

function isOverdue({ state, deadlineAt }: ClaimFile, { now }: ExchangePorts['clock']): boolean {
  return state === 'sent' && Number(deadlineAt) <= now().epochMilliseconds;
}

async function expire(tx: PoolClient, exchange: Omit<Exchange, 'fileIds'>, fileId: bigint): Promise<void> {
  await lockFile(tx, fileId);
  const left = await exchange.unanswered(tx, fileId);
  // What was open may have been settled otherwise meanwhile.
  if (left === 0n) await noteAnswered(tx, fileId);
  else if (await noteExpired(tx, fileId)) await tellUnanswered(tx, await claimFile(tx, fileId), left);
}

async function sumUp(
  tx: PoolClient,
  fileIds: readonly bigint[],
): Promise<{ readonly on: string | null; readonly files: Exchanged[] }> {
  const files: Exchanged[] = [];
  let on: string | null = null;
  for (const file of await filesOf(tx, fileIds)) {
    const { fileId, fileName, state, foundThere } = file;
    const { answers, ...counts } = await answerTotals(tx, fileId);
    files.push({ fileId, fileName, state, foundThere: foundThere ?? false, answers: Number(answers), ...counts });
    on = file.on;
  }
  return { on, files };
}
