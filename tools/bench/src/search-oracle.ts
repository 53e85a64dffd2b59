/** Optuna's figures (fixtures/oracle/search/optuna.json), and quartiles like those in it. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The lower quartile, the median, the upper quartile. */
export type Quartiles = readonly number[];

const Oracle = z.object({
  results: z.array(
    z.union([
      z.object({ problem: z.string(), sampler: z.string(), best: z.record(z.string(), z.array(z.number())) }),
      z.object({
        problem: z.string(),
        pruner: z.string(),
        epochs: z.array(z.number()),
        best: z.array(z.number()),
      }),
    ]),
  ),
});

let oracle: z.output<typeof Oracle> | undefined;

/** Read when a row is needed: other benchmarks do without the file. */
const results = () => {
  const file = new URL('../../../fixtures/oracle/search/optuna.json', import.meta.url);
  oracle ??= Oracle.parse(JSON.parse(readFileSync(file, 'utf8')));
  return oracle.results;
};

/** Of the best values after so many trials; null if Optuna was not measured there. */
export const optunaBest = (problem: string, sampler: string, trials: number): Quartiles | null => {
  const row = results().find(
    (each) => 'sampler' in each && each.problem.startsWith(problem) && each.sampler === sampler,
  );
  return row && 'sampler' in row ? (row.best[String(trials)] ?? null) : null;
};

/** Of the epochs and the best final value with an early-stopping rule; null if Optuna was not measured with it. */
export const optunaPromotion = (pruner: string) => {
  const row = results().find((each) => 'pruner' in each && each.pruner === pruner);
  return row && 'pruner' in row ? { epochs: row.epochs, best: row.best } : null;
};

/** Between the two nearest values, in proportion. */
const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * ((sorted[low + 1] ?? sorted[low]!) - sorted[low]!);
};

export const quartiles = (values: readonly number[]): Quartiles =>
  [0.25, 0.5, 0.75].map((share) => quantile(values, share));
