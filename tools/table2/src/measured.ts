/** Numbers over seeds. */

import { mean, median, wilsonInterval } from '@funnel/attacks/statistics';
import {
  AttackSpec,
  attackKey,
  attackSpec,
  type Diagnostic,
  type DiagnosticsReport,
  type EvaluationSummary,
  type HyperparameterName,
  type HyperparameterValue,
  hyperparameterDeclaration,
  type MetricSeries,
  readExtended,
  type StageKind,
  type SweepDetail,
  type TrialDetail,
  worstVerdict,
} from '@funnel/contracts';
import { halfWidth } from '@funnel/db/student-t';
import { type Printed, type PrintedRow, printedRows } from './printed.ts';

const deviation = (values: readonly number[]): number | null => {
  if (values.length < 2) return null;
  const centre = mean(values)!;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
};

/** Mean over seeds and half the width of its 95 % interval (Student's t); the latter null for one seed. */
export type Estimate = {
  readonly mean: number;
  readonly halfWidth: number | null;
  readonly count: number;
};

/** Null without values. */
export const estimate = (values: readonly number[]): Estimate | null => {
  const centre = mean(values);
  return centre === null
    ? null
    : { mean: centre, halfWidth: halfWidth(values.length, deviation(values)), count: values.length };
};

/** One row of one configuration: an attack on every seed's network. Shares in [0, 1]. */
export type Measured = {
  readonly success: Estimate;
  /** Images attacked, all seeds together. */
  readonly attempted: number;
  /** 95 % Wilson interval of all seeds' images together. */
  readonly pooled: readonly [number, number];
  /** Mean L2 over successes; null where no seed had any. */
  readonly noise: Estimate | null;
  /** Mean L2 over all attacked images, failures as 0. */
  readonly noiseAll: Estimate | null;
  /** Median over seeds of the median L2 with failures as infinity. */
  readonly medianL2: number;
  readonly meanSteps: number | null;
  /** Each seed's median L2. */
  readonly medians: ReadonlyMap<number, number>;
};

const present = (values: readonly (number | null)[]): number[] =>
  values.filter((value): value is number => value !== null);

/** Null where no image was attacked: a network that errs on all of them has nothing to be fooled on. */
export const measure = (bySeed: ReadonlyMap<number, EvaluationSummary>): Measured | null => {
  const tried = [...bySeed].filter(([, { attempted }]) => attempted > 0);
  const summaries = tried.map(([, summary]) => summary);
  const success = estimate(summaries.map(({ successRate }) => successRate));
  if (success === null) return null;
  const total = (of: (summary: EvaluationSummary) => number) =>
    summaries.reduce((sum, summary) => sum + of(summary), 0);
  const attempted = total((summary) => summary.attempted);
  // Null only where nothing was attempted, and those seeds are left out.
  const medians = tried.map(([seed, { medianL2 }]) => [seed, readExtended(medianL2)!] as const);
  return {
    success,
    attempted,
    pooled: wilsonInterval(
      total(({ successes }) => successes),
      attempted,
    ),
    noise: estimate(present(summaries.map(({ noiseLevel }) => noiseLevel))),
    noiseAll: estimate(present(summaries.map(({ noiseLevelAll }) => noiseLevelAll))),
    medianL2: median(medians.map(([, value]) => value))!,
    medians: new Map(medians),
    meanSteps: mean(present(summaries.map(({ meanSteps }) => meanSteps))),
  };
};

/** Whether a printed noise level lies within the interval over seeds; false where there is none. */
export const noiseAgrees = (printed: number, { noise }: Measured): boolean =>
  noise !== null && Math.abs(printed - noise.mean) <= (noise.halfWidth ?? 0) + 0.005;

/** “Near 100 %” is at least this. */
const nearlyAll = 0.95;

/** Whether a printed percentage lies within the interval over seeds, or within that of the images. */
export const agrees = (printed: Printed, { success, pooled }: Measured): boolean => {
  if (printed.near) return success.mean >= nearlyAll;
  const share = printed.success / 100;
  const printing = 0.5e-4; // rounded to two decimals of a per cent
  const within = (low: number, high: number) => share >= low - printing && share <= high + printing;
  const half = success.halfWidth ?? 0;
  return within(success.mean - half, success.mean + half) || within(...pooled);
};

/** The trials of a sweep by configuration: the seeds of one recipe and one choice of hyperparameters together, and what they came to. */

/** A sweep with every trial's evaluations, checks and training curves. */
export type Table2 = { readonly sweep: SweepDetail; readonly results: readonly TrialResult[] };

export type TrialResult = { readonly trial: TrialDetail; readonly series: readonly MetricSeries[] };

export type Row = { readonly printed: PrintedRow; readonly measured: Measured | null };

