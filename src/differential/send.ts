import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { businessCalendar } from '../calendar/store.ts';
import { closeFinding, openFinding } from '../findings/store.ts';
import { isProblem, Problem, type ProblemCode, type ProblemDetails } from '../kernel/problem.ts';
import { inTransaction, type PoolClient } from '../platform/database/pool.ts';
import { runId } from '../platform/durable/step.ts';
import type { RemoteFile, RemoteFolder } from '../platform/remote-folder.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { answerTimes } from './exchange-calendar.ts';
import { notSent, unreachable } from './exchange-store.ts';
import { type ClaimFile, claimFile, lockFile, noteFailed, noteSending, noteSent } from './file-store.ts';
import type { ExchangePorts } from './ports.ts';

/** 송신 결과. What became of a file: it is at the provider's since then, or a problem that a person has to look at. */
type SendOutcome =
  | { readonly sentAt: string; readonly foundThere: boolean }
  | { readonly code: ProblemCode; readonly details: ProblemDetails };

/** How long after a failed try the next one comes, and at most. */
const backOffSeconds = { first: 60, most: 3600 };

/** Faults of the way, which may pass; whatever else a folder refuses is a matter of settings, and fails the run. */
const passing = ['source_unreachable', 'source_refused'] as const;

type Sending = {
  readonly ports: ExchangePorts;
  readonly provider: DifferentialProvider;
  readonly file: ClaimFile;
  readonly remote: RemoteFolder;
  readonly tries: Tries;
};

/** What this process knows of its tries to send a file. */
type Tries = {
  count: number;
  /** It may be at the provider's already, unknown to us. */
  inDoubt: boolean;
  /** No sooner than this it is tried again. */
  nextAt: Temporal.Instant;
  /** Nobody tries any more from here on, counted from the first try of whichever process. */
  readonly deadlineAt: Temporal.Instant;
};

/** 송신 대기. Files of a run that are to go out: each is tried by itself, so that one that cannot go holds no other up. */
export type Outgoing = {
  /**
   * Tries each of these written files whose time has come: puts it at the provider's under a temporary name, then renames
   * it, never over another file; where an earlier try may have gone through, it asks first whether it is there. What
   * becomes of each is noted; one that cannot go yet stays written and is tried again, ever more slowly, until the day on
   * which its answer would have been due. May be repeated and may die anywhere.
   * @throws Problem `host_key_mismatch`, `sftp_login_refused` and what else is wrong with the settings
   */
  send(files: readonly ClaimFile[]): Promise<void>;
  /** When each of these is tried again. */
  tries(files: readonly ClaimFile[]): readonly Temporal.Instant[];
};

/** What is known of tries stays with it: made once for a run, in each process that has it. */
export function createOutgoing(ports: ExchangePorts, provider: DifferentialProvider): Outgoing {
  const known = new Map<bigint, Tries>();
  const isDue = ({ fileId }: ClaimFile): boolean => {
    const tries = known.get(fileId);
    return tries === undefined || Temporal.Instant.compare(tries.nextAt, ports.clock.now()) <= 0;
  };
  return {
    async send(files) {
      const due = files.filter(isDue);
      if (due.length === 0) return;
      const remote = ports.remote(provider.id);
      const wrong: Problem[] = [];
      let away: Problem | undefined;
      try {
        for (const file of due) {
          const tries = known.get(file.fileId) ?? (await noTries(ports, provider, file));
          known.set(file.fileId, tries);
          const came = await sendOne({ ports, provider, file, remote, tries }, away);
          if (came.isOver) known.delete(file.fileId);
          // Whoever does not answer for one file does not for the next.
          if (isProblem(came.problem, 'source_unreachable')) away = came.problem;
          else if (came.problem !== undefined && !isProblem(came.problem, ...passing)) wrong.push(came.problem);
        }
      } finally {
        await remote.close();
      }
      const [first] = wrong;
      if (first !== undefined) throw first;
    },
    tries: (files) => files.map(({ fileId }) => known.get(fileId)?.nextAt ?? ports.clock.now()),
  };
}

