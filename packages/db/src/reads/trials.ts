import {
  AppError,
  type DatasetName,
  type Evaluation,
  type HyperparameterValue,
  type MetricSeries,
  type RecipeName,
  type StageKind,
  type Trial,
  type TrialDetail,
  type TrialStatus,
  type Verdict,
  type WorstCase,
} from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import type { Page } from '../types.ts';
import { evaluationsOfTrials, worstCasesOf } from './evaluations.ts';
import { isNumber, pageOf, readCursor } from './pages.ts';
import { stagesOfTrials } from './stages.ts';
import { assertSweep } from './sweeps.ts';
import { warningsOf } from './warnings.ts';

type Row = {
  readonly id: string;
  readonly sweep_id: string;
  readonly number: number;
  readonly recipe: RecipeName;
  readonly dataset: DatasetName;
  readonly seed: number;
  readonly hyperparameters: Record<string, HyperparameterValue>;
  readonly status: TrialStatus;
  readonly clean_accuracy: number | null;
  readonly verdict: Verdict | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
};

const resource = (row: Row, evaluations: readonly Evaluation[], worstCase: WorstCase | undefined): Trial => ({
  id: row.id,
  sweepId: row.sweep_id,
  number: row.number,
  recipe: row.recipe,
  dataset: row.dataset,
  seed: row.seed,
  hyperparameters: row.hyperparameters,
  status: row.status,
  cleanAccuracy: row.clean_accuracy,
  verdict: row.verdict,
  evaluations: evaluations.map(({ attack, settings, summary, verdict }) => ({
    attack,
    settings,
    summary,
    verdict,
  })),
  worstCase: worstCase ?? null,
  createdAt: row.created_at.toISOString(),
  finishedAt: row.finished_at?.toISOString() ?? null,
});

export type TrialsQuery = {
  readonly sweepId: string;
  readonly limit: number;
  readonly cursor?: string;
  readonly status?: TrialStatus;
};

/** By number. Errors: NOT_FOUND. */
export const listTrials = async (
  db: Db,
  { sweepId, limit, cursor, status }: TrialsQuery,
): Promise<Page<Trial>> => {
  const tx = reading(db);
  const after = cursor ? readCursor(cursor, isNumber) : -1;
  if (!cursor) await assertSweep(db, sweepId);
  const rows = await tx.query<Row>(
    `SELECT * FROM trials WHERE sweep_id = $1 AND number > $2 ${status ? 'AND status = $4' : ''} ORDER BY number LIMIT $3`,
    [sweepId, after, limit + 1, ...(status ? [status] : [])],
  );
  const ids = rows.map((row) => row.id);
  const evaluations = await evaluationsOfTrials(tx, ids);
  const worstCases = await worstCasesOf(tx, ids, (id) => evaluations.get(id) ?? []);
  return pageOf(
    rows,
    limit,
    (row) => resource(row, evaluations.get(row.id) ?? [], worstCases.get(row.id)),
    (last) => last.number,
  );
};

/** In the order asked for. Errors: NOT_FOUND. */
const findTrials = async (tx: Tx, ids: readonly string[]): Promise<readonly Row[]> => {
  const rows = await tx.query<Row>('SELECT * FROM trials WHERE id = ANY($1)', [ids]);
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => {
    const row = found.get(id);
    if (!row) throw new AppError('NOT_FOUND', `Expected a trial, but there is none with id ${id}`);
    return row;
  });
};

/** However many, the same few statements. In the order asked for. Errors: NOT_FOUND. */
const detailsOf = async (tx: Tx, ids: readonly string[]): Promise<readonly TrialDetail[]> => {
  const rows = await findTrials(tx, ids);
  const [stages, evaluations, warnings] = await Promise.all([
    stagesOfTrials(tx, ids),
    evaluationsOfTrials(tx, ids),
    warningsOf(tx, ids),
  ]);
  const worstCases = await worstCasesOf(tx, ids, (id) => evaluations.get(id) ?? []);
  return rows.map((row) => {
    const own = evaluations.get(row.id) ?? [];
    return {
      ...resource(row, own, worstCases.get(row.id)),
      stages: [...(stages.get(row.id) ?? [])],
      evaluations: [...own],
      warnings: [...(warnings.get(row.id) ?? [])],
    };
  });
};

/** Errors: NOT_FOUND. */
export const getTrial = async (db: Db, id: string): Promise<TrialDetail> => {
  const [trial] = await detailsOf(reading(db), [id]);
  return trial!;
};

/** Training curves by stage, each up to the stage's own length. Errors: NOT_FOUND. */
export const getMetrics = async (db: Db, trialId: string): Promise<readonly MetricSeries[]> => {
  const tx = reading(db);
  await findTrials(tx, [trialId]);
  return tx.query<{ kind: StageKind; name: string; epochs: number[]; values: (number | null)[] }>(
    `SELECT s.kind, m.name, array_agg(m.epoch ORDER BY m.epoch) AS epochs, array_agg(m.value ORDER BY m.epoch) AS values
     FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id
     JOIN chains c ON c.hash = s.chain JOIN metrics m ON m.chain_id = c.id AND m.epoch <= s.epochs
     WHERE ts.trial_id = $1 GROUP BY ts.ordinal, s.kind, m.name ORDER BY ts.ordinal, m.name`,
    [trialId],
  );
};

/** Trials side by side, in the order asked for, and what they differ in. Errors: NOT_FOUND. */
export const compareTrials = async (db: Db, ids: readonly string[]): Promise<Comparison> => {
  const trials = await detailsOf(reading(db), ids);
  const cells = trials.map(
    ({ recipe, dataset, seed, hyperparameters }) =>
      new Map<string, HyperparameterValue>(Object.entries({ recipe, dataset, ...hyperparameters, seed })),
  );
  const names = [...new Set(cells.flatMap((cell) => [...cell.keys()]))];
  return {
    trials: [...trials],
    differs: names.filter((name) => new Set(cells.map((cell) => cell.get(name))).size > 1),
  };
};

export type Comparison = {
  readonly trials: TrialDetail[];
  /** Hyperparameters, `recipe`, `dataset`, `seed`. */
  readonly differs: string[];
};
