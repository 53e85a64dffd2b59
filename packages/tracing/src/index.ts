export { type SpanContext, sweepContext } from './context.ts';
export { createTracer, type Span, type SpanOptions, type Tracer } from './tracer.ts';
