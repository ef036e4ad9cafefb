import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { posix } from 'node:path';
import { Problem } from '../kernel/problem.ts';
import { type Patience, pause } from './patience.ts';
import type { HttpsAddress } from './remote-address.ts';
import {
  belowFolder,
  type NamedRemoteFile,
  type RemoteContent,
  type RemoteFile,
  type RemoteFolder,
} from './remote-folder.ts';
import { type RenameOutcome, renameOver } from './remote-rename.ts';
import { RequestLost, readBody, readText, WebdavClient } from './webdav-client.ts';
import { propfindBody, readMultistatus } from './webdav-listing.ts';

/**
 * A folder that speaks WebDAV over TLS: HEAD, GET, PUT, MOVE with `Overwrite: F`, PROPFIND. What may be repeated is tried
 * again: HEAD, GET, PROPFIND, and a PUT, which goes to temporary names alone. A MOVE is not, see `renameOver`.
 */
export class HttpsFolder implements RemoteFolder {
  readonly kind = 'https';
  readonly name: string;
  private readonly folder: string;
  private readonly client: WebdavClient;

  constructor(address: HttpsAddress, impatience: Partial<Patience> = {}) {
    this.client = new WebdavClient(address, impatience);
    this.name = this.client.name;
    this.folder = address.folder === '' ? '/' : address.folder;
  }

  stat(path: string): Promise<RemoteFile | undefined> {
    return this.statAt(belowFolder(this.folder, path));
  }

  async put(path: string, { bytes, chunks }: RemoteContent): Promise<void> {
    const target = belowFolder(this.folder, path);
    await this.persist(async () => {
      const response = await this.client.send({ method: 'PUT', path: target, body: { bytes, chunks } });
      response.resume();
      if ((response.statusCode ?? 0) >= 300) throw this.refused(response);
    });
    const there = (await this.statAt(target))?.bytes;
    if (there !== bytes) throw this.refusal(`${target} holds ${there ?? 'no'} bytes of ${bytes}`);
  }

  rename(from: string, to: string): Promise<void> {
    const { name, client } = this;
    const server = {
      name,
      patience: client.patience,
      stat: (path: string) => this.statAt(path),
      renameOnce: (source: string, target: string) => this.moveOnce(source, target),
    };
    return renameOver(server, belowFolder(this.folder, from), belowFolder(this.folder, to));
  }

  async *read(path: string, file: RemoteFile): AsyncGenerator<Buffer, void, void> {
    const source = belowFolder(this.folder, path);
    let offset = 0;
    for (let failures = 0; offset < file.bytes; ) {
      const before = offset;
      try {
        for await (const piece of this.readFrom(source, file, offset)) {
          offset += piece.length;
          if (offset > file.bytes) throw this.refusal(`it served more of ${source} than its ${file.bytes} bytes`);
          failures = 0;
          yield piece;
        }
        if (offset === before) throw new RequestLost('an answer held nothing');
      } catch (error) {
        failures += 1;
        await this.afterFailure(error, failures);
      }
    }
    // It may have been replaced by another of the same size since it was asked for.
    if (!isSame(file, await this.statAt(source))) throw changed(source);
  }

