-- AlterTable
ALTER TABLE "sweeps" ADD COLUMN "max_running" INTEGER;
