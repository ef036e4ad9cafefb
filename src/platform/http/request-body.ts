import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Problem } from '../../kernel/problem.ts';

/** What a body may weigh, and how long it may take. */
export type BodyLimits = {
  readonly mostBytes: number;
  /** All of it for what is read whole; the next piece of it for what is read as it comes. */
  readonly withinMs: number;
};

/** The bytes of a small body. Throws Problem `request_too_large`, `request_too_slow`, `request_unreadable`. */
export async function readWhole(request: Request, { mostBytes, withinMs }: BodyLimits): Promise<Buffer> {
  refuseDeclared(request, mostBytes);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const until = performance.now() + withinMs;
  for await (const piece of pieceByPiece(request, () => until - performance.now(), withinMs)) {
    bytes += piece.length;
    if (bytes > mostBytes) throw new Problem('request_too_large', { limitBytes: mostBytes });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** What was read of a body that is read as it comes. */
export type ReadFacts = { readonly bytes: number; readonly sha256: Buffer };
export type BodyStream = {
  readonly stream: Readable;
  /** Of what has been read up to now. */
  facts(): ReadFacts;
};

/**
 * A large body as it comes: no faster than it is read, since nothing is asked of the connection before. The stream fails
 * with Problem `request_too_large`, `request_too_slow` where no piece came in time while one was waited for, and
 * `request_unreadable` where the connection broke.
 */
export function streamBody(request: Request, { mostBytes, withinMs }: BodyLimits): BodyStream {
  refuseDeclared(request, mostBytes);
  const hash = createHash('sha256');
  let bytes = 0;
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of pieceByPiece(request, () => withinMs, withinMs)) {
      bytes += piece.length;
      if (bytes > mostBytes) throw new Problem('request_too_large', { limitBytes: mostBytes });
      hash.update(piece);
      yield piece;
    }
  };
  return {
    stream: Readable.from(pieces(), { objectMode: false }),
    facts: () => ({ bytes, sha256: hash.copy().digest() }),
  };
}

/** The hash of the first so many bytes of a body, or undefined where it has fewer. */
export async function hashOfFirst(request: Request, first: number, withinMs: number): Promise<Buffer | undefined> {
  const hash = createHash('sha256');
  let left = first;
  if (left === 0) return hash.digest();
  for await (const piece of pieceByPiece(request, () => withinMs, withinMs)) {
    hash.update(piece.subarray(0, left));
    left -= Math.min(left, piece.length);
    if (left === 0) return hash.digest();
  }
  return undefined;
}

function refuseDeclared(request: Request, mostBytes: number): void {
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) {
    throw new Problem('request_too_large', { limitBytes: mostBytes });
  }
}

/** `leftMs` is asked before each piece. What is not read to its end is let go of. */
async function* pieceByPiece(
  request: Request,
  leftMs: () => number,
  withinMs: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (request.body === null) return;
  const reader = request.body.getReader();
  try {
    for (;;) {
      const read = await within(reader.read(), leftMs(), withinMs);
      if (read.done) return;
      yield read.value;
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}

async function within<T>(reading: Promise<T>, leftMs: number, withinMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const slow = () => reject(new Problem('request_too_slow', { seconds: Math.ceil(withinMs / 1000) }));
    timer = setTimeout(slow, Math.max(0, leftMs));
  });
  try {
    return await Promise.race([
      reading.catch((error: Error) => {
        throw new Problem('request_unreadable', { reason: error.message }, { cause: error });
      }),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
