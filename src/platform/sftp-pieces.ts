import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import type { SftpConnection } from './sftp-connection.ts';
import type { SourceFile } from './source.ts';

/** Bytes that every server takes and serves at once, and requests kept in flight so that distance does not cost speed. */
const pieceBytes = 32 * 1024;
const piecesInFlight = 24;

/** The bytes of `file` from `offset` on, in order, with several requests in flight over a ring of buffers. */
export async function* readPieces(
  connection: SftpConnection,
  remotePath: string,
  offset: number,
  file: SourceFile,
): AsyncGenerator<Buffer, void, void> {
  const changed = () => new Problem('file_changed_while_read', { file: file.name });
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
        if (bytes === 0) throw changed();
        filled += bytes;
        if (filled === first.buffer.length) break;
      }
      yield first.buffer;
      free.push(Buffer.from(first.buffer.buffer));
    }
  } finally {
    await closeHandle(connection, handle);
  }
}

/**
 * Writes the content from `offset` on (0: into an empty file), with several requests in flight, and says after each piece
 * up to where everything is confirmed.
 */
export async function writePieces(
  connection: SftpConnection,
  remotePath: string,
  offset: number,
  content: AsyncIterable<Uint8Array>,
  confirmed: (upTo: number) => void,
): Promise<void> {
  const handle = await connection.ask<Buffer>((sftp, done) => sftp.open(remotePath, offset === 0 ? 'w' : 'r+', done));
  const sent: { upTo: number; answer: Promise<void> }[] = [];
  const settleOldest = async () => {
    const oldest = sent.shift();
    check(oldest, 'no piece was sent');
    await oldest.answer;
    confirmed(oldest.upTo);
  };
  try {
    let at = 0;
    for await (const chunk of content) {
      for (let start = Math.max(0, offset - at); start < chunk.length; start += pieceBytes) {
        // A copy: the chunk is overwritten by the next one while this piece may still wait to be sent.
        const piece = Buffer.from(chunk.subarray(start, start + pieceBytes));
        const from = at + start;
        const answer = connection.ask<void>((sftp, done) => sftp.write(handle, piece, 0, piece.length, from, done));
        answer.catch(() => {}); // As above: thrown where it is awaited.
        sent.push({ upTo: from + piece.length, answer });
        if (sent.length >= piecesInFlight) await settleOldest();
      }
      at += chunk.length;
    }
    while (sent.length > 0) await settleOldest();
  } catch (error) {
    await closeHandle(connection, handle);
    throw error;
  }
  // Some servers say only here that there was no room.
  await connection.ask<void>((sftp, done) => sftp.close(handle, done));
}

async function closeHandle(connection: SftpConnection, handle: Buffer): Promise<void> {
  if (connection.isAlive()) await connection.ask<void>((sftp, done) => sftp.close(handle, done)).catch(() => {});
}
