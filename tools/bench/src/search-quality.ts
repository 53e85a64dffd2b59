/** The best values that the strategies find, after so many trials. */
import { hypervolume, type Search, type StrategyName, simulateSearch, strategies } from '@funnel/search';
import { optunaBest, type Quartiles, quartiles } from './search-oracle.ts';
import { type SearchProblem, searchProblems, zdt1, zdt1Reference } from './search-problems.ts';

export const problemNames = [
  ...(Object.keys(searchProblems) as (keyof typeof searchProblems)[]),
  'zdt1',
] as const;
type ProblemName = (typeof problemNames)[number];

export type SearchOptions = {
  readonly trials: number;
  readonly seeds: number;
  readonly parallelism: number;
};

export type QualityRow = {
  readonly problem: ProblemName;
  readonly strategy: StrategyName;
  readonly trials: number;
  /** Of the least value, or of the hypervolume of zdt1. */
  readonly ours: Quartiles;
  readonly optuna: Quartiles | null;
};

export const searchOf = (
  space: Search['space'],
  strategy: StrategyName,
  seed: number,
  parallelism: number,
): Search => ({
  space,
  strategy,
  objectives: 1,
  seed,
  parallelism,
  order: 'reproducible',
  promotion: null,
  earlier: [],
  tryFirst: [],
  handPoints: [],
  stop: {},
});

const shownAt = [25, 50, 100, 200, 500, 1000];
/** The fit of a Gaussian process takes long, and Optuna's was not measured. */
const maxGpTrials = 100;
/** Optuna's hypervolumes are from so many seeds. */
const maxZdt1Seeds = 20;

const valuesFound = (
  { space, values }: SearchProblem,
  search: Search,
  trials: number,
): (readonly number[])[] => {
  const found: (readonly number[])[] = [];
  simulateSearch({ ...search, space }, trials, ({ point }) => {
    const all = values(point);
    found.push(all);
    return { status: 'measured', utilities: all.map((value) => -value) };
  });
  return found;
};

const negated = (values: readonly number[]): number[] => values.map((value) => -value);

/** Of the values that were found: the least, or for two objectives the hypervolume. */
const quality = (found: readonly (readonly number[])[]): number =>
  found[0]!.length === 1
    ? Math.min(...found.map(([value]) => value!))
    : hypervolume(found.map(negated), negated(zdt1Reference));

const canSearch = (problem: ProblemName, strategy: StrategyName): boolean => {
  const { maxObjectives, handlesCategories } = strategies[strategy];
  if (problem === 'zdt1') return maxObjectives >= 2;
  return problem !== 'mixed' || handlesCategories;
};

export const measureQuality = (
  name: ProblemName,
  strategy: StrategyName,
  { trials, seeds, parallelism }: SearchOptions,
): readonly QualityRow[] => {
  if (!canSearch(name, strategy)) return [];
  const problem = name === 'zdt1' ? zdt1 : searchProblems[name];
  const limit = strategy === 'gp' ? Math.min(trials, maxGpTrials) : trials;
  const runs = Array.from({ length: name === 'zdt1' ? Math.min(seeds, maxZdt1Seeds) : seeds }, (_, seed) => {
    const search = searchOf(problem.space, strategy, seed, parallelism);
    return valuesFound(problem, { ...search, objectives: name === 'zdt1' ? 2 : 1 }, limit);
  });
  return shownAt
    .filter((count) => count <= limit)
    .map((count) => ({
      problem: name,
      strategy,
      trials: count,
      ours: quartiles(runs.map((found) => quality(found.slice(0, count)))),
      optuna: optunaBest(name, strategy, count),
    }));
};
