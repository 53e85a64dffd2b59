/** From points and seeds to the training stages that their trials need, each once. Trials share a stage if they agree on all that it reads. */
import {
  type DatasetSpec,
  defaultHyperparameters,
  type HyperparameterName,
  type Hyperparameters,
  type NeededStage,
  type Recipe,
  type RecipeName,
  recipes,
  type StageKind,
  type StageSpec,
} from '@funnel/contracts';
import { type Expansion, pick, type SpacePoint } from './expand-trials.ts';
import { chainId, identifyingHyperparameters, presentVersions, stageId } from './identity.ts';
import { memoizeBy } from './memoize.ts';
import { sizes } from './memory.ts';
import { createNeeds, type NeedOf } from './needs.ts';

export const specify = (stage: Omit<NeededStage, 'id' | 'chain'>, engineVersion: string): NeededStage => {
  const { kind, recipe, hyperparameters, seed, dataset, epochs, parent, attack, surrogates, need } = stage;
  const chain = chainId(stage, presentVersions(stage, engineVersion));
  const id = stageId(chain, epochs);
  return {
    kind,
    recipe,
    hyperparameters,
    seed,
    dataset,
    epochs,
    parent,
    attack,
    surrogates,
    need,
    chain,
    id,
  };
};

type Step = {
  /** 0, 1, … */
  readonly number: number;
  readonly kind: StageKind;
  readonly hyperparameters: StageSpec['hyperparameters'];
  readonly epochs: number;
};

/** What trials share whose networks have the same sizes. `hyperparameters`: all of the first such trial. */
export type Sized = {
  readonly recipe: RecipeName;
  readonly hyperparameters: Hyperparameters;
  readonly needOf: NeedOf;
};

/** The values of these hyperparameters as a key. No value contains a space. */
const valuesKey = (values: Partial<Hyperparameters>, names: readonly HyperparameterName[]): string => {
  let key = '';
  for (const name of names) key += `${values[name]} `;
  return key;
};

/** What all stages of a sweep are made with. */
export type Making = {
  readonly subsetOf: (kind: StageKind) => DatasetSpec;
  readonly engineVersion: string;
  /** The hyperparameters that may differ between trials. */
  readonly varying: ReadonlySet<string>;
};

/**
 * The steps of a point in order, with the hyperparameters that each step reads. Points that agree on these share the step; all seeds share
 * it too.
 */
const createSteps = ({ varying }: Making): ((point: SpacePoint) => readonly Step[]) => {
  let count = 0;
  const stepsOf = memoizeBy(
    (recipe: RecipeName) => recipe,
    (recipe) =>
      (recipes[recipe] as Recipe).stages.map(({ kind, reads, epochs }) => {
        const varied = reads.filter((name) => varying.has(name));
        return memoizeBy(
          (values: Hyperparameters) => `${epochs(values)} ${valuesKey(values, varied)}`,
          (values): Step => ({
            number: count++,
            kind,
            hyperparameters: identifyingHyperparameters(pick(reads, values)) as StageSpec['hyperparameters'], // it drops fields, and sets none to undefined
            epochs: epochs(values),
          }),
        );
      }),
  );
  return ({ recipe, values }) => stepsOf(recipe).map((stepOf) => stepOf(values));
};

const createSized = ({ subsetOf, engineVersion, varying }: Making): ((point: SpacePoint) => Sized) => {
  const needsOf = createNeeds(engineVersion, subsetOf);
  const varied = sizes.filter((name) => varying.has(name));
  return memoizeBy(
    ({ recipe, values }: SpacePoint) => `${recipe} ${valuesKey(values, varied)}`,
    ({ recipe, values }) => {
      const hyperparameters = { ...defaultHyperparameters, ...values }; // a spread copies no inherited fields
      return { recipe, hyperparameters, needOf: needsOf(hyperparameters) };
    },
  );
};

/** A number for each pair of a step and a parent or a seed: both are below 2³². */
const pairNumber = (step: number, other: number): number => step * 2 ** 32 + other;

/** `trained`: the stages of each trial, up to its classifier. `training`: each of them once. `sized`: see `Outline`. */
type Trained = {
  readonly trained: readonly (readonly NeededStage[])[];
  readonly training: readonly NeededStage[];
  readonly sized: readonly Sized[];
};

export const trainAll = ({ points, seeds }: Pick<Expansion, 'points' | 'seeds'>, making: Making): Trained => {
  const { subsetOf, engineVersion } = making;
  const stepsOf = createSteps(making);
  const sizedOf = createSized(making);
  const training: NeededStage[] = [];
  const sized: Sized[] = [];
  /** Where a stage is in `training`, by its step and its parent, or by the seed if it has no parent. */
  const places = new Map<number, number>();
  const trained = points.flatMap((point) => {
    const { recipe } = point;
    const steps = stepsOf(point);
    const sizes = sizedOf(point);
    const stageOf = (step: Step, seed: number, parent: number | null): number => {
      const pair = pairNumber(step.number, parent ?? seed);
      const known = places.get(pair);
      if (known !== undefined) return known;
      const { kind, hyperparameters, epochs } = step;
      const stage = {
        kind,
        recipe,
        hyperparameters,
        seed,
        dataset: subsetOf(kind),
        epochs,
        parent: parent === null ? null : training[parent]!.id,
        attack: null,
        surrogates: [],
        need: sizes.needOf({ kind, recipe, attack: null }),
      };
      places.set(pair, training.length);
      sized.push(sizes);
      return training.push(specify(stage, engineVersion)) - 1;
    };
    return seeds.map((seed) => {
      let parent: number | null = null;
      return steps.map((step): NeededStage => {
        parent = stageOf(step, seed, parent);
        return training[parent]!;
      });
    });
  });
  return { trained, training, sized };
};
