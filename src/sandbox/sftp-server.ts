import { createHash, generateKeyPairSync, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import path from 'node:path';
import ssh2, { type AuthContext, type ParsedKey } from 'ssh2';
import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { fingerprint } from '../platform/sftp-connection.ts';
import { serveFiles } from './sftp-session.ts';
import type { Lose } from './wire-trouble.ts';

/** Who may log in and what they see: virtual folders such as `/out`, each a folder of this machine. */
export type SftpAccount = {
  readonly user: string;
  readonly password?: string;
  /** In OpenSSH's form: `ssh-ed25519 AAAA…`. */
  readonly publicKeys?: readonly string[];
  readonly folders: Readonly<Record<string, string>>;
};

export type SftpServerOptions = {
  readonly accounts: readonly SftpAccount[];
  /** The host's private key in PEM: see `hostKeyIn` and `newHostKey`. */
  readonly hostKey: string;
  /** 0 for any free port. */
  readonly port?: number;
  /** Which requests of a user lose their connection; none if not given. */
  readonly trouble?: (user: string) => Lose;
};

export type SftpServer = {
  readonly port: number;
  /** `SHA256:…`, as `ssh-keygen -lf` prints it and as clients pin it. */
  readonly hostKeySha256: string;
  close(): Promise<void>;
};

/** Serves folders by SFTP on 127.0.0.1 until closed. A real server: any client may be tried against it. Throws `sandbox_port_taken`. */
export async function startSftpServer(options: SftpServerOptions): Promise<SftpServer> {
  const sockets = new Set<Socket>();
  const ssh = new ssh2.Server({ hostKeys: [options.hostKey] }, (connection, { port }) => {
    let account: SftpAccount | undefined;
    connection.on('authentication', (context) => {
      account = authenticate(options.accounts, context);
      if (account === undefined) context.reject(['password', 'publickey']);
      else context.accept();
    });
    // Clients that vanish are everyday life: the connection is ended, and nothing else is to be done.
    connection.on('error', () => connection.end());
    connection.on('session', (accept) => {
      accept().on('sftp', (acceptSftp) => {
        check(account !== undefined, 'a session follows a login');
        serveFiles(acceptSftp(), account.folders, {
          lose: options.trouble?.(account.user) ?? (() => undefined),
          cut: () => [...sockets].find((socket) => socket.remotePort === port)?.destroy(),
        });
      });
    });
  });
  // Answers are small and waited for one by one: held back for more to send, each would cost 40 ms.
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new Problem('sandbox_port_taken', { port: options.port ?? 0 }) : error),
    );
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    hostKeySha256: fingerprintOf(options.hostKey),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // A client that does not answer must not keep the server from closing.
        for (const socket of sockets) socket.destroySoon();
      }),
  };
}

function authenticate(accounts: readonly SftpAccount[], context: AuthContext): SftpAccount | undefined {
  const account = accounts.find(({ user }) => user === context.username);
  if (account === undefined) return undefined;
  if (context.method === 'password') {
    return account.password !== undefined && sameText(account.password, context.password) ? account : undefined;
  }
  if (context.method !== 'publickey') return undefined;
  for (const text of account.publicKeys ?? []) {
    const key = parseKey(text);
    if (!key.getPublicSSH().equals(context.key.data)) continue;
    // Without a signature the client only asks whether the key would do.
    if (context.signature === undefined || context.blob === undefined) return account;
    return key.verify(context.blob, context.signature, context.hashAlgo) === true ? account : undefined;
  }
  return undefined;
}

/** Compares without telling by the time it takes how much was right. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function parseKey(text: string): ParsedKey {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw key;
  return key;
}

/** `SHA256:` and the base64 digest of the public half of a private key in PEM. */
function fingerprintOf(privateKey: string): string {
  return fingerprint(parseKey(privateKey).getPublicSSH());
}

/** A new private key in PEM: for a host, or for a client that logs in by key. */
export function newHostKey(): string {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return privateKey;
}

/** The public half of a private key, in OpenSSH's form. */
export function publicKeyOf(privateKey: string): string {
  const key = parseKey(privateKey);
  return `${key.type} ${key.getPublicSSH().toString('base64')}`;
}

/** The host key kept in a folder; made at the first call, so that clients may pin it for good. */
export async function hostKeyIn(folder: string): Promise<string> {
  const file = path.join(folder, 'host_key');
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(file, newHostKey(), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFile(file, 'utf8');
}
