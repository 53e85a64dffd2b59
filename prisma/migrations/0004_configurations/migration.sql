-- CreateTable
CREATE TABLE "configuration_knobs" (
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "configuration_index" INTEGER NOT NULL,
    "knob" TEXT COLLATE "C" NOT NULL,
    "number" DOUBLE PRECISION,
    "word" TEXT COLLATE "C",

    CONSTRAINT "configuration_knobs_pkey" PRIMARY KEY ("sweep_id","configuration_index","knob")
);

-- CreateTable
CREATE TABLE "configuration_scores" (
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "configuration_index" INTEGER NOT NULL,
    "position" SMALLINT NOT NULL,
    "metric" TEXT COLLATE "C" NOT NULL,
    "attack" TEXT COLLATE "C" NOT NULL,
    "trial_id" TEXT COLLATE "C" NOT NULL,
    "merit" DOUBLE PRECISION,
    "deviation" DOUBLE PRECISION,
    "masked" BOOLEAN NOT NULL,

    CONSTRAINT "configuration_scores_pkey" PRIMARY KEY ("sweep_id","configuration_index","position","metric")
);

-- What there is already. Seeds of one configuration have the same knobs.
INSERT INTO "configuration_knobs" ("sweep_id", "configuration_index", "knob", "number", "word")
SELECT DISTINCT t."sweep_id", t."configuration_index", k."knob", k."number", k."word"
FROM "trial_knobs" k JOIN "trials" t ON t."id" = k."trial_id";

INSERT INTO "configuration_scores" ("sweep_id", "configuration_index", "position", "metric", "attack", "trial_id", "merit", "deviation", "masked")
SELECT "sweep_id", "configuration_index", "position", "metric", min("attack"), min("trial_id"),
  CASE WHEN count("merit") = count(*) THEN round(avg("merit" ORDER BY "trial_id")::numeric, 12)::float8 END,
  stddev_samp("merit" ORDER BY "trial_id"), bool_or("masked")
FROM "scores" GROUP BY 1, 2, 3, 4;

-- DropTable
DROP TABLE "trial_knobs";

-- AddForeignKey
ALTER TABLE "configuration_scores" ADD CONSTRAINT "configuration_scores_sweep_id_fkey" FOREIGN KEY ("sweep_id") REFERENCES "sweeps"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma cannot say.

-- Which configurations a filter keeps.
CREATE INDEX "configuration_knobs_number_idx" ON "configuration_knobs"("knob", "number") INCLUDE ("sweep_id", "configuration_index") WHERE "number" IS NOT NULL;
CREATE INDEX "configuration_knobs_word_idx" ON "configuration_knobs"("knob", "word") INCLUDE ("sweep_id", "configuration_index") WHERE "word" IS NOT NULL;

-- The leaderboard of configurations, best first, over everything and within a sweep.
CREATE INDEX "configuration_scores_ranked_idx" ON "configuration_scores"("attack", "metric", "masked", "merit" DESC NULLS LAST, "trial_id", "position") INCLUDE ("sweep_id", "configuration_index");
CREATE INDEX "configuration_scores_ranked_in_sweep_idx" ON "configuration_scores"("sweep_id", "attack", "metric", "masked", "merit" DESC NULLS LAST, "trial_id", "position") INCLUDE ("configuration_index");
