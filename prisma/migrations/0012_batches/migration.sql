-- The rest of a pause, resume, cancellation or deletion of a large sweep. The API does it in batches after it has answered.
CREATE TABLE "sweep_actions" (
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "action" TEXT COLLATE "C" NOT NULL,
    "done" INTEGER NOT NULL DEFAULT 0,
    "total" INTEGER NOT NULL,
    "continued_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "sweep_actions_pkey" PRIMARY KEY ("sweep_id","action")
);
ALTER TABLE "sweep_actions" ADD CONSTRAINT "sweep_actions_sweep_id_fkey" FOREIGN KEY ("sweep_id") REFERENCES "sweeps"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "sweep_actions" ADD CONSTRAINT "sweep_actions_action_check" CHECK ("action" IN ('pause', 'resume', 'cancel', 'delete'));

-- Submissions that took longer than a request may, or wait for others.
CREATE TABLE "submissions" (
    "id" TEXT COLLATE "C" NOT NULL,
    "client" TEXT NOT NULL,
    "size" TEXT COLLATE "C" NOT NULL,
    "definition" JSONB NOT NULL,
    "engine_version" TEXT NOT NULL,
    "author" JSONB,
    "key" TEXT COLLATE "C",
    "body_hash" TEXT COLLATE "C" NOT NULL,
    "status" TEXT COLLATE "C" NOT NULL DEFAULT 'waiting',
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "sweep_id" TEXT COLLATE "C",
    "problem" JSONB,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "submissions_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "submissions_status_created_at_idx" ON "submissions"("status", "created_at");
ALTER TABLE "submissions" ADD CONSTRAINT "submissions_size_check" CHECK ("size" IN ('small', 'medium', 'large'));
ALTER TABLE "submissions" ADD CONSTRAINT "submissions_status_check" CHECK ("status" IN ('waiting', 'running', 'completed', 'refused'));

-- One unfinished submission for each key.
CREATE UNIQUE INDEX "submissions_key_key" ON "submissions"("key") WHERE "status" IN ('waiting', 'running');
-- One at a time of each size.
CREATE UNIQUE INDEX "submissions_running_key" ON "submissions"("size") WHERE "status" = 'running';

-- The last completed attempts, from which plans estimate times.
CREATE INDEX "attempts_completed_idx" ON "attempts"("ended_at") WHERE "outcome" = 'completed';
