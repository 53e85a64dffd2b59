/** Undoes the newest migrations, so that a test can apply them again to data of an older schema. Funnel itself never undoes a migration. */
import type { Db } from '../../src/index.ts';
import { query } from './tables.ts';

const renamedColumns = [
  ['stages', 'lease_epoch', 'fencing_token'],
  ['attempts', 'lease_epoch', 'fencing_token'],
  ['stages', 'after', 'depends_on'],
  ['stages', 'because', 'skip_cause'],
  ['stages', 'position', 'ordinal'],
  ['sweep_stages', 'position', 'ordinal'],
  ['trial_stages', 'position', 'ordinal'],
  ['scores', 'position', 'ordinal'],
  ['configuration_scores', 'position', 'ordinal'],
  ['scores', 'merit', 'utility'],
  ['configuration_scores', 'merit', 'utility'],
] as const;

const renamedTables = ['sweep', 'configuration'] as const;

/** The statements that undo each migration, newest first. */
const undo: readonly (readonly [migration: string, statements: readonly string[]])[] = [
  ['0025_worker_log', ['DROP INDEX attempts_worker_idx']],
  [
    '0024_usage',
    ['ALTER TABLE attempts DROP COLUMN trainer_seconds, DROP COLUMN cpu_seconds, DROP COLUMN peak_bytes'],
  ],
  [
    '0023_annotations',
    [
      'ALTER TABLE sweeps DROP COLUMN notes, DROP COLUMN tags', // with its index
      'ALTER TABLE submissions DROP COLUMN tags',
    ],
  ],
  [
    '0022_verdicts',
    ['scores', 'configuration_scores'].map((table) => `ALTER TABLE ${table} RENAME COLUMN below TO masked`),
  ],
  ['0021_class_counts', ['DROP TABLE class_counts']],
  ['0020_search', ['DROP TABLE decisions', 'DROP TABLE searches']],
  ['0019_upload_names', ['ALTER TABLE datasets DROP COLUMN name']],
  ['0017_datasets', ['dataset_names', 'dataset_chunks', 'datasets'].map((table) => `DROP TABLE ${table}`)],
  [
    '0018_failing_batches',
    ['propagations', 'sweep_actions'].map(
      (table) => `ALTER TABLE ${table} DROP COLUMN failures, DROP COLUMN due_at, DROP COLUMN error`,
    ),
  ],
  [
    '0016_connect',
    [
      `DELETE FROM sweep_actions WHERE action = 'connect'`,
      'ALTER TABLE sweep_actions DROP CONSTRAINT sweep_actions_action_check',
      `ALTER TABLE sweep_actions ADD CONSTRAINT sweep_actions_action_check CHECK (action IN ('pause', 'resume', 'cancel', 'delete', 'retry'))`,
    ],
  ],
  [
    '0015_propagations',
    [
      'DROP TABLE propagations',
      'CREATE INDEX trial_stages_stage_id_idx ON trial_stages (stage_id)',
      'DROP INDEX trial_stages_stage_id_trial_id_idx',
      'DROP INDEX sweep_stages_indirect_idx',
      `ALTER TABLE sweep_actions DROP CONSTRAINT sweep_actions_action_check,
         ADD CONSTRAINT sweep_actions_action_check CHECK (action IN ('pause', 'resume', 'cancel', 'delete'))`,
    ],
  ],
  [
    '0014_clients',
    [
      'DROP TABLE stored_bytes',
      'ALTER TABLE blobs DROP COLUMN client',
      'ALTER TABLE sweeps DROP COLUMN client', // with its index
    ],
  ],
  [
    '0012_batches',
    ['DROP TABLE sweep_actions', 'DROP TABLE submissions', 'DROP INDEX attempts_completed_idx'],
  ],
  [
    '0011_abilities',
    [
      'DROP TABLE refusals',
      'DROP TABLE needs',
      'DROP INDEX stages_ready_idx',
      `CREATE INDEX stages_ready_idx ON stages (sweep_id, ordinal) WHERE status = 'ready' AND sweep_id IS NOT NULL`,
      'ALTER TABLE stages DROP COLUMN need_id',
      'DROP INDEX attempts_failed_idx',
      ...['engine_version', 'trainer_bytes', 'datasets', 'failures', 'set_aside_at', 'probe_at'].map(
        (column) => `ALTER TABLE workers DROP COLUMN ${column}`,
      ),
    ],
  ],
  [
    '0010_statuses',
    [
      'ALTER TABLE sweeps DROP CONSTRAINT sweeps_status_check',
      `UPDATE sweeps SET status = 'completed' WHERE status IN ('failed', 'completed-with-failures')`,
      `ALTER TABLE sweeps ADD CONSTRAINT sweeps_status_check CHECK (status IN ('running', 'paused', 'completed', 'cancelled'))`,
      'DROP INDEX attempts_stopping_idx',
    ],
  ],
  [
    '0009_outbox',
    [
      'DROP TABLE outbox',
      ...['sweeps_status', 'trials_status', 'stages_status', 'attempts_outcome', 'workers_status'].map(
        (name) => `ALTER TABLE ${name.slice(0, name.indexOf('_'))} DROP CONSTRAINT ${name}_check`,
      ),
    ],
  ],
  [
    '0008_names',
    [
      ...renamedColumns.map(([table, was, is]) => `ALTER TABLE ${table} RENAME COLUMN ${is} TO ${was}`),
      ...renamedTables.flatMap((name) => [
        `ALTER TABLE ${name}_hyperparameters RENAME COLUMN hyperparameter TO knob`,
        `ALTER TABLE ${name}_hyperparameters RENAME CONSTRAINT ${name}_hyperparameters_pkey TO ${name}_knobs_pkey`,
        `ALTER TABLE ${name}_hyperparameters RENAME TO ${name}_knobs`,
      ]),
      'ALTER TABLE sweep_knobs RENAME CONSTRAINT sweep_hyperparameters_sweep_id_fkey TO sweep_knobs_sweep_id_fkey',
      'ALTER INDEX configuration_hyperparameters_number_idx RENAME TO configuration_knobs_number_idx',
      'ALTER INDEX configuration_hyperparameters_word_idx RENAME TO configuration_knobs_word_idx',
      'ALTER INDEX stages_depends_on_idx RENAME TO stages_after_idx',
    ],
  ],
];

/**
 * Undoes `migration` and every later one. For a migration without an entry in `undo` it deletes only the record, because the statements of
 * that migration can run again.
 */
export const undoMigrations = async (db: Db, migration: string): Promise<void> => {
  for (const [name, statements] of undo)
    if (name >= migration) for (const statement of statements) await query(db, statement);
  await query(db, `DELETE FROM _prisma_migrations WHERE migration_name >= $1`, [migration]);
};
