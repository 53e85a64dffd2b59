/** What a search reads of a trial: the objectives that it improves, and the constraints that a good configuration meets. */
import { expandAttacks } from './attacks/presets.ts';
import { type Condition, readConstraint } from './constraints.ts';
import { budgetsOfChoice } from './dataset-spec.ts';
import { objectivesOf, type ResolvedObjective, runOf } from './ranking.ts';
import type { DecidedSearch } from './search.ts';
import type { SweepDefinition } from './sweep.ts';

/** A condition with the text that a user wrote, and with the attack that it means (as in `ResolvedObjective`). */
export type ResolvedConstraint = { readonly text: string } & (
  | (Omit<Extract<Condition, { kind: 'metric' }>, 'attack'> & Pick<ResolvedObjective, 'run'>)
  | Extract<Condition, { kind: 'verdict' }>
);

export type SearchCriteria = {
  readonly objectives: readonly [ResolvedObjective, ...ResolvedObjective[]];
  readonly constraints: readonly ResolvedConstraint[];
};

export const criteriaOf = (
  definition: Pick<SweepDefinition, 'attacks' | 'dataset' | 'objective'>,
  { constraints }: Pick<DecidedSearch, 'constraints'>,
): SearchCriteria => {
  const runs = expandAttacks(definition.attacks, { budgets: budgetsOfChoice(definition.dataset) });
  return {
    objectives: objectivesOf(definition),
    constraints: constraints.map((text): ResolvedConstraint => {
      const condition = readConstraint(text)!; // the schema has read it
      if (condition.kind === 'verdict') return { text, ...condition };
      const { attack, ...rest } = condition;
      return { text, ...rest, run: runOf({ attack, metric: condition.metric }, runs) };
    }),
  };
};

/** `pgd-linf robustAccuracy`; without an attack only the metric. */
export const criterionTitle = ({ run, metric }: Pick<ResolvedObjective, 'run' | 'metric'>): string =>
  run ? `${run.attack} ${metric}` : metric;
