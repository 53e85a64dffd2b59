-- DropIndex
DROP INDEX "stages_chain_epochs_key";

-- What Prisma cannot say.

-- Two lengths of one chain are two stages. An attack is all of its chain and is found by its id, so that most stages of a sweep need no
-- place in this index.
CREATE UNIQUE INDEX "stages_chain_epochs_key" ON "stages"("chain", "epochs") WHERE "kind" <> 'attack';
