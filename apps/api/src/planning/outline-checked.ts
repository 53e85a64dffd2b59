/** From a definition to what it needs: counted before it is expanded, expanded before anything is written. */
import { AppError, expandAttacks, type Recipe, recipes, type SweepDefinition } from '@funnel/contracts';
import { countTrials, type Outline, outlineSweep } from '@funnel/planner';

/** Stages that one sweep may point at: a hundred thousand trials with ten attacks each. */
export const maxStages = 1_000_000;

const countAttacks = ({ attacks, dataset }: SweepDefinition): number =>
  expandAttacks(attacks, { dataset: dataset.name }).length;

/** Training stages of the longest recipe. */
export const longestLine = ({ recipes: names }: SweepDefinition): number =>
  Math.max(...names.map((name) => (recipes[name] as Recipe).stages.length));

/** Stages at most, were none shared, without making a single trial. Throws SWEEP_TOO_LARGE. */
export const countStages = (definition: SweepDefinition): number => {
  const trials = countTrials(definition);
  const attacks = countAttacks(definition);
  const line = longestLine(definition);
  const stages = trials * (line + attacks);
  if (stages > maxStages)
    throw new AppError(
      'SWEEP_TOO_LARGE',
      `Expected at most ${maxStages} stages, but ${trials} trials with ${attacks} attacks each would need up to ${stages}`,
      {
        stages,
        limit: maxStages,
        issues: [
          {
            path: 'attacks',
            expected: `at most ${Math.floor(maxStages / trials) - line} for ${trials} trials`,
            received: String(attacks),
          },
        ],
      },
    );
  return stages;
};

/** Errors: SWEEP_TOO_LARGE, CONTINUOUS_GRID, INVALID_REQUEST. */
export const outlineChecked = (definition: SweepDefinition, engineVersion: string): Outline => {
  countStages(definition);
  return outlineSweep(definition, engineVersion);
};
