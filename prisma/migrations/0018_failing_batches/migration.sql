-- A batch that fails pauses, so that it does not keep others from their turn. The row says how often it failed, and why.
ALTER TABLE "propagations" ADD COLUMN "failures" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "due_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    ADD COLUMN "error" TEXT;
ALTER TABLE "sweep_actions" ADD COLUMN "failures" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "due_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    ADD COLUMN "error" TEXT;
