/** From a definition to what it needs: counted before it is expanded, expanded before anything is written. */
import { AppError, expandAttacks, type Recipe, recipes, type SweepDefinition } from '@funnel/contracts';
import { countTrials, type Outline, outlineSweep } from '@funnel/planner';

/** Stages that one sweep may point at: a hundred thousand trials with ten attacks each. */
export const mostStages = 1_000_000;

/** Throws SWEEP_TOO_LARGE without making a single trial. */
const checkSize = (definition: SweepDefinition): void => {
  const trials = countTrials(definition);
  const attacks = expandAttacks(definition.attacks, { dataset: definition.dataset.name }).length;
  const longest = Math.max(...definition.recipes.map((name) => (recipes[name] as Recipe).stages.length));
  const stages = trials * (longest + attacks);
  if (stages > mostStages)
    throw new AppError(
      'SWEEP_TOO_LARGE',
      `Expected at most ${mostStages} stages, but ${trials} trials with ${attacks} attacks each would need up to ${stages}`,
      {
        stages,
        limit: mostStages,
        issues: [
          {
            path: 'attacks',
            expected: `at most ${Math.floor(mostStages / trials) - longest} for ${trials} trials`,
            received: String(attacks),
          },
        ],
      },
    );
};

export type OutlinedSweep = { readonly outline: Outline; readonly chains: readonly string[] };

/** Errors: SWEEP_TOO_LARGE, CONTINUOUS_GRID, INVALID_REQUEST. */
export const outlineChecked = (definition: SweepDefinition, engineVersion: string): OutlinedSweep => {
  checkSize(definition);
  const outline = outlineSweep(definition, engineVersion);
  return { outline, chains: [...new Set(outline.stages.map((stage) => stage.chain))] };
};
