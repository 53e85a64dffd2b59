-- The newest attempts of a worker, for its log.
CREATE INDEX "attempts_worker_idx" ON "attempts"("worker_id", "started_at" DESC);
