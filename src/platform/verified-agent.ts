import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { Problem } from '../kernel/problem.ts';

/** Whom to connect to, and by what it is known. */
export type VerifiedServer = {
  readonly host: string;
  readonly port: number;
  /** A PEM file; the server's certificate must be it or be issued by it, and no other authority counts. */
  readonly caPath?: string | undefined;
  /** `SHA256:…` over the server's certificate, one of which it must have; then no authority is asked. */
  readonly fingerprints?: readonly string[] | undefined;
};

/** Connections kept open while idle. How many are in use at a time is bounded by whoever sends. */
const mostIdle = 256;

/**
 * Hands a connection out only after its handshake and the check of the certificate: so a request that was given one may
 * have left, and a request that was not given one has not. Throws Problem `certificate_unreadable`; a request fails with
 * `certificate_mismatch`.
 */
export class VerifiedAgent extends Agent {
  private readonly server: VerifiedServer;
  private readonly connectMs: number;
  /** One for all connections: what they trust takes more memory than they do. */
  private readonly trust: SecureContext;

  constructor(server: VerifiedServer, connectMs: number) {
    super({ keepAlive: true, maxFreeSockets: mostIdle, scheduling: 'lifo' });
    this.server = server;
    this.connectMs = connectMs;
    const ca = server.caPath === undefined ? {} : { ca: readCertificate(server.caPath) };
    this.trust = createSecureContext({ minVersion: 'TLSv1.2', ...ca });
  }

  override createConnection(
    _options: RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { host, port, fingerprints = [] } = this.server;
    const socket: TLSSocket = connectTls({
      host,
      port,
      secureContext: this.trust,
      // A pinned certificate is compared below instead, before anything is sent.
      rejectUnauthorized: fingerprints.length === 0,
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    socket.setNoDelay(true);
    const timer = setTimeout(
      () => socket.destroy(new Error(`no connection within ${this.connectMs} ms`)),
      this.connectMs,
    );
    const failed = (error: Error) => {
      clearTimeout(timer);
      callback?.(error, socket);
    };
    const closed = () => failed(new Error('the connection was closed during the handshake'));
    socket.once('error', failed);
    socket.once('close', closed);
    socket.once('secureConnect', () => {
      const mismatch = mismatchOf(socket, this.server);
      if (mismatch) return void socket.destroy(mismatch);
      clearTimeout(timer);
      socket.off('error', failed);
      socket.off('close', closed);
      callback?.(null, socket);
    });
    return undefined;
  }
}

function mismatchOf(socket: TLSSocket, { host, port, fingerprints = [] }: VerifiedServer): Problem | undefined {
  if (fingerprints.length === 0) return undefined;
  const certificate = socket.getPeerX509Certificate();
  const seen = certificate ? certificateFingerprint(certificate.raw) : '?';
  if (fingerprints.includes(seen)) return undefined;
  return new Problem('certificate_mismatch', {
    source: `https://${host}:${port}`,
    pinned: fingerprints.join(', '),
    seen,
  });
}

/** `SHA256:…`, base64, of a certificate in DER. */
export function certificateFingerprint(der: Buffer): string {
  return `SHA256:${createHash('sha256').update(der).digest('base64').replace(/=+$/, '')}`;
}

function readCertificate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Problem('certificate_unreadable', { file, reason: (error as Error).message }, { cause: error });
  }
}
