/** The sweep in numbers: configurations, and the results of each attack over their seeds. */

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
  halfWidth,
  hyperparameterDeclaration,
  readExtended,
  type StageKind,
  type TrialVerdict,
  worstTrialVerdict,
  worstVerdict,
} from '@funnel/contracts';
import { groupBy } from './group.ts';
import { type Printed, type PrintedRow, printedRows } from './printed.ts';
import type { TrialResult } from './results.ts';

const deviation = (values: readonly number[]): number | null => {
  if (values.length < 2) return null;
  const centre = mean(values)!;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
};

/** Mean over seeds, and half the width of its 95 % interval (Student's t), which is null for one seed. */
export type Estimate = {
  readonly mean: number;
  readonly halfWidth: number | null;
  readonly count: number;
};

/** Returns null without values. */
export const estimate = (values: readonly number[]): Estimate | null => {
  const centre = mean(values);
  return centre === null
    ? null
    : { mean: centre, halfWidth: halfWidth(values.length, deviation(values)), count: values.length };
};

/** One attack on the networks of all seeds of one configuration. Shares are in [0, 1]. */
export type Measured = {
  readonly success: Estimate;
  /** Attacked images of all seeds together, and those that the attack fooled. */
  readonly attempted: number;
  readonly successes: number;
  /** 95 % Wilson interval of the success rate over the images of all seeds together. */
  readonly pooled: readonly [number, number];
  /** Mean L2 over successes. Null when no seed had a success. */
  readonly noise: Estimate | null;
  /** Mean L2 over all attacked images, with failures as 0. */
  readonly noiseAll: Estimate | null;
  /** Median over seeds of the median L2 with failures as infinity. */
  readonly medianL2: number;
  readonly meanSteps: number | null;
  /** Each seed's median L2. */
  readonly medians: ReadonlyMap<number, number>;
};

const present = (values: readonly (number | null)[]): number[] =>
  values.filter((value): value is number => value !== null);

/** Returns null when no image was attacked: only images that a network classifies correctly are attacked. */
export const measure = (bySeed: ReadonlyMap<number, EvaluationSummary>): Measured | null => {
  const tried = [...bySeed].filter(([, { attempted }]) => attempted > 0);
  const summaries = tried.map(([, summary]) => summary);
  const success = estimate(present(summaries.map(({ successRate }) => successRate)));
  if (success === null) return null;
  const total = (of: (summary: EvaluationSummary) => number) =>
    summaries.reduce((sum, summary) => sum + of(summary), 0);
  const attempted = total((summary) => summary.attempted);
  const successes = total((summary) => summary.successes);
  // A median is null only for a seed without attacked images, and `tried` leaves those out.
  const medians = tried.map(([seed, { medianL2 }]) => [seed, readExtended(medianL2)!] as const);
  return {
    success,
    attempted,
    successes,
    pooled: wilsonInterval(successes, attempted),
    noise: estimate(present(summaries.map(({ noiseLevel }) => noiseLevel))),
    noiseAll: estimate(present(summaries.map(({ noiseLevelAll }) => noiseLevelAll))),
    medianL2: median(medians.map(([, value]) => value))!,
    medians: new Map(medians),
    meanSteps: mean(present(summaries.map(({ meanSteps }) => meanSteps))),
  };
};

/** Returns true when a printed noise level lies within the interval over seeds. */
export const noiseAgrees = (printed: number, { noise }: Measured): boolean =>
  noise !== null && Math.abs(printed - noise.mean) <= (noise.halfWidth ?? 0) + 0.005;

/** The least success rate that agrees with “near 100 %”. */
export const nearlyAll = 0.95;

/** Returns true when a printed percentage lies within the interval over seeds or the interval over images. */
export const agrees = (printed: Printed, { success, pooled }: Measured): boolean => {
  if (printed.near) return success.mean >= nearlyAll;
  const share = printed.success / 100;
  const printing = 0.5e-4; // The paper prints two decimals of a percentage.
  const within = (low: number, high: number) => share >= low - printing && share <= high + printing;
  const half = success.halfWidth ?? 0;
  return within(success.mean - half, success.mean + half) || within(...pooled);
};

export type Row = { readonly printed: PrintedRow; readonly measured: Measured | null };

