-- CreateTable
CREATE TABLE "sweeps" (
    "id" TEXT COLLATE "C" NOT NULL,
    "name" TEXT NOT NULL,
    "status" TEXT COLLATE "C" NOT NULL DEFAULT 'running',
    "definition" JSONB NOT NULL,
    "plan" JSONB NOT NULL,
    "priority" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "sweeps_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "trials" (
    "id" TEXT COLLATE "C" NOT NULL,
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "number" INTEGER NOT NULL,
    "recipe" TEXT COLLATE "C" NOT NULL,
    "dataset" TEXT COLLATE "C" NOT NULL,
    "seed" INTEGER NOT NULL,
    "hyperparameters" JSONB NOT NULL,
    "configuration" TEXT COLLATE "C" NOT NULL,
    "configuration_index" INTEGER NOT NULL,
    "status" TEXT COLLATE "C" NOT NULL DEFAULT 'waiting',
    "clean_accuracy" DOUBLE PRECISION,
    "verdict" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "trials_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sweep_knobs" (
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "knob" TEXT COLLATE "C" NOT NULL,
    "number" DOUBLE PRECISION,
    "word" TEXT COLLATE "C",

    CONSTRAINT "sweep_knobs_pkey" PRIMARY KEY ("sweep_id","knob")
);

-- CreateTable
CREATE TABLE "trial_knobs" (
    "trial_id" TEXT COLLATE "C" NOT NULL,
    "knob" TEXT COLLATE "C" NOT NULL,
    "number" DOUBLE PRECISION,
    "word" TEXT COLLATE "C",

    CONSTRAINT "trial_knobs_pkey" PRIMARY KEY ("trial_id","knob")
);

-- CreateTable
CREATE TABLE "stages" (
    "id" TEXT COLLATE "C" NOT NULL,
    "chain" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL,
    "recipe" TEXT COLLATE "C" NOT NULL,
    "hyperparameters" JSONB NOT NULL,
    "seed" INTEGER NOT NULL,
    "dataset" JSONB NOT NULL,
    "epochs" INTEGER NOT NULL,
    "parent" TEXT COLLATE "C",
    "attack" JSONB,
    "status" TEXT COLLATE "C" NOT NULL,
    "after" TEXT COLLATE "C",
    "start_epoch" INTEGER NOT NULL DEFAULT 0,
    "because" TEXT,
    "sweep_id" TEXT COLLATE "C",
    "planned_by" TEXT COLLATE "C",
    "position" INTEGER NOT NULL DEFAULT 0,
    "ready_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lease_epoch" INTEGER NOT NULL DEFAULT 0,
    "lease_until" TIMESTAMPTZ(6),
    "worker_id" TEXT COLLATE "C",
    "epoch" INTEGER,
    "step" INTEGER,
    "images_per_second" DOUBLE PRECISION,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "expiries" INTEGER NOT NULL DEFAULT 0,
    "checkpoint" TEXT COLLATE "C",
    "error_code" TEXT,
    "error_message" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "stages_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sweep_stages" (
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "stage_id" TEXT COLLATE "C" NOT NULL,
    "position" INTEGER NOT NULL,
    "direct" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "sweep_stages_pkey" PRIMARY KEY ("sweep_id","position")
);

-- CreateTable
CREATE TABLE "trial_stages" (
    "trial_id" TEXT COLLATE "C" NOT NULL,
    "position" SMALLINT NOT NULL,
    "stage_id" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "trial_stages_pkey" PRIMARY KEY ("trial_id","position")
);

-- CreateTable
CREATE TABLE "sweep_counts" (
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "slot" SMALLINT NOT NULL,
    "subject" TEXT COLLATE "C" NOT NULL,
    "count" BIGINT NOT NULL,

    CONSTRAINT "sweep_counts_pkey" PRIMARY KEY ("sweep_id","slot","subject")
);

-- CreateTable
CREATE TABLE "attempts" (
    "stage_id" TEXT COLLATE "C" NOT NULL,
    "lease_epoch" INTEGER NOT NULL,
    "worker_id" TEXT COLLATE "C" NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(6),
    "outcome" TEXT NOT NULL DEFAULT 'running',
    "epochs" INTEGER NOT NULL DEFAULT 0,
    "fenced" INTEGER NOT NULL DEFAULT 0,
    "mismatches" INTEGER NOT NULL DEFAULT 0,
    "backend" TEXT,
    "device" TEXT,
    "engine_version" TEXT,
    "error_code" TEXT,
    "error_message" TEXT,
    "error_stack" TEXT,

    CONSTRAINT "attempts_pkey" PRIMARY KEY ("stage_id","lease_epoch")
);

-- CreateTable
CREATE TABLE "chains" (
    "id" SERIAL NOT NULL,
    "hash" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "chains_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "checkpoints" (
    "chain_id" INTEGER NOT NULL,
    "epoch" INTEGER NOT NULL,
    "step" INTEGER NOT NULL,
    "hash" TEXT COLLATE "C" NOT NULL,
    "manifest" JSONB NOT NULL,
    "continuable" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "checkpoints_pkey" PRIMARY KEY ("chain_id","epoch","step")
);

-- CreateTable
CREATE TABLE "checkpoint_blobs" (
    "chain_id" INTEGER NOT NULL,
    "epoch" INTEGER NOT NULL,
    "step" INTEGER NOT NULL,
    "sha256" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "checkpoint_blobs_pkey" PRIMARY KEY ("chain_id","epoch","step","sha256")
);

-- CreateTable
CREATE TABLE "blobs" (
    "sha256" TEXT COLLATE "C" NOT NULL,
    "bytes" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "blobs_pkey" PRIMARY KEY ("sha256")
);

-- CreateTable
CREATE TABLE "metrics" (
    "chain_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "epoch" INTEGER NOT NULL,
    "value" DOUBLE PRECISION,

    CONSTRAINT "metrics_pkey" PRIMARY KEY ("chain_id","name","epoch")
);

-- CreateTable
CREATE TABLE "evaluations" (
    "stage_id" TEXT COLLATE "C" NOT NULL,
    "attack" TEXT COLLATE "C" NOT NULL,
    "settings" JSONB NOT NULL,
    "summary" JSONB NOT NULL,
    "verdict" TEXT NOT NULL,
    "diagnostics" JSONB NOT NULL,
    "index" INTEGER[],
    "label" SMALLINT[],
    "correct" BOOLEAN[],
    "predicted" SMALLINT[],
    "success" BOOLEAN[],
    "l2" DOUBLE PRECISION[],
    "linf" DOUBLE PRECISION[],
    "l0" INTEGER[],
    "steps" INTEGER[],
    "queries" INTEGER[],
    "fooled" VARBIT NOT NULL,
    "gallery_shape" INTEGER[],
    "gallery_index" INTEGER[],
    "gallery_original" BYTEA NOT NULL,
    "gallery_attacked" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "evaluations_pkey" PRIMARY KEY ("stage_id")
);

-- CreateTable
CREATE TABLE "scores" (
    "trial_id" TEXT COLLATE "C" NOT NULL,
    "stage_id" TEXT COLLATE "C" NOT NULL,
    "metric" TEXT COLLATE "C" NOT NULL,
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "position" SMALLINT NOT NULL,
    "attack" TEXT COLLATE "C" NOT NULL,
    "value" DOUBLE PRECISION,
    "merit" DOUBLE PRECISION,
    "configuration_index" INTEGER NOT NULL,
    "masked" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "scores_pkey" PRIMARY KEY ("trial_id","position","metric")
);

-- CreateTable
CREATE TABLE "workers" (
    "id" TEXT COLLATE "C" NOT NULL,
    "host" TEXT NOT NULL,
    "pid" INTEGER NOT NULL,
    "version" TEXT NOT NULL,
    "backend" TEXT NOT NULL,
    "device" TEXT NOT NULL,
    "slots" INTEGER NOT NULL,
    "status" TEXT COLLATE "C" NOT NULL DEFAULT 'online',
    "started_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "heartbeat_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "memory_bytes" BIGINT,

    CONSTRAINT "workers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "events" (
    "id" BIGSERIAL NOT NULL,
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "xid" xid8 NOT NULL DEFAULT pg_current_xact_id(),
    "payload" JSONB NOT NULL,

    CONSTRAINT "events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "key" TEXT COLLATE "C" NOT NULL,
    "body_hash" TEXT COLLATE "C" NOT NULL,
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "tokens" (
    "id" TEXT COLLATE "C" NOT NULL,
    "name" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "hash" TEXT COLLATE "C" NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(6),
    "revoked_at" TIMESTAMPTZ(6),

    CONSTRAINT "tokens_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_log" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT COLLATE "C",
    "details" JSONB NOT NULL,
    "address" TEXT,

    CONSTRAINT "audit_log_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "duties" (
    "name" TEXT NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "duties_pkey" PRIMARY KEY ("name")
);

-- CreateIndex
CREATE INDEX "trials_sweep_id_status_number_idx" ON "trials"("sweep_id", "status", "number");

-- CreateIndex
CREATE INDEX "trials_sweep_id_configuration_index_idx" ON "trials"("sweep_id", "configuration_index");

-- CreateIndex
CREATE UNIQUE INDEX "trials_sweep_id_number_key" ON "trials"("sweep_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "stages_chain_epochs_key" ON "stages"("chain", "epochs");

-- CreateIndex
CREATE UNIQUE INDEX "sweep_stages_stage_id_sweep_id_key" ON "sweep_stages"("stage_id", "sweep_id");

-- CreateIndex
CREATE INDEX "trial_stages_stage_id_idx" ON "trial_stages"("stage_id");

-- CreateIndex
CREATE UNIQUE INDEX "chains_hash_key" ON "chains"("hash");

-- CreateIndex
CREATE INDEX "checkpoints_hash_idx" ON "checkpoints"("hash");

-- CreateIndex
CREATE INDEX "checkpoint_blobs_sha256_idx" ON "checkpoint_blobs"("sha256");

-- CreateIndex
CREATE UNIQUE INDEX "tokens_name_key" ON "tokens"("name");

-- CreateIndex
CREATE UNIQUE INDEX "tokens_hash_key" ON "tokens"("hash");

-- CreateIndex
CREATE INDEX "audit_log_at_idx" ON "audit_log"("at");

-- AddForeignKey
ALTER TABLE "trials" ADD CONSTRAINT "trials_sweep_id_fkey" FOREIGN KEY ("sweep_id") REFERENCES "sweeps"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sweep_knobs" ADD CONSTRAINT "sweep_knobs_sweep_id_fkey" FOREIGN KEY ("sweep_id") REFERENCES "sweeps"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sweep_counts" ADD CONSTRAINT "sweep_counts_sweep_id_fkey" FOREIGN KEY ("sweep_id") REFERENCES "sweeps"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_stage_id_fkey" FOREIGN KEY ("stage_id") REFERENCES "stages"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "checkpoints" ADD CONSTRAINT "checkpoints_chain_id_fkey" FOREIGN KEY ("chain_id") REFERENCES "chains"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "checkpoint_blobs" ADD CONSTRAINT "checkpoint_blobs_chain_id_epoch_step_fkey" FOREIGN KEY ("chain_id", "epoch", "step") REFERENCES "checkpoints"("chain_id", "epoch", "step") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "checkpoint_blobs" ADD CONSTRAINT "checkpoint_blobs_sha256_fkey" FOREIGN KEY ("sha256") REFERENCES "blobs"("sha256") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "metrics" ADD CONSTRAINT "metrics_chain_id_fkey" FOREIGN KEY ("chain_id") REFERENCES "chains"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "evaluations" ADD CONSTRAINT "evaluations_stage_id_fkey" FOREIGN KEY ("stage_id") REFERENCES "stages"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "scores" ADD CONSTRAINT "scores_trial_id_fkey" FOREIGN KEY ("trial_id") REFERENCES "trials"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_sweep_id_fkey" FOREIGN KEY ("sweep_id") REFERENCES "sweeps"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma cannot say: storage, laws as CHECKs, partial indexes.

-- Weights do not compress; stored as they are, they are read and written without trying.
ALTER TABLE "blobs" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;

-- A blob is what its name says.
ALTER TABLE "blobs" ADD CONSTRAINT "blobs_sha256_check" CHECK ("sha256" = encode(sha256("bytes"), 'hex'));

-- A lease belongs to a running stage, and a running stage has one.
ALTER TABLE "stages" ADD CONSTRAINT "stages_lease_check" CHECK (("status" = 'running') = ("lease_until" IS NOT NULL));

-- Rows that heartbeats and claims rewrite: room for the new version on the same page.
ALTER TABLE "stages" SET (fillfactor = 80);
ALTER TABLE "sweep_counts" SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE "workers" SET (fillfactor = 50);

-- Two attempts never train one chain at the same time.
CREATE UNIQUE INDEX "stages_running_chain_key" ON "stages"("chain") WHERE "status" = 'running';

-- Claim: the first ready stage of a sweep. Held stages (no sweep) are not in it.
CREATE INDEX "stages_ready_idx" ON "stages"("sweep_id", "position") WHERE "status" = 'ready' AND "sweep_id" IS NOT NULL;

-- Fair share, expiry, heartbeats: what runs now.
CREATE INDEX "stages_running_idx" ON "stages"("sweep_id") WHERE "status" = 'running';

-- Dependants of a stage that ends, and those to revive.
CREATE INDEX "stages_after_idx" ON "stages"("after") WHERE "status" IN ('waiting', 'skipped');

-- The leaderboard, best first, over everything and within a sweep. All that ranking and filtering look at is in the index.
CREATE INDEX "scores_ranked_idx" ON "scores"("attack", "metric", "masked", "merit" DESC NULLS LAST, "trial_id", "position") INCLUDE ("sweep_id", "configuration_index");
CREATE INDEX "scores_ranked_in_sweep_idx" ON "scores"("sweep_id", "attack", "metric", "masked", "merit" DESC NULLS LAST, "trial_id", "position") INCLUDE ("configuration_index");

-- Which trials a filter keeps.
CREATE INDEX "trial_knobs_number_idx" ON "trial_knobs"("knob", "number") INCLUDE ("trial_id") WHERE "number" IS NOT NULL;
CREATE INDEX "trial_knobs_word_idx" ON "trial_knobs"("knob", "word") INCLUDE ("trial_id") WHERE "word" IS NOT NULL;

-- The event stream reads in commit-safe order.
CREATE INDEX "events_xid_id_idx" ON "events"("xid", "id");
CREATE INDEX "events_at_idx" ON "events"("at");
