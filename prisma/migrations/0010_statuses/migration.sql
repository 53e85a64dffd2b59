-- A sweep whose trials have all ended says how: all completed, some did, or none did.
ALTER TABLE "sweeps" DROP CONSTRAINT "sweeps_status_check";
ALTER TABLE "sweeps" ADD CONSTRAINT "sweeps_status_check" CHECK ("status" IN ('running', 'paused', 'completed', 'completed-with-failures', 'failed', 'cancelled'));
UPDATE "sweeps" SET "status" = CASE
    WHEN EXISTS (SELECT FROM "trials" t WHERE t."sweep_id" = "sweeps"."id" AND t."status" = 'completed') THEN 'completed-with-failures'
    ELSE 'failed' END
WHERE "status" = 'completed'
  AND EXISTS (SELECT FROM "trials" t WHERE t."sweep_id" = "sweeps"."id" AND t."status" IN ('failed', 'diverged', 'collapsed', 'cancelled'));

-- A cancelled attempt has no end until its worker says that the trainer has stopped. There are few of these attempts.
CREATE INDEX "attempts_stopping_idx" ON "attempts"("worker_id") WHERE "outcome" = 'cancelled' AND "ended_at" IS NULL;
