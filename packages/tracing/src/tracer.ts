/**
 * Spans to an OpenTelemetry collector by OTLP/HTTP with JSON. The whole protocol that is used here is one POST, so there is no SDK: what it
 * would add (instrumentation of every library, samplers, processors) is not wanted, and a worker's start would pay for it.
 *
 * Tracing never holds up or fails what it traces: spans are sent in the background, and dropped when the collector does not take them.
 */
import { newContext, type SpanContext } from './context.ts';
import { type Attributes, exportRequest, type FinishedSpan } from './otlp.ts';

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
