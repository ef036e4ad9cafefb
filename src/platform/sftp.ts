import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { FileEntryWithStats, Stats } from 'ssh2';
import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { ConnectionLost, connectSftp, type SftpConnection, sftpStatus } from './sftp-connection.ts';
import { isSameFile, type Source, type SourceFile } from './source.ts';
import { formatSource, type SftpAddress } from './source-address.ts';

/** How long to wait for a server and how often to come back; real servers need the defaults, tests are impatient. */
export type SftpPatience = {
  /** From the first packet to the end of authentication. */
  readonly connectMs: number;
  /** For the answer to one request. */
  readonly answerMs: number;
  /** Connections in a row that bring nothing new, before the source counts as unreachable. */
  readonly tries: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
};

const patience: SftpPatience = {
  connectMs: 20_000,
  answerMs: 30_000,
  tries: 6,
  firstWaitMs: 500,
  longestWaitMs: 15_000,
};

/** Bytes that every server serves in one answer, and requests kept in flight so that distance does not cost speed. */
const pieceBytes = 32 * 1024;
const piecesInFlight = 24;

/**
 * A folder on an SFTP server as a source. One connection at a time, made when needed and made again when lost; a
 * download then goes on where it stopped. The host key is compared before anything secret is sent.
 * Built on ssh2 itself: requests in flight, resuming at an offset and the host key are below what ssh2-sftp-client offers.
 * @throws Problem `host_key_mismatch`, `sftp_login_refused`, `source_unreachable`, `source_refused`
 */
export class SftpSource implements Source {
  readonly kind = 'sftp';
  readonly name: string;
  private readonly address: SftpAddress;
  private readonly patience: SftpPatience;
  private connection: SftpConnection | undefined;

  constructor(address: SftpAddress, impatience: Partial<SftpPatience> = {}) {
    this.address = address;
    this.name = formatSource(address);
    this.patience = { ...patience, ...impatience };
  }

  async list(): Promise<SourceFile[]> {
    return await this.persist(async (connection) => {
      const entries = await connection.ask<FileEntryWithStats[]>((sftp, done) =>
        sftp.readdir(this.address.folder, done),
      );
      const files: SourceFile[] = [];
      for (const { filename, attrs } of entries) {
        // A link is followed, like in a folder; a folder or a device is not a statement.
        const file = attrs.isSymbolicLink() ? await this.statBy(connection, filename) : toFile(filename, attrs);
        if (file) files.push(file);
      }
      return files.sort((one, other) => (one.name < other.name ? -1 : 1));
    });
  }

  async stat(name: string): Promise<SourceFile | undefined> {
    return await this.persist((connection) => this.statBy(connection, name));
  }

  async *read(file: SourceFile): AsyncGenerator<Buffer, void, void> {
    let offset = 0;
    for (let failures = 0; ; ) {
      try {
        const connection = await this.connect();
        // Also after a reconnection: what is there now may be another file, and its tail must not be joined to this head.
        await this.assertSame(connection, file);
        for await (const piece of readPieces(connection, this.pathOf(file.name), offset, file)) {
          offset += piece.length;
          failures = 0;
          yield piece;
        }
        await this.assertSame(connection, file);
        return;
      } catch (error) {
        failures += 1;
        await this.afterFailure(error, failures);
      }
    }
  }

  async close(): Promise<void> {
    this.connection?.end();
    this.connection = undefined;
  }

  private async statBy(connection: SftpConnection, name: string): Promise<SourceFile | undefined> {
    try {
      return toFile(name, await connection.ask((sftp, done) => sftp.stat(this.pathOf(name), done)));
    } catch (error) {
      if (sftpStatus(error) === 'no_such_file') return undefined;
      throw error;
    }
  }

  private async assertSame(connection: SftpConnection, file: SourceFile): Promise<void> {
    if (!isSameFile(file, await this.statBy(connection, file.name))) throw changed(file);
  }

  private pathOf(name: string): string {
    check(path.posix.basename(name) === name, `a file name with a folder: ${name}`);
    return path.posix.join(this.address.folder, name);
  }

  private async connect(): Promise<SftpConnection> {
    if (!this.connection?.isAlive()) this.connection = await connectSftp(this.address, this.patience);
    return this.connection;
  }

  private async persist<T>(attempt: (connection: SftpConnection) => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await attempt(await this.connect());
      } catch (error) {
        await this.afterFailure(error, failures);
      }
    }
  }

  /** Waits before the next try where the connection was at fault, else ends with the reason. */
  private async afterFailure(error: unknown, failures: number): Promise<void> {
    if (!(error instanceof ConnectionLost)) {
      if (sftpStatus(error) === undefined) throw error;
      throw new Problem('source_refused', { source: this.name, reason: (error as Error).message }, { cause: error });
    }
    await this.close();
    const { tries, firstWaitMs, longestWaitMs } = this.patience;
    if (failures >= tries) {
      throw new Problem('source_unreachable', { source: this.name, reason: error.message }, { cause: error });
    }
    await wait(Math.min(longestWaitMs, firstWaitMs * 2 ** (failures - 1)));
  }
}

function toFile(name: string, attributes: Stats): SourceFile | undefined {
  if (!attributes.isFile()) return undefined;
  return { name, bytes: attributes.size, modifiedAtMs: attributes.mtime * 1000 };
}

function changed(file: SourceFile): Problem {
  return new Problem('file_changed_while_read', { file: file.name });
}

/** The bytes of `file` from `offset` on, in order, with several requests in flight over a ring of buffers. */
async function* readPieces(
  connection: SftpConnection,
  remotePath: string,
  offset: number,
  file: SourceFile,
): AsyncGenerator<Buffer, void, void> {
  const handle = await connection.ask<Buffer>((sftp, done) => sftp.open(remotePath, 'r', done));
  const readAt = (buffer: Buffer, from: number) =>
    connection.ask<number>((sftp, done) => sftp.read(handle, buffer, 0, buffer.length, from, done));
  const free: Buffer[] = Array.from({ length: piecesInFlight }, () => Buffer.allocUnsafeSlow(pieceBytes));
  const asked: { buffer: Buffer; from: number; answer: Promise<number> }[] = [];
  let next = offset;
  try {
    while (next < file.bytes || asked.length > 0) {
      while (next < file.bytes) {
        const buffer = free.pop();
        if (!buffer) break;
        const target = buffer.subarray(0, Math.min(pieceBytes, file.bytes - next));
        const answer = readAt(target, next);
        answer.catch(() => {}); // The reason is thrown where the piece is awaited; one further on must not end the process.
        asked.push({ buffer: target, from: next, answer });
        next += target.length;
      }
      const first = asked.shift();
      check(first, 'no piece was asked for');
      // A server may serve less than asked for, and does so at the end of a file that shrank.
      for (
        let filled = 0, bytes = await first.answer;
        ;
        bytes = await readAt(first.buffer.subarray(filled), first.from + filled)
      ) {
        if (bytes === 0) throw changed(file);
        filled += bytes;
        if (filled === first.buffer.length) break;
      }
      yield first.buffer;
      free.push(Buffer.from(first.buffer.buffer));
    }
  } finally {
    if (connection.isAlive()) await connection.ask<void>((sftp, done) => sftp.close(handle, done)).catch(() => {});
  }
}
