/** Trials of made-up sweeps, with the fields that the reports read. */
import {
  type AttackSpec,
  attackKey,
  attackSpec,
  type Diagnostic,
  type EvaluationSummary,
  Hyperparameters,
  type HyperparameterValue,
  hyperparametersOf,
  presetAttacks,
  type RecipeName,
} from '@funnel/contracts';
import { printedRows } from '../src/printed.ts';
import type { TrialResult } from '../src/results.ts';

export type Made = {
  readonly number: number;
  readonly recipe: RecipeName;
  readonly seed: number;
  readonly status?: 'completed' | 'failed';
  readonly beta?: number;
  readonly hyperparameters?: Readonly<Record<string, HyperparameterValue>>;
  readonly hinge?: readonly number[];
  /** The successes of every attack, among 40 attacked images; or of each attack by its title in the table. */
  readonly successes: number | ((title: string) => number);
  readonly attempted?: number;
  readonly checks?: readonly Diagnostic[];
};

const medianOf = (successes: number, attempted: number): EvaluationSummary['medianL2'] => {
  if (attempted === 0) return null;
  return 2 * successes > attempted ? 1.4 : 'Infinity';
};

const summary = (successes: number, attempted: number): EvaluationSummary => ({
  ...{ images: 40, attempted, cleanAccuracy: attempted / 40, cleanInterval: [0, 1] },
  ...{ successes, successRate: attempted > 0 ? successes / attempted : null, successInterval: [0, 1] },
  ...{ robustAccuracy: (attempted - successes) / 40, robustInterval: [0, 1] },
  ...{
    noiseLevel: successes > 0 ? 1.5 : null,
    noiseLevelAll: attempted > 0 ? (1.5 * successes) / attempted : null,
  },
  ...{ meanSquaredError: 0.003, medianL2Success: 1.4, medianL2: medianOf(successes, attempted) },
  ...{ medianLinf: null, medianL0: null, meanQueries: 9, meanSteps: 8.25 },
});

export const passed: Diagnostic = {
  id: 'H13',
  value: 0.002,
  threshold: 0.05,
  verdict: 'ok',
  detail: 'Fine.',
};

const titles = new Map(printedRows.map(({ attack, title }) => [attackKey(attackSpec(attack)), title]));

export const made = ({ number, recipe, seed, ...options }: Made): TrialResult => {
  const { status = 'completed', beta = 0.01, hinge, successes, attempted = 40, checks = [passed] } = options;
  const all = Hyperparameters.parse({ beta, ...options.hyperparameters });
  const successesOf = (spec: AttackSpec): number =>
    typeof successes === 'number' ? successes : successes(titles.get(attackKey(spec))!);
  const verdict = checks.find((check) => check.verdict !== 'ok')?.verdict ?? 'ok';
  const trial = {
    ...{ id: `trial-${number}`, sweepId: 'sweep', number, recipe, dataset: 'mnist', seed, status, verdict },
    hyperparameters: Object.fromEntries(
      hyperparametersOf(recipe).map((hyperparameter) => [hyperparameter, all[hyperparameter]]),
    ),
    cleanAccuracy: 0.9,
    evaluations: presetAttacks('paper')
      .map((attack): AttackSpec => attackSpec(attack))
      .map((spec) => ({
        ...spec,
        stage: '',
        summary: summary(successesOf(spec), attempted),
        verdict,
        diagnostics: checks,
      })),
    stages: [{ id: `stage-${number}`, kind: 'initialise', epochs: 9, seconds: 30 }],
    ...{ createdAt: '2026-01-01T00:00:00Z', finishedAt: null, warnings: [] },
  };
  const series = [
    { kind: 'initialise', name: 'defenderLoss', epochs: [1, 2], values: [0.03, 0.02] },
    ...(hinge ? [{ kind: 'optimise', name: 'hingeActive', epochs: [1, 2], values: hinge }] : []),
  ];
  return { trial, series } as unknown as TrialResult; // the fields that the report reads
};