  async list(folder: string): Promise<readonly NamedRemoteFile[]> {
    const path = `${belowFolder(this.folder, folder).replace(/\/+$/, '')}/`;
    const xml = await this.persist(async () => {
      const response = await this.client.send({
        method: 'PROPFIND',
        path,
        headers: { depth: '1', 'content-type': 'application/xml; charset=utf-8' },
        body: { bytes: Buffer.byteLength(propfindBody), chunks: () => oneChunk(propfindBody) },
      });
      const text = await readText(response, this.client.patience);
      if (response.statusCode === 404) return undefined;
      if (response.statusCode !== 207) throw this.refused(response);
      if (text === undefined) throw this.refusal(`its listing of ${path} is too long`);
      return text;
    });
    if (xml === undefined) return [];
    const entries = readMultistatus(xml);
    if (entries === undefined) throw this.refusal(`its listing of ${path} is no multistatus`);
    const files = entries.flatMap(({ href, isFolder, bytes, modifiedAtMs }) => {
      const at = pathOf(href, this.client.urlOf('/'));
      if (isFolder || at === undefined || posix.dirname(at) !== (path.slice(0, -1) || '/')) return [];
      if (bytes === undefined || modifiedAtMs === undefined) {
        throw this.refusal(`its listing of ${path} lacks the size or the time of ${href}`);
      }
      return [{ name: posix.basename(at), bytes, modifiedAtMs }];
    });
    return files.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  async close(): Promise<void> {
    this.client.close();
  }

  private async statAt(path: string): Promise<RemoteFile | undefined> {
    return await this.persist(async () => {
      const response = await this.client.send({ method: 'HEAD', path });
      response.resume();
      if (isGone(response)) return undefined;
      if (response.statusCode !== 200) throw this.refused(response);
      return this.fileOf(response.headers, path);
    });
  }

  private async moveOnce(from: string, to: string): Promise<RenameOutcome> {
    try {
      const response = await this.client.send({
        method: 'MOVE',
        path: from,
        headers: { destination: this.client.urlOf(to), overwrite: 'F' },
      });
      response.resume();
      if (response.statusCode === 412) return 'exists';
      return (response.statusCode ?? 0) < 300 ? 'done' : { refused: statusText(response) };
    } catch (error) {
      if (error instanceof RequestLost) return { doubt: error.message };
      throw error;
    }
  }

  /** The rest of the file, in one answer: of that part where the server serves parts, else of all of it. */
  private async *readFrom(path: string, file: RemoteFile, offset: number): AsyncGenerator<Buffer, void, void> {
    const headers = offset === 0 ? {} : { range: `bytes=${offset}-` };
    const response = await this.client.send({ method: 'GET', path, headers });
    try {
      if (isGone(response)) throw changed(path);
      const part = response.statusCode === 206;
      if (response.statusCode !== 200 && !part) throw this.refused(response);
      const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers['content-range'] ?? '') ?? [];
      const { bytes, modifiedAtMs } = this.fileOf(response.headers, path);
      if (!isSame(file, { bytes: part ? Number(total) : bytes, modifiedAtMs })) throw changed(path);
      if (part && Number(from) !== offset) throw this.refusal(`it served ${path} from ${from} instead of ${offset}`);
      let skip = part ? 0 : offset;
      for await (const piece of readBody(response)) {
        const rest = piece.subarray(Math.min(skip, piece.length));
        skip -= piece.length - rest.length;
        if (rest.length > 0) yield rest;
      }
    } finally {
      response.destroy();
    }
  }

  private fileOf(headers: IncomingHttpHeaders, path: string): RemoteFile {
    const length = headers['content-length'] ?? '';
    const modifiedAtMs = Date.parse(headers['last-modified'] ?? '');
    if (/^\d{1,15}$/.test(length) && !Number.isNaN(modifiedAtMs)) return { bytes: Number(length), modifiedAtMs };
    throw this.refusal(`it does not say the size or the time of ${path}`);
  }

  private async persist<T>(attempt: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await attempt();
      } catch (error) {
        await this.afterFailure(error, failures);
      }
    }
  }

  private async afterFailure(error: unknown, failures: number): Promise<void> {
    if (!(error instanceof RequestLost)) throw error;
    const { patience } = this.client;
    // One that wants to be left alone for longer is left alone: whoever asks comes back on a schedule.
    if (failures >= patience.tries || error.leastMs > patience.longestWaitMs) {
      throw new Problem('source_unreachable', { source: this.name, reason: error.message }, { cause: error });
    }
    await pause(patience, failures, error.leastMs);
  }

  private refused(response: IncomingMessage): Problem {
    return this.refusal(statusText(response));
  }

  private refusal(reason: string): Problem {
    return new Problem('source_refused', { source: this.name, reason });
  }
}

/** A server's own words may hold anything: none of it steers a terminal. */
function statusText({ statusCode, statusMessage, req }: IncomingMessage & { req?: { method?: string } }): string {
  const said = (statusMessage ?? '').slice(0, 200).replace(/[^ -~]/g, '·');
  return `${req?.method ?? ''} ${statusCode} ${said}`.trim();
}

/** Undefined where it is no address, or not UTF-8: such a name is none of ours. */
function pathOf(href: string, base: string): string | undefined {
  try {
    return new URL(href, base).pathname.split('/').map(decodeURIComponent).join('/');
  } catch {
    return undefined;
  }
}

function isGone({ statusCode }: IncomingMessage): boolean {
  return statusCode === 404 || statusCode === 410;
}

function isSame(one: RemoteFile, other: RemoteFile | undefined): boolean {
  return other !== undefined && one.bytes === other.bytes && one.modifiedAtMs === other.modifiedAtMs;
}

function changed(file: string): Problem {
  return new Problem('file_changed_while_read', { file });
}

async function* oneChunk(text: string): AsyncGenerator<Uint8Array, void, void> {
  yield Buffer.from(text);
}
