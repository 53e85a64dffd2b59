/** `bench search`: the search strategies on known functions, beside Optuna's figures, and the time of a proposal. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  type Decision,
  hypervolume,
  promotionNames,
  rungsOf,
  type Search,
  type StrategyName,
  simulateSearch,
  strategyNames,
  type Unit,
} from '@funnel/search';
import { z } from 'zod';
import { readOptions } from './options.ts';
import { curves, type SearchProblem, searchProblems, zdt1, zdt1Reference } from './search-problems.ts';

export const searchUsage = `search [--strategies ${strategyNames.join(',')}] [--problems ${Object.keys(searchProblems).join(',')}] [--trials 200] [--seeds 30] [--parallelism 1] [--json]
  The best value after 25, 50, 100 and 200 trials: quartiles over seeds, beside Optuna's (fixtures/search/optuna.json); then the hypervolume of
  several objectives (zdt1), and the epochs of promotion rules (curves).`;

const names = <Name extends string>(known: readonly Name[], standard: readonly Name[]) =>
  z
    .string()
    .transform((list) => list.split(',').filter((name) => name !== ''))
    .pipe(z.array(z.enum(known as [Name, ...Name[]])))
    .default([...standard]);

const problemNames = [
  ...(Object.keys(searchProblems) as (keyof typeof searchProblems)[]),
  'zdt1',
  'curves',
] as const;

const Options = z.strictObject({
  strategies: names(strategyNames, ['tpe', 'gp', 'nsga2', 'cma-es', 'sobol']),
  problems: names(problemNames, problemNames),
  trials: z.coerce.number().pipe(z.int().min(25).max(1000)).default(200),
  seeds: z.coerce.number().pipe(z.int().min(1).max(1000)).default(30),
  parallelism: z.coerce.number().pipe(z.int().min(1).max(100)).default(1),
  json: z.boolean().default(false),
});

const checkpoints = [25, 50, 100, 200];

type Quartiles = readonly number[];
const Oracle = z.object({
  results: z.array(
    z.object({
      problem: z.string(),
      sampler: z.string().optional(),
      pruner: z.string().optional(),
      best: z.union([z.record(z.string(), z.array(z.number())), z.array(z.number())]),
      epochs: z.array(z.number()).optional(),
    }),
  ),
});
type OracleRow = z.infer<typeof Oracle>['results'][number];

/** Between the two nearest values, in proportion. */
const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * ((sorted[low + 1] ?? sorted[low]!) - sorted[low]!);
};
const quartiles = (values: readonly number[]): Quartiles =>
  [0.25, 0.5, 0.75].map((share) => quantile(values, share));

const searchOf = (
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
  promotion: null,
  earlier: [],
  tryFirst: [],
});

const valuesOf = (decisions: readonly Decision[], { values }: SearchProblem): (readonly number[])[] =>
  decisions.flatMap((decision) => (decision.kind === 'unit' ? [values(decision.point)] : []));

const run = (problem: SearchProblem, search: Search, trials: number) =>
  valuesOf(
    simulateSearch(search, trials, ({ point }) => ({
      status: 'measured',
      utilities: problem.values(point).map((value) => -value),
    })),
    problem,
  );

const format = (values: Quartiles): string => values.map((value) => value.toFixed(4).padStart(9)).join('');
const print = (cells: readonly string[]): void => console.log(cells.join('  '));

type Row = {
  readonly problem: string;
  readonly strategy: string;
  readonly at: number;
  readonly ours: Quartiles;
  readonly optuna: Quartiles | null;
};

const show = (rows: readonly Row[], json: boolean): void => {
  for (const row of rows) {
    if (json) console.log(JSON.stringify(row));
    else
      print([
        row.problem.padEnd(12),
        row.strategy.padEnd(8),
        String(row.at).padStart(4),
        format(row.ours),
        row.optuna ? `Optuna ${format(row.optuna)}` : '',
      ]);
  }
};

