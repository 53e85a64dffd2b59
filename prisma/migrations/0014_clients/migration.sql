-- The token or address that submitted a sweep. The service is shared by clients, and each has limits.
ALTER TABLE "sweeps" ADD COLUMN "client" TEXT COLLATE "C";
UPDATE "sweeps" s SET "client" = CASE WHEN a."actor" = 'local' THEN a."address" ELSE 'token ' || a."actor" END
FROM "audit_log" a WHERE a."action" = 'createSweep' AND a."subject" = s."id";
CREATE INDEX "sweeps_client_idx" ON "sweeps"("client") WHERE "status" IN ('running', 'paused');

-- The client whose sweep stored the bytes. Bytes that older versions stored count for nobody.
ALTER TABLE "blobs" ADD COLUMN "client" TEXT COLLATE "C";

-- The bytes of the blobs of each client: the sum over the slots.
CREATE TABLE "stored_bytes" (
    "client" TEXT COLLATE "C" NOT NULL,
    "slot" SMALLINT NOT NULL,
    "bytes" BIGINT NOT NULL,

    CONSTRAINT "stored_bytes_pkey" PRIMARY KEY ("client","slot")
);
