/** How sure the distances of trials are, and which trials their worst cases tell apart. By the rules of the leaderboard. */
import {
  type DistanceIntervals,
  type DistanceMetricName,
  type Evaluation,
  type EvaluationMetricName,
  type ExtendedNumber,
  type Interval,
  readExtended,
  type TrialDetail,
  usualMetricAmong,
  type WorstCase,
  writeExtended,
} from '@funnel/contracts';
import { int2, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { compareRows } from './compare-rows.ts';
import { intervalsOf, readEvidence } from './evidence.ts';

type Values = Readonly<Partial<Record<EvaluationMetricName, ExtendedNumber | null>>>;

/** The result of one attack on a trial, or with the ordinal −1 its worst case. */
type Result = { readonly trial_id: string; readonly ordinal: number; readonly values: Values };

/** The interval of the value of each result; null without one. */
const intervalsOfResults = async (tx: Tx, results: readonly Result[], metric: EvaluationMetricName) => {
  const evidence = await readEvidence(tx, results, { metric, allSeeds: false });
  const measured = results.map(({ values }, i) => ({
    value: readExtended(values[metric] ?? null),
    seeds: evidence[i]!,
  }));
  return { evidence, intervals: await intervalsOf(tx, measured, metric) };
};

const written = (interval: Interval | null | undefined): DistanceIntervals[DistanceMetricName] =>
  interval ? [writeExtended(interval[0]), writeExtended(interval[1])] : null;

/** The intervals of these metrics of each result. */
const distanceIntervalsOf = async (
  tx: Tx,
  results: readonly Result[],
  metrics: readonly DistanceMetricName[],
): Promise<readonly DistanceIntervals[]> => {
  const found = await Promise.all(metrics.map((metric) => intervalsOfResults(tx, results, metric)));
  return results.map((_, i) =>
    Object.fromEntries(metrics.map((metric, m) => [metric, written(found[m]!.intervals[i])])),
  );
};

type Measured = {
  readonly id: string;
  readonly evaluations: readonly Evaluation[];
  readonly worstCase: WorstCase | undefined;
};

/** The same results of trials with the intervals of these metrics. */
export const withDistanceIntervals = async (
  tx: Tx,
  trials: readonly Measured[],
  metrics: readonly DistanceMetricName[],
): Promise<readonly Measured[]> => {
  if (metrics.length === 0) return trials;
  const places = await tx.query(
    { trial_id: text(), stage_id: text(), ordinal: int2() },
    'SELECT trial_id, stage_id, ordinal FROM trial_stages WHERE trial_id = ANY($1)',
    [trials.map(({ id }) => id)],
  );
  const ordinals = new Map(
    places.map(({ trial_id, stage_id, ordinal }) => [`${trial_id} ${stage_id}`, ordinal]),
  );
  const results = trials.flatMap(({ id, evaluations, worstCase }): Result[] => [
    ...evaluations.map(({ stage, summary }) => ({
      trial_id: id,
      ordinal: ordinals.get(`${id} ${stage}`)!,
      values: summary,
    })),
    ...(worstCase ? [{ trial_id: id, ordinal: -1, values: worstCase.values }] : []),
  ]);
  const intervals = await distanceIntervalsOf(tx, results, metrics);
  const found = new Map(results.map(({ trial_id, ordinal }, i) => [`${trial_id} ${ordinal}`, intervals[i]!]));
  return trials.map((trial) => ({
    ...trial,
    evaluations: trial.evaluations.map((evaluation) => ({
      ...evaluation,
      intervals: found.get(`${trial.id} ${ordinals.get(`${trial.id} ${evaluation.stage}`)}`)!,
    })),
    worstCase: trial.worstCase && { ...trial.worstCase, intervals: found.get(`${trial.id} -1`)! },
  }));
};

/** A letter for each largest set of these trials that their worst cases do not tell apart; null for a trial that is not compared. */
export const lettersOfTrials = async (
  tx: Tx,
  trials: readonly TrialDetail[],
): Promise<readonly (string | null)[]> => {
  const metric = usualMetricAmong(trials[0]?.evaluations ?? [], undefined);
  const results = trials.map(({ id, worstCase }) => ({
    ...{ trial_id: id, ordinal: -1 },
    values: worstCase?.values ?? {},
  }));
  const { evidence, intervals } = await intervalsOfResults(tx, results, metric);
  const rows = trials.map(({ evaluations }, i) => ({
    attack: evaluations[0]?.attack ?? 'fgsm', // of a trial without a result, which is not compared
    settings: evaluations[0]?.settings ?? {},
    seeds: evidence[i]!,
    interval: intervals[i]!,
  }));
  const letters = await compareRows(tx, rows, metric);
  return trials.map((_, i) => letters[i] ?? null);
};
