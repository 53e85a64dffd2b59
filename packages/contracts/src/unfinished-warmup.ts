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

/** In pixels of [0, 1]: the ε that the training reached, and the whole one. Null if it reached it, and for a recipe without a warm-up. */
const growthOf = ({ recipe, hyperparameters, cleanAccuracy }: Trained) => {
  if (cleanAccuracy === null || !hyperparametersOf(recipe).includes('warmupEpochs')) return null;
  const numberOf = (name: HyperparameterName): number =>
    Number(hyperparameters[name] ?? defaultHyperparameters[name]);
  const [whole, warmup, epochs] = [
    numberOf('trainingEpsilon'),
    numberOf('warmupEpochs'),
    numberOf('classifierEpochs'),
  ];
  return whole === 0 || warmup <= epochs
    ? null
    : { reached: (whole * epochs) / warmup, whole, warmup, epochs };
};

/** `0.04`, or `0.008–0.08`. */
const spanText = (values: readonly number[]): string =>
  [...new Set([Math.min(...values), Math.max(...values)])]
    .map((value) => Number(value.toPrecision(3)))
    .join('–');

type Growth = NonNullable<ReturnType<typeof growthOf>>;

/** Of trials with the same epochs and the same warm-up. */
const textOf = (growths: readonly [Growth, ...Growth[]]): string => {
  const [{ warmup, epochs }] = growths;
  const [they, their] = growths.length === 1 ? ['It', 'its'] : ['They', 'their'];
  const [reached, whole] = [growths.map((each) => each.reached), growths.map((each) => each.whole)];
  return `${they} trained at ε up to ${spanText(reached)}, not at \`trainingEpsilon\` ${spanText(whole)}: \`warmupEpochs\` (${warmup}) is more than ${their} ${plural(epochs, 'epoch')}.`;
};

/** How far the ε of the training grew, and why; null if it reached `trainingEpsilon`, and for a recipe without a warm-up. */
export const unfinishedWarmup = (trial: Trained): string | null => {
  const growth = growthOf(trial);
  return growth && textOf([growth]);
};

/** The same for several trials: one text for all with the same epochs and the same warm-up, and the trials. */
export const unfinishedWarmups = (
  trials: readonly (Trained & { readonly trialId: string })[],
): readonly { readonly text: string; readonly trialIds: readonly string[] }[] => {
  const groups = new Map<string, Map<string, Growth>>();
  for (const { trialId, ...trial } of trials) {
    const growth = growthOf(trial);
    if (growth === null) continue;
    const key = `${growth.warmup} ${growth.epochs}`;
    groups.set(key, (groups.get(key) ?? new Map<string, Growth>()).set(trialId, growth));
  }
  return [...groups.values()].map((group) => {
    const [first, ...others] = group.values();
    return { text: textOf([first!, ...others]), trialIds: [...group.keys()] };
  });
};
