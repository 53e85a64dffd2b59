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
