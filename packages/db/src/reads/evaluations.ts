/** Evaluations: the results of one attack on one trial, and the worst case over all attacks of a trial. */
import {
  AppError,
  type AttackName,
  type AttackRun,
  type ClassCounts,
  countByClass,
  type DatasetSpec,
  type Diagnostic,
  dataOf,
  type Evaluation,
  type EvaluationRecords,
  type EvaluationSummary,
  type Run,
  type ThreatModel,
  threatModelOf,
  type Verdict,
  type WorstCase,
} from '@funnel/contracts';
import {
  bools,
  bytea,
  float8s,
  int2s,
  int4s,
  jsonb,
  listOf,
  type RowOf,
  text,
} from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';

const evaluationColumns = {
  stage_id: text(),
  attack: text<AttackName>(),
  settings: jsonb<Record<string, unknown>>(),
  summary: jsonb<EvaluationSummary>(),
  verdict: text<Verdict>(),
  diagnostics: jsonb<Diagnostic[]>(),
};

const evaluationOf = ({ stage_id, ...evaluation }: RowOf<typeof evaluationColumns>): Evaluation => ({
  stage: stage_id,
  ...evaluation,
});

/** The evaluations of each trial, in the order of its attacks. */
export const evaluationsOfTrials = async (
  tx: Tx,
  trialIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Evaluation[]>> => {
  const rows = await tx.query(
    { trial_id: text(), ...evaluationColumns },
    `SELECT ts.trial_id, ${listOf(evaluationColumns, 'e')} FROM trial_stages ts JOIN evaluations e ON e.stage_id = ts.stage_id
     WHERE ts.trial_id = ANY($1) ORDER BY ts.trial_id, ts.ordinal`,
    [trialIds],
  );
  const found = new Map(trialIds.map((id) => [id, [] as Evaluation[]]));
  for (const { trial_id, ...row } of rows) found.get(trial_id)?.push(evaluationOf(row));
  return found;
};

const missingEvaluation = (stageId: string) =>
  new AppError('NOT_FOUND', `Expected an evaluation, but stage ${stageId} has none`);

/** Errors: NOT_FOUND. */
export const getEvaluation = async (db: Db, stageId: string): Promise<Evaluation> => {
  const [row] = await reading(db).query(
    evaluationColumns,
    `SELECT ${listOf(evaluationColumns, 'e')} FROM evaluations e WHERE e.stage_id = $1`,
    [stageId],
  );
  if (!row) throw missingEvaluation(stageId);
  return evaluationOf(row);
};

export type EvaluationImages = EvaluationRecords & {
  readonly perClass: ClassCounts;
  readonly gallery: {
    readonly shape: number[];
    readonly index: number[];
    readonly original: string[];
    readonly attacked: string[];
  };
};

/** Arrays of the same length, with one element per image. */
const recordColumns = {
  index: int4s(),
  label: int2s(),
  correct: bools(),
  predicted: int2s(),
  success: bools(),
  l2: float8s<number | null>(),
  linf: float8s<number | null>(),
  l0: int4s<number | null>(),
  steps: int4s(),
  queries: int4s(),
};

const galleryColumns = {
  gallery_shape: int4s(),
  gallery_index: int4s(),
  gallery_original: bytea(),
  gallery_attacked: bytea(),
};

/** The records of all images, the counts by class, and the pictures of the first few in base64. Errors: NOT_FOUND. */
export const getImages = async (
  db: Db,
  { trialId, stageId }: { trialId: string; stageId: string },
): Promise<EvaluationImages> => {
  const columns = { ...recordColumns, ...galleryColumns };
  const [row] = await reading(db).query(
    { ...columns, dataset: jsonb<DatasetSpec>() },
    `SELECT ${listOf(columns, 'e')}, s.dataset FROM evaluations e JOIN trial_stages ts USING (stage_id) JOIN stages s ON s.id = e.stage_id
     WHERE ts.trial_id = $1 AND e.stage_id = $2 LIMIT 1`,
    [trialId, stageId],
  );
  if (!row) throw missingEvaluation(stageId);
  const { dataset, gallery_shape: shape, gallery_index: index, ...others } = row;
  const { gallery_original, gallery_attacked, ...records } = others;
  const size = shape.reduce((product, side) => product * side, 1);
  const pictures = (bytes: Buffer) =>
    index.map((_, i) => bytes.subarray(i * size, (i + 1) * size).toString('base64'));
  return {
    ...records,
    perClass: countByClass(records, dataOf(dataset).classCount),
    gallery: { shape, index, original: pictures(gallery_original), attacked: pictures(gallery_attacked) },
  };
};

/**
 * The worst case of each trial. A trial has none until all of its attacks are complete. `runsOf`: the attacks of a trial, which determine
 * its threat model.
 */
export const worstCasesOf = async (
  tx: Tx,
  trialIds: readonly string[],
  runsOf: (trialId: string) => readonly Run[],
): Promise<ReadonlyMap<string, WorstCase>> => {
  const rows = await tx.query(
    { trial_id: text(), values: jsonb<WorstCase['values']>() },
    `SELECT trial_id, jsonb_object_agg(metric, value) AS values FROM scores WHERE trial_id = ANY($1) AND ordinal = -1 GROUP BY 1`,
    [trialIds],
  );
  return new Map(
    rows.map(({ trial_id, values }) => [trial_id, { within: threatModelOf(runsOf(trial_id)), values }]),
  );
};

type TrialOfSweep = { readonly trial_id: string; readonly sweep_id: string };

/**
 * The threat model of each sweep. All trials of a sweep meet the same attacks, so the statement reads the attacks of one trial per sweep.
 */
export const threatModels = async (
  tx: Tx,
  trials: readonly TrialOfSweep[],
): Promise<ReadonlyMap<string, ThreatModel>> => {
  const trialOfSweep = new Map(trials.map((trial) => [trial.sweep_id, trial.trial_id]));
  const sweepOfTrial = new Map([...trialOfSweep].map(([sweep, trial]) => [trial, sweep]));
  if (sweepOfTrial.size === 0) return new Map();
  const rows = await tx.query(
    { trial_id: text(), runs: jsonb<AttackRun[]>() },
    `SELECT ts.trial_id, jsonb_agg(s.attack) AS runs FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id
     WHERE ts.trial_id = ANY($1) AND s.kind = 'attack' GROUP BY 1`,
    [[...sweepOfTrial.keys()]],
  );
  return new Map(rows.map(({ trial_id, runs }) => [sweepOfTrial.get(trial_id)!, threatModelOf(runs)]));
};
