import {
  AppError,
  type CleanCounts,
  type DistanceMetricName,
  datasets,
  distanceMetrics,
  type Evaluation,
  type HyperparameterValue,
  isBuiltIn,
  type MetricSeries,
  type RecipeName,
  type StageKind,
  type SweepContent,
  type Trial,
  type TrialDetail,
  type TrialExtra,
  type TrialStatus,
  type TrialVerdict,
  unfinishedWarmup,
  type WorstCase,
} from '@funnel/contracts';
import {
  float8,
  float8s,
  int4,
  int4s,
  jsonb,
  listOf,
  orNull,
  type RowOf,
  text,
  timestamptz,
} from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import type { Page } from '../types.ts';
import { evaluationsOfTrials, worstCasesOf } from './evaluations.ts';
import { type ChangesOf, readChanges, rowKey } from './older-stages.ts';
import { isNumber, pageOf, readCursor } from './pages.ts';
import { withRobustAtEpsilon } from './robust-at-epsilon.ts';
import { stagesOfTrials } from './stages.ts';
import { assertSweep } from './sweeps.ts';
import { lettersOfTrials, withDistanceIntervals } from './trial-certainty.ts';
import { warningsOf } from './warnings.ts';

const trialColumns = {
  id: text(),
  sweep_id: text(),
  number: int4(),
  recipe: text<RecipeName>(),
  dataset: text(),
  seed: int4(),
  hyperparameters: jsonb<Record<string, HyperparameterValue>>(),
  status: text<TrialStatus>(),
  clean_accuracy: orNull(float8()),
  verdict: orNull(text<TrialVerdict>()),
  created_at: timestamptz(),
  finished_at: orNull(timestamptz()),
};

/** The decision that made the trial, and its rung in a search with promotion. Null in other sweeps. */
const decisionColumns = { decision: orNull(int4()), rung: orNull(int4()) };
const rowColumns = { ...trialColumns, ...decisionColumns };

type TrialRow = RowOf<typeof rowColumns>;

const trialList = `${listOf(trialColumns, 't')}, d.number AS decision, CASE WHEN d.epochs IS NOT NULL THEN d.rung END AS rung`;

/** SQL: the trials `t` with their decisions `d`. */
const trialsWithDecisions =
  'trials t LEFT JOIN decisions d ON d.sweep_id = t.sweep_id AND d.number = t.configuration_index';

/** `content`: of a data set that is not built in, as the definition of the sweep carries it. */
const detailColumns = { ...rowColumns, content: orNull(jsonb<SweepContent>()) };
type DetailRow = RowOf<typeof detailColumns>;

const dataOfTrial = ({ dataset, content }: DetailRow): TrialDetail['data'] => {
  const { shape, classes, budgets } = content ?? datasets[isBuiltIn(dataset) ? dataset : 'mnist'];
  return { shape: [...shape], classes: [...classes], budgets };
};

/** `ok` says that no check of any attack found something. So a trial has it only once it has ended; a worse verdict stands before. */
const verdictSoFar = ({ verdict, status }: TrialRow): TrialVerdict | null =>
  verdict === 'ok' && (status === 'waiting' || status === 'running') ? null : verdict;

const trialOf = (
  row: TrialRow,
  evaluations: readonly Evaluation[],
  worstCase: WorstCase | undefined,
): Trial => ({
  id: row.id,
  sweepId: row.sweep_id,
  number: row.number,
  recipe: row.recipe,
  dataset: row.dataset,
  seed: row.seed,
  hyperparameters: row.hyperparameters,
  ...(row.decision !== null && { decision: row.decision }),
  ...(row.rung !== null && { rung: row.rung }),
  status: row.status,
  cleanAccuracy: row.clean_accuracy,
  verdict: verdictSoFar(row),
  evaluations: evaluations.map(
    ({ stage, attack, settings, summary, verdict, robustAtEpsilon, intervals }) => ({
      ...{ stage, attack, settings, summary, verdict },
      ...(robustAtEpsilon && { robustAtEpsilon }),
      ...(intervals && { intervals }),
    }),
  ),
  worstCase: worstCase ?? null,
  createdAt: row.created_at.toISOString(),
  finishedAt: row.finished_at?.toISOString() ?? null,
});

