import path from 'node:path';
import type { FileEntryWithStats, Stats } from 'ssh2';
import { Problem } from '../kernel/problem.ts';
import { type Patience, pause, usualPatience } from './patience.ts';
import { ConnectionLost, connectSftp, type SftpConnection, sftpStatus } from './sftp-connection.ts';
import { readPieces, writePieces } from './sftp-pieces.ts';
import { isSameFile, type SourceFile } from './source.ts';
import { formatSource, type SftpAddress } from './source-address.ts';

/**
 * An SFTP server by absolute paths. One connection at a time, made when needed and made again when lost; a transfer then
 * goes on where it stopped. The host key is compared before anything secret is sent.
 * Built on ssh2 itself: requests in flight, resuming at an offset and the host key are below what ssh2-sftp-client offers.
 * @throws Problem `host_key_mismatch`, `sftp_login_refused`, `private_key_unreadable`, `source_unreachable`, `source_refused`
 */
export class SftpClient {
  readonly name: string;
  readonly patience: Patience;
  private readonly address: SftpAddress;
  private connection: SftpConnection | undefined;
  private connecting: Promise<SftpConnection> | undefined;

  constructor(address: SftpAddress, impatience: Partial<Patience> = {}) {
    this.address = address;
    this.name = formatSource(address);
    this.patience = { ...usualPatience, ...impatience };
  }

  /** The plain files of a folder in the order of their names. */
  async list(folder: string): Promise<SourceFile[]> {
    return await this.persist(async (connection) => {
      const entries = await connection.ask<FileEntryWithStats[]>((sftp, done) => sftp.readdir(folder, done));
      const files: SourceFile[] = [];
      for (const { filename, attrs } of entries) {
        // A link is followed, like in a folder; a folder or a device is not a statement.
        const file = attrs.isSymbolicLink()
          ? await followed(connection, path.posix.join(folder, filename))
          : toFile(filename, attrs);
        if (file) files.push(file);
      }
      return files.sort((one, other) => (one.name < other.name ? -1 : 1));
    });
  }

  async stat(file: string): Promise<SourceFile | undefined> {
    return await this.persist((connection) => statBy(connection, file));
  }

  /**
   * The bytes of exactly the file that was seen, each once and in order. A chunk is valid until the next one is asked for.
   * @throws Problem `file_changed_while_read`
   */
  async *read(remotePath: string, file: SourceFile): AsyncGenerator<Buffer, void, void> {
    let offset = 0;
    for (let failures = 0; ; ) {
      try {
        const connection = await this.connect();
        // Also after a reconnection: what is there now may be another file, and its tail must not be joined to this head.
        await assertSame(connection, remotePath, file);
        for await (const piece of readPieces(connection, remotePath, offset, file)) {
          offset += piece.length;
          failures = 0;
          yield piece;
        }
        await assertSame(connection, remotePath, file);
        return;
      } catch (error) {
        failures += 1;
        await this.afterFailure(error, failures);
      }
    }
  }

  /** Writes the whole content, replacing what is there. What a lost connection had confirmed is not sent again. */
  async write(remotePath: string, bytes: number, chunks: () => AsyncIterable<Uint8Array>): Promise<void> {
    let confirmed = 0;
    for (let failures = 0; ; ) {
      const before = confirmed;
      try {
        const connection = await this.connect();
        if (((await statBy(connection, remotePath))?.bytes ?? 0) < confirmed) confirmed = 0;
        await writePieces(connection, remotePath, confirmed, chunks(), (upTo) => {
          confirmed = upTo;
        });
        const there = (await statBy(connection, remotePath))?.bytes;
        if (there === bytes) return;
        throw new Problem('source_refused', {
          source: this.name,
          reason: `${remotePath} holds ${there ?? 'no'} bytes of ${bytes}`,
        });
      } catch (error) {
        failures = confirmed > before ? 1 : failures + 1;
        await this.afterFailure(error, failures);
      }
    }
  }

  /**
   * Sends SFTP's plain rename once, which does not replace a file.
   * @returns why it was refused or, in `doubt`, why nobody knows whether it was done
   */
  async renameOnce(
    from: string,
    to: string,
  ): Promise<'done' | { readonly refused: string } | { readonly doubt: string }> {
    const connection = await this.persist(async (connected) => connected);
    try {
      await connection.ask<void>((sftp, done) => sftp.rename(from, to, done));
      return 'done';
    } catch (error) {
      if (error instanceof ConnectionLost) return { doubt: error.message };
      if (sftpStatus(error) !== undefined) return { refused: (error as Error).message };
      throw error;
    }
  }

  async close(): Promise<void> {
    this.connection?.end();
    this.connection = undefined;
  }

  private async connect(): Promise<SftpConnection> {
    if (this.connection?.isAlive()) return this.connection;
    this.connecting ??= connectSftp(this.address, this.patience).finally(() => {
      this.connecting = undefined;
    });
    this.connection = await this.connecting;
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
    if (failures >= this.patience.tries) {
      throw new Problem('source_unreachable', { source: this.name, reason: error.message }, { cause: error });
    }
    await pause(this.patience, failures);
  }
}

async function assertSame(connection: SftpConnection, remotePath: string, file: SourceFile): Promise<void> {
  if (isSameFile(file, await statBy(connection, remotePath))) return;
  throw new Problem('file_changed_while_read', { file: file.name });
}

async function statBy(connection: SftpConnection, remotePath: string): Promise<SourceFile | undefined> {
  try {
    return toFile(path.posix.basename(remotePath), await connection.ask((sftp, done) => sftp.stat(remotePath, done)));
  } catch (error) {
    if (sftpStatus(error) === 'no_such_file') return undefined;
    throw error;
  }
}

/** What a link leads to; nothing where that is refused: one that goes round in circles does not keep us from the others. */
async function followed(connection: SftpConnection, remotePath: string): Promise<SourceFile | undefined> {
  try {
    return await statBy(connection, remotePath);
  } catch (error) {
    if (sftpStatus(error) === 'refused') return undefined;
    throw error;
  }
}

function toFile(name: string, attributes: Stats): SourceFile | undefined {
  if (!attributes.isFile()) return undefined;
  // Whatever its type says: a server need not tell times.
  return { name, bytes: attributes.size, modifiedAtMs: (attributes.mtime ?? 0) * 1000 };
}