export type Configuration = {
  /** The recipe and the hyperparameters in which the sweep's configurations differ: `funn, β 0.05`. */
  readonly name: string;
  readonly recipe: string;
  readonly hyperparameters: Readonly<Record<string, HyperparameterValue>>;
  readonly seeds: readonly number[];
  /** Seeds whose trial did not end as completed, with its status: they have no part in the numbers. */
  readonly missing: readonly { readonly seed: number; readonly status: string }[];
  readonly rows: readonly Row[];
  readonly cleanAccuracy: Estimate | null;
  /** Over seeds, at the end of initialisation. */
  readonly floor: Estimate | null;
  /** Share of optimisation steps on which the hinge was active, all epochs; null where there is no hinge. */
  readonly hinge: Estimate | null;
  readonly attackerLoss: Estimate | null;
  /** The worst over seeds; null where no network was examined. */
  readonly verdict: DiagnosticsReport['verdict'] | null;
  /** Checks that were not `ok` on some seed. */
  readonly findings: readonly { readonly check: Diagnostic; readonly seed: number }[];
  readonly epochs: Readonly<Partial<Record<StageKind, number>>>;
};

const seriesOf = ({ series }: TrialResult, kind: StageKind, name: string): number[] =>
  (series.find((one) => one.kind === kind && one.name === name)?.values ?? []).filter(
    (value): value is number => value !== null,
  );

const over = (results: readonly TrialResult[], of: (result: TrialResult) => number | null | undefined) =>
  estimate(results.map(of).filter((value): value is number => value !== null && value !== undefined));

/** Null for what this version does not know. Settings that an earlier one had not are at their defaults, which is what it did. */
const keyOf = (attack: unknown): string | null => {
  const { data } = AttackSpec.safeParse(attack);
  return data === undefined ? null : attackKey(data);
};

const summariesOf = (
  results: readonly TrialResult[],
  { attack }: PrintedRow,
): ReadonlyMap<number, EvaluationSummary> => {
  const key = attackKey(attackSpec(attack));
  return new Map(
    results.flatMap(({ trial }) =>
      trial.evaluations
        .filter(({ attack: name, settings }) => keyOf({ attack: name, settings }) === key)
        .map(({ summary }) => [trial.seed, summary] as const),
    ),
  );
};

/** Hyperparameters, other than those that only some recipes read, whose value is not the same everywhere. */
const differing = (trials: readonly TrialDetail[]): string[] => {
  const values = new Map<string, Set<HyperparameterValue>>();
  for (const { hyperparameters } of trials)
    for (const [name, value] of Object.entries(hyperparameters))
      values.set(name, (values.get(name) ?? new Set()).add(value));
  return [...values].filter(([, set]) => set.size > 1).map(([name]) => name);
};

const summarise = (name: string, all: readonly TrialResult[]): Configuration => {
  const results = all.filter(({ trial }) => trial.status === 'completed');
  const { recipe, hyperparameters, stages } = (results[0] ?? all[0]!).trial;
  // Every evaluation of a network carries the same checks.
  const checks = results.map(({ trial }) => ({
    seed: trial.seed,
    checks: trial.evaluations[0]?.diagnostics ?? [],
  }));
  return {
    name,
    recipe,
    hyperparameters,
    seeds: results.map(({ trial }) => trial.seed),
    missing: all
      .filter(({ trial }) => trial.status !== 'completed')
      .map(({ trial: { seed, status } }) => ({ seed, status })),
    rows: printedRows.map((printed) => ({ printed, measured: measure(summariesOf(results, printed)) })),
    cleanAccuracy: over(results, ({ trial }) => trial.cleanAccuracy),
    floor: over(results, (result) => seriesOf(result, 'initialise', 'defenderLoss').at(-1)),
    hinge: over(results, (result) => mean(seriesOf(result, 'optimise', 'hingeActive'))),
    attackerLoss: over(results, (result) => seriesOf(result, 'optimise', 'attackerLoss').at(-1)),
    verdict: checks.some((one) => one.checks.length > 0)
      ? worstVerdict(results.map(({ trial }) => trial.verdict ?? 'ok'))
      : null,
    findings: checks.flatMap(({ seed, checks: found }) =>
      found.filter(({ verdict }) => verdict !== 'ok').map((check) => ({ check, seed })),
    ),
    epochs: Object.fromEntries(
      stages.filter(({ kind }) => kind !== 'attack').map(({ kind, epochs }) => [kind, epochs]),
    ),
  };
};

/** In the order of the trials' numbers. */
export const configurationsOf = (results: readonly TrialResult[]): Configuration[] => {
  const ordered = [...results].sort((a, b) => a.trial.number - b.trial.number);
  const names = differing(ordered.map(({ trial }) => trial));
  const groups = new Map<string, TrialResult[]>();
  for (const result of ordered) {
    const { recipe, hyperparameters } = result.trial;
    const told = names
      .filter((name) => name in hyperparameters)
      .map(
        (name) => `${hyperparameterDeclaration(name as HyperparameterName).title} ${hyperparameters[name]}`,
      ); // a trial's hyperparameters are declared ones
    const name = [recipe, ...told].join(', ');
    groups.set(name, [...(groups.get(name) ?? []), result]);
  }
  return [...groups].map(([name, group]) => summarise(name, group));
};

/** The classic configuration that shares every hyperparameter which both recipes read. */
export const baselineOf = (
  { hyperparameters }: Configuration,
  all: readonly Configuration[],
): Configuration | undefined =>
  all.find(
    (one) =>
      one.recipe === 'classic' &&
      Object.entries(one.hyperparameters).every(
        ([name, value]) => !(name in hyperparameters) || hyperparameters[name] === value,
      ),
  );
