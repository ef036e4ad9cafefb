import {
  type Attributes,
  type Context,
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Pool } from './database/pool.ts';

/** 추적. Spans of what this process does, while somebody collects them. */
export type Tracing = {
  /** Sends what is left; gives up after some seconds. */
  close(): Promise<void>;
};

const tracerName = 'jeongsan';
const closeMs = 5_000;
const mostSqlLetters = 500;

/**
 * Begins to send spans to a collector (OTLP over HTTP), `http://collector:4318`. Without a call to this, spans cost
 * nothing and go nowhere.
 */
export async function startTracing({
  endpoint,
  version,
}: {
  readonly endpoint: string;
  readonly version: string;
}): Promise<Tracing> {
  // Only who collects spans pays for loading what sends them.
  const [{ OTLPTraceExporter }, { resourceFromAttributes }, { BatchSpanProcessor, NodeTracerProvider }] =
    await Promise.all([
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/sdk-trace-node'),
    ]);
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: closeMs });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'jeongsan', 'service.version': version }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  provider.register();
  return {
    async close() {
      await Promise.race([
        provider.shutdown().catch(() => undefined),
        new Promise((resolve) => setTimeout(resolve, closeMs).unref()),
      ]);
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
}

/** Work as a span below the one that is going on, with its failure. */
export function span<T>(
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
  kind = SpanKind.INTERNAL,
): Promise<T> {
  return spanBelow(context.active(), name, attributes, work, kind);
}

/** Work that another system asked for, below the span that its headers name. */
export function servedSpan<T>(
  headers: Readonly<Record<string, string | undefined>>,
  { name, attributes }: { readonly name: string; readonly attributes: Attributes },
  work: () => Promise<T>,
): Promise<T> {
  return spanBelow(propagation.extract(context.active(), headers), name, attributes, work, SpanKind.SERVER);
}

function spanBelow<T>(
  parent: Context,
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
  kind: SpanKind,
): Promise<T> {
  return trace.getTracer(tracerName).startActiveSpan(name, { attributes, kind }, parent, async (going) => {
    try {
      return await work();
    } catch (error) {
      going.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
      going.setAttribute('error.type', (error as { code?: string }).code ?? (error as Error).name);
      throw error;
    } finally {
      going.end();
    }
  });
}

type Asked = (...args: unknown[]) => unknown;

/**
 * Makes a span of each statement of this pool that belongs to some other span: what polls by itself is left out. The
 * text is kept without its values, which may be personal.
 */
export function traceStatements(pool: Pool): void {
  pool.on('connect', (client) => {
    const ask = client.query.bind(client) as Asked;
    const traced: Asked = (...args) => {
      const text = textOf(args[0]);
      const isPromise = typeof args.at(-1) !== 'function';
      if (text === undefined || !isPromise || trace.getActiveSpan() === undefined) return ask(...args);
      const attributes = { 'db.system.name': 'postgresql', 'db.query.text': text.slice(0, mostSqlLetters) };
      return span(operationOf(text), attributes, async () => await ask(...args), SpanKind.CLIENT);
    };
    Object.assign(client, { query: traced });
  });
}

/** A COPY or a cursor is an object of its own and is not traced. */
function textOf(asked: unknown): string | undefined {
  if (typeof asked === 'string') return asked;
  if (typeof asked === 'object' && asked !== null && 'text' in asked && !('submit' in asked)) return String(asked.text);
  return undefined;
}

function operationOf(text: string): string {
  const [, verb = 'sql', table] =
    /^\s*(\w+)(?:[\s\S]*?\b(?:from|into|update|table)\s+(?:only\s+)?"?([a-z_.]+))?/i.exec(text) ?? [];
  return table === undefined ? verb.toLowerCase() : `${verb.toLowerCase()} ${table}`;
}
