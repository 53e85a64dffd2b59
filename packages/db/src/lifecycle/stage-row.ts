import type {
  AttackRun,
  DatasetSpec,
  HyperparameterValue,
  RecipeName,
  StageKind,
  StageSpec,
  StageStatus,
} from '@funnel/contracts';
import { float8, int4, jsonb, orNull, type RowOf, text, texts, timestamptz } from '../connection/columns.ts';

/** The columns of table `stages` that specify a stage: its result depends on them alone. */
export const specColumns = {
  id: text(),
  chain: text(),
  kind: text<StageKind>(),
  recipe: text<RecipeName>(),
  hyperparameters: jsonb<Record<string, HyperparameterValue>>(),
  seed: int4(),
  dataset: jsonb<DatasetSpec>(),
  epochs: int4(),
  parent: orNull(text()),
  attack: orNull(jsonb<AttackRun>()),
  surrogates: texts(),
};

/** All columns of table `stages`. */
export const stageColumns = {
  ...specColumns,
  status: text<StageStatus>(),
  depends_on: orNull(text()),
  start_epoch: int4(),
  skip_cause: orNull(text<StageStatus>()),
  sweep_id: orNull(text()),
  planned_by: orNull(text()),
  ordinal: int4(),
  ready_at: timestamptz(),
  fencing_token: int4(),
  lease_until: orNull(timestamptz()),
  worker_id: orNull(text()),
  epoch: orNull(int4()),
  step: orNull(int4()),
  images_per_second: orNull(float8()),
  failures: int4(),
  expiries: int4(),
  checkpoint: orNull(text()),
  error_code: orNull(text()),
  error_message: orNull(text()),
  created_at: timestamptz(),
  started_at: orNull(timestamptz()),
  finished_at: orNull(timestamptz()),
  need_id: int4(),
};

export type StageRow = RowOf<typeof stageColumns>;

export const specOf = (row: StageRow): StageSpec => ({
  id: row.id,
  chain: row.chain,
  kind: row.kind,
  recipe: row.recipe,
  hyperparameters: row.hyperparameters,
  seed: row.seed,
  dataset: row.dataset,
  epochs: row.epochs,
  parent: row.parent,
  attack: row.attack,
  surrogates: row.surrogates,
});
