import { isProblem, type Language, Problem } from '../../kernel/problem.ts';
import { jsonText } from './json-text.ts';
import { problemBody } from './problem-answer.ts';

export type ServerEvent = { readonly id: string; readonly event: string; readonly data: unknown };

export type EventStreamOptions = {
  /** A line that says nothing keeps what stands between awake, and tells whether anybody listens. */
  readonly heartbeatMs: number;
  /** After this the caller comes again with the last id, and is asked anew who it is. */
  readonly longestMs: number;
  readonly signal: AbortSignal;
  readonly language: Language;
  readonly requestId: string;
  readonly failed: (error: unknown) => void;
};

const comeAgainMs = 2000;

/**
 * Events as `text/event-stream`, until the source ends (`event: end`), the caller goes, or it has lasted `longestMs`. What
 * goes wrong is told as `event: problem`.
 */
export async function* eventStream(
  source: AsyncIterable<ServerEvent>,
  { heartbeatMs, longestMs, signal, language, requestId, failed }: EventStreamOptions,
): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`retry: ${comeAgainMs}\n\n`);
  const events = source[Symbol.asyncIterator]();
  const until = performance.now() + longestMs;
  const gone = new Promise<'over'>((resolve) =>
    signal.addEventListener('abort', () => resolve('over'), { once: true }),
  );
  let next: Promise<IteratorResult<ServerEvent>> | undefined;
  try {
    while (!signal.aborted && performance.now() < until) {
      next ??= events.next();
      const silence = silenceOf(Math.min(heartbeatMs, until - performance.now()));
      const found = await Promise.race([next, gone, silence.passed]).finally(silence.end);
      if (found === 'over') return;
      if (found === 'silence') {
        yield Buffer.from(': \n\n');
        continue;
      }
      next = undefined;
      if (found.done === true) {
        yield Buffer.from('event: end\ndata: {}\n\n');
        return;
      }
      yield Buffer.from(eventText(found.value));
    }
  } catch (error) {
    failed(error);
    const problem = isProblem(error) ? error : new Problem('internal', { request: requestId });
    yield Buffer.from(`event: problem\ndata: ${jsonText(problemBody(problem, language, requestId))}\n\n`);
  } finally {
    next?.catch(() => {});
    // A source that waits for something ends with its signal; we do not wait for that.
    void events.return?.()?.catch(() => {});
  }
}

/** Ids and names are ours, and never hold a line's end; JSON has none. */
function eventText({ id, event, data }: ServerEvent): string {
  return `id: ${oneLine(id)}\nevent: ${oneLine(event)}\ndata: ${jsonText(data)}\n\n`;
}

function oneLine(text: string): string {
  return text.replace(/[\r\n\0]/g, ' ');
}

function silenceOf(ms: number): { readonly passed: Promise<'silence'>; readonly end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<'silence'>((resolve) => {
    timer = setTimeout(() => resolve('silence'), Math.max(1, ms));
  });
  return { passed, end: () => clearTimeout(timer) };
}
