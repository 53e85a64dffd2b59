import type {
  AttackRun,
  DatasetSpec,
  HyperparameterValue,
  RecipeName,
  StageKind,
  StageSpec,
  StageStatus,
} from '@funnel/contracts';

/** A row of `stages`, as `SELECT *` gives it. */
export type StageRow = {
  readonly id: string;
  readonly chain: string;
  readonly kind: StageKind;
  readonly recipe: RecipeName;
  readonly hyperparameters: Record<string, HyperparameterValue>;
  readonly seed: number;
  readonly dataset: DatasetSpec;
  readonly epochs: number;
  readonly parent: string | null;
  readonly attack: AttackRun | null;
  readonly surrogates: string[];
  readonly status: StageStatus;
  readonly depends_on: string | null;
  readonly start_epoch: number;
  readonly skip_cause: StageStatus | null;
  readonly sweep_id: string | null;
  readonly planned_by: string | null;
  readonly ordinal: number;
  readonly ready_at: Date;
  readonly fencing_token: number;
  readonly lease_until: Date | null;
  readonly worker_id: string | null;
  readonly epoch: number | null;
  readonly step: number | null;
  readonly images_per_second: number | null;
  readonly failures: number;
  readonly expiries: number;
  readonly checkpoint: string | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
};

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