async function noTries({ pool, clock }: ExchangePorts, provider: DifferentialProvider, file: ClaimFile) {
  const now = clock.now();
  const first = file.sendingAt === null ? now : Temporal.Instant.from(file.sendingAt.toISOString());
  const { deadlineAt } = answerTimes(provider.differential.calendar, first, await businessCalendar(pool));
  return { count: 0, inDoubt: file.sendingAt !== null, nextAt: now, deadlineAt };
}

/** Tries to send a file, unless the provider is known to be `away`, and notes what became of it. */
async function sendOne(
  sending: Sending,
  away: Problem | undefined,
): Promise<{ readonly isOver: boolean; readonly problem?: Problem }> {
  const { ports, provider, file, tries } = sending;
  const event = { provider: provider.id, on: file.on, step: 'send', file: file.fileName } as const;
  if (tries.count === 0) ports.watch({ ...event, state: 'begun' });
  tries.count += 1;
  let outcome: SendOutcome | undefined;
  let problem: Problem | undefined;
  try {
    if (away !== undefined) throw away;
    outcome = await trySend(sending);
  } catch (error) {
    if (!isProblem(error)) throw error;
    problem = error;
    if (isProblem(error, ...passing)) outcome = await afterFailure(sending, error);
  }
  if (outcome === undefined) return { isOver: false, ...(problem === undefined ? {} : { problem }) };
  const came = outcome;
  await inTransaction(ports.pool, (tx) => noteOutcome(tx, provider, file, came));
  if ('code' in came) ports.watch({ ...event, state: 'failed', reason: came.code });
  else ports.watch({ ...event, state: 'done' });
  return { isOver: true, ...(problem === undefined ? {} : { problem }) };
}

async function trySend(sending: Sending): Promise<SendOutcome> {
  const { ports, file, tries } = sending;
  try {
    if (tries.count === 1) await ports.archive.verify({ sha256: file.sha256, bytes: Number(file.bytes) });
    return (await askWhetherThere(sending)) ?? (await put(sending));
  } catch (error) {
    if (isProblem(error, 'remote_rename_unknown')) return inDoubt(sending);
    if (isProblem(error, 'archive_damaged')) return { code: error.code, details: error.details };
    throw error;
  }
}

/** Undefined where it is to be tried again. */
async function afterFailure(sending: Sending, { message: reason }: Problem): Promise<SendOutcome | undefined> {
  const { ports, file, remote, tries } = sending;
  const { pool, log, clock } = ports;
  log.warn({ file: file.fileName, tries: tries.count, reason }, 'a claim file could not be sent yet');
  const now = clock.now();
  if (Temporal.Instant.compare(now, tries.deadlineAt) >= 0) {
    const details = { file: file.fileName, remote: remote.name, deadline: `${tries.deadlineAt}`, reason };
    return tries.inDoubt ? inDoubt(sending) : { code: 'send_deadline_passed', details };
  }
  const seconds = Math.min(backOffSeconds.most, backOffSeconds.first * 2 ** Math.min(tries.count - 1, 10));
  tries.nextAt = now.add({ seconds });
  const detail = { file: file.fileName, remote: remote.name, reason, tries: tries.count };
  await openFinding(pool, { kind: unreachable, subject: file.fileName, audience: 'in_charge', detail });
  return undefined;
}

