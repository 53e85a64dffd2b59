/**
 * The spans of one attempt, under the submission of the sweep that it is done for: fetching where it starts from, each stretch that its
 * trainer trained, and the storing of what came of it.
 */
import type { Position } from '@funnel/contracts';
import type { ClaimedStage } from '@funnel/db';
import { type Span, sweepContext, type Tracer } from '@funnel/tracing';

export type AttemptTrace = {
  /** A span that lasts until it is ended. */
  readonly begin: (name: string) => Span;
  /** From now on the trainer works. */
  readonly trainerStarts: () => void;
  /** It has come to a checkpoint: a span of what it did since the one before. */
  readonly trainerReached: (position: Position) => void;
  readonly end: (status: string, error?: string) => void;
};

export const traceAttempt = (
  tracer: Tracer,
  { spec, fencingToken, attempt, sweepIds }: ClaimedStage,
): AttemptTrace => {
  // A stage that sweeps share stands in the trace of one of them.
  const [owner, ...others] = sweepIds.map(sweepContext);
  const span = tracer.start(spec.kind, {
    kind: 'consumer',
    parent: owner,
    links: others,
    attributes: {
      'funnel.stage': spec.id,
      'funnel.recipe': spec.recipe,
      'funnel.attempt': attempt,
      'funnel.fencing_token': fencingToken,
    },
  });
  let since = Date.now();
  return {
    begin: (name) => tracer.start(name, { parent: span.context }),
    trainerStarts: () => {
      since = Date.now();
    },
    trainerReached: ({ epoch, step }) => {
      const attributes = { 'funnel.epoch': epoch, 'funnel.step': step };
      tracer.start('train', { parent: span.context, start: since, attributes }).end();
      since = Date.now();
    },
    end: (status, error) => span.end({ attributes: { 'funnel.status': status }, error: error ?? null }),
  };
};
