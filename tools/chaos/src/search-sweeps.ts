/** Sweeps whose search decides one configuration after the other, and the training that their decisions need. */
import type { SearchDecision, SweepInput } from '@funnel/contracts';

export const searchStrategies = [
  ...(['sobol', 'tpe', 'gp', 'nsga2', 'cma-es'] as const),
  ...(['hyperband', 'successive-halving', 'asha'] as const),
];
export type SearchStrategy = (typeof searchStrategies)[number];

const promoting: readonly SearchStrategy[] = ['hyperband', 'successive-halving', 'asha'];
const onlyNumbers: readonly SearchStrategy[] = ['gp', 'cma-es'];

export type SearchCase = {
  readonly strategy: SearchStrategy;
  /** Of the search. */
  readonly seed: number;
  /** The seeds of the networks: sweeps with other ones share no stage. */
  readonly seeds: readonly number[];
  readonly configurations: number;
};

/** Epochs of the stages whose length does not vary, and of the rungs. */
const lengths = { initialise: 2, optimise: 3, classify: 2, least: 1, most: 9 } as const;

/** Every strategy with every seed of the search. */
export const searchCases = (
  strategies: readonly SearchStrategy[],
  searchSeeds: number,
  configurations: number,
): readonly SearchCase[] =>
  strategies.flatMap((strategy, row) =>
    Array.from({ length: searchSeeds }, (_, seed): SearchCase => {
      const first = 2 * (row * searchSeeds + seed);
      return { strategy, seed, seeds: [first, first + 1], configurations };
    }),
  );

export const caseName = ({ strategy, seed }: SearchCase): string => `${strategy} ${seed}`;

/** γ and β are read by FUNN only. The classic auto-encoder has four points. */
export const searchSweep = ({ strategy, seed, seeds, configurations }: SearchCase): SweepInput => {
  const common = { trials: configurations, seed };
  return {
    name: `chaos, ${strategy} ${seed}`,
    recipes: onlyNumbers.includes(strategy) ? ['funn'] : ['funn', 'classic'],
    dataset: { name: 'glyphs', train: 100, test: 20, attack: 20 },
    space: {
      gamma: { min: 1, max: 100, scale: 'log' },
      beta: { min: 1e-3, max: 1, scale: 'log' },
      latent: [4, 6, 8, 12],
      initialiseEpochs: lengths.initialise,
      classifierEpochs: lengths.classify,
      ...(promoting.includes(strategy) ? {} : { optimiseEpochs: lengths.optimise }),
    },
    search: (promoting.includes(strategy)
      ? {
          ...{ ...common, strategy, sampler: 'tpe', eta: 3 },
          fidelity: { hyperparameter: 'optimiseEpochs', min: lengths.least, max: lengths.most },
        }
      : { ...common, strategy }) as NonNullable<SweepInput['search']>, // the strategy decides which fields it has
    seeds: [...seeds],
    attacks: ['fgsm', { attack: 'pgd-linf', epsilon: 0.3 }],
    objective: { attack: 'pgd-linf', metric: 'robustAccuracy' },
  };
};

export type Work = { readonly epochs: number; readonly evaluations: number };

/**
 * The training and the attacks of these decisions, if no epoch is trained twice: every chain of a recipe to its longest end. Below the highest
 * rung only the attack of the objective runs.
 */
export const workOf = (
  { seeds }: Pick<SearchCase, 'seeds'>,
  decisions: readonly Pick<SearchDecision, 'point' | 'epochs'>[],
): Work => {
  const chains = new Map<string, number>();
  const train = (chain: readonly unknown[], epochs: number): void => {
    const name = chain.join(' ');
    chains.set(name, Math.max(chains.get(name) ?? 0, epochs));
  };
  let evaluations = 0;
  for (const { point, epochs } of decisions) {
    if (!point) continue; // an empty place
    const { recipe = 'funn', latent, gamma, beta } = point;
    const length = epochs ?? lengths.optimise;
    if (recipe === 'classic') {
      train(['classic', latent], lengths.initialise + length);
      train(['classic', latent, 'classify after', length], lengths.classify);
    } else {
      train(['funn', latent], lengths.initialise);
      train(['funn', latent, gamma, beta], length);
      train(['funn', latent, gamma, beta, 'classify after', length], lengths.classify);
    }
    evaluations += epochs === null || epochs === lengths.most ? 2 : 1;
  }
  const epochs = [...chains.values()].reduce((sum, each) => sum + each, 0);
  return { epochs: epochs * seeds.length, evaluations: evaluations * seeds.length };
};
