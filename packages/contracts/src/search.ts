/**
 * The search of a sweep: which points of its space become trials. A grid and random draws follow from the sweep file. The other searches
 * decide one configuration after the other (`packages/search`).
 */
import { z } from 'zod';
import { Constraint } from './constraints.ts';
import { readFractions } from './fractions.ts';
import { HyperparameterValue, hyperparameterNames } from './hyperparameters.ts';
import { likeThis } from './like-this.ts';
import { isReal } from './search-space.ts';

const Seed = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)
  .default(0);

const realNames: ReadonlySet<string> = new Set(hyperparameterNames.filter(isReal));

/** A point of the space: the values of the hyperparameters that vary, and `recipe` if the sweep has several. */
export const SearchPoint = z
  .record(z.string().max(100), HyperparameterValue)
  .overwrite(
    (point) =>
      Object.fromEntries(
        Object.entries(point).map(([name, value]) => [
          name,
          realNames.has(name) ? readFractions(value) : value,
        ]),
      ) as typeof point,
  )
  .meta({
    id: 'SearchPoint',
    description: 'A value for each hyperparameter that varies, and `recipe` if there are several.',
  });
export type SearchPoint = z.infer<typeof SearchPoint>;

/** The fields of every search that decides one configuration after the other. */
const decided = {
  seed: Seed.meta({ title: 'Seed of the search' }),
  parallelism: z.int().min(1).max(1000).default(4).meta({
    title: 'Parallelism',
    description:
      'The number of configurations that may run at once. Decision n knows the outcomes up to n − parallelism; 1 is sequential.',
  }),
  order: z.enum(['reproducible', 'asynchronous']).default('reproducible').meta({
    title: 'Order',
    description:
      '`reproducible`: the same trials for any number of workers. `asynchronous`: every decision uses all outcomes that are known, so no worker waits, but the trials depend on which of them ends first.',
  }),
  constraints: z.array(Constraint).max(20).default([]).meta({
    title: 'Constraints',
    description:
      'Conditions on the outcome, such as `cleanAccuracy >= 0.95`, `pgd-linf robustAccuracy > 0.2` or `verdict != masked`. A configuration that violates one counts as bad.',
  }),
  masked: z.enum(['bad', 'allowed']).default('bad').meta({
    title: 'Masked gradients',
    description:
      '`bad`: a configuration whose verdict is masked or untrained counts as bad if an objective is the value of an attack. `allowed`: its value counts.',
  }),
  from: z.array(z.string().min(1).max(200)).min(1).max(20).optional().meta({
    title: 'Learn from',
    description:
      'Earlier sweeps on the same space, data and objectives, each as its id or the start of it, its name, or latest. The search learns from their trials.',
  }),
  try: z
    .array(SearchPoint)
    .min(1)
    .max(1000)
    .optional()
    .meta({ title: 'Try first', description: 'Points of the space that the search proposes first.' }),
  stop: z
    .strictObject({
      epochs: z
        .int()
        .min(1)
        .max(1e9)
        .optional()
        .meta({ description: 'The search decides nothing more when its trials have this many epochs.' }),
      hours: z
        .number()
        .gt(0)
        .max(100_000)
        .optional()
        .meta({ description: 'The search decides nothing more so many hours after the submission.' }),
      decisionsWithoutImprovement: z.int().min(1).max(100_000).optional().meta({
        description: 'The search decides nothing more when so many decisions have brought no better value.',
      }),
    })
    .optional()
    .meta({ title: 'Stop early', description: 'The search also ends when it has its number of trials.' }),
};

const trials = (max: number) =>
  z.int().min(2).max(max).meta({
    title: 'Trials',
    description: 'The number of configurations; each is trained with every seed.',
  });

/** More configurations cost more time for each proposal. */
const maxConfigurations = 10_000;
/** A Gaussian process inverts a matrix with a row for each configuration. */
const maxOfGp = 500;

