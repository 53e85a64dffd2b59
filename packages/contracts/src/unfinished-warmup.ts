/** Training on attacked images that ended before its ε had grown to `trainingEpsilon`. */
import {
  defaultHyperparameters,
  type HyperparameterName,
  type HyperparameterValue,
} from './hyperparameters.ts';
import { hyperparametersOf, type RecipeName } from './recipes.ts';
import { plural } from './text.ts';

type Trained = {
  readonly recipe: RecipeName;
  /** Those that are absent have their defaults. */
  readonly hyperparameters: Readonly<Record<string, HyperparameterValue>>;
  /** Null before the training has ended. */
  readonly cleanAccuracy: number | null;
};

/** How far the ε of the training grew, and why; null if it reached `trainingEpsilon`, and for a recipe without a warm-up. */
export const unfinishedWarmup = ({ recipe, hyperparameters, cleanAccuracy }: Trained): string | null => {
  if (cleanAccuracy === null || !hyperparametersOf(recipe).includes('warmupEpochs')) return null;
  const numberOf = (name: HyperparameterName): number =>
    Number(hyperparameters[name] ?? defaultHyperparameters[name]);
  const [epsilon, warmup, epochs] = [
    numberOf('trainingEpsilon'),
    numberOf('warmupEpochs'),
    numberOf('classifierEpochs'),
  ];
  if (epsilon === 0 || warmup <= epochs) return null;
  const [reached, whole] = [(epsilon * epochs) / warmup, epsilon].map((value) =>
    Number(value.toPrecision(3)),
  );
  return `It trained at ε up to ${reached}, not at \`trainingEpsilon\` ${whole}: \`warmupEpochs\` (${warmup}) is more than its ${plural(epochs, 'epoch')}.`;
};

/** The same for several trials: each text once, with the trials. */
export const unfinishedWarmups = (
  trials: readonly (Trained & { readonly trialId: string })[],
): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, string[]>();
  for (const { trialId, ...trial } of trials) {
    const text = unfinishedWarmup(trial);
    if (text !== null) found.set(text, [...new Set([...(found.get(text) ?? []), trialId])]);
  }
  return found;
};
