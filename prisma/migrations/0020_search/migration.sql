-- The search of a sweep that decides one configuration after the other.
CREATE TABLE "searches" (
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "configurations" INTEGER NOT NULL,
    "proposed" INTEGER NOT NULL DEFAULT 0,
    "stride" INTEGER NOT NULL,
    "varying" TEXT[] COLLATE "C" DEFAULT ARRAY[]::TEXT[],
    "earlier" JSONB NOT NULL DEFAULT '[]',
    "hand_points" JSONB NOT NULL DEFAULT '[]',
    "ended" TEXT COLLATE "C",
    "marked" INTEGER NOT NULL DEFAULT 1,
    "done" INTEGER NOT NULL DEFAULT 0,
    "held_until" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "searches_pkey" PRIMARY KEY ("sweep_id")
);
ALTER TABLE "searches" ADD CONSTRAINT "searches_sweep_id_fkey" FOREIGN KEY ("sweep_id") REFERENCES "sweeps"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "searches" ADD CONSTRAINT "searches_ended_check" CHECK ("ended" IN ('trials', 'exhausted', 'stopped'));
ALTER TABLE "searches" ADD CONSTRAINT "searches_varying_check" CHECK ("varying" IS NOT NULL);

-- The decisions of a search by number. Each made the trials of a configuration at a rung, or left a place of a bracket empty.
CREATE TABLE "decisions" (
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "number" INTEGER NOT NULL,
    "source" TEXT COLLATE "C" NOT NULL,
    "configuration" INTEGER,
    "rung" INTEGER,
    "epochs" INTEGER,
    "below_top" BOOLEAN NOT NULL DEFAULT false,
    "point" JSONB,
    "place" INTEGER,
    "among" INTEGER,
    "new_epochs" INTEGER NOT NULL,
    "decided_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "decisions_pkey" PRIMARY KEY ("sweep_id", "number")
);
ALTER TABLE "decisions" ADD CONSTRAINT "decisions_sweep_id_fkey" FOREIGN KEY ("sweep_id") REFERENCES "searches"("sweep_id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "decisions" ADD CONSTRAINT "decisions_source_check" CHECK ("source" IN ('start', 'strategy', 'try', 'hand', 'promotion', 'empty'));

-- Rankings over several sweeps leave out trials of lower rungs.
CREATE INDEX "decisions_below_top_idx" ON "decisions"("sweep_id", "number") WHERE "below_top";
