/** `bench search`: the search strategies and promotion rules on known functions, beside Optuna's figures. */
import { type StrategyName, strategyNames } from '@funnel/search';
import { z } from 'zod';
import { readOptions } from './options.ts';
import type { Quartiles } from './search-oracle.ts';
import { measurePromotion } from './search-promotion.ts';
import { measureQuality, problemNames } from './search-quality.ts';
import { measureTime, timedCounts } from './search-time.ts';

const parts = [...problemNames, 'curves', 'time'] as const;

export const searchUsage = `search [--strategies ${strategyNames.join(',')}] [--only ${parts.join(',')}] [--trials 200] [--seeds 30] [--promotion-seeds 300] [--parallelism 1] [--json]
  Quartiles over seeds, beside Optuna's (fixtures/oracle/search/optuna.json): the least value after 25, 50, 100 and 200 trials (zdt1: the hypervolume); on
  curves the epochs and the least loss of 100 configurations with each promotion rule. time: the CPU milliseconds of a proposal.`;

const names = <Name extends string>(known: readonly Name[]) =>
  z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum(known as [Name, ...Name[]])))
    .default([...known]);

const count = (max: number, standard: number) =>
  z.coerce.number().pipe(z.int().min(1).max(max)).default(standard);

const Options = z.strictObject({
  strategies: names(strategyNames),
  only: names(parts),
  trials: count(1000, 200),
  seeds: count(1000, 30),
  'promotion-seeds': count(1000, 300),
  parallelism: count(100, 1),
  json: z.boolean().default(false),
});

const format = (values: Quartiles, digits = 4): string =>
  values.map((value) => value.toFixed(digits).padStart(10)).join('');

/** Prints a row as JSON, or its cells in columns. */
const show = (row: object, cells: readonly string[], json: boolean): void =>
  console.log(json ? JSON.stringify(row) : cells.map((cell) => cell.padEnd(13)).join(''));

const optunaCells = (values: Quartiles | null | undefined, digits?: number): string[] =>
  values ? ['   Optuna', format(values, digits)] : [];

export const search = async (args: readonly string[]): Promise<void> => {
  const options = readOptions(Options, args);
  const { strategies, only, json, parallelism } = options;
  for (const problem of problemNames.filter((name) => only.includes(name)))
    for (const strategy of strategies)
      for (const row of measureQuality(problem, strategy, options)) {
        const { trials, ours, optuna } = row;
        show(row, [problem, strategy, String(trials), format(ours), ...optunaCells(optuna)], json);
      }
  if (only.includes('curves')) {
    const samplers: StrategyName[] = ['random', 'sobol', 'tpe', 'cma-es'];
    for (const row of measurePromotion(samplers, { seeds: options['promotion-seeds'], parallelism })) {
      const { rule, sampler, epochs, best, optuna } = row;
      show(
        row,
        [rule.padEnd(19), sampler, 'epochs', format(epochs, 0), ...optunaCells(optuna?.epochs, 0)],
        json,
      );
      if (!json)
        show(row, [rule.padEnd(19), sampler, 'best', format(best), ...optunaCells(optuna?.best)], json);
    }
  }
  if (only.includes('time'))
    for (const strategy of strategies)
      for (const trials of timedCounts) {
        const row = measureTime(strategy, trials);
        show(
          row,
          [strategy, String(trials), `median ${row.median.toFixed(1)} ms, greatest ${row.max.toFixed(1)} ms`],
          json,
        );
      }
};
