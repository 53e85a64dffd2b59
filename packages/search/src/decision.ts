/**
 * A search is a list of decisions 0, 1, 2 … Each proposes a configuration or promotes one to its next rung, and makes one unit: the trials of
 * the configuration at the rung, one for each seed.
 */
import type { Outcome } from './observation.ts';
import type { Point } from './space.ts';

export type Unit = {
  readonly kind: 'unit';
  /** The number of the decision that proposed the configuration. */
  readonly configuration: number;
  readonly point: Point;
  /** 0 for the shortest training; always 0 in a search without promotion. */
  readonly rung: number;
  /** Epochs that the unit trains: with all seeds, and without those of the rung below. */
  readonly newEpochs: number;
  readonly outcome: Outcome;
};

/** A decision whose place in a bracket stays empty, because no good unit was left to promote. */
type Empty = { readonly kind: 'empty' };

export type Decision = Unit | Empty;

/** The decisions that were made, each at its number. A number without a decision is undefined. */
export type Decisions = readonly (Decision | undefined)[];

export const isProposal = (decision: Decision | undefined, number: number): decision is Unit =>
  decision?.kind === 'unit' && decision.configuration === number;
