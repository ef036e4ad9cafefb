import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SFTPWrapper, utils } from 'ssh2';
import { Problem } from '../kernel/problem.ts';
import { formatSource, type SftpAddress } from './source-address.ts';

/** The connection, not the request, is at fault: the same request may succeed on a new connection. */
export class ConnectionLost extends Error {
  override name = 'ConnectionLost';
}

type Answer<T> = (error: Error | null | undefined, value: T) => void;

export type SftpConnection = {
  /** Sends one request; a lost connection or a late answer rejects with ConnectionLost, a refusal with its status. */
  ask<T>(request: (sftp: SFTPWrapper, done: Answer<T>) => void): Promise<T>;
  isAlive(): boolean;
  end(): void;
};

/** `SHA256:…` of a host's public key, as `ssh-keygen -lf` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** What the server said of a request, or undefined where the error is not an answer of the server. */
export function sftpStatus(error: unknown): 'no_such_file' | 'refused' | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  if (typeof code !== 'number') return undefined;
  return code === 2 ? 'no_such_file' : 'refused';
}

/**
 * Connects, compares the host key before authenticating, and opens the SFTP channel.
 * @throws Problem `host_key_mismatch`, `sftp_login_refused`, `private_key_unreadable`
 */
export async function connectSftp(
  address: SftpAddress,
  limits: { readonly connectMs: number; readonly answerMs: number },
): Promise<SftpConnection> {
  // Loaded when it is needed: a process that reads from folders does not carry it in memory.
  const { default: ssh2 } = await import('ssh2');
  const path = address.privateKeyPath;
  const privateKey = path === undefined ? undefined : await readPrivateKey(path, ssh2.utils.parseKey);
  const client = new ssh2.Client();
  const waiting = new Set<(reason: Error) => void>();
  let lost: Error | undefined;
  let unknownKey: string | undefined;
  const lose = (reason: Error) => {
    lost ??= reason;
    for (const reject of waiting) reject(lost);
    waiting.clear();
    client.destroy();
  };
  client.on('error', (error) => lose(connectionFault(error, address, unknownKey)));
  client.on('close', () => lose(new ConnectionLost('the connection was closed')));

  const within = <T>(start: (done: Answer<T>) => void, limitMs: number, what: string) =>
    new Promise<T>((resolve, reject) => {
      if (lost) return reject(lost);
      const timer = setTimeout(() => lose(new ConnectionLost(`${what} took more than ${limitMs} ms`)), limitMs);
      const settle = () => {
        clearTimeout(timer);
        waiting.delete(fail);
      };
      const fail = (reason: Error) => {
        settle();
        reject(reason);
      };
      waiting.add(fail);
      start((error, value) => {
        settle();
        if (!error) resolve(value);
        else reject(isAnswer(error) ? error : new ConnectionLost(error.message, { cause: error }));
      });
    });

  const connected = within<void>(
    (done) => client.once('ready', () => done(null, undefined)),
    limits.connectMs,
    'connecting',
  );
  client.connect({
    host: address.host,
    port: address.port,
    username: address.user,
    ...(address.password ? { password: address.password.reveal() } : {}),
    ...(privateKey ? { privateKey } : {}),
    readyTimeout: limits.connectMs,
    keepaliveInterval: 10_000,
    keepaliveCountMax: 3,
    hostVerifier: (key: Buffer) => {
      const seen = fingerprint(key);
      if (address.hostKeys.includes(seen)) return true;
      unknownKey = seen;
      return false;
    },
  });
  // Requests are small and each waits for an answer: held back by Nagle's algorithm, every round would take 40 ms more.
  client.setNoDelay(true);
  await connected;
  const sftp = await within<SFTPWrapper>((done) => client.sftp(done), limits.answerMs, 'opening SFTP');
  return {
    ask: (request) => within((done) => request(sftp, done), limits.answerMs, 'an answer'),
    isAlive: () => lost === undefined,
    end: () => {
      client.end();
    },
  };
}

/** SFTP status codes 1 to 5 and 8 answer the request; 6 and 7 speak of the connection, anything else is ssh2's own. */
function isAnswer(error: Error): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'number' && code !== 6 && code !== 7;
}

function connectionFault(error: Error, address: SftpAddress, unknownKey: string | undefined): Error {
  const source = formatSource(address);
  if (unknownKey !== undefined) {
    return new Problem('host_key_mismatch', { source, pinned: address.hostKeys.join(', '), seen: unknownKey });
  }
  const { level } = error as { level?: string };
  if (level === 'client-authentication') return new Problem('sftp_login_refused', { source });
  return new ConnectionLost(error.message, { cause: error });
}

async function readPrivateKey(file: string, parseKey: typeof utils.parseKey): Promise<Buffer> {
  const unreadable = (reason: Error) => new Problem('private_key_unreadable', { file, reason: reason.message });
  const bytes = await readFile(file).catch((error: Error) => {
    throw unreadable(error);
  });
  const key = parseKey(bytes);
  if (key instanceof Error) throw unreadable(key);
  return bytes;
}
