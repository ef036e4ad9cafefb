import { createWriteStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Language } from '../kernel/problem.ts';
import { Problem } from '../kernel/problem.ts';
import { problemOf } from '../platform/api-client.ts';
import { writeOut } from '../platform/output.ts';
import { answerText, eventText } from './answer-text.ts';

/** Prints a file as it comes; of one with a line of titles at most so many rows, where that is said. */
export async function printText(response: Response, output: Writable, rows?: number): Promise<void> {
  const decoder = new TextDecoder();
  let left = rows === undefined ? Number.POSITIVE_INFINITY : rows + 1;
  let isQuoted = false;
  for await (const piece of response.body ?? []) {
    const text = decoder.decode(piece as Uint8Array, { stream: true });
    let end = 0;
    for (; end < text.length && left > 0; end += 1) {
      // A line break within quotes is part of a cell.
      if (text[end] === '"') isQuoted = !isQuoted;
      else if (text[end] === '\n' && !isQuoted) left -= 1;
    }
    await writeOut(output, text.slice(0, end));
    if (left === 0) return;
  }
}

/** Into a new file, which only its owner may read. Throws Problem `usage` where there is one already, or no place for it. */
export async function save(response: Response, file: string): Promise<void> {
  if (response.body === null) throw new Problem('server_answer_unreadable', { status: response.status, text: '' });
  try {
    await pipeline(Readable.fromWeb(response.body as never), createWriteStream(file, { flags: 'wx', mode: 0o600 }));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || !/^E[A-Z]+$/.test(code)) throw error;
    throw new Problem('usage', { reason: `${file}: ${message}` }, { cause: error });
  }
}

/**
 * Server-sent events, a line each: in words, or as JSON with the event's name and place. Gives how the run stood last.
 * Throws what the server refused.
 */
export async function printEvents(
  response: Response,
  output: Writable,
  isJson: boolean,
  language: Language,
): Promise<unknown> {
  let rest = '';
  let run: unknown;
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    rest += decoder.decode(piece as Uint8Array, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const { id, event, data } = fieldsOf(block);
      if (data === '' || event === 'end') continue;
      if (event === 'problem') throw problemOf(data, response.status);
      const happened = JSON.parse(data) as unknown;
      const fields =
        typeof happened === 'object' && happened !== null ? (happened as Record<string, unknown>) : undefined;
      if (event === 'state') run = fields?.['run'];
      const line = fields === undefined ? answerText(happened, language) : eventText(fields, language);
      await writeOut(output, isJson ? `${JSON.stringify({ id, event, ...fields })}\n` : line);
    }
  }
  return run;
}

function fieldsOf(block: string): { readonly id: string; readonly event: string; readonly data: string } {
  const all = (field: string) =>
    block
      .split('\n')
      .filter((line) => line.startsWith(`${field}:`))
      .map((line) => line.slice(field.length + 1).trim())
      .join('\n');
  return { id: all('id'), event: all('event'), data: all('data') };
}
