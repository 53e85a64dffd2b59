-- AlterTable
ALTER TABLE "stages" ADD COLUMN "surrogates" TEXT[] COLLATE "C" DEFAULT ARRAY[]::TEXT[];

-- What Prisma cannot say.

ALTER TABLE "stages" ADD CONSTRAINT "stages_surrogates_check" CHECK ("surrogates" IS NOT NULL);

-- Attacks that wait for one of these classifiers, and those to revive. Stages without surrogates are not in it. Nothing is left for later
-- (fastupdate): whoever completes a classifier looks here.
CREATE INDEX "stages_surrogates_idx" ON "stages" USING gin ("surrogates") WITH (fastupdate = off)
  WHERE "status" IN ('waiting', 'skipped') AND "surrogates" <> '{}';
