import {
  AppError,
  type AttackName,
  type AttackRun,
  type Diagnostic,
  type Evaluation,
  type EvaluationRecords,
  type EvaluationSummary,
  type Run,
  type ThreatModel,
  threatModelOf,
  type Verdict,
  type WorstCase,
} from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';

type Row = {
  readonly trial_id: string;
  readonly stage_id: string;
  readonly attack: AttackName;
  readonly settings: Record<string, unknown>;
  readonly summary: EvaluationSummary;
  readonly verdict: Verdict;
  readonly diagnostics: Diagnostic[];
};

const columns = 'e.stage_id, e.attack, e.settings, e.summary, e.verdict, e.diagnostics';

const resource = ({ stage_id, attack, settings, summary, verdict, diagnostics }: Row): Evaluation => ({
  stage: stage_id,
  attack,
  settings,
  summary,
  verdict,
  diagnostics,
});

/** Of each trial, in the order of its attacks. */
export const evaluationsOfTrials = async (
  tx: Tx,
  trialIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Evaluation[]>> => {
  const rows = await tx.query<Row>(
    `SELECT ts.trial_id, ${columns} FROM trial_stages ts JOIN evaluations e ON e.stage_id = ts.stage_id
     WHERE ts.trial_id = ANY($1) ORDER BY ts.trial_id, ts.ordinal`,
    [trialIds],
  );
  const found = new Map(trialIds.map((id) => [id, [] as Evaluation[]]));
  for (const row of rows) found.get(row.trial_id)?.push(resource(row));
  return found;
};

const missing = (stageId: string) =>
  new AppError('NOT_FOUND', `Expected an evaluation, but stage ${stageId} has none`);

/** Errors: NOT_FOUND. */
export const getEvaluation = async (db: Db, stageId: string): Promise<Evaluation> => {
  const [row] = await reading(db).query<Row>(`SELECT ${columns} FROM evaluations e WHERE e.stage_id = $1`, [
    stageId,
  ]);
  if (!row) throw missing(stageId);
  return resource(row);
};

export type EvaluationImages = EvaluationRecords & {
  readonly gallery: {
    readonly shape: number[];
    readonly index: number[];
    readonly original: string[];
    readonly attacked: string[];
  };
};

type ImagesRow = EvaluationRecords & {
  readonly gallery_shape: number[];
  readonly gallery_index: number[];
  readonly gallery_original: Buffer;
  readonly gallery_attacked: Buffer;
};

/** Records of every image, and the pictures of the first few in base64. Errors: NOT_FOUND. */
export const getImages = async (
  db: Db,
  { trialId, stageId }: { trialId: string; stageId: string },
): Promise<EvaluationImages> => {
  const [row] = await reading(db).query<ImagesRow>(
    `SELECT e.index, e.label, e.correct, e.predicted, e.success, e.l2, e.linf, e.l0, e.steps, e.queries,
       e.gallery_shape, e.gallery_index, e.gallery_original, e.gallery_attacked
     FROM evaluations e JOIN trial_stages ts ON ts.stage_id = e.stage_id
     WHERE ts.trial_id = $1 AND e.stage_id = $2 LIMIT 1`,
    [trialId, stageId],
  );
  if (!row) throw missing(stageId);
  const { gallery_shape: shape, gallery_index: index, gallery_original, gallery_attacked, ...records } = row;
  const size = shape.reduce((product, side) => product * side, 1);
  const pictures = (bytes: Buffer) =>
    index.map((_, i) => bytes.subarray(i * size, (i + 1) * size).toString('base64'));
  return {
    ...records,
    gallery: { shape, index, original: pictures(gallery_original), attacked: pictures(gallery_attacked) },
  };
};

type WorstCaseRow = { readonly trial_id: string; readonly values: WorstCase['values'] };

/** By trial; there is none before all of its attacks are complete. `runsOf`: what a trial has met. */
export const worstCasesOf = async (
  tx: Tx,
  trialIds: readonly string[],
  runsOf: (trialId: string) => readonly Run[],
): Promise<ReadonlyMap<string, WorstCase>> => {
  const rows = await tx.query<WorstCaseRow>(
    `SELECT trial_id, jsonb_object_agg(metric, value) AS values FROM scores WHERE trial_id = ANY($1) AND ordinal = -1 GROUP BY 1`,
    [trialIds],
  );
  return new Map(
    rows.map(({ trial_id, values }) => [trial_id, { within: threatModelOf(runsOf(trial_id)), values }]),
  );
};

type TrialOfSweep = { readonly trial_id: string; readonly sweep_id: string };

/** What the worst case of these trials counts, by sweep: all trials of a sweep meet the same attacks, so that one of each is looked at. */
export const threatModels = async (
  tx: Tx,
  rows: readonly TrialOfSweep[],
): Promise<ReadonlyMap<string, ThreatModel>> => {
  const sweepOf = new Map(
    [...new Map(rows.map((row) => [row.sweep_id, row.trial_id]))].map(([sweep, trial]) => [trial, sweep]),
  );
  if (sweepOf.size === 0) return new Map();
  const found = await tx.query<{ trial_id: string; runs: AttackRun[] }>(
    `SELECT ts.trial_id, jsonb_agg(s.attack) AS runs FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id
     WHERE ts.trial_id = ANY($1) AND s.kind = 'attack' GROUP BY 1`,
    [[...sweepOf.keys()]],
  );
  return new Map(found.map(({ trial_id, runs }) => [sweepOf.get(trial_id)!, threatModelOf(runs)]));
};