/** The trials of one recipe with the same hyperparameters: one per seed. */
export type Configuration = {
  /** The recipe, and the hyperparameters that differ within the sweep: `funn, β 0.05`. */
  readonly name: string;
  readonly recipe: string;
  readonly hyperparameters: Readonly<Record<string, HyperparameterValue>>;
  readonly seeds: readonly number[];
  /** The trials of these seeds. */
  readonly trials: readonly string[];
  /** Seeds whose trial did not complete. The numbers leave them out. */
  readonly missing: readonly { readonly seed: number; readonly status: string }[];
  readonly rows: readonly Row[];
  readonly cleanAccuracy: Estimate | null;
  /** The defender's loss at the end of initialisation, over seeds. */
  readonly floor: Estimate | null;
  /** Share of all optimisation steps on which the hinge was active. Null when the recipe has no hinge. */
  readonly hinge: Estimate | null;
  readonly attackerLoss: Estimate | null;
  /** The worst verdict over seeds. Null when no network was examined. */
  readonly verdict: DiagnosticsReport['verdict'] | null;
  /** The worst verdict of a whole trial over seeds, which also says when the numbers mean nothing. Null when no trial has one. */
  readonly trialVerdict: TrialVerdict | null;
  /** Checks that were not `ok`, with their seeds. */
  readonly findings: readonly { readonly check: Diagnostic; readonly seed: number }[];
  readonly epochs: Readonly<Partial<Record<StageKind, number>>>;
};

const seriesOf = ({ series }: TrialResult, kind: StageKind, name: string): number[] =>
  (series.find((one) => one.kind === kind && one.name === name)?.values ?? []).filter(
    (value): value is number => value !== null,
  );

const meanOver = (results: readonly TrialResult[], of: (result: TrialResult) => number | null | undefined) =>
  estimate(results.map(of).filter((value): value is number => value !== null && value !== undefined));

/** Null for an attack that this version does not have. A setting that an earlier version did not have gets its default, which changes nothing. */
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

/** Names of hyperparameters with more than one value among the trials that have them. */
const differing = (trials: readonly TrialResult['trial'][]): string[] => {
  const values = new Map<string, Set<HyperparameterValue>>();
  for (const { hyperparameters } of trials)
    for (const [name, value] of Object.entries(hyperparameters))
      values.set(name, (values.get(name) ?? new Set()).add(value));
  return [...values].filter(([, set]) => set.size > 1).map(([name]) => name);
};

const summarise = (name: string, all: readonly TrialResult[]): Configuration => {
  const results = all.filter(({ trial }) => trial.status === 'completed');
  const { recipe, hyperparameters, stages } = (results[0] ?? all[0]!).trial;
  // The attacks of the paper have the same checks: those at the usual budgets.
  const checks = results.map(({ trial }) => ({
    seed: trial.seed,
    checks: trial.evaluations[0]?.diagnostics ?? [],
  }));
  const verdicts = results.flatMap(({ trial }) => trial.verdict ?? []);
  return {
    name,
    recipe,
    hyperparameters,
    seeds: results.map(({ trial }) => trial.seed),
    trials: results.map(({ trial }) => trial.id),
    missing: all
      .filter(({ trial }) => trial.status !== 'completed')
      .map(({ trial: { seed, status } }) => ({ seed, status })),
    rows: printedRows.map((printed) => ({ printed, measured: measure(summariesOf(results, printed)) })),
    cleanAccuracy: meanOver(results, ({ trial }) => trial.cleanAccuracy),
    floor: meanOver(results, (result) => seriesOf(result, 'initialise', 'defenderLoss').at(-1)),
    hinge: meanOver(results, (result) => mean(seriesOf(result, 'optimise', 'hingeActive'))),
    attackerLoss: meanOver(results, (result) => seriesOf(result, 'optimise', 'attackerLoss').at(-1)),
    verdict: checks.some((one) => one.checks.length > 0)
      ? worstVerdict(results.flatMap(({ trial }) => trial.evaluations.map(({ verdict }) => verdict)))
      : null,
    trialVerdict: verdicts.length > 0 ? worstTrialVerdict(verdicts) : null,
    findings: checks.flatMap(({ seed, checks: found }) =>
      found.filter(({ verdict }) => verdict !== 'ok').map((check) => ({ check, seed })),
    ),
    epochs: Object.fromEntries(
      stages.filter(({ kind }) => kind !== 'attack').map(({ kind, epochs }) => [kind, epochs]),
    ),
  };
};

/** The printed numbers that a configuration is compared with. */
export const printedOf = ({ recipe }: Pick<Configuration, 'recipe'>, { printed }: Row): Printed | null => {
  if (recipe === 'classic' || recipe === 'funn') return printed[recipe];
  return recipe === 'magnet' && printed.magnet !== null ? { success: printed.magnet, noise: null } : null;
};

/** Groups the trials into configurations, in the order of their numbers. */
export const configurationsOf = (results: readonly TrialResult[]): Configuration[] => {
  const ordered = [...results].sort((a, b) => a.trial.number - b.trial.number);
  const names = differing(ordered.map(({ trial }) => trial));
  const nameOf = ({ trial: { recipe, hyperparameters } }: TrialResult): string => {
    const described = names
      .filter((name) => name in hyperparameters)
      .map(
        (name) => `${hyperparameterDeclaration(name as HyperparameterName).title} ${hyperparameters[name]}`,
      ); // Trials have declared hyperparameters only.
    return [recipe, ...described].join(', ');
  };
  return [...groupBy(ordered, nameOf)].map(([name, group]) => summarise(name, group));
};

/** The `classic` configuration with the same value of every hyperparameter that both recipes read. */
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
