/**
 * The spans of one attempt, below the submission of its sweep: loading the start, training from one checkpoint to the next, and writing
 * checkpoints and the result.
 */
import type { Position } from '@funnel/contracts';
import type { ClaimedStage } from '@funnel/db';
import { type Span, sweepContext, type Tracer } from '@funnel/tracing';

export type AttemptTrace = {
  /** Begins a span; the caller ends it. */
  readonly begin: (name: string) => Span;
  /** Notes that the trainer starts to work now. */
  readonly trainerStarts: () => void;
  /** Adds a span of the training since the last checkpoint. */
  readonly trainerReached: (position: Position) => void;
  readonly end: (status: string, error?: string) => void;
};

export const traceAttempt = (
  tracer: Tracer,
  { spec, fencingToken, attempt, sweepIds }: ClaimedStage,
): AttemptTrace => {
  // A stage that several sweeps share belongs to the trace of the first, and links to the others.
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
