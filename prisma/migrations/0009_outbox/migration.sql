-- Which stages became ready, written by the transaction that made them ready. A relay tells the queue and deletes the rows.
CREATE TABLE "outbox" (
    "id" BIGSERIAL NOT NULL,
    "stage_id" TEXT COLLATE "C" NOT NULL,
    "due_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);

-- Statuses are closed sets.
ALTER TABLE "sweeps" ADD CONSTRAINT "sweeps_status_check" CHECK ("status" IN ('running', 'paused', 'completed', 'cancelled'));
ALTER TABLE "trials" ADD CONSTRAINT "trials_status_check" CHECK ("status" IN ('waiting', 'running', 'completed', 'failed', 'diverged', 'collapsed', 'cancelled'));
ALTER TABLE "stages" ADD CONSTRAINT "stages_status_check" CHECK ("status" IN ('waiting', 'ready', 'running', 'completed', 'failed', 'diverged', 'collapsed', 'skipped', 'cancelled'));
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_outcome_check" CHECK ("outcome" IN ('running', 'completed', 'diverged', 'collapsed', 'failed', 'expired', 'handed-back', 'cancelled'));
ALTER TABLE "workers" ADD CONSTRAINT "workers_status_check" CHECK ("status" IN ('online', 'draining', 'gone'));
