/**
 * Where a span stands (W3C Trace Context): the trace that it belongs to and its own id, in lower-case hex.
 *
 * The trace of a sweep follows from the sweep's id, so API and workers agree on it without a column, a header or a job that carries it,
 * and a worker that comes years later still finds it.
 */
import { createHash, randomBytes } from 'node:crypto';

export type SpanContext = {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
};

/** The span of a sweep's submission: the root of everything that is done for it. */
export const sweepContext = (sweepId: string): SpanContext => {
  const hash = createHash('sha256').update(`funnel sweep ${sweepId}`).digest('hex');
  return { traceId: hash.slice(0, 32), spanId: hash.slice(32, 48) };
};

/** A new span in its parent's trace, or in a trace of its own. */
export const newContext = (parent?: SpanContext): SpanContext => ({
  traceId: parent?.traceId ?? randomBytes(16).toString('hex'),
  spanId: randomBytes(8).toString('hex'),
});

/** Spans as OTLP/HTTP takes them in JSON (opentelemetry-proto 1.x, `ExportTraceServiceRequest`). */

export type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;

export type FinishedSpan = {
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'consumer';
  readonly context: SpanContext;
  readonly parent: SpanContext | null;
  /** Spans of other traces that it belongs to as well. */
  readonly links: readonly SpanContext[];
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  /** What went wrong, if something did. */
  readonly error: string | null;
};

const kinds = { internal: 1, server: 2, consumer: 5 } as const;
const statusError = 2;

const nanoseconds = (milliseconds: number): string => `${BigInt(Math.round(milliseconds * 1000)) * 1000n}`;

const anyValue = (value: string | number | boolean) => {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  // 64-bit integers are strings in protobuf's JSON.
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
};

const attributesOf = (attributes: Attributes) =>
  Object.entries(attributes).flatMap(([key, value]) =>
    value === null || value === undefined ? [] : [{ key, value: anyValue(value) }],
  );

const spanOf = ({ name, kind, context, parent, links, start, end, attributes, error }: FinishedSpan) => ({
  traceId: context.traceId,
  spanId: context.spanId,
  ...(parent && parent.traceId === context.traceId ? { parentSpanId: parent.spanId } : {}),
  name,
  kind: kinds[kind],
  startTimeUnixNano: nanoseconds(start),
  endTimeUnixNano: nanoseconds(end),
  attributes: attributesOf(attributes),
  links: links.map(({ traceId, spanId }) => ({ traceId, spanId })),
  status: error === null ? {} : { code: statusError, message: error },
});

export const exportRequest = (resource: Attributes, spans: readonly FinishedSpan[]) => ({
  resourceSpans: [
    {
      resource: { attributes: attributesOf(resource) },
      scopeSpans: [{ scope: { name: 'funnel' }, spans: spans.map(spanOf) }],
    },
  ],
});

/**
 * Spans to an OpenTelemetry collector by OTLP/HTTP with JSON. The whole protocol that is used here is one POST, so there is no SDK: what it
 * would add (instrumentation of every library, samplers, processors) is not wanted, and a worker's start would pay for it.
 *
 * Tracing never holds up or fails what it traces: spans are sent in the background, and dropped when the collector does not take them.
 */

export type SpanOptions = {
  /** Its own place, where that is known beforehand. (Default: a new one under `parent`) */
  readonly context?: SpanContext;
  readonly parent?: SpanContext;
  readonly links?: readonly SpanContext[];
  readonly kind?: FinishedSpan['kind'];
  readonly attributes?: Attributes;
  /** Milliseconds since 1970. (Default: now) */
  readonly start?: number;
};

export type Span = {
  readonly context: SpanContext;
  /** Ends it, once. `error`: what went wrong. */
  readonly end: (outcome?: { readonly attributes?: Attributes; readonly error?: string | null }) => void;
};

export type Tracer = {
  readonly start: (name: string, options?: SpanOptions) => Span;
  /** Sends what is left; resolves whether it could or not. */
  readonly close: () => Promise<void>;
};

export type TracerOptions = {
  /** OTEL_EXPORTER_OTLP_ENDPOINT, such as http://localhost:4318; tracing is off without it. */
  readonly endpoint: string | undefined;
  /** Attributes of the process: `service.name`, `service.version`, … */
  readonly resource: Attributes;
  /** Told once per row of failures. */
  readonly onError?: (error: Error) => void;
};

const batch = 256;
/** Spans kept while the collector is slow or away; more are dropped. */
const maxPending = 4096;
const flushMilliseconds = 1000;
const timeoutMilliseconds = 5000;

const off: Tracer = {
  start: (_name, { context, parent } = {}) => ({ context: context ?? newContext(parent), end: () => {} }),
  close: async () => {},
};

export const createTracer = ({ endpoint, resource, onError }: TracerOptions): Tracer => {
  if (!endpoint) return off;
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  const pending: FinishedSpan[] = [];
  let timer: NodeJS.Timeout | null = null;
  let sending: Promise<void> = Promise.resolve();
  let failing = false;

  const send = async (spans: readonly FinishedSpan[]): Promise<void> => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(exportRequest(resource, spans)),
        signal: AbortSignal.timeout(timeoutMilliseconds),
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`Expected ${url} to take spans, but it answered ${response.status}`);
      failing = false;
    } catch (error) {
      if (!failing) onError?.(error instanceof Error ? error : new Error(String(error)));
      failing = true;
    }
  };

  const flush = (): void => {
    timer = null;
    const spans = pending.splice(0);
    sending = sending.then(async () => {
      for (let from = 0; from < spans.length; from += batch) await send(spans.slice(from, from + batch));
    });
  };

  const add = (span: FinishedSpan): void => {
    if (pending.length >= maxPending) return;
    pending.push(span);
    timer ??= setTimeout(flush, flushMilliseconds).unref();
  };

  return {
    start: (
      name,
      { context, parent, links = [], kind = 'internal', attributes = {}, start = Date.now() } = {},
    ) => {
      const own = context ?? newContext(parent);
      let ended = false;
      return {
        context: own,
        end: ({ attributes: more, error = null } = {}) => {
          if (ended) return;
          ended = true;
          add({
            name,
            kind,
            context: own,
            parent: parent ?? null,
            links,
            start,
            end: Date.now(),
            attributes: { ...attributes, ...more },
            error,
          });
        },
      };
    },
    close: async () => {
      if (timer) clearTimeout(timer);
      flush();
      await sending;
    },
  };
};
