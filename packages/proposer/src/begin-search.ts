/** What the submission of a search writes besides its sweep: the first decision, and the outcomes of earlier sweeps that it learns from. */
import type { DecidedSearch, StageSpec, StoredDefinition } from '@funnel/contracts';
import { type Db, readEarlier, type SearchRecord, type Submission } from '@funnel/db';
import { type Outline, versionChanges } from '@funnel/planner';
import { earlierOf } from './earlier.ts';
import { nextDecision } from './next-decision.ts';
import { outlineUnit } from './outline-unit.ts';
import { strideOf, varyingOf } from './unit-rows.ts';
import { wantedValues } from './wanted-values.ts';

export type BegunSearch = {
  /** Of the trials of the first decision. */
  readonly outline: Outline;
  readonly search: NonNullable<Submission['search']>;
};

/**
 * The first decision of a new search. Errors: INVALID_REQUEST, by path, if the strategy cannot search the space, or if an earlier sweep
 * cannot teach it.
 */
export const beginSearch = async (
  db: Db,
  definition: StoredDefinition,
  engineVersion: string,
): Promise<BegunSearch> => {
  const { trials: configurations, from = [] } = definition.search as DecidedSearch; // the caller has seen that it is one
  const changesOf = (stage: StageSpec) => versionChanges(stage, engineVersion);
  const earlier =
    from.length === 0
      ? []
      : earlierOf(definition, await readEarlier(db, from, { values: wantedValues(definition), changesOf }));
  const record: SearchRecord = {
    definition,
    status: 'running',
    createdAt: new Date().toISOString(),
    configurations,
    stride: strideOf(definition),
    earlier,
    handPoints: [],
    ended: null,
    decisions: [],
  };
  const next = nextDecision(record, Date.now());
  if (next.kind !== 'decide') throw new Error(`Expected a first decision, but got ${next.kind}`);
  const { decision } = next;
  return {
    outline: outlineUnit(definition, engineVersion, decision),
    search: {
      configurations,
      stride: record.stride,
      varying: varyingOf(definition),
      earlier,
      decision,
    },
  };
};
