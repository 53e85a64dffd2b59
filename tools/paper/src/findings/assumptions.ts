/** What the paper does not print, and the values that the sweep tried for it. */
import { type HyperparameterName, hyperparameterDeclaration } from '@funnel/contracts';
import { hyperparameterNamesOf, titleOf, valuesOf } from '../choices.ts';
import type { Configuration } from '../measured.ts';

export const assumptionsOf = (configurations: readonly Configuration[]): string[] => {
  const tried = hyperparameterNamesOf(configurations).flatMap((name) => {
    if (!hyperparameterDeclaration(name as HyperparameterName).assumed) return []; // Trials have declared hyperparameters only.
    const values = [...valuesOf(name, configurations).keys()];
    return [`${titleOf(name)}: ${values.length === 1 ? `only ${values[0]}` : values.join(', ')}.`];
  });
  return [
    ...tried,
    'The paper prints β = 0.01 without a unit. A β in losses is on the scale of the loss of the same setting; a β × floor is a multiple of the defender’s loss at the end of its initialisation.',
    'The paper does not say which images it attacked. We attack the correctly classified ones, because most printed rates of its classic auto-encoder are shares of 966 images.',
    'The paper does not say which FGSM and which iterative attack it ran. Each reading is a row of ours, and the nearer one counts.',
  ];
};
