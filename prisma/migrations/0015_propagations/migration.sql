-- What the end or the start of a stage still has to change: dependants and trials beyond those that its own transaction changed. API and
-- workers do the rest in batches. No foreign key: a row about a deleted stage does no harm.
CREATE TABLE "propagations" (
    "target" TEXT COLLATE "C" NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "stage_id" TEXT COLLATE "C" NOT NULL,
    "done_to" TEXT COLLATE "C" NOT NULL DEFAULT '',

    CONSTRAINT "propagations_pkey" PRIMARY KEY ("target","id")
);
ALTER TABLE "propagations" ADD CONSTRAINT "propagations_target_check" CHECK ("target" IN ('dependants', 'skipped', 'transfer-attacks', 'trials'));

-- The trials of a stage in the order of their ids: a batch begins where the one before ended.
CREATE INDEX "trial_stages_stage_id_trial_id_idx" ON "trial_stages"("stage_id", "trial_id");
DROP INDEX "trial_stages_stage_id_idx";

-- A sweep that ends looks for stages of other sweeps for which its own stages waited. They are few.
CREATE INDEX "sweep_stages_indirect_idx" ON "sweep_stages"("sweep_id") WHERE NOT "direct";

-- A retry in batches.
ALTER TABLE "sweep_actions" DROP CONSTRAINT "sweep_actions_action_check";
ALTER TABLE "sweep_actions" ADD CONSTRAINT "sweep_actions_action_check" CHECK ("action" IN ('pause', 'resume', 'cancel', 'delete', 'retry'));
