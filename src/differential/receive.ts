import { posix } from 'node:path';
import { closeFinding, openFinding } from '../findings/store.ts';
import { check } from '../kernel/check.ts';
import { isProblem, Problem } from '../kernel/problem.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { retryFaults } from '../platform/durable/database-fault.ts';
import { paced, TooSlow } from '../platform/pace.ts';
import type { RemoteFile, RemoteFolder } from '../platform/remote-folder.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { type AnswerStage, answersToApply, isKnown, registerAnswer } from './answer-store.ts';
import type { Exchange } from './exchange.ts';
import { nextPoll } from './exchange-calendar.ts';
import { businessNoIn, formatExchangeName } from './exchange-name.ts';
import { unreachable } from './exchange-store.ts';
import { type ClaimFile, filesOf } from './file-store.ts';
import type { ExchangePorts } from './ports.ts';
import type { Outgoing } from './send.ts';

/** What waiting came to: answers that are kept and may be applied, and files whose deadline has passed. */
export type Received = { readonly answerIds: readonly bigint[]; readonly overdue: readonly bigint[] };

/** Where answers are expected, whatever is done with them. */
export type Expecting = Pick<Exchange, 'provider' | 'answers'>;

/** An answer whose length and time have not changed for so long is whole. */
const restSeconds = 10;

/** What is longer than any answer could be is not read: it would fill the disk. */
const mostBytes = { atLeast: 16 * 1024 * 1024, timesOurs: 16 };

type Sight = {
  readonly file: ClaimFile;
  readonly stage: AnswerStage;
  readonly name: string;
  readonly path: string;
  readonly seen: RemoteFile;
};

/**
 * 수신 대기. Looks for answers to these files on the provider's schedule, and comes back as soon as one is in, or as a
 * deadline has passed without; files that could not go yet are sent meanwhile. One step, however long it waits: a process
 * that takes over goes on looking. While the provider cannot be reached it goes on, too.
 */
export async function receiveAnswers(
  ports: ExchangePorts,
  expecting: Expecting,
  fileIds: readonly bigint[],
  outgoing: Outgoing,
): Promise<Received> {
  const { clock } = ports;
  for (;;) {
    // A database that was away for a moment, days into the wait, is no reason to give up.
    const looked = await retryFaults(
      () => false,
      () => look(ports, expecting, fileIds, outgoing),
    );
    if (looked.over !== undefined) return looked.over;
    const { next, on, files } = looked;
    const event = { provider: expecting.provider.id, on, step: 'receive', state: 'waiting' } as const;
    ports.watch({ ...event, until: next.toString(), counts: { files } });
    await clock.waitUntil(next, 'wait for answers');
  }
}

type Looked =
  | { readonly over: Received }
  | { readonly over?: undefined; readonly next: Temporal.Instant; readonly on: string; readonly files: number };

/** One look at the files and, for those whose time has come, at the provider's inbox. */
async function look(
  ports: ExchangePorts,
  expecting: Expecting,
  fileIds: readonly bigint[],
  outgoing: Outgoing,
): Promise<Looked> {
  const { pool, clock } = ports;
  const isWritten = ({ state }: ClaimFile) => state === 'written';
  let files = await filesOf(pool, fileIds);
  if (files.some(isWritten)) {
    await outgoing.send(files.filter(isWritten));
    files = await filesOf(pool, fileIds);
  }
  const written = files.filter(isWritten);
  const waiting = files.filter(({ state }) => state === 'sent');
  const [one] = [...waiting, ...written];
  if (one === undefined) return { over: { answerIds: [], overdue: [] } };
  const now = clock.now();
  const hasCome = (at: Date | null) => Number(at) <= now.epochMilliseconds;
  const due = waiting.filter(({ pollFrom, deadlineAt }) => hasCome(pollFrom) || hasCome(deadlineAt));
  if (due.length > 0) {
    const answerIds = await lookFor(ports, expecting, due);
    if (answerIds.length > 0) return { over: { answerIds, overdue: [] } };
  }
  // Judged by the time before looking: what came until then was seen.
  const overdue = due.filter(({ deadlineAt }) => hasCome(deadlineAt)).map(({ fileId }) => fileId);
  if (overdue.length > 0) return { over: { answerIds: [], overdue } };
  const { calendar } = expecting.provider.differential;
  const poll = waiting.length === 0 ? [] : [nextPoll(calendar, clock.now(), waiting.map(timesOf))];
  const [next] = [...poll, ...outgoing.tries(written)].sort(Temporal.Instant.compare);
  check(next, 'what is waited for has a time');
  return { next, on: one.on, files: waiting.length };
}

/**
 * Takes what is there of the answers to these files: those whose bytes are new and at rest are kept. Returns the answers
 * that are to be applied, also those that were kept before. A provider that cannot be reached has nothing there.
 */
