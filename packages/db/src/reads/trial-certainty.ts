/** How sure the medians of trials are, and which trials their worst cases tell apart. By the rules of the leaderboard. */
import {
  type Evaluation,
  type EvaluationMetricName,
  type ExtendedNumber,
  type MedianIntervals,
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

/** The intervals of the medians of each result. */
const medianIntervalsOf = async (tx: Tx, results: readonly Result[]): Promise<readonly MedianIntervals[]> => {
  const [l2, linf] = await Promise.all([
    intervalsOfResults(tx, results, 'medianL2'),
    intervalsOfResults(tx, results, 'medianLinf'),
  ]);
  const written = (interval: readonly [number, number] | null | undefined): MedianIntervals['medianL2'] =>
    interval ? [writeExtended(interval[0]), writeExtended(interval[1])] : null;
  return results.map((_, i) => ({
    medianL2: written(l2.intervals[i]),
    medianLinf: written(linf.intervals[i]),
  }));
};

type Measured = {
  readonly id: string;
  readonly evaluations: readonly Evaluation[];
  readonly worstCase: WorstCase | undefined;
};

/** The same results of trials with the intervals of their medians. */
export const withMedianIntervals = async <Of extends Measured>(
  tx: Tx,
  trials: readonly Of[],
): Promise<readonly Of[]> => {
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
  const intervals = await medianIntervalsOf(tx, results);
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
