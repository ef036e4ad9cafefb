import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { businessCalendar } from '../calendar/store.ts';
import { closeFinding, openFinding } from '../findings/store.ts';
import { isProblem, Problem, type ProblemCode, type ProblemDetails } from '../kernel/problem.ts';
import type { RemoteFile, RemoteFolder } from '../platform/remote-folder.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { answerTimes } from './exchange-calendar.ts';
import { type ClaimFile, claimFile, noteSending } from './file-store.ts';
import type { ExchangePorts } from './ports.ts';

/** 송신 결과. What became of a file: it is at the provider's since then, or a problem that a person has to look at. */
export type SendOutcome =
  | { readonly sentAt: string; readonly foundThere: boolean }
  | { readonly code: ProblemCode; readonly details: ProblemDetails };

/** How long after a failed try the next one comes, and at most. */
const backOffSeconds = { first: 60, most: 3600 };

/** While a provider cannot be reached people see one finding for each file that waits. */
export const unreachable = 'differential_unreachable';

/** Faults of the way, which may pass; whatever else a folder refuses is a matter of settings, and fails the run. */
const passing = ['source_unreachable', 'source_refused'] as const;

type Sending = {
  readonly ports: ExchangePorts;
  readonly provider: DifferentialProvider;
  readonly file: ClaimFile;
  readonly remote: RemoteFolder;
  /** It may be at the provider's already, unknown to us. */
  inDoubt: boolean;
};

/**
 * 송신. Puts a written file at the provider's: under a temporary name, then renamed, never over another file. Where an
 * earlier try may have gone through, whether it is there is asked first. Tries again while the provider cannot be
 * reached, until the day on which its answer would have been due. May be repeated and may die anywhere.
 * @throws Problem `host_key_mismatch`, `sftp_login_refused` and what else is wrong with the settings
 */
export async function sendFile(
  ports: ExchangePorts,
  provider: DifferentialProvider,
  fileId: bigint,
): Promise<SendOutcome> {
  const { pool, clock } = ports;
  const file = await claimFile(pool, fileId);
  const began = clock.now();
  if (file.state !== 'written') {
    return { sentAt: file.sentAt?.toISOString() ?? began.toString(), foundThere: file.foundThere ?? false };
  }
  // Counted from the first try, whichever process made it.
  const firstTry = file.sendingAt === null ? began : Temporal.Instant.from(file.sendingAt.toISOString());
  const { deadlineAt } = answerTimes(provider.differential.calendar, firstTry, await businessCalendar(pool));
  const remote = ports.remote(provider.id);
  const sending: Sending = { ports, provider, file, remote, inDoubt: file.sendingAt !== null };
  try {
    await ports.archive.verify({ sha256: file.sha256, bytes: Number(file.bytes) });
    for (let tries = 1; ; tries += 1) {
      const outcome = await trySend(sending, deadlineAt, tries);
      if (outcome !== undefined) {
        await closeFinding(pool, { kind: unreachable, subject: file.fileName, by: 'jeongsan' });
        return outcome;
      }
      const seconds = Math.min(backOffSeconds.most, backOffSeconds.first * 2 ** Math.min(tries - 1, 10));
      await clock.waitUntil(clock.now().add({ seconds }), `wait to try ${file.fileName} again`);
    }
  } catch (error) {
    if (isProblem(error, 'archive_damaged')) return { code: error.code, details: error.details };
    throw error;
  } finally {
    await remote.close();
  }
}

/** One try; undefined where it may be tried again later. */
async function trySend(
  sending: Sending,
  deadlineAt: Temporal.Instant,
  tries: number,
): Promise<SendOutcome | undefined> {
  const { ports, file, remote } = sending;
  try {
    return (await askWhetherThere(sending)) ?? (await put(sending));
  } catch (error) {
    if (isProblem(error, 'remote_rename_unknown')) return inDoubt(sending);
    if (!isProblem(error, ...passing)) throw error;
    const reason = error.message;
    ports.log.warn({ file: file.fileName, tries, reason }, 'a claim file could not be sent yet');
    if (Temporal.Instant.compare(ports.clock.now(), deadlineAt) >= 0) {
      const details = { file: file.fileName, remote: remote.name, deadline: `${deadlineAt}`, reason };
      return sending.inDoubt ? inDoubt(sending) : { code: 'send_deadline_passed', details };
    }
    const detail = { file: file.fileName, remote: remote.name, reason, tries };
    await openFinding(ports.pool, { kind: unreachable, subject: file.fileName, audience: 'in_charge', detail });
    return undefined;
  }
}

/** After a doubt: undefined where it is certain that the file never came to stand there. */
async function askWhetherThere(sending: Sending): Promise<SendOutcome | undefined> {
  const { remote, file, provider } = sending;
  if (!sending.inDoubt) return undefined;
  const there = await outcomeOfWhatIsThere(sending);
  if (there !== undefined) return there;
  const { temporarySuffix, takesAway } = provider.differential.transport;
  // While it stands under its temporary name it was not renamed.
  if (takesAway && (await remote.stat(pathOf(sending) + temporarySuffix)) === undefined) return inDoubt(sending);
  sending.inDoubt = false;
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
  sending.inDoubt = true;
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
