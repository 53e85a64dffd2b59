-- What a stage needs of a worker. Many stages share a row. Row 0 needs nothing: stages of older versions that have a result.
CREATE TABLE "needs" (
    "id" SERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "method" TEXT NOT NULL,
    "engine_version" TEXT NOT NULL,
    "dataset" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "images" INTEGER NOT NULL,
    "memory_bytes" BIGINT NOT NULL,

    CONSTRAINT "needs_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "needs_key" ON "needs"("kind", "method", "engine_version", "digest", "images", "memory_bytes");
INSERT INTO "needs" VALUES (0, '', '', '', '', '', 0, 0);

-- What a worker has. Null: unknown, and the worker takes every stage.
ALTER TABLE "workers" ADD COLUMN "engine_version" TEXT,
ADD COLUMN "trainer_bytes" BIGINT,
ADD COLUMN "datasets" JSONB,
ADD COLUMN "failures" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN "set_aside_at" TIMESTAMPTZ(6),
ADD COLUMN "probe_at" TIMESTAMPTZ(6);

-- A worker has handed back a stage with this need, and does not take another one until its abilities change.
CREATE TABLE "refusals" (
    "worker_id" TEXT NOT NULL,
    "need_id" INTEGER NOT NULL,
    "lack" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "backend" TEXT NOT NULL,
    "trainer_bytes" BIGINT,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "refusals_pkey" PRIMARY KEY ("worker_id", "need_id")
);
CREATE INDEX "refusals_need_id_idx" ON "refusals"("need_id");
ALTER TABLE "refusals" ADD CONSTRAINT "refusals_worker_id_fkey" FOREIGN KEY ("worker_id") REFERENCES "workers"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "refusals" ADD CONSTRAINT "refusals_need_id_fkey" FOREIGN KEY ("need_id") REFERENCES "needs"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "refusals" ADD CONSTRAINT "refusals_lack_check" CHECK ("lack" IN ('data', 'backend', 'disk', 'memory'));

-- The needs of stages that older versions wrote and that may run again. These versions had engine version 1, and knew no memory.
ALTER TABLE "stages" ADD COLUMN "need_id" INTEGER NOT NULL DEFAULT 0;
CREATE TEMPORARY TABLE "old_needs" ON COMMIT DROP AS
SELECT s."id", s."kind", coalesce(s."attack" ->> 'attack', s."recipe") AS "method", s."dataset" ->> 'name' AS "dataset",
    CASE s."dataset" ->> 'name'
        WHEN 'mnist' THEN 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db+65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5+0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7+ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2'
        WHEN 'fashion-mnist' THEN 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888+bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9+5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b+0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34'
        ELSE 'glyphs-1' END AS "digest",
    CASE WHEN s."dataset" ->> 'name' = 'mnist' AND (s."dataset" ->> 'train')::int <= 1000 AND (s."dataset" ->> 'test')::int <= 1000 THEN 1000 ELSE 60000 END AS "images"
FROM "stages" s WHERE s."status" <> 'completed';
INSERT INTO "needs" ("kind", "method", "engine_version", "dataset", "digest", "images", "memory_bytes")
SELECT DISTINCT "kind", "method", '1', "dataset", "digest", "images", 0 FROM "old_needs";
UPDATE "stages" s SET "need_id" = n."id"
FROM "old_needs" o JOIN "needs" n USING ("kind", "method", "digest", "images") WHERE s."id" = o."id" AND n."engine_version" = '1' AND n."memory_bytes" = 0;

-- The claim finds the first ready stage of a sweep with each need.
DROP INDEX "stages_ready_idx";
CREATE INDEX "stages_ready_idx" ON "stages"("sweep_id", "need_id", "ordinal") WHERE "status" = 'ready' AND "sweep_id" IS NOT NULL;

-- The latest failures of a worker.
CREATE INDEX "attempts_failed_idx" ON "attempts"("worker_id", "ended_at") WHERE "outcome" = 'failed';
