/**
 * Spans for an OpenTelemetry collector, by OTLP/HTTP with JSON. Funnel uses no SDK, because its part of the protocol is a single POST. It
 * does not need the other parts of an SDK (instrumentation of every library, samplers, processors), and with an SDK a worker would start
 * more slowly.
 *
 * Tracing never delays a traced operation and never makes it fail: the tracer sends spans in the background, and drops them if the
 * collector does not accept them.
 *
 * The trace id of a sweep is computed from the sweep's id. So the API and the workers agree on it without a column, a header or a job that
 * carries it. Even a worker that starts years later computes the same trace id.
 */
import { createHash, randomBytes } from 'node:crypto';

/** Identifies a span (W3C Trace Context): its trace and its own id, in lower-case hexadecimal. */
export type SpanContext = {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
};

/** The span of a sweep's submission, which is the root of all spans of the sweep. */
export const sweepContext = (sweepId: string): SpanContext => {
  const hash = createHash('sha256').update(`funnel sweep ${sweepId}`).digest('hex');
  return { traceId: hash.slice(0, 32), spanId: hash.slice(32, 48) };
};

/** A new span in the trace of its parent, or in a new trace. */
export const newContext = (parent?: SpanContext): SpanContext => ({
  traceId: parent?.traceId ?? randomBytes(16).toString('hex'),
  spanId: randomBytes(8).toString('hex'),
});

export type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;

export type FinishedSpan = {
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'consumer';
  readonly context: SpanContext;
  readonly parent: SpanContext | null;
  /** Spans of other traces to which the span also belongs. */
  readonly links: readonly SpanContext[];
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  /** The message of the error; null when nothing failed. */
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

/** The body of the request: `ExportTraceServiceRequest` of opentelemetry-proto 1.x. */
const exportRequest = (resource: Attributes, spans: readonly FinishedSpan[]) => ({
  resourceSpans: [
    {
      resource: { attributes: attributesOf(resource) },
      scopeSpans: [{ scope: { name: 'funnel' }, spans: spans.map(spanOf) }],
    },
  ],
});

export type SpanOptions = {
  /** The context of the span, if it is already known. (Default: a new one under `parent`) */
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
  /** Ends the span; later calls do nothing. `error`: the message of the error. */
  readonly end: (outcome?: { readonly attributes?: Attributes; readonly error?: string | null }) => void;
};

export type Tracer = {
  readonly start: (name: string, options?: SpanOptions) => Span;
  /** Sends the remaining spans. Also resolves if the collector does not accept them. */
  readonly close: () => Promise<void>;
};

export type TracerOptions = {
  /** OTEL_EXPORTER_OTLP_ENDPOINT, such as http://localhost:4318; tracing is off without it. */
  readonly endpoint: string | undefined;
  /** Attributes of the process: `service.name`, `service.version`, … */
  readonly resource: Attributes;
  /** Called for the first of several failures in a row. */
  readonly onError?: (error: Error) => void;
};

const spansPerRequest = 256;
/** The largest number of spans that wait while the collector is slow or away. Further spans are dropped. */
const maxPending = 4096;
const flushIntervalMs = 1000;
const timeoutMs = 5000;

const disabledTracer: Tracer = {
  start: (_name, { context, parent } = {}) => ({ context: context ?? newContext(parent), end: () => {} }),
  close: async () => {},
};

export const createTracer = ({ endpoint, resource, onError }: TracerOptions): Tracer => {
  if (!endpoint) return disabledTracer;
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
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.arrayBuffer();
      if (!response.ok)
        throw new Error(`Expected ${url} to accept spans, but it answered ${response.status}`);
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
      for (let from = 0; from < spans.length; from += spansPerRequest)
        await send(spans.slice(from, from + spansPerRequest));
    });
  };

  const add = (span: FinishedSpan): void => {
    if (pending.length >= maxPending) return;
    pending.push(span);
    timer ??= setTimeout(flush, flushIntervalMs).unref();
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