export const search = async (args: readonly string[]): Promise<void> => {
  const { strategies: chosen, problems, trials, seeds, parallelism, json } = readOptions(Options, args);
  const file = fileURLToPath(new URL('../../../fixtures/search/optuna.json', import.meta.url));
  const { results } = Oracle.parse(JSON.parse(await readFile(file, 'utf8')));
  const optunaAt = (problem: string, strategy: string, at: number): Quartiles | null => {
    const row = results.find((each) => each.problem.startsWith(problem) && each.sampler === strategy);
    return row && !Array.isArray(row.best) ? (row.best[String(at)] ?? null) : null;
  };
  const at = checkpoints.filter((count) => count <= trials);
  for (const name of problems) {
    if (name === 'zdt1' || name === 'curves') continue;
    const problem = searchProblems[name];
    for (const strategy of chosen) {
      if (strategy === 'cma-es' && name === 'mixed') continue; // it has categories
      const limit = strategy === 'gp' ? Math.min(trials, 100) : trials;
      const histories = Array.from({ length: seeds }, (_, seed) =>
        run(problem, searchOf(problem.space, strategy, seed, parallelism), limit),
      );
      show(
        at
          .filter((count) => count <= limit)
          .map((count) => ({
            problem: name,
            strategy,
            at: count,
            ours: quartiles(
              histories.map((values) => Math.min(...values.slice(0, count).map(([value]) => value!))),
            ),
            optuna: optunaAt(name, strategy, count),
          })),
        json,
      );
    }
  }
  if (problems.includes('zdt1'))
    for (const strategy of chosen) {
      if (strategy === 'gp' || strategy === 'cma-es') continue; // they have one objective
      const histories = Array.from({ length: Math.min(seeds, 20) }, (_, seed) =>
        run(zdt1, { ...searchOf(zdt1.space, strategy, seed, parallelism), objectives: 2 }, trials),
      );
      show(
        at.map((count) => ({
          problem: 'zdt1',
          strategy,
          at: count,
          ours: quartiles(
            histories.map((values) =>
              hypervolume(
                values.slice(0, count).map((each) => each.map((value) => -value)),
                zdt1Reference.map((value) => -value),
              ),
            ),
          ),
          optuna: optunaAt('zdt1', strategy, count),
        })),
        json,
      );
    }
  if (problems.includes('curves')) showCurves(results, seeds, parallelism, json);
};

const fidelity = { min: 1, max: 27, eta: 3 };

/** 100 random configurations: a unit continues from the rung below, so that it trains only the epochs between. */
const showCurves = (
  results: readonly OracleRow[],
  seeds: number,
  parallelism: number,
  json: boolean,
): void => {
  const epochs = rungsOf(fidelity);
  for (const rule of promotionNames) {
    const runs = Array.from({ length: seeds }, (_, seed) => {
      const units = simulateSearch(
        { ...searchOf(curves.space, 'random', seed, parallelism), promotion: { rule, fidelity } },
        100,
        ({ point, rung }) => ({ status: 'measured', utilities: [-curves.loss(point, epochs[rung]!)] }),
      ).flatMap((decision) => (decision.kind === 'unit' ? [decision] : []));
      const trained = (unit: Unit): number => {
        const below = units.some(
          ({ configuration, rung }) => configuration === unit.configuration && rung < unit.rung,
        );
        return epochs[unit.rung]! - (below ? epochs[unit.rung - 1]! : 0);
      };
      const finished = units.filter(({ rung }) => rung === epochs.length - 1);
      return {
        epochs: units.reduce((sum, unit) => sum + trained(unit), 0),
        best: Math.min(...finished.map(({ point }) => curves.loss(point, fidelity.max))),
      };
    });
    const ours = {
      epochs: quartiles(runs.map(({ epochs }) => epochs)),
      best: quartiles(runs.map(({ best }) => best)),
    };
    const optuna = results.find(({ pruner }) => pruner === rule);
    if (json) console.log(JSON.stringify({ problem: 'curves', rule, ours, optuna: optuna ?? null }));
    else
      print([
        'curves'.padEnd(12),
        rule.padEnd(18),
        `epochs${format(ours.epochs)}  best${format(ours.best)}`,
        optuna ? `Optuna epochs${format(optuna.epochs ?? [])}  best${format(optuna.best as Quartiles)}` : '',
      ]);
  }
};
