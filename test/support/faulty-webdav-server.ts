import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { link, readdir, rm, stat, unlink, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { HttpsAddress } from '../../src/platform/remote-address.ts';
import { certificateFingerprint } from '../../src/platform/verified-agent.ts';
import { certificateIn } from '../../src/sandbox/certificate.ts';

type RequestFault = number | 'drop' | 'drip a head' | 'drip a body' | undefined;

/** What the server does wrong, asked once a request. */
export type WebdavFaults = {
  /** A status to answer with at once, before a body is read; or the connection is cut, or bytes come one by one for ever. */
  onRequest?: (method: string, path: string) => RequestFault | Promise<RequestFault>;
  /** After how many bytes of a body that it takes or serves the connection is cut, or nothing moves any more. */
  cutAfter?: (method: string) => number | undefined;
  stallAfter?: (method: string) => number | undefined;
  onMove?: () => 'done, then drop' | 'taken away, then drop' | 'said, not done' | undefined;
  noRanges?: boolean;
  /** Serves all of a file where a part was asked for, and calls it that part. */
  wrongRanges?: boolean;
  /** When to come back, beside a status of `onRequest`. */
  retryAfter?: string;
  /** More members of each listing, as XML. */
  listing?: string;
};

export type FaultyWebdavServer = {
  readonly address: HttpsAddress;
  readonly certificatePath: string;
  readonly seen: { requests: string[]; takenBytes: number; servedBytes: number };
  faults: WebdavFaults;
  close(): Promise<void>;
};

/** A real HTTPS server over `folder`, under `/dav`, that speaks as much WebDAV as we need and fails as it is told to. */
export async function startFaultyWebdavServer(folder: string, secrets: string): Promise<FaultyWebdavServer> {
  const pem = certificateIn(secrets);
  const tokenPath = path.join(secrets, 'token');
  await writeFile(tokenPath, 't0ken\n');
  const seen = { requests: [] as string[], takenBytes: 0, servedBytes: 0 };
  const local = (url: string) => {
    const name = decodeURIComponent(new URL(url, 'https://x').pathname);
    if (!name.startsWith('/dav/')) throw new Error(`asked outside: ${name}`);
    return path.join(folder, path.posix.normalize(name.slice('/dav'.length)));
  };

  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const limit = control.faults.cutAfter?.('PUT') ?? Number.POSITIVE_INFINITY;
    const stall = control.faults.stallAfter?.('PUT') ?? Number.POSITIVE_INFINITY;
    let taken = 0;
    async function* counted() {
      for await (const piece of request as AsyncIterable<Buffer>) {
        taken += piece.length;
        seen.takenBytes += piece.length;
        if (taken > stall) await once(request.socket, 'close');
        if (taken > limit) request.socket.destroy();
        yield piece;
      }
    }
    await pipeline(counted, createWriteStream(local(request.url ?? '')));
    response.writeHead(201).end();
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const file = local(request.url ?? '');
    const { size, mtime } = await stat(file);
    const limit = control.faults.cutAfter?.('GET') ?? Number.POSITIVE_INFINITY;
    const start = control.faults.noRanges ? 0 : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const headers = {
      'last-modified': mtime.toUTCString(),
      'content-length': control.faults.wrongRanges ? size : size - start,
    };
    const range = { 'content-range': `bytes ${start}-${size - 1}/${size}` };
    response.writeHead(start > 0 ? 206 : 200, start > 0 ? { ...headers, ...range } : headers);
    if (request.method === 'HEAD') return void response.end();
    async function* counted() {
      let served = 0;
      for await (const piece of createReadStream(
        file,
        control.faults.wrongRanges ? {} : { start },
      ) as AsyncIterable<Buffer>) {
        if (served > limit) response.socket?.destroy();
        served += piece.length;
        seen.servedBytes += piece.length;
        yield piece;
      }
    }
    await pipeline(counted, response);
  };

  const move = async (request: IncomingMessage, response: ServerResponse) => {
    const [from, to] = [local(request.url ?? ''), local(String(request.headers['destination']))];
    if (request.headers['overwrite'] !== 'F') throw new Error('a MOVE that would replace');
    const fault = control.faults.onMove?.();
    if (fault === 'said, not done') return void response.writeHead(200).end();
    await link(from, to);
    await unlink(from);
    if (fault === 'taken away, then drop') await rm(to);
    if (fault !== undefined) return void request.socket.destroy();
    response.writeHead(201).end();
  };

  const list = async (request: IncomingMessage, response: ServerResponse) => {
    const at = local(request.url ?? '');
    if (request.headers['depth'] !== '1') throw new Error('a PROPFIND without a depth');
    const describe = async (name: string) => {
      const found = await stat(path.join(at, name));
      const type = found.isDirectory() ? '<D:resourcetype><D:collection/></D:resourcetype>' : '<D:resourcetype/>';
      const href = `${request.url}${encodeURIComponent(name)}`;
      return `<D:response><D:href>${href.replaceAll('&', '&amp;')}</D:href><D:propstat><D:prop>${type}
        <D:getcontentlength>${found.size}</D:getcontentlength>
        <D:getlastmodified>${found.mtime.toUTCString()}</D:getlastmodified></D:prop>
        <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`;
    };
    const entries = await Promise.all(['', ...(await readdir(at))].map(describe));
    response.writeHead(207, { 'content-type': 'application/xml' });
    response.end(
      `<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">${entries.join('')}${control.faults.listing ?? ''}</D:multistatus>`,
    );
  };

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '' } = request;
    seen.requests.push(`${method} ${request.url}`);
    if (request.headers.authorization !== 'Bearer t0ken') return void response.writeHead(401).end();
    const fault = await control.faults.onRequest?.(method, request.url ?? '');
    if (fault === 'drop') return void request.socket.destroy();
    if (fault === 'drip a head' || fault === 'drip a body') {
      request.socket.write(`HTTP/1.1 207 Multi-Status\r\n${fault === 'drip a body' ? '\r\n' : 'X: '}`);
      while (!request.socket.destroyed) {
        request.socket.write('x');
        await wait(20);
      }
      return;
    }
    if (fault !== undefined) {
      const { retryAfter } = control.faults;
      const later = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
      return void response.writeHead(fault, { location: 'https://elsewhere.invalid/', ...later }).end();
    }
    if (method === 'PUT') await take(request, response);
    else if (method === 'MOVE') await move(request, response);
    else if (method === 'PROPFIND') await list(request, response);
    else await serve(request, response);
  };
  const statuses: Readonly<Record<string, number>> = { ENOENT: 404, EEXIST: 412 };
  const server = createServer({ key: pem.key, cert: pem.certificate }, (request, response) => {
    answer(request, response).catch((error: NodeJS.ErrnoException) => {
      if (response.headersSent || request.socket.destroyed) return void request.socket.destroy();
      response.writeHead(statuses[error.code ?? ''] ?? 501, { 'x-error': encodeURIComponent(error.message) }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const control: FaultyWebdavServer = {
    address: {
      kind: 'https',
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      folder: '/dav',
      tokenPath,
      fingerprints: [certificateFingerprint(new X509Certificate(pem.certificate).raw)],
    },
    certificatePath: pem.certificatePath,
    seen,
    faults: {},
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return control;
}
