-- Data sets of users, in canonical form. A set is complete when all of its chunks are there and the whole was checked.
CREATE TABLE "datasets" (
    "digest" TEXT COLLATE "C" NOT NULL,
    "identity" TEXT COLLATE "C" NOT NULL,
    "content" JSONB NOT NULL,
    "bytes" BIGINT NOT NULL,
    "owner" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "asked_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "checking_until" TIMESTAMPTZ(6),
    "fault" TEXT,
    "summary" JSONB,
    "completed_at" TIMESTAMPTZ(6),

    CONSTRAINT "datasets_pkey" PRIMARY KEY ("digest")
);
CREATE INDEX "datasets_identity_idx" ON "datasets"("identity");
CREATE INDEX "datasets_owner_idx" ON "datasets"("owner");

-- The SHA-256 is known before the bytes are.
CREATE TABLE "dataset_chunks" (
    "digest" TEXT COLLATE "C" NOT NULL,
    "number" INTEGER NOT NULL,
    "sha256" TEXT COLLATE "C" NOT NULL,
    "bytes" BYTEA,

    CONSTRAINT "dataset_chunks_pkey" PRIMARY KEY ("digest", "number")
);
ALTER TABLE "dataset_chunks" ADD CONSTRAINT "dataset_chunks_digest_fkey" FOREIGN KEY ("digest") REFERENCES "datasets"("digest") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "dataset_chunks" ADD CONSTRAINT "dataset_chunks_sha256_check" CHECK ("bytes" IS NULL OR encode(sha256("bytes"), 'hex') = "sha256");
-- Not compressed, so that a few images can be read without the rest of their chunk.
ALTER TABLE "dataset_chunks" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;

CREATE TABLE "dataset_names" (
    "name" TEXT COLLATE "C" NOT NULL,
    "digest" TEXT COLLATE "C" NOT NULL,
    "owner" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "dataset_names_pkey" PRIMARY KEY ("name")
);
CREATE INDEX "dataset_names_digest_idx" ON "dataset_names"("digest");
ALTER TABLE "dataset_names" ADD CONSTRAINT "dataset_names_digest_fkey" FOREIGN KEY ("digest") REFERENCES "datasets"("digest") ON DELETE RESTRICT ON UPDATE CASCADE;
