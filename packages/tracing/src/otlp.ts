/** Spans as OTLP/HTTP takes them in JSON (opentelemetry-proto 1.x, `ExportTraceServiceRequest`). */
import type { SpanContext } from './context.ts';

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