export type TrialsQuery = {
  readonly sweepId: string;
  readonly limit: number;
  readonly cursor?: string;
  readonly status?: TrialStatus;
  /** The answer also has the intervals of these metrics. (Default: none) */
  readonly intervals?: readonly DistanceMetricName[];
  /** What the answer has, too. (Default: nothing) */
  readonly include?: readonly TrialExtra[];
};

/** In the order of their numbers. Errors: NOT_FOUND. */
export const listTrials = async (
  db: Db,
  { sweepId, limit, cursor, status, intervals = [], include = [] }: TrialsQuery,
): Promise<Page<Trial>> => {
  const tx = reading(db);
  const lastNumber = cursor ? readCursor(cursor, isNumber) : -1;
  if (!cursor) await assertSweep(db, sweepId);
  const rows = await tx.query(
    rowColumns,
    `SELECT ${trialList} FROM ${trialsWithDecisions}
     WHERE t.sweep_id = $1 AND t.number > $2 ${status ? 'AND t.status = $4' : ''} ORDER BY t.number LIMIT $3`,
    [sweepId, lastNumber, limit + 1, ...(status ? [status] : [])],
  );
  const ids = rows.map((row) => row.id);
  const evaluations = await evaluationsOfTrials(tx, ids);
  const worstCases = await worstCasesOf(tx, ids, (id) => evaluations.get(id) ?? []);
  const ofTrials = ids.map((id) => evaluations.get(id) ?? []);
  const withExtras = include.includes('robustAtEpsilon') ? await withRobustAtEpsilon(tx, ofTrials) : ofTrials;
  const measured = await withDistanceIntervals(
    tx,
    ids.map((id, i) => ({ id, evaluations: withExtras[i]!, worstCase: worstCases.get(id) })),
    intervals,
  );
  const results = new Map(measured.map((each) => [each.id, each]));
  return pageOf(
    rows,
    limit,
    (row) => trialOf(row, results.get(row.id)!.evaluations, results.get(row.id)!.worstCase),
    (last) => last.number,
  );
};

/** In the order of `ids`. Errors: NOT_FOUND. */
/** `1a22b6fcdfe7279a-00003` is a trial of the sweep 1a22b6fcdfe7279a. Another text names no sweep. */
const trialHint = (id: string): string | undefined => {
  const sweep = /^([0-9a-f]{16})-\d+$/.exec(id)?.[1];
  return sweep && `\`npx funnel trials ${sweep}\` lists the trials of the sweep.`;
};

const findTrials = async (tx: Tx, ids: readonly string[]): Promise<readonly DetailRow[]> => {
  const rows = await tx.query(
    detailColumns,
    `SELECT ${trialList}, w.definition -> 'dataset' -> 'content' AS content
     FROM ${trialsWithDecisions} JOIN sweeps w ON w.id = t.sweep_id WHERE t.id = ANY($1)`,
    [ids],
  );
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => {
    const row = found.get(id);
    if (!row)
      throw new AppError('NOT_FOUND', `Expected a trial, but there is none with id ${id}`, {
        hint: trialHint(id),
      });
    return row;
  });
};

/** The clean test images of each class, after the last epoch of each trial's classifier. */
const perClassOf = async (tx: Tx, trialIds: readonly string[]): Promise<ReadonlyMap<string, CleanCounts>> => {
  const rows = await tx.query(
    { trial_id: text(), images: int4s(), correct: int4s() },
    `SELECT ts.trial_id, k.images, k.correct FROM trial_stages ts
     JOIN stages s ON s.id = ts.stage_id AND s.kind = 'classify'
     JOIN chains c ON c.hash = s.chain JOIN class_counts k ON k.chain_id = c.id AND k.epoch = s.epochs
     WHERE ts.trial_id = ANY($1)`,
    [trialIds],
  );
  return new Map(rows.map(({ trial_id, ...counts }) => [trial_id, counts]));
};

const warmupWarnings = ({ clean_accuracy: cleanAccuracy, ...row }: DetailRow): readonly string[] => {
  const text = unfinishedWarmup({ ...row, cleanAccuracy });
  return text === null ? [] : [text];
};

