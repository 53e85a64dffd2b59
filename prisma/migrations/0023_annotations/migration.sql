-- What people write about a sweep, and the words by which they find it. They are no part of its definition, so no identity changes.
ALTER TABLE "sweeps" ADD COLUMN "notes" TEXT NOT NULL DEFAULT '';
ALTER TABLE "sweeps" ADD COLUMN "tags" TEXT[] COLLATE "C" DEFAULT ARRAY[]::TEXT[];
-- Prisma declares no list as NOT NULL.
ALTER TABLE "sweeps" ADD CONSTRAINT "sweeps_tags_check" CHECK ("tags" IS NOT NULL);
CREATE INDEX "sweeps_tags_idx" ON "sweeps" USING GIN ("tags");

-- The tags that the sweep of a stored submission gets.
ALTER TABLE "submissions" ADD COLUMN "tags" TEXT[] COLLATE "C" DEFAULT ARRAY[]::TEXT[];
ALTER TABLE "submissions" ADD CONSTRAINT "submissions_tags_check" CHECK ("tags" IS NOT NULL);
