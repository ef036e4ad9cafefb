import { createHash, timingSafeEqual } from 'node:crypto';
import { createReadStream, createWriteStream, type Stats } from 'node:fs';
import { link, readdir, rm, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Problem } from '../kernel/problem.ts';
import { certificateIn } from './certificate.ts';
import type { Lose } from './wire-trouble.ts';

export type WebdavServerOptions = {
  /** Its certificate is kept here, so that clients may pin it. */
  readonly folder: string;
  /** Whoever shows it may read and write. */
  readonly token: string;
  /** Virtual folders such as `/req`, each a folder of this machine. */
  readonly folders: Readonly<Record<string, string>>;
  /** 0 or none for any free port. */
  readonly port?: number;
  readonly lose?: Lose;
};

export type WebdavServer = {
  readonly port: number;
  readonly certificatePath: string;
  close(): Promise<void>;
};

type Exchange = WebdavServerOptions & { readonly request: IncomingMessage; readonly response: ServerResponse };

/**
 * Serves folders by WebDAV (RFC 4918) over HTTPS on 127.0.0.1 until closed: PUT, HEAD, GET with ranges, MOVE that may
 * refuse to overwrite, DELETE, PROPFIND. Throws `sandbox_port_taken`.
 */
export async function startWebdavServer(options: WebdavServerOptions): Promise<WebdavServer> {
  const { certificatePath, key, certificate } = certificateIn(options.folder);
  const server = createServer({ key, cert: certificate }, (request, response) => {
    answer({ ...options, request, response }).catch((error: NodeJS.ErrnoException) => {
      if (response.headersSent || response.destroyed) return void response.destroy();
      end(response, statusOf(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new Problem('sandbox_port_taken', { port: options.port ?? 0 }) : error),
    );
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    certificatePath,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  if (!isKnown(exchange)) {
    request.resume();
    response.setHeader('www-authenticate', 'Bearer');
    return end(response, 401);
  }
  const name = pathOf(request.url ?? '/');
  switch (request.method) {
    case 'PUT':
      return put(exchange, name);
    case 'HEAD':
    case 'GET':
      return get(exchange, name);
    case 'MOVE':
      return move(exchange, name);
    case 'DELETE':
      await rm(resolveIn(exchange.folders, name));
      return end(response, 204);
    case 'PROPFIND':
      return list(exchange, name);
    default:
      request.resume();
      response.setHeader('allow', 'PUT, HEAD, GET, MOVE, DELETE, PROPFIND');
      return end(response, 405);
  }
}

function isKnown({ request, token }: Exchange): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`));
}

async function put({ request, response, folders, lose }: Exchange, name: string): Promise<void> {
  const real = resolveIn(folders, name);
  const there = await statIf(real);
  const lost = lose?.({ act: 'put', name });
  const file = createWriteStream(real);
  if (lost === 'before') {
    // Its first bytes arrive, and no more.
    for await (const chunk of request as AsyncIterable<Buffer>) {
      file.end(chunk.subarray(0, chunk.length >> 1));
      break;
    }
    return void response.destroy();
  }
  await pipeline(request, file);
  if (lost === 'after') return void response.destroy();
  end(response, there === undefined ? 201 : 204);
}

async function get({ request, response, folders }: Exchange, name: string): Promise<void> {
  request.resume();
  const real = resolveIn(folders, name);
  const stats = await stat(real);
  if (!stats.isFile()) return end(response, 404);
  const range = rangeOf(request.headers.range, stats.size);
  if (range === 'none') {
    response.setHeader('content-range', `bytes */${stats.size}`);
    return end(response, 416);
  }
  const { from, to } = range ?? { from: 0, to: stats.size - 1 };
  response.writeHead(range === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': to - from + 1,
    'last-modified': stats.mtime.toUTCString(),
    'accept-ranges': 'bytes',
    etag: etagOf(stats),
    ...(range === undefined ? {} : { 'content-range': `bytes ${from}-${to}/${stats.size}` }),
  });
  if (request.method === 'HEAD' || to < from) return void response.end();
  await pipeline(createReadStream(real, { start: from, end: to }), response);
}

/** The one range that is asked for; undefined for all of it; `none` where nothing lies in it. */
function rangeOf(header: string | undefined, size: number): { from: number; to: number } | 'none' | undefined {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined) return undefined;
  const from = Number(first);
  const to = last === undefined || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return from > to ? 'none' : { from, to };
}

async function move({ request, response, folders, lose }: Exchange, name: string): Promise<void> {
  request.resume();
  const destination = pathOf(new URL(String(request.headers['destination'] ?? ''), 'https://sandbox').pathname);
  const [from, to] = [resolveIn(folders, name), resolveIn(folders, destination)];
  const lost = lose?.({ act: 'rename', name: destination });
  if (lost === 'before') return void response.destroy();
  if (request.headers['overwrite'] !== 'F') await rm(to, { force: true });
  await link(from, to);
  await rm(from);
  if (lost === 'after') return void response.destroy();
  end(response, 201);
}

async function list({ request, response, folders }: Exchange, name: string): Promise<void> {
  request.resume();
  const real = resolveIn(folders, name);
  const stats = await stat(real);
  const members = stats.isDirectory() && request.headers['depth'] !== '0' ? (await readdir(real)).sort() : [];
  const entries = [entryOf(name, stats)];
  for (const member of members) {
    const there = await statIf(path.join(real, member));
    if (there !== undefined) entries.push(entryOf(`${name.replace(/\/$/, '')}/${member}`, there));
  }
  response.writeHead(207, { 'content-type': 'application/xml; charset=utf-8' });
  response.end(
    `<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">\n${entries.join('')}</D:multistatus>\n`,
  );
}

function entryOf(name: string, stats: Stats): string {
  const href = name.split('/').map(encodeURIComponent).join('/') + (stats.isDirectory() ? '/' : '');
  const kind = stats.isDirectory()
    ? '<D:resourcetype><D:collection/></D:resourcetype>'
    : `<D:resourcetype/><D:getcontentlength>${stats.size}</D:getcontentlength>`;
  const modified = `<D:getlastmodified>${stats.mtime.toUTCString()}</D:getlastmodified>`;
  const etag = `<D:getetag>${etagOf(stats).replaceAll('"', '&quot;')}</D:getetag>`;
  return `<D:response><D:href>${href}</D:href><D:propstat><D:prop>${kind}${modified}${etag}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>\n`;
}

/** Another file, or another version of it, has another one. */
const etagOf = ({ ino, size, mtimeMs }: Stats): string => `"${ino}-${size}-${Math.floor(mtimeMs)}"`;

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 });
  response.end();
}

function statusOf({ code }: NodeJS.ErrnoException): number {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 404;
  return code === 'EEXIST' ? 412 : 500;
}

async function statIf(file: string): Promise<Stats | undefined> {
  return stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
}

/** A URL's path, normalised: no `..` leads out of the folders. */
function pathOf(url: string): string {
  return path.posix.resolve('/', decodeURIComponent(url.replace(/[?#].*$/, '')));
}

function resolveIn(folders: WebdavServerOptions['folders'], name: string): string {
  for (const [virtual, real] of Object.entries(folders)) {
    if (name === virtual) return real;
    if (name.startsWith(`${virtual}/`)) return path.join(real, name.slice(virtual.length));
  }
  throw Object.assign(new Error(`nothing at ${name}`), { code: 'ENOENT' });
}