async function noteOutcome(
  tx: PoolClient,
  { differential }: DifferentialProvider,
  { fileId, fileName }: ClaimFile,
  outcome: SendOutcome,
): Promise<void> {
  await lockFile(tx, fileId);
  await closeFinding(tx, { kind: unreachable, subject: fileName, by: runId() });
  // An answer came meanwhile, and settled it.
  if ((await claimFile(tx, fileId)).state !== 'written') return;
  if ('code' in outcome) {
    await noteFailed(tx, fileId, outcome.code);
    await openFinding(tx, { kind: notSent, subject: fileName, audience: 'operations', detail: outcome.details });
    return;
  }
  const sentAt = Temporal.Instant.from(outcome.sentAt);
  const times = answerTimes(differential.calendar, sentAt, await businessCalendar(tx));
  await noteSent(tx, fileId, { sentAt, foundThere: outcome.foundThere, ...times });
  await closeFinding(tx, { kind: notSent, subject: fileName, by: runId() });
}

/** After a doubt: undefined where it is certain that the file never came to stand there. */
async function askWhetherThere(sending: Sending): Promise<SendOutcome | undefined> {
  const { remote, file, provider } = sending;
  if (!sending.tries.inDoubt) return undefined;
  const there = await outcomeOfWhatIsThere(sending);
  if (there !== undefined) return there;
  const { temporarySuffix, takesAway } = provider.differential.transport;
  // While it stands under its temporary name it was not renamed.
  if (takesAway && (await remote.stat(pathOf(sending) + temporarySuffix)) === undefined) return inDoubt(sending);
  sending.tries.inDoubt = false;
  sending.ports.log.info({ file: file.fileName }, 'a file that might have been sent is not there: it is sent');
  return undefined;
}

async function put(sending: Sending): Promise<SendOutcome> {
  const { ports, provider, file, remote } = sending;
  const { pool, clock, archive } = ports;
  const path = pathOf(sending);
  const temporary = path + provider.differential.transport.temporarySuffix;
  const bytes = Number(file.bytes);
  await noteSending(pool, file.fileId, clock.now());
  await remote.put(temporary, { bytes, chunks: () => archive.read({ sha256: file.sha256, bytes }) });
  const arrived = await remote.stat(temporary);
  if (arrived?.bytes !== bytes) {
    const reason = `${temporary}: ${arrived?.bytes ?? 0} of ${bytes} bytes`;
    throw new Problem('source_refused', { source: remote.name, reason });
  }
  sending.tries.inDoubt = true;
  try {
    await remote.rename(temporary, path);
  } catch (error) {
    if (!isProblem(error, 'remote_file_exists')) throw error;
    const there = await outcomeOfWhatIsThere(sending);
    // Taken away between the two questions: whose it was nobody knows any more.
    return there ?? inDoubt(sending);
  }
  return { sentAt: clock.now().toString(), foundThere: false };
}

async function outcomeOfWhatIsThere(sending: Sending): Promise<SendOutcome | undefined> {
  const { file, remote, ports } = sending;
  const there = await remote.stat(pathOf(sending));
  if (there === undefined) return undefined;
  if (BigInt(there.bytes) === file.bytes && (await isOurs(sending, there))) {
    return { sentAt: ports.clock.now().toString(), foundThere: true };
  }
  const details = { file: file.fileName, remote: remote.name, bytes: file.bytes, theirBytes: there.bytes };
  return { code: 'claim_file_differs', details };
}

/** Files of one layout are often as long as each other: its bytes are compared, where they may be read. */
async function isOurs(sending: Sending, there: RemoteFile): Promise<boolean> {
  const hash = createHash('sha256');
  try {
    for await (const piece of sending.remote.read(pathOf(sending), there)) hash.update(piece);
  } catch (error) {
    // Not ours to read, or taken away meanwhile: its length is all that is known.
    if (isProblem(error, 'source_refused', 'token_refused', 'file_changed_while_read')) return true;
    throw error;
  }
  return hash.digest('hex') === sending.file.sha256;
}

function inDoubt({ file, remote }: Sending): SendOutcome {
  return { code: 'send_in_doubt', details: { file: file.fileName, remote: remote.name } };
}

function pathOf({ file, provider }: Sending): string {
  return posix.join(provider.differential.transport.outbox, file.fileName);
}
