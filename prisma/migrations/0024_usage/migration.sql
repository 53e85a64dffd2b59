-- What an attempt used of its machine, measured in its trainer: wall-clock seconds, CPU seconds in this time, and the largest resident memory.
-- Attempts of older versions have no values.
ALTER TABLE "attempts" ADD COLUMN "trainer_seconds" DOUBLE PRECISION, ADD COLUMN "cpu_seconds" DOUBLE PRECISION, ADD COLUMN "peak_bytes" BIGINT;
