/** What the submission of a search writes besides its sweep: the first decision, and the outcomes of earlier sweeps that it learns from. */
import type { StageSpec, StoredDefinition } from '@funnel/contracts';
import { type Db, readEarlier, type Submission } from '@funnel/db';
import { type Outline, versionChanges } from '@funnel/planner';
import { decidedSearchOf, wantedValues } from './decided-search.ts';
import { earlierOf } from './earlier-observations.ts';
import { firstDecision } from './next-decision.ts';
import { outlineUnit, strideOf, varyingOf } from './unit-plan.ts';

export type BegunSearch = {
  /** Of the trials of the first decision. */
  readonly outline: Outline;
  readonly search: NonNullable<Submission['search']>;
};

/**
 * The first decision of a new search. Errors: NOT_FOUND for an earlier sweep that is not there; INVALID_REQUEST, by path, if the strategy
 * cannot search the space, or if an earlier sweep cannot teach it.
 */
export const beginSearch = async (
  db: Db,
  definition: StoredDefinition,
  engineVersion: string,
): Promise<BegunSearch> => {
  const { trials: configurations, from = [] } = decidedSearchOf(definition);
  const changesOf = (stage: StageSpec) => versionChanges(stage, engineVersion);
  const values = wantedValues(definition);
  const earlier =
    from.length === 0 ? [] : earlierOf(definition, await readEarlier(db, from, { values, changesOf }));
  const decision = firstDecision(definition, earlier);
  return {
    outline: outlineUnit(definition, engineVersion, decision),
    search: {
      configurations,
      stride: strideOf(definition),
      varying: varyingOf(definition),
      earlier,
      decision,
    },
  };
};
