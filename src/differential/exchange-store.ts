import type { PoolClient } from 'pg';
import { businessCalendar } from '../calendar/store.ts';
import { closeFinding, openFinding } from '../findings/store.ts';
import { isProblem, type Problem } from '../kernel/problem.ts';
import { runId } from '../platform/durable/step.ts';
import {
  type AnswerCounts,
  type AnswerFile,
  answerFile,
  answersToApply,
  isApplied,
  noteApplied,
  noteRefused,
  takeAnswer,
} from './answer-store.ts';
import type { Exchange } from './exchange.ts';
import { answerTimes } from './exchange-calendar.ts';
import { type ClaimFile, claimFile, lockFile, noteAnswered, noteSent } from './file-store.ts';
import type { DifferentialEvent, ExchangePorts } from './ports.ts';

/** Kinds of findings about a file, whose name is their subject. */
export const notSent = 'differential_not_sent';
/** While a provider cannot be reached people see one finding for each file that waits, and one for the provider. */
export const unreachable = 'differential_unreachable';
export const unanswered = 'differential_unanswered';
export const refused = 'answer_refused';
export const validationMissing = 'differential_validation_missing';

/**
 * Applies an answer that is kept, or notes why it is refused as a whole, and what that means for its file. Null where it
 * was done before.
 */
export async function applyAnswerFile(
  tx: PoolClient,
  ports: Pick<ExchangePorts, 'clock'>,
  exchange: Omit<Exchange, 'fileIds'>,
  answerId: bigint,
): Promise<Pick<DifferentialEvent, 'on' | 'state' | 'file' | 'counts' | 'reason'> | null> {
  // The file first, as whoever registers an answer does.
  const { fileId } = await answerFile(tx, answerId);
  await lockFile(tx, fileId);
  const answer = await takeAnswer(tx, answerId);
  if (answer === undefined) return null;
  const file = await claimFile(tx, fileId);
  const event = { on: file.on, file: answer.fileName };
  const outcome = await tryApply(tx, exchange, answerId);
  if ('problem' in outcome) {
    const { code, details } = outcome.problem;
    await noteRefused(tx, answerId, { code, details });
    await openFinding(tx, {
      kind: refused,
      subject: answer.fileName,
      audience: 'operations',
      detail: { provider: file.provider, version: answer.version, code, ...details },
    });
    return { ...event, state: 'failed', reason: code };
  }
  await noteApplied(tx, answerId, outcome);
  await closeFinding(tx, { kind: refused, subject: answer.fileName, by: runId() });
  await noteWhatIsLeft(tx, ports, exchange, { ...file, answer });
  return { ...event, state: 'done', counts: { ...outcome } };
}

/** An answer whose bytes are refused leaves nothing behind. */
async function tryApply(
  tx: PoolClient,
  exchange: Omit<Exchange, 'fileIds'>,
  answerId: bigint,
): Promise<AnswerCounts | { readonly problem: Problem }> {
  await tx.query('savepoint answer');
  try {
    const counts = await exchange.apply(tx, answerId);
    await tx.query('release savepoint answer');
    return counts;
  } catch (error) {
    if (!isProblem(error) || !error.code.startsWith('statement_')) throw error;
    await tx.query('rollback to savepoint answer; release savepoint answer');
    return { problem: error };
  }
}

/** What an applied answer means for its file: answered, waiting for more, or late and still not whole. */
async function noteWhatIsLeft(
  tx: PoolClient,
  { clock }: Pick<ExchangePorts, 'clock'>,
  exchange: Omit<Exchange, 'fileIds'>,
  file: ClaimFile & { readonly answer: AnswerFile },
): Promise<void> {
  const { fileId, fileName, answer } = file;
  const by = runId();
  if (file.state === 'failed' || file.state === 'written') {
    // Who answers has it, whatever sending came to, or whoever died before it could be noted.
    const { calendar } = exchange.provider.differential;
    const times = answerTimes(calendar, clock.now(), await businessCalendar(tx));
    await noteSent(tx, fileId, { sentAt: clock.now(), foundThere: true, ...times });
    for (const kind of [notSent, unreachable]) await closeFinding(tx, { kind, subject: fileName, by });
  }
  if (answer.stage === 'validation') await closeFinding(tx, { kind: validationMissing, subject: fileName, by });
  else if (
    exchange.answers.some(({ stage }) => stage === 'validation') &&
    !(await isApplied(tx, fileId, 'validation'))
  ) {
    const detail = { provider: file.provider, answer: answer.fileName };
    await openFinding(tx, { kind: validationMissing, subject: fileName, audience: 'in_charge', detail });
  }
  const left = await exchange.unanswered(tx, fileId);
  if (left === 0n) {
    await noteAnswered(tx, fileId);
    await closeFinding(tx, { kind: unanswered, subject: fileName, by });
  } else if (file.state === 'expired') await tellUnanswered(tx, file, left);
}

/**
 * 미반영. Tells that applying an answer failed, by no fault of the provider's: it stays to be applied. Returns the answers that
 * wait for that, itself among them: all of its file.
 */
export async function tellNotApplied(tx: PoolClient, answerId: bigint, error: unknown): Promise<readonly bigint[]> {
  const { fileId, fileName, version } = await answerFile(tx, answerId);
  const { provider } = await claimFile(tx, fileId);
  const why = isProblem(error)
    ? { code: error.code, ...error.details }
    : { code: 'error', reason: error instanceof Error ? error.message : String(error) };
  const detail = { provider, version, ...why };
  await openFinding(tx, { kind: refused, subject: fileName, audience: 'operations', detail });
  return await answersToApply(tx, [fileId]);
}

/** 미회신. Tells people that a file's deadline has passed, and how many of its lines nobody has said anything of. */
export async function tellUnanswered(tx: PoolClient, file: ClaimFile, left: bigint): Promise<void> {
  const { provider, fileName, on, lines, deadlineAt } = file;
  await openFinding(tx, {
    kind: unanswered,
    subject: fileName,
    audience: 'operations',
    detail: { provider, on, lines, unanswered: left, deadline: deadlineAt?.toISOString() ?? null },
  });
}
