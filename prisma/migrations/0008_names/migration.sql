-- Names of the field instead of our own. Only names change: no row is rewritten but the plans below.
ALTER TABLE "stages" RENAME COLUMN "lease_epoch" TO "fencing_token";
ALTER TABLE "attempts" RENAME COLUMN "lease_epoch" TO "fencing_token";
ALTER TABLE "stages" RENAME COLUMN "after" TO "depends_on";
ALTER TABLE "stages" RENAME COLUMN "because" TO "skip_cause";
ALTER TABLE "stages" RENAME COLUMN "position" TO "ordinal";
ALTER TABLE "sweep_stages" RENAME COLUMN "position" TO "ordinal";
ALTER TABLE "trial_stages" RENAME COLUMN "position" TO "ordinal";
ALTER TABLE "scores" RENAME COLUMN "position" TO "ordinal";
ALTER TABLE "configuration_scores" RENAME COLUMN "position" TO "ordinal";
ALTER TABLE "scores" RENAME COLUMN "merit" TO "utility";
ALTER TABLE "configuration_scores" RENAME COLUMN "merit" TO "utility";

ALTER TABLE "sweep_knobs" RENAME TO "sweep_hyperparameters";
ALTER TABLE "sweep_hyperparameters" RENAME COLUMN "knob" TO "hyperparameter";
ALTER TABLE "sweep_hyperparameters" RENAME CONSTRAINT "sweep_knobs_pkey" TO "sweep_hyperparameters_pkey";
ALTER TABLE "sweep_hyperparameters" RENAME CONSTRAINT "sweep_knobs_sweep_id_fkey" TO "sweep_hyperparameters_sweep_id_fkey";
ALTER TABLE "configuration_knobs" RENAME TO "configuration_hyperparameters";
ALTER TABLE "configuration_hyperparameters" RENAME COLUMN "knob" TO "hyperparameter";
ALTER TABLE "configuration_hyperparameters" RENAME CONSTRAINT "configuration_knobs_pkey" TO "configuration_hyperparameters_pkey";
ALTER INDEX "configuration_knobs_number_idx" RENAME TO "configuration_hyperparameters_number_idx";
ALTER INDEX "configuration_knobs_word_idx" RENAME TO "configuration_hyperparameters_word_idx";
ALTER INDEX "stages_after_idx" RENAME TO "stages_depends_on_idx";

-- The space of a stored plan names each hyperparameter.
UPDATE "sweeps" SET "plan" = jsonb_set("plan", '{space}', (
  SELECT coalesce(jsonb_agg(CASE WHEN entry ? 'knob' THEN entry - 'knob' || jsonb_build_object('hyperparameter', entry -> 'knob') ELSE entry END ORDER BY place), '[]')
  FROM jsonb_array_elements("plan" -> 'space') WITH ORDINALITY AS e (entry, place)))
WHERE "plan" ? 'space';