const proposing = <Name extends string>(name: Name, max = maxConfigurations) =>
  z.strictObject({ strategy: z.literal(name), trials: trials(max), ...decided });

/** The strategies that can propose the configurations of a search with promotion. */
export const Sampler = z.enum(['random', 'sobol', 'tpe', 'gp', 'nsga2', 'cma-es']);
export type Sampler = z.infer<typeof Sampler>;

const promoting = <Name extends string>(name: Name) =>
  z.strictObject({
    strategy: z.literal(name),
    trials: trials(maxConfigurations),
    sampler: Sampler.default('tpe').meta({ title: 'Sampler', description: 'Proposes the configurations.' }),
    fidelity: z
      .strictObject({
        hyperparameter: z.string().max(100).meta({ description: 'A hyperparameter that counts epochs.' }),
        min: z.int().min(1).max(100_000),
        max: z.int().min(2).max(100_000),
      })
      .meta({ title: 'Fidelity', description: 'The epochs of the lowest and of the highest rung.' }),
    eta: z.number().min(2).max(100).default(3).meta({
      title: 'η',
      description: 'One of η configurations goes on to the next rung, which trains η times as long.',
    }),
    ...decided,
  });

export const Search = z.discriminatedUnion(
  'strategy',
  [
    z.strictObject({ strategy: z.literal('grid') }),
    z.strictObject({
      strategy: z.literal('random'),
      trials: z
        .int()
        .min(1)
        .max(100_000)
        .meta({ title: 'Trials', description: 'Number of points drawn; each is trained with every seed.' }),
      seed: Seed.meta({ title: 'Seed of the search' }),
    }),
    proposing('sobol'),
    proposing('tpe'),
    proposing('gp', maxOfGp),
    proposing('nsga2'),
    proposing('cma-es'),
    promoting('hyperband'),
    promoting('successive-halving'),
    promoting('asha'),
  ],
  { error: likeThis('an object such as { strategy: random, trials: 20 }') },
);
export type Search = z.infer<typeof Search>;
export type SearchName = Search['strategy'];

/** A search that decides one configuration after the other. */
export type DecidedSearch = Exclude<Search, { strategy: 'grid' | 'random' }>;
export type PromotingSearch = Extract<DecidedSearch, { readonly fidelity: unknown }>;

export const isDecided = (search: Search): search is DecidedSearch =>
  search.strategy !== 'grid' && search.strategy !== 'random';

export const isPromoting = (search: Search): search is PromotingSearch => 'fidelity' in search;

export const searchTitles: Readonly<Record<SearchName, string>> = {
  grid: 'Grid',
  random: 'Random',
  sobol: 'Sobol',
  tpe: 'TPE',
  gp: 'Gaussian process',
  nsga2: 'NSGA-II',
  'cma-es': 'CMA-ES',
  hyperband: 'Hyperband',
  'successive-halving': 'Successive halving',
  asha: 'ASHA',
};

/** When to use each search, in one line. */
export const searchHints: Readonly<Record<SearchName, string>> = {
  grid: 'All combinations. For few values of few hyperparameters, and for tables that must be complete.',
  random: 'Independent points, all at once. For a first look, and for any number of workers.',
  sobol: 'Points that cover the space evenly. For a first look at few hyperparameters.',
  tpe: 'Learns from the results. The usual choice: categories, conditions, several objectives, any number of trials.',
  gp: 'Learns a smooth surface. For one objective, and up to some hundred trials.',
  nsga2: 'Breeds the best trials. For several objectives and many trials.',
  'cma-es':
    'Adapts a normal distribution. For numbers only, that depend on each other, and hundreds of trials.',
  hyperband:
    'Trains many configurations for few epochs, and promotes the best. For when you do not know how soon good ones show.',
  'successive-halving':
    'One ladder of rungs from few epochs to many. For when good configurations show soon.',
  asha: 'Promotes as soon as a configuration is among the best. For many workers.',
};