export async function lookFor(
  ports: ExchangePorts,
  expecting: Expecting,
  files: readonly ClaimFile[],
): Promise<readonly bigint[]> {
  const { pool, clock, log } = ports;
  const { provider } = expecting;
  const remote = ports.remote(provider.id);
  try {
    const changed = await changedAnswers(ports, expecting, remote, files);
    if (changed.length > 0) {
      await clock.waitUntil(clock.now().add({ seconds: restSeconds }), 'wait for answers to rest');
      await takeAll(ports, remote, changed);
    }
    await closeFinding(pool, { kind: unreachable, subject: provider.id, by: 'jeongsan' });
  } catch (error) {
    if (!isProblem(error, 'source_unreachable', 'source_refused')) throw error;
    log.warn({ provider: provider.id, reason: error.message }, 'could not look for answers');
    const detail = { remote: remote.name, reason: error.message };
    await openFinding(pool, { kind: unreachable, subject: provider.id, audience: 'in_charge', detail });
  } finally {
    await remote.close();
  }
  return await answersToApply(
    pool,
    files.map(({ fileId }) => fileId),
  );
}

/** What stands in the inbox under the names of answers to these files, and is not what we have. */
async function changedAnswers(
  { pool, businessNo }: ExchangePorts,
  { provider, answers }: Expecting,
  remote: RemoteFolder,
  files: readonly ClaimFile[],
): Promise<Sight[]> {
  const { inbox } = provider.differential.transport;
  const standsThere = await lookUp(remote, inbox);
  const changed: Sight[] = [];
  for (const file of files) {
    // Who we were when it was written, whatever the configuration says by now.
    const who = businessNoIn(requestName(provider, file), file.fileName) || businessNo();
    for (const { stage, spec } of answers) {
      const on = Temporal.PlainDate.from(file.on);
      const name = formatExchangeName(spec.fileName, { businessNo: who, on, mid: file.mid });
      const seen = await standsThere(name);
      if (seen === undefined || seen.bytes === 0 || (await isKnown(pool, { ...file, stage }, seen))) continue;
      changed.push({ file, stage, name, path: posix.join(inbox, name), seen });
    }
  }
  return changed;
}

/** By one listing; a folder that may not be listed, or holds too much for it, is asked for one name after the other. */
async function lookUp(remote: RemoteFolder, inbox: string): Promise<(name: string) => Promise<RemoteFile | undefined>> {
  try {
    const listed = new Map((await remote.list(inbox)).map((each) => [each.name, each]));
    return async (name) => listed.get(name);
  } catch (error) {
    if (!isProblem(error, 'source_refused')) throw error;
    return (name) => remote.stat(posix.join(inbox, name));
  }
}

/** The template by which a file was named. */
function requestName({ differential }: DifferentialProvider, { kind }: ClaimFile): string {
  const { claims, registration } = differential;
  return kind === 'claims' ? claims.fileName : (registration?.request.fileName ?? '');
}

/** One that cannot be read harms only itself. @throws Problem `source_refused`, `source_unreachable` for it, afterwards */
async function takeAll(ports: ExchangePorts, remote: RemoteFolder, sights: readonly Sight[]): Promise<void> {
  const faults: Problem[] = [];
  for (const sight of sights) {
    try {
      await take(ports, remote, sight);
    } catch (error) {
      const fault = faultOf(error, sight, remote);
      if (fault === undefined) throw error;
      faults.push(fault);
      // Not that file, but the provider.
      if (faults.filter(({ code }) => code === 'source_unreachable').length > 1) break;
    }
  }
  const [first] = faults;
  if (first !== undefined) throw first;
}

/** What is wrong with that file, or its server for now; undefined where it is the settings, or ours. */
function faultOf(error: unknown, { name }: Sight, { name: source }: RemoteFolder): Problem | undefined {
  if (isProblem(error, 'source_unreachable', 'source_refused')) return error;
  // The token was good enough for the listing.
  if (!isProblem(error, 'token_refused') || error.details['status'] !== 403) return undefined;
  return new Problem('source_refused', { source, reason: `${name}: 403` }, { cause: error });
}

/** Keeps the bytes of an answer as it was seen; nothing happens where it was written to since: the next look finds it. */
async function take(ports: ExchangePorts, remote: RemoteFolder, { file, stage, name, path, seen }: Sight) {
  const { pool, archive, clock } = ports;
  const most = mostBytes.atLeast + mostBytes.timesOurs * Number(file.bytes);
  if (seen.bytes > most) {
    const reason = `${name}: ${seen.bytes} bytes are no answer to ${file.bytes} (at most ${most} are read)`;
    throw new Problem('source_refused', { source: remote.name, reason });
  }
  try {
    const kept = await archive.keep(paced(remote.read(path, seen)));
    const answer = { fileId: file.fileId, stage, fileName: name, kept, modifiedAtMs: seen.modifiedAtMs };
    await inTransaction(pool, (tx) => registerAnswer(tx, { ...answer, at: clock.now() }));
    const counts = { bytes: kept.bytes };
    ports.watch({ provider: file.provider, on: file.on, step: 'receive', state: 'begun', file: name, counts });
  } catch (error) {
    if (error instanceof TooSlow) {
      const reason = `${name}: ${error.message}`;
      throw new Problem('source_unreachable', { source: remote.name, reason }, { cause: error });
    }
    if (!isProblem(error, 'file_changed_while_read')) throw error;
  }
}

function timesOf({ pollFrom, deadlineAt }: ClaimFile): { pollFrom: Temporal.Instant; deadlineAt: Temporal.Instant } {
  return { pollFrom: instantOf(pollFrom), deadlineAt: instantOf(deadlineAt) };
}

function instantOf(at: Date | null): Temporal.Instant {
  return Temporal.Instant.fromEpochMilliseconds(Number(at));
}