/** The number of statements does not depend on the number of trials. In the order of `ids`. Errors: NOT_FOUND. */
const detailsOf = async (
  tx: Tx,
  ids: readonly string[],
  changesOf: ChangesOf,
): Promise<readonly TrialDetail[]> => {
  const rows = await findTrials(tx, ids);
  const wholeTrial = (id: string) => ({ trialId: id, stageId: null });
  const [stages, perClass, evaluations, warnings, older] = await Promise.all([
    stagesOfTrials(tx, ids),
    perClassOf(tx, ids),
    evaluationsOfTrials(tx, ids),
    warningsOf(tx, ids),
    readChanges(tx, ids.map(wholeTrial), changesOf),
  ]);
  const worstCases = await worstCasesOf(tx, ids, (id) => evaluations.get(id) ?? []);
  const withEpsilon = await withRobustAtEpsilon(
    tx,
    rows.map((row) => evaluations.get(row.id) ?? []),
  );
  const results = await withDistanceIntervals(
    tx,
    rows.map(({ id }, i) => ({ id, evaluations: withEpsilon[i]!, worstCase: worstCases.get(id) })),
    distanceMetrics,
  );
  return rows.map((row, i) => {
    const { evaluations: ofTrial, worstCase } = results[i]!;
    const changes = older.get(rowKey(wholeTrial(row.id)));
    return {
      ...trialOf(row, ofTrial, worstCase),
      data: dataOfTrial(row),
      perClass: perClass.get(row.id) ?? null,
      stages: [...(stages.get(row.id) ?? [])],
      evaluations: [...ofTrial],
      ...(changes && { older: changes }),
      warnings: [...(warnings.get(row.id) ?? []), ...warmupWarnings(row)],
    };
  });
};

/** `changesOf`: compares stages with the present version. (Default: the answer says nothing about versions) Errors: NOT_FOUND. */
export const getTrial = async (db: Db, id: string, changesOf: ChangesOf = () => []): Promise<TrialDetail> => {
  const [trial] = await detailsOf(reading(db), [id], changesOf);
  return trial!;
};

/** The training curves of each stage, up to the last epoch of the stage. Errors: NOT_FOUND. */
export const getMetrics = async (db: Db, trialId: string): Promise<readonly MetricSeries[]> => {
  const tx = reading(db);
  await findTrials(tx, [trialId]);
  return tx.query(
    { kind: text<StageKind>(), name: text(), epochs: int4s(), values: float8s<number | null>() },
    `SELECT s.kind, m.name, array_agg(m.epoch ORDER BY m.epoch) AS epochs, array_agg(m.value ORDER BY m.epoch) AS values
     FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id
     JOIN chains c ON c.hash = s.chain JOIN metrics m ON m.chain_id = c.id AND m.epoch <= s.epochs
     WHERE ts.trial_id = $1 GROUP BY ts.ordinal, s.kind, m.name ORDER BY ts.ordinal, m.name`,
    [trialId],
  );
};

/** Trials in the order of `ids`, and the names of the fields in which they differ. `changesOf`: as for `getTrial`. Errors: NOT_FOUND. */
export const compareTrials = async (
  db: Db,
  ids: readonly string[],
  changesOf: ChangesOf = () => [],
): Promise<Comparison> => {
  const tx = reading(db);
  const trials = await detailsOf(tx, ids, changesOf);
  const cells = trials.map(
    ({ recipe, dataset, seed, hyperparameters }) =>
      new Map<string, HyperparameterValue>(Object.entries({ recipe, dataset, ...hyperparameters, seed })),
  );
  const names = [...new Set(cells.flatMap((cell) => [...cell.keys()]))];
  return {
    trials: [...trials],
    differs: names.filter((name) => new Set(cells.map((cell) => cell.get(name))).size > 1),
    letters: [...(await lettersOfTrials(tx, trials))],
  };
};

export type Comparison = {
  readonly trials: TrialDetail[];
  /** Names of hyperparameters, `recipe`, `dataset`, `seed`. */
  readonly differs: string[];
  /** See `lettersOfTrials`. */
  readonly letters: (string | null)[];
};
