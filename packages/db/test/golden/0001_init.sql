-- Migration 0001_init
-- CreateTable
CREATE TABLE "sweeps" (
    "id" TEXT COLLATE "C" NOT NULL,
    "name" TEXT NOT NULL,
    "status" TEXT COLLATE "C" NOT NULL DEFAULT 'running',
    "definition" JSONB NOT NULL,
    "plan" JSONB NOT NULL,
    "priority" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "sweeps_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "trials" (
    "id" TEXT COLLATE "C" NOT NULL,
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "number" INTEGER NOT NULL,
    "recipe" TEXT COLLATE "C" NOT NULL,
    "dataset" TEXT COLLATE "C" NOT NULL,
    "seed" INTEGER NOT NULL,
    "hyperparameters" JSONB NOT NULL,
    "configuration" TEXT COLLATE "C" NOT NULL,
    "configuration_index" INTEGER NOT NULL,
    "status" TEXT COLLATE "C" NOT NULL DEFAULT 'waiting',
    "clean_accuracy" DOUBLE PRECISION,
    "verdict" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "trials_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sweep_knobs" (
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "knob" TEXT COLLATE "C" NOT NULL,
    "number" DOUBLE PRECISION,
    "word" TEXT COLLATE "C",

    CONSTRAINT "sweep_knobs_pkey" PRIMARY KEY ("sweep_id","knob")
);

-- CreateTable
CREATE TABLE "trial_knobs" (
    "trial_id" TEXT COLLATE "C" NOT NULL,
    "knob" TEXT COLLATE "C" NOT NULL,
    "number" DOUBLE PRECISION,
    "word" TEXT COLLATE "C",

    CONSTRAINT "trial_knobs_pkey" PRIMARY KEY ("trial_id","knob")
);

-- CreateTable
CREATE TABLE "stages" (
    "id" TEXT COLLATE "C" NOT NULL,
    "chain" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL,
    "recipe" TEXT COLLATE "C" NOT NULL,
    "hyperparameters" JSONB NOT NULL,
    "seed" INTEGER NOT NULL,
    "dataset" JSONB NOT NULL,
    "epochs" INTEGER NOT NULL,
    "parent" TEXT COLLATE "C",
    "attack" JSONB,
    "status" TEXT COLLATE "C" NOT NULL,
    "after" TEXT COLLATE "C",
    "start_epoch" INTEGER NOT NULL DEFAULT 0,
    "because" TEXT,
    "sweep_id" TEXT COLLATE "C",
    "planned_by" TEXT COLLATE "C",
    "position" INTEGER NOT NULL DEFAULT 0,
    "ready_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lease_epoch" INTEGER NOT NULL DEFAULT 0,
    "lease_until" TIMESTAMPTZ(6),
    "worker_id" TEXT COLLATE "C",
    "epoch" INTEGER,
    "step" INTEGER,
    "images_per_second" DOUBLE PRECISION,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "expiries" INTEGER NOT NULL DEFAULT 0,
    "checkpoint" TEXT COLLATE "C",
    "error_code" TEXT,
    "error_message" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "stages_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sweep_stages" (
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "stage_id" TEXT COLLATE "C" NOT NULL,
    "position" INTEGER NOT NULL,
    "direct" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "sweep_stages_pkey" PRIMARY KEY ("sweep_id","position")
);

-- CreateTable
CREATE TABLE "trial_stages" (
    "trial_id" TEXT COLLATE "C" NOT NULL,
    "position" SMALLINT NOT NULL,
    "stage_id" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "trial_stages_pkey" PRIMARY KEY ("trial_id","position")
);

-- CreateTable
CREATE TABLE "sweep_counts" (
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "slot" SMALLINT NOT NULL,
    "subject" TEXT COLLATE "C" NOT NULL,
    "count" BIGINT NOT NULL,

    CONSTRAINT "sweep_counts_pkey" PRIMARY KEY ("sweep_id","slot","subject")
);

-- CreateTable
CREATE TABLE "attempts" (
    "stage_id" TEXT COLLATE "C" NOT NULL,
    "lease_epoch" INTEGER NOT NULL,
    "worker_id" TEXT COLLATE "C" NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(6),
    "outcome" TEXT NOT NULL DEFAULT 'running',
    "epochs" INTEGER NOT NULL DEFAULT 0,
    "fenced" INTEGER NOT NULL DEFAULT 0,
    "mismatches" INTEGER NOT NULL DEFAULT 0,
    "backend" TEXT,
    "device" TEXT,
    "engine_version" TEXT,
    "error_code" TEXT,
    "error_message" TEXT,
    "error_stack" TEXT,

    CONSTRAINT "attempts_pkey" PRIMARY KEY ("stage_id","lease_epoch")
);

-- CreateTable
CREATE TABLE "chains" (
    "id" SERIAL NOT NULL,
    "hash" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "chains_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "checkpoints" (
    "chain_id" INTEGER NOT NULL,
    "epoch" INTEGER NOT NULL,
    "step" INTEGER NOT NULL,
    "hash" TEXT COLLATE "C" NOT NULL,
    "manifest" JSONB NOT NULL,
    "continuable" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "checkpoints_pkey" PRIMARY KEY ("chain_id","epoch","step")
);

-- CreateTable
CREATE TABLE "checkpoint_blobs" (
    "chain_id" INTEGER NOT NULL,
    "epoch" INTEGER NOT NULL,
    "step" INTEGER NOT NULL,
    "sha256" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "checkpoint_blobs_pkey" PRIMARY KEY ("chain_id","epoch","step","sha256")
);

-- CreateTable
CREATE TABLE "blobs" (
    "sha256" TEXT COLLATE "C" NOT NULL,
    "bytes" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "blobs_pkey" PRIMARY KEY ("sha256")
);

-- CreateTable
CREATE TABLE "metrics" (
    "chain_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "epoch" INTEGER NOT NULL,
    "value" DOUBLE PRECISION,

    CONSTRAINT "metrics_pkey" PRIMARY KEY ("chain_id","name","epoch")
);

-- CreateTable
CREATE TABLE "evaluations" (
    "stage_id" TEXT COLLATE "C" NOT NULL,
    "attack" TEXT COLLATE "C" NOT NULL,
    "settings" JSONB NOT NULL,
    "summary" JSONB NOT NULL,
    "verdict" TEXT NOT NULL,
    "diagnostics" JSONB NOT NULL,
    "index" INTEGER[],
    "label" SMALLINT[],
    "correct" BOOLEAN[],
    "predicted" SMALLINT[],
    "success" BOOLEAN[],
    "l2" DOUBLE PRECISION[],
    "linf" DOUBLE PRECISION[],
    "l0" INTEGER[],
    "steps" INTEGER[],
    "queries" INTEGER[],
    "fooled" VARBIT NOT NULL,
    "gallery_shape" INTEGER[],
    "gallery_index" INTEGER[],
    "gallery_original" BYTEA NOT NULL,
    "gallery_attacked" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "evaluations_pkey" PRIMARY KEY ("stage_id")
);

-- CreateTable
CREATE TABLE "scores" (
    "trial_id" TEXT COLLATE "C" NOT NULL,
    "stage_id" TEXT COLLATE "C" NOT NULL,
    "metric" TEXT COLLATE "C" NOT NULL,
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "position" SMALLINT NOT NULL,
    "attack" TEXT COLLATE "C" NOT NULL,
    "value" DOUBLE PRECISION,
    "merit" DOUBLE PRECISION,
    "configuration_index" INTEGER NOT NULL,
    "masked" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "scores_pkey" PRIMARY KEY ("trial_id","position","metric")
);

-- CreateTable
CREATE TABLE "workers" (
    "id" TEXT COLLATE "C" NOT NULL,
    "host" TEXT NOT NULL,
    "pid" INTEGER NOT NULL,
    "version" TEXT NOT NULL,
    "backend" TEXT NOT NULL,
    "device" TEXT NOT NULL,
    "slots" INTEGER NOT NULL,
    "status" TEXT COLLATE "C" NOT NULL DEFAULT 'online',
    "started_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "heartbeat_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "memory_bytes" BIGINT,

    CONSTRAINT "workers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "events" (
    "id" BIGSERIAL NOT NULL,
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "xid" xid8 NOT NULL DEFAULT pg_current_xact_id(),
    "payload" JSONB NOT NULL,

    CONSTRAINT "events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "key" TEXT COLLATE "C" NOT NULL,
    "body_hash" TEXT COLLATE "C" NOT NULL,
    "sweep_id" TEXT COLLATE "C" NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "tokens" (
    "id" TEXT COLLATE "C" NOT NULL,
    "name" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "hash" TEXT COLLATE "C" NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(6),
    "revoked_at" TIMESTAMPTZ(6),

    CONSTRAINT "tokens_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_log" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT COLLATE "C",
    "details" JSONB NOT NULL,
    "address" TEXT,

    CONSTRAINT "audit_log_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "duties" (
    "name" TEXT NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "duties_pkey" PRIMARY KEY ("name")
);

-- CreateIndex
CREATE INDEX "trials_sweep_id_status_number_idx" ON "trials"("sweep_id", "status", "number");

-- CreateIndex
CREATE INDEX "trials_sweep_id_configuration_index_idx" ON "trials"("sweep_id", "configuration_index");

-- CreateIndex
CREATE UNIQUE INDEX "trials_sweep_id_number_key" ON "trials"("sweep_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "stages_chain_epochs_key" ON "stages"("chain", "epochs");

-- CreateIndex
CREATE UNIQUE INDEX "sweep_stages_stage_id_sweep_id_key" ON "sweep_stages"("stage_id", "sweep_id");

-- CreateIndex
CREATE INDEX "trial_stages_stage_id_idx" ON "trial_stages"("stage_id");

-- CreateIndex
CREATE UNIQUE INDEX "chains_hash_key" ON "chains"("hash");

-- CreateIndex
CREATE INDEX "checkpoints_hash_idx" ON "checkpoints"("hash");

-- CreateIndex
CREATE INDEX "checkpoint_blobs_sha256_idx" ON "checkpoint_blobs"("sha256");

-- CreateIndex
CREATE UNIQUE INDEX "tokens_name_key" ON "tokens"("name");

-- CreateIndex
CREATE UNIQUE INDEX "tokens_hash_key" ON "tokens"("hash");

-- CreateIndex
CREATE INDEX "audit_log_at_idx" ON "audit_log"("at");

-- AddForeignKey
ALTER TABLE "trials" ADD CONSTRAINT "trials_sweep_id_fkey" FOREIGN KEY ("sweep_id") REFERENCES "sweeps"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sweep_knobs" ADD CONSTRAINT "sweep_knobs_sweep_id_fkey" FOREIGN KEY ("sweep_id") REFERENCES "sweeps"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sweep_counts" ADD CONSTRAINT "sweep_counts_sweep_id_fkey" FOREIGN KEY ("sweep_id") REFERENCES "sweeps"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_stage_id_fkey" FOREIGN KEY ("stage_id") REFERENCES "stages"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "checkpoints" ADD CONSTRAINT "checkpoints_chain_id_fkey" FOREIGN KEY ("chain_id") REFERENCES "chains"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "checkpoint_blobs" ADD CONSTRAINT "checkpoint_blobs_chain_id_epoch_step_fkey" FOREIGN KEY ("chain_id", "epoch", "step") REFERENCES "checkpoints"("chain_id", "epoch", "step") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "checkpoint_blobs" ADD CONSTRAINT "checkpoint_blobs_sha256_fkey" FOREIGN KEY ("sha256") REFERENCES "blobs"("sha256") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "metrics" ADD CONSTRAINT "metrics_chain_id_fkey" FOREIGN KEY ("chain_id") REFERENCES "chains"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "evaluations" ADD CONSTRAINT "evaluations_stage_id_fkey" FOREIGN KEY ("stage_id") REFERENCES "stages"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "scores" ADD CONSTRAINT "scores_trial_id_fkey" FOREIGN KEY ("trial_id") REFERENCES "trials"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_sweep_id_fkey" FOREIGN KEY ("sweep_id") REFERENCES "sweeps"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma cannot say: storage, laws as CHECKs, partial indexes.

-- Weights do not compress; stored as they are, they are read and written without trying.
ALTER TABLE "blobs" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;

-- A blob is what its name says.
ALTER TABLE "blobs" ADD CONSTRAINT "blobs_sha256_check" CHECK ("sha256" = encode(sha256("bytes"), 'hex'));

-- A lease belongs to a running stage, and a running stage has one.
ALTER TABLE "stages" ADD CONSTRAINT "stages_lease_check" CHECK (("status" = 'running') = ("lease_until" IS NOT NULL));

-- Rows that heartbeats and claims rewrite: room for the new version on the same page.
ALTER TABLE "stages" SET (fillfactor = 80);
ALTER TABLE "sweep_counts" SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE "workers" SET (fillfactor = 50);

-- Two attempts never train one chain at the same time.
CREATE UNIQUE INDEX "stages_running_chain_key" ON "stages"("chain") WHERE "status" = 'running';

-- Claim: the first ready stage of a sweep. Held stages (no sweep) are not in it.
CREATE INDEX "stages_ready_idx" ON "stages"("sweep_id", "position") WHERE "status" = 'ready' AND "sweep_id" IS NOT NULL;

-- Fair share, expiry, heartbeats: what runs now.
CREATE INDEX "stages_running_idx" ON "stages"("sweep_id") WHERE "status" = 'running';

-- Dependants of a stage that ends, and those to revive.
CREATE INDEX "stages_after_idx" ON "stages"("after") WHERE "status" IN ('waiting', 'skipped');

-- The leaderboard, best first, over everything and within a sweep. All that ranking and filtering look at is in the index.
CREATE INDEX "scores_ranked_idx" ON "scores"("attack", "metric", "masked", "merit" DESC NULLS LAST, "trial_id", "position") INCLUDE ("sweep_id", "configuration_index");
CREATE INDEX "scores_ranked_in_sweep_idx" ON "scores"("sweep_id", "attack", "metric", "masked", "merit" DESC NULLS LAST, "trial_id", "position") INCLUDE ("configuration_index");

-- Which trials a filter keeps.
CREATE INDEX "trial_knobs_number_idx" ON "trial_knobs"("knob", "number") INCLUDE ("trial_id") WHERE "number" IS NOT NULL;
CREATE INDEX "trial_knobs_word_idx" ON "trial_knobs"("knob", "word") INCLUDE ("trial_id") WHERE "word" IS NOT NULL;

-- The event stream reads in commit-safe order.
CREATE INDEX "events_xid_id_idx" ON "events"("xid", "id");
CREATE INDEX "events_at_idx" ON "events"("at");

CREATE TABLE _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL,
  logs TEXT, rolled_back_at TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0
);
INSERT INTO "blobs" ("sha256", "bytes", "created_at") VALUES
('00b04b77405a5b91c86e79ddd9f45f0e3fbb9d79e6da9e03f0cdc9be2d9cdefe', E'\\x77656967687473203962376136326166613334393165333235613130636238326630656138386563643437323936623732393031333065636637316134316436333336653039613320322030', '2026-11-22 14:34:32.268818+00'),
('01af08f864586707050c2dd2b820adaabcc42588a7003c6ce7ed46a94fb5744c', E'\\x6d6f6d656e7473203731323833393335373435323636306634343163633531393465396165663839666639386366323839323237316635386634353365303738306665326338346120312030', '2026-11-22 14:34:32.186901+00'),
('091f4fa4032604de280b0d8345e5d32c5988b52c6764b1709a01ffc91cb47473', E'\\x6d6f6d656e7473203663313637636231373337366333356635306664303832396465656362383861623335396564633162383734366361316566636261396533643366613838396120312030', '2026-11-22 14:34:32.334891+00'),
('14240044757ff41654c8fd80a70d3f1d7155aa6c7ef451c3fc23201b82601d9d', E'\\x77656967687473203836653735616331653530343564393663386233323533646362643533363238633632353239653661323732343465666136333630303730386437616361373320322030', '2026-11-22 14:34:32.484231+00'),
('14be86900325418c0d41c0446bf0e6fdae367f6652f90566eac9f873d9be076a', E'\\x6d6f6d656e7473203836653735616331653530343564393663386233323533646362643533363238633632353239653661323732343465666136333630303730386437616361373320332030', '2026-11-22 14:34:32.493034+00'),
('2166f99e881b2116a5a2d52b39757931b9ac0464bca2259761f404e0d2d74caf', E'\\x77656967687473203931356263333338393535616162376364373333376531383461336233653231316164323934303632363631613939366239306564343264666133326638313920332030', '2026-11-22 14:34:32.313047+00'),
('220f780112b946a2d932fa86818ca73a7cffed4e5f806bce6b6ff99f603d82d0', E'\\x6d6f6d656e7473206136323738616537306439353339366365656365336239623165343736353931366435373530616336643836656663663764373664323535666336316139376320332030', '2026-11-22 14:34:32.164492+00'),
('3de2bd701451045238b8cd9465d42ae8fc3c2844aa7d30d021691df93dde0620', E'\\x77656967687473206237616239613865636638323966366132373238626137653830666662393661396366386130393335353430626331343336623431656438343062326266333220332030', '2026-11-22 14:34:32.407758+00'),
('4582af9532fd9a4e6f081c76f844ecd14060c74a978e139de615bfd562f511a9', E'\\x77656967687473203931356263333338393535616162376364373333376531383461336233653231316164323934303632363631613939366239306564343264666133326638313920322030', '2026-11-22 14:34:32.306422+00'),
('4604e37a294d00c295d8f07566c094d0a248458b6ae82c6f6730344aa8c71204', E'\\x77656967687473206136323738616537306439353339366365656365336239623165343736353931366435373530616336643836656663663764373664323535666336316139376320322030', '2026-11-22 14:34:32.155051+00'),
('55aad1c8580d93e140091a2e9d3deb56bfecf08301761afb8541a5b7b14b90af', E'\\x77656967687473203663313637636231373337366333356635306664303832396465656362383861623335396564633162383734366361316566636261396533643366613838396120312030', '2026-11-22 14:34:32.334891+00'),
('65de58ff023dfbc18729c01d4590ef834e7acb7b4fa1f86f88dceb32c5971888', E'\\x77656967687473206136323738616537306439353339366365656365336239623165343736353931366435373530616336643836656663663764373664323535666336316139376320312030', '2026-11-22 14:34:32.145723+00'),
('6a03a197ce5439205b37e5f6b1a6a8e7f3a266fef5acac62155e74ae9acc25f4', E'\\x77656967687473206237616239613865636638323966366132373238626137653830666662393661396366386130393335353430626331343336623431656438343062326266333220322030', '2026-11-22 14:34:32.393792+00'),
('7836344197eb29d598e71c46eed4fa82aa90a31ee9facfb18d65fe0435a636d6', E'\\x6d6f6d656e7473203963323930633032303935353837636663626135643062643765316135656630363532346530333035383331623931666265343430316362666334363534303620312030', '2026-11-22 14:34:32.428967+00'),
('7b86cca71f480ce84b4a77870690844f77a8c8fcbcac66c61c990a4783eaf60e', E'\\x6d6f6d656e7473203962376136326166613334393165333235613130636238326630656138386563643437323936623732393031333065636637316134316436333336653039613320322030', '2026-11-22 14:34:32.268818+00'),
('87fc242008e55b2837cb5113f7fe0ebd3469039691b84da61ff8871688f06c18', E'\\x77656967687473203237323031613466333165633630636436663538666638626330643336306432636564326531643238333663383235356437306362333738303433633032336520312030', '2026-11-22 14:34:32.530159+00'),
('96d36d4dad34cf04c7f205e68a53cb3e68734cf4390084fc6d09cadc123744b2', E'\\x6d6f6d656e7473203836353965343930623936343833393031653632653130323032346533383362333731626336666331323530316237613163616165353536633033666562623620312030', '2026-11-22 14:34:32.591956+00'),
('9c146f041095fb2f8ec4fb4f1895b6e58c7dd01ae162ce793b67e204025cef21', E'\\x77656967687473206237616239613865636638323966366132373238626137653830666662393661396366386130393335353430626331343336623431656438343062326266333220312030', '2026-11-22 14:34:32.387238+00'),
('a046ea7ba66c7c361beea7a0b77d78fd4e4479fff0588ecd8ed0f89f119e7c55', E'\\x6d6f6d656e7473203237323031613466333165633630636436663538666638626330643336306432636564326531643238333663383235356437306362333738303433633032336520312030', '2026-11-22 14:34:32.530159+00'),
('a2be1a8429f5f9e701fbdbe1c72ed6491e8a62960de4af1339694661f641a985', E'\\x77656967687473203963323930633032303935353837636663626135643062643765316135656630363532346530333035383331623931666265343430316362666334363534303620312030', '2026-11-22 14:34:32.428967+00'),
('a330ce200b909a1f36e2abc0988b5309e55e105dbbe93fbb0514cc6ae8b49e59', E'\\x77656967687473203836653735616331653530343564393663386233323533646362643533363238633632353239653661323732343465666136333630303730386437616361373320312030', '2026-11-22 14:34:32.478996+00'),
('a48d5e836a885ca203b070247644fd7c12cbf5b7a09431fa070459c02a922d15', E'\\x77656967687473203962376136326166613334393165333235613130636238326630656138386563643437323936623732393031333065636637316134316436333336653039613320312030', '2026-11-22 14:34:32.261565+00'),
('afa02cb9cb3eb15ad2175ebc14be95f7498c4b520f7f8e0d7c0dd94effa244cc', E'\\x77656967687473203931356263333338393535616162376364373333376531383461336233653231316164323934303632363631613939366239306564343264666133326638313920312030', '2026-11-22 14:34:32.292016+00'),
('b78a04af7318932694cc3433136cd5ab24af6beee209f104a8ccc18ee8b37c9f', E'\\x6d6f6d656e7473206535333937323233346530313534623936356664616166383062393265336233376663393563353239643461373836333434343439396233646538363665666620322030', '2026-11-22 14:34:32.105191+00'),
('b9d66849b2002365faf08625795e930c78c77c411d4352f50561ef014b1c9826', E'\\x77656967687473206535333937323233346530313534623936356664616166383062393265336233376663393563353239643461373836333434343439396233646538363665666620322030', '2026-11-22 14:34:32.105191+00'),
('c8a55f67c9c64a9a537b1afd4804143d76db67dc75d64ab6808cdae01f505196', E'\\x77656967687473203836653735616331653530343564393663386233323533646362643533363238633632353239653661323732343465666136333630303730386437616361373320332030', '2026-11-22 14:34:32.493034+00'),
('ca333d17f6c13a6fca4225170e206c8d9f895d37483c96593f45b665a517f552', E'\\x77656967687473206535333937323233346530313534623936356664616166383062393265336233376663393563353239643461373836333434343439396233646538363665666620312030', '2026-11-22 14:34:32.079211+00'),
('cab2ff63ad681c05331755d347407ed0843920da83906f6f08fd59ceab00e546', E'\\x77656967687473203731323833393335373435323636306634343163633531393465396165663839666639386366323839323237316635386634353365303738306665326338346120312030', '2026-11-22 14:34:32.186901+00'),
('d12635b53a688b084a8c9f20756f07444355f7b53e7eed9dbb2e7cf297d746d3', E'\\x6d6f6d656e7473206237616239613865636638323966366132373238626137653830666662393661396366386130393335353430626331343336623431656438343062326266333220332030', '2026-11-22 14:34:32.407758+00'),
('d2cecf44da7abe18f1d21f385dd2f066f5b77fef40ac29512484d1a9fa9f3524', E'\\x77656967687473203836353965343930623936343833393031653632653130323032346533383362333731626336666331323530316237613163616165353536633033666562623620312030', '2026-11-22 14:34:32.591956+00'),
('d3c681ba577ca059024efab8cdcfa81793fbdd3ebd7b0f5c4d0c6f26c38ff5cf', E'\\x6d6f6d656e7473203931356263333338393535616162376364373333376531383461336233653231316164323934303632363631613939366239306564343264666133326638313920332030', '2026-11-22 14:34:32.313047+00'),
('e826405049f62c9e9c941c0e365d3d327143eeae5d91fae9e91fe17956a287c8', E'\\x77656967687473206136323738616537306439353339366365656365336239623165343736353931366435373530616336643836656663663764373664323535666336316139376320332030', '2026-11-22 14:34:32.164492+00');

INSERT INTO "_prisma_migrations" ("id", "checksum", "finished_at", "migration_name", "logs", "rolled_back_at", "started_at", "applied_steps_count") VALUES
('1d8b4648-3a0b-4c92-ac46-f6b139b0205c', 'cee69633a55bfd1f096360c1db7f35f0577b6a16c7caee40319616f6852c83a7', '2026-11-22 14:34:31.735514+00', '0001_init', NULL, NULL, '2026-11-22 14:34:31.67728+00', '1');

INSERT INTO "sweeps" ("id", "name", "status", "definition", "plan", "priority", "created_at", "started_at", "finished_at") VALUES
('1a203ae1cc89b1c6', 'finished', 'completed', '{"name": "finished", "seeds": [0, 1], "space": {"gamma": [1, 2], "optimiseEpochs": 3, "classifierEpochs": 1, "initialiseEpochs": 2}, "search": {"strategy": "grid"}, "attacks": [{"attack": "fgsm", "settings": {"search": true, "epsilon": 1, "epsilons": 1000}}, {"attack": "gradient", "settings": {"epsilon": 1, "epsilons": 1000}}], "dataset": {"name": "glyphs", "test": 20, "train": 100, "attack": 4}, "recipes": ["funn"], "priority": 50, "description": ""}', '{"epochs": {"cached": 0, "needed": 20, "unshared": 24}, "stages": {"attack": {"total": 8, "cached": 0}, "classify": {"total": 4, "cached": 0}, "optimise": {"total": 4, "cached": 0}, "initialise": {"total": 2, "cached": 0}}, "trials": 4, "sharing": 1.2}', '50', '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.059552+00', '2026-11-22 14:34:32.559618+00'),
('1a203ae1f02188f2', 'under way', 'running', '{"name": "under way", "seeds": [7], "space": {"gamma": 3, "optimiseEpochs": 3, "classifierEpochs": 1, "initialiseEpochs": 2}, "search": {"strategy": "grid"}, "attacks": [{"attack": "fgsm", "settings": {"search": true, "epsilon": 1, "epsilons": 1000}}], "dataset": {"name": "glyphs", "test": 20, "train": 100, "attack": 4}, "recipes": ["funn"], "priority": 50, "description": ""}', '{"epochs": {"cached": 0, "needed": 6, "unshared": 6}, "stages": {"attack": {"total": 1, "cached": 0}, "classify": {"total": 1, "cached": 0}, "optimise": {"total": 1, "cached": 0}, "initialise": {"total": 1, "cached": 0}}, "trials": 1, "sharing": 1}', '50', '2026-11-22 14:34:32.574231+00', '2026-11-22 14:34:32.586221+00', NULL);

INSERT INTO "trials" ("id", "sweep_id", "number", "recipe", "dataset", "seed", "hyperparameters", "configuration", "configuration_index", "status", "clean_accuracy", "verdict", "created_at", "finished_at") VALUES
('1a203ae1cc89b1c6-00000', '1a203ae1cc89b1c6', '0', 'funn', 'glyphs', '0', '{"beta": 0.01, "gamma": 1, "hinge": "batch", "noise": 16, "latent": 64, "filters": "32-64", "penalty": "constraint", "betaUnit": "loss", "batchSize": 128, "lossScale": "mse", "initializer": "glorotUniform", "defenderInput": "attacked", "classifierRate": 0.001, "labelSmoothing": 0, "optimiseEpochs": 3, "classifierUnits": 64, "classifierEpochs": 1, "initialiseEpochs": 2, "optimiseAttackerRate": 0.00001, "optimiseDefenderRate": 0.00001, "initialiseAttackerRate": 0.001, "initialiseDefenderRate": 0.0005}', 'eca7dc1fa2327c712f60eb888431effb1d8da5822fee87368b5dbaaca7e00274', '0', 'completed', '0.9', 'ok', '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.242951+00'),
('1a203ae1cc89b1c6-00001', '1a203ae1cc89b1c6', '1', 'funn', 'glyphs', '1', '{"beta": 0.01, "gamma": 1, "hinge": "batch", "noise": 16, "latent": 64, "filters": "32-64", "penalty": "constraint", "betaUnit": "loss", "batchSize": 128, "lossScale": "mse", "initializer": "glorotUniform", "defenderInput": "attacked", "classifierRate": 0.001, "labelSmoothing": 0, "optimiseEpochs": 3, "classifierUnits": 64, "classifierEpochs": 1, "initialiseEpochs": 2, "optimiseAttackerRate": 0.00001, "optimiseDefenderRate": 0.00001, "initialiseAttackerRate": 0.001, "initialiseDefenderRate": 0.0005}', 'eca7dc1fa2327c712f60eb888431effb1d8da5822fee87368b5dbaaca7e00274', '0', 'completed', '0.9', 'masked', '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.368917+00'),
('1a203ae1cc89b1c6-00002', '1a203ae1cc89b1c6', '2', 'funn', 'glyphs', '0', '{"beta": 0.01, "gamma": 2, "hinge": "batch", "noise": 16, "latent": 64, "filters": "32-64", "penalty": "constraint", "betaUnit": "loss", "batchSize": 128, "lossScale": "mse", "initializer": "glorotUniform", "defenderInput": "attacked", "classifierRate": 0.001, "labelSmoothing": 0, "optimiseEpochs": 3, "classifierUnits": 64, "classifierEpochs": 1, "initialiseEpochs": 2, "optimiseAttackerRate": 0.00001, "optimiseDefenderRate": 0.00001, "initialiseAttackerRate": 0.001, "initialiseDefenderRate": 0.0005}', '7de2169fc5a14040c1e0310cd596ba291a3f784bbad71a4d450b2a2e7b7af554', '1', 'completed', '0.9', 'ok', '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.462368+00'),
('1a203ae1cc89b1c6-00003', '1a203ae1cc89b1c6', '3', 'funn', 'glyphs', '1', '{"beta": 0.01, "gamma": 2, "hinge": "batch", "noise": 16, "latent": 64, "filters": "32-64", "penalty": "constraint", "betaUnit": "loss", "batchSize": 128, "lossScale": "mse", "initializer": "glorotUniform", "defenderInput": "attacked", "classifierRate": 0.001, "labelSmoothing": 0, "optimiseEpochs": 3, "classifierUnits": 64, "classifierEpochs": 1, "initialiseEpochs": 2, "optimiseAttackerRate": 0.00001, "optimiseDefenderRate": 0.00001, "initialiseAttackerRate": 0.001, "initialiseDefenderRate": 0.0005}', '7de2169fc5a14040c1e0310cd596ba291a3f784bbad71a4d450b2a2e7b7af554', '1', 'completed', '0.9', 'masked', '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.559618+00'),
('1a203ae1f02188f2-00000', '1a203ae1f02188f2', '0', 'funn', 'glyphs', '7', '{"beta": 0.01, "gamma": 3, "hinge": "batch", "noise": 16, "latent": 64, "filters": "32-64", "penalty": "constraint", "betaUnit": "loss", "batchSize": 128, "lossScale": "mse", "initializer": "glorotUniform", "defenderInput": "attacked", "classifierRate": 0.001, "labelSmoothing": 0, "optimiseEpochs": 3, "classifierUnits": 64, "classifierEpochs": 1, "initialiseEpochs": 2, "optimiseAttackerRate": 0.00001, "optimiseDefenderRate": 0.00001, "initialiseAttackerRate": 0.001, "initialiseDefenderRate": 0.0005}', 'd3d4c58cc9493973a24c0982b551ca2027c9d830f0a8cfc24a2c895b32a2be59', '0', 'running', NULL, NULL, '2026-11-22 14:34:32.574231+00', NULL);

INSERT INTO "sweep_knobs" ("sweep_id", "knob", "number", "word") VALUES
('1a203ae1cc89b1c6', 'batchSize', '128', NULL),
('1a203ae1cc89b1c6', 'beta', '0.01', NULL),
('1a203ae1cc89b1c6', 'betaUnit', NULL, 'loss'),
('1a203ae1cc89b1c6', 'classifierEpochs', '1', NULL),
('1a203ae1cc89b1c6', 'classifierRate', '0.001', NULL),
('1a203ae1cc89b1c6', 'classifierUnits', '64', NULL),
('1a203ae1cc89b1c6', 'dataset', NULL, 'glyphs'),
('1a203ae1cc89b1c6', 'defenderInput', NULL, 'attacked'),
('1a203ae1cc89b1c6', 'filters', NULL, '32-64'),
('1a203ae1cc89b1c6', 'hinge', NULL, 'batch'),
('1a203ae1cc89b1c6', 'initialiseAttackerRate', '0.001', NULL),
('1a203ae1cc89b1c6', 'initialiseDefenderRate', '0.0005', NULL),
('1a203ae1cc89b1c6', 'initialiseEpochs', '2', NULL),
('1a203ae1cc89b1c6', 'initializer', NULL, 'glorotUniform'),
('1a203ae1cc89b1c6', 'labelSmoothing', '0', NULL),
('1a203ae1cc89b1c6', 'latent', '64', NULL),
('1a203ae1cc89b1c6', 'lossScale', NULL, 'mse'),
('1a203ae1cc89b1c6', 'noise', '16', NULL),
('1a203ae1cc89b1c6', 'optimiseAttackerRate', '1e-05', NULL),
('1a203ae1cc89b1c6', 'optimiseDefenderRate', '1e-05', NULL),
('1a203ae1cc89b1c6', 'optimiseEpochs', '3', NULL),
('1a203ae1cc89b1c6', 'penalty', NULL, 'constraint'),
('1a203ae1cc89b1c6', 'recipe', NULL, 'funn'),
('1a203ae1f02188f2', 'batchSize', '128', NULL),
('1a203ae1f02188f2', 'beta', '0.01', NULL),
('1a203ae1f02188f2', 'betaUnit', NULL, 'loss'),
('1a203ae1f02188f2', 'classifierEpochs', '1', NULL),
('1a203ae1f02188f2', 'classifierRate', '0.001', NULL),
('1a203ae1f02188f2', 'classifierUnits', '64', NULL),
('1a203ae1f02188f2', 'dataset', NULL, 'glyphs'),
('1a203ae1f02188f2', 'defenderInput', NULL, 'attacked'),
('1a203ae1f02188f2', 'filters', NULL, '32-64'),
('1a203ae1f02188f2', 'gamma', '3', NULL),
('1a203ae1f02188f2', 'hinge', NULL, 'batch'),
('1a203ae1f02188f2', 'initialiseAttackerRate', '0.001', NULL),
('1a203ae1f02188f2', 'initialiseDefenderRate', '0.0005', NULL),
('1a203ae1f02188f2', 'initialiseEpochs', '2', NULL),
('1a203ae1f02188f2', 'initializer', NULL, 'glorotUniform'),
('1a203ae1f02188f2', 'labelSmoothing', '0', NULL),
('1a203ae1f02188f2', 'latent', '64', NULL),
('1a203ae1f02188f2', 'lossScale', NULL, 'mse'),
('1a203ae1f02188f2', 'noise', '16', NULL),
('1a203ae1f02188f2', 'optimiseAttackerRate', '1e-05', NULL),
('1a203ae1f02188f2', 'optimiseDefenderRate', '1e-05', NULL),
('1a203ae1f02188f2', 'optimiseEpochs', '3', NULL),
('1a203ae1f02188f2', 'penalty', NULL, 'constraint'),
('1a203ae1f02188f2', 'recipe', NULL, 'funn');

INSERT INTO "trial_knobs" ("trial_id", "knob", "number", "word") VALUES
('1a203ae1cc89b1c6-00000', 'gamma', '1', NULL),
('1a203ae1cc89b1c6-00001', 'gamma', '1', NULL),
('1a203ae1cc89b1c6-00002', 'gamma', '2', NULL),
('1a203ae1cc89b1c6-00003', 'gamma', '2', NULL);

INSERT INTO "stages" ("id", "chain", "kind", "recipe", "hyperparameters", "seed", "dataset", "epochs", "parent", "attack", "status", "after", "start_epoch", "because", "sweep_id", "planned_by", "position", "ready_at", "lease_epoch", "lease_until", "worker_id", "epoch", "step", "images_per_second", "failures", "expiries", "checkpoint", "error_code", "error_message", "created_at", "started_at", "finished_at") VALUES
('00ec4f78cea444ae92faec3a24353b054432c128293ead824dddba1735644eab', '9c290c02095587cfcba5d0bd7e1a5ef06524e0305831b91fbe4401cbfc465406', 'classify', 'funn', '{"batchSize": 128, "initializer": "glorotUniform", "classifierRate": 0.001, "labelSmoothing": 0, "classifierUnits": 64}', '0', '{"name": "glyphs", "test": 20, "train": 100, "attack": 1}', '1', '2b28680d43751886d1105dfa587cebaf563ee6a8693be6db1a8c693b83b7309d', NULL, 'completed', '2b28680d43751886d1105dfa587cebaf563ee6a8693be6db1a8c693b83b7309d', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '11', '2026-11-22 14:34:32.415418+00', '1', NULL, 'worker', '1', '0', NULL, '0', '0', '980e3c3d5b4d405a4e1f69dd76dfba8db084e65ef8c3e4539a2cf3ae117e879f', NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.424372+00', '2026-11-22 14:34:32.434754+00'),
('0118006d615d17736826c00ac5d112e0fd79ed96d6df383af33b36b1e9594d96', '27201a4f31ec60cd6f58ff8bc0d360d2ced2e1d2836c8255d70cb378043c023e', 'classify', 'funn', '{"batchSize": 128, "initializer": "glorotUniform", "classifierRate": 0.001, "labelSmoothing": 0, "classifierUnits": 64}', '1', '{"name": "glyphs", "test": 20, "train": 100, "attack": 1}', '1', 'fc7987a5423b920222c85ef920463331dac847f26d496e25da0c7e15af925a56', NULL, 'completed', 'fc7987a5423b920222c85ef920463331dac847f26d496e25da0c7e15af925a56', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '15', '2026-11-22 14:34:32.511218+00', '1', NULL, 'worker', '1', '0', NULL, '0', '0', '5b9307b752b76645de1c9500d2e4bd26d43724e0345a679d822f4076ce396b93', NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.516766+00', '2026-11-22 14:34:32.535715+00'),
('102900de030ee9512cc03525ed01631ead336dba987388bf1d1d800b75768853', '9b7a62afa3491e325a10cb82f0ea88ecd47296b7290130ecf71a41d6336e09a3', 'initialise', 'funn', '{"noise": 16, "latent": 64, "filters": "32-64", "batchSize": 128, "lossScale": "mse", "initializer": "glorotUniform", "defenderInput": "attacked", "initialiseAttackerRate": 0.001, "initialiseDefenderRate": 0.0005}', '1', '{"name": "glyphs", "test": 1, "train": 100, "attack": 1}', '2', NULL, NULL, 'completed', NULL, '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '5', '2026-11-22 14:34:31.987693+00', '1', NULL, 'worker', '2', '0', NULL, '0', '0', '366f7065d4be1f538cdc3e5df5eb6a877831a89c8b869268754b6e76c832471c', NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.255385+00', '2026-11-22 14:34:32.275493+00'),
('16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', 'c719bac0c38e5327e5a35f89e407fffb3984cd53fab145c35a738e8015521214', 'attack', 'funn', '{}', '0', '{"name": "glyphs", "test": 4, "train": 1, "attack": 4}', '0', '00ec4f78cea444ae92faec3a24353b054432c128293ead824dddba1735644eab', '{"attack": "fgsm", "settings": {"search": true, "epsilon": 1, "epsilons": 1000}}', 'completed', '00ec4f78cea444ae92faec3a24353b054432c128293ead824dddba1735644eab', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '12', '2026-11-22 14:34:32.434754+00', '1', NULL, 'worker', '0', '0', NULL, '0', '0', NULL, NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.441556+00', '2026-11-22 14:34:32.44578+00'),
('1c856bba2d8a2646046fc1bffdda596a719eeb72b274f591be19bf7e92f53300', '550813ac0afc943b049af259d2812eb0345fcc46d34b5bb1fa603e2fb28c4501', 'optimise', 'funn', '{"beta": 0.01, "gamma": 3, "hinge": "batch", "penalty": "constraint", "betaUnit": "loss", "batchSize": 128, "lossScale": "mse", "optimiseAttackerRate": 0.00001, "optimiseDefenderRate": 0.00001}', '7', '{"name": "glyphs", "test": 1, "train": 100, "attack": 1}', '3', 'cde2a3dd4eb60ae6a3f786fb446275e2a03f7fcb520aa1c0b9fd2e31b16c9b2f', NULL, 'waiting', 'cde2a3dd4eb60ae6a3f786fb446275e2a03f7fcb520aa1c0b9fd2e31b16c9b2f', '0', NULL, '1a203ae1f02188f2', '1a203ae1f02188f2', '1', '2026-11-22 14:34:32.574231+00', '0', NULL, NULL, NULL, NULL, NULL, '0', '0', NULL, NULL, NULL, '2026-11-22 14:34:32.574231+00', NULL, NULL),
('22b07f49d1c40bfada2c03913d5a648526cbb7bb9c05c9ebf892cbf410ccb669', 'a6278ae70d95396ceece3b9b1e4765916d5750ac6d86efcf7d76d255fc61a97c', 'optimise', 'funn', '{"beta": 0.01, "gamma": 1, "hinge": "batch", "penalty": "constraint", "betaUnit": "loss", "batchSize": 128, "lossScale": "mse", "optimiseAttackerRate": 0.00001, "optimiseDefenderRate": 0.00001}', '0', '{"name": "glyphs", "test": 1, "train": 100, "attack": 1}', '3', '5ac54d8838bcc7a8a865d2843f11f442c36c7aa5286b3450f9cdc9a9782cf71b', NULL, 'completed', '5ac54d8838bcc7a8a865d2843f11f442c36c7aa5286b3450f9cdc9a9782cf71b', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '1', '2026-11-22 14:34:32.117629+00', '1', NULL, 'worker', '3', '0', NULL, '0', '0', '7bd8f3cff785d547e6aa49c4fe007c79ab7c3ccd665b2624b8ae7ad0077e1d16', NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.136164+00', '2026-11-22 14:34:32.172583+00'),
('2b28680d43751886d1105dfa587cebaf563ee6a8693be6db1a8c693b83b7309d', 'b7ab9a8ecf829f6a2728ba7e80ffb96a9cf8a0935540bc1436b41ed840b2bf32', 'optimise', 'funn', '{"beta": 0.01, "gamma": 2, "hinge": "batch", "penalty": "constraint", "betaUnit": "loss", "batchSize": 128, "lossScale": "mse", "optimiseAttackerRate": 0.00001, "optimiseDefenderRate": 0.00001}', '0', '{"name": "glyphs", "test": 1, "train": 100, "attack": 1}', '3', '5ac54d8838bcc7a8a865d2843f11f442c36c7aa5286b3450f9cdc9a9782cf71b', NULL, 'completed', '5ac54d8838bcc7a8a865d2843f11f442c36c7aa5286b3450f9cdc9a9782cf71b', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '10', '2026-11-22 14:34:32.117629+00', '1', NULL, 'worker', '3', '0', NULL, '0', '0', '099695b0dfd73310e59d95472f1b6210f0b1d250097c9b9229c5e2c032a28e5e', NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.383096+00', '2026-11-22 14:34:32.415418+00'),
('349bd2d0ef08d31bfb239407c209554fa19332f16729f280d67aa77ce770ae82', '6c167cb17376c35f50fd0829deecb88ab359edc1b8746ca1efcba9e3d3fa889a', 'classify', 'funn', '{"batchSize": 128, "initializer": "glorotUniform", "classifierRate": 0.001, "labelSmoothing": 0, "classifierUnits": 64}', '1', '{"name": "glyphs", "test": 20, "train": 100, "attack": 1}', '1', 'ec11fe30370b1758dd3ae486c3a54b8c56e957a08df0528aee3488a865cf1266', NULL, 'completed', 'ec11fe30370b1758dd3ae486c3a54b8c56e957a08df0528aee3488a865cf1266', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '7', '2026-11-22 14:34:32.323505+00', '1', NULL, 'worker', '1', '0', NULL, '0', '0', 'e2c0da98f7d940cdf6a608b46af0aa47483d88960866b78dec5c725285c08ce6', NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.330395+00', '2026-11-22 14:34:32.341016+00'),
('54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b', '8aa279d997febb5f7e2dd643b98f1a0b18b5a8773aee936cb72a203a0361af4e', 'attack', 'funn', '{}', '1', '{"name": "glyphs", "test": 4, "train": 1, "attack": 4}', '0', '349bd2d0ef08d31bfb239407c209554fa19332f16729f280d67aa77ce770ae82', '{"attack": "fgsm", "settings": {"search": true, "epsilon": 1, "epsilons": 1000}}', 'completed', '349bd2d0ef08d31bfb239407c209554fa19332f16729f280d67aa77ce770ae82', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '8', '2026-11-22 14:34:32.341016+00', '1', NULL, 'worker', '0', '0', NULL, '0', '0', NULL, NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.348012+00', '2026-11-22 14:34:32.35234+00'),
('55f2c49664ff720a8ab3f9d13f991c8a63dffe25a789c8b23e2ef306217d484d', '712839357452660f441cc5194e9aef89ff98cf2892271f58f453e0780fe2c84a', 'classify', 'funn', '{"batchSize": 128, "initializer": "glorotUniform", "classifierRate": 0.001, "labelSmoothing": 0, "classifierUnits": 64}', '0', '{"name": "glyphs", "test": 20, "train": 100, "attack": 1}', '1', '22b07f49d1c40bfada2c03913d5a648526cbb7bb9c05c9ebf892cbf410ccb669', NULL, 'completed', '22b07f49d1c40bfada2c03913d5a648526cbb7bb9c05c9ebf892cbf410ccb669', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '2', '2026-11-22 14:34:32.172583+00', '1', NULL, 'worker', '1', '0', NULL, '0', '0', '97374bf81519e72d746e7dadbdac49b750bde17d714431e8d7a43819aad14651', NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.180432+00', '2026-11-22 14:34:32.19527+00'),
('5ac54d8838bcc7a8a865d2843f11f442c36c7aa5286b3450f9cdc9a9782cf71b', 'e53972234e0154b965fdaaf80b92e3b37fc95c529d4a7863444499b3de866eff', 'initialise', 'funn', '{"noise": 16, "latent": 64, "filters": "32-64", "batchSize": 128, "lossScale": "mse", "initializer": "glorotUniform", "defenderInput": "attacked", "initialiseAttackerRate": 0.001, "initialiseDefenderRate": 0.0005}', '0', '{"name": "glyphs", "test": 1, "train": 100, "attack": 1}', '2', NULL, NULL, 'completed', NULL, '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '0', '2026-11-22 14:34:31.987693+00', '1', NULL, 'worker', '2', '0', NULL, '0', '0', '077b203232a9a53075cd9170b55ef9ef3ba311a1384d11398dfa618024f33757', NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.059552+00', '2026-11-22 14:34:32.117629+00'),
('a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b', 'f2d6e76d177923eef7c702d99f0e577c4fc14b410ed079d5fb80654cc6414e7f', 'attack', 'funn', '{}', '1', '{"name": "glyphs", "test": 4, "train": 1, "attack": 4}', '0', '349bd2d0ef08d31bfb239407c209554fa19332f16729f280d67aa77ce770ae82', '{"attack": "gradient", "settings": {"epsilon": 1, "epsilons": 1000}}', 'completed', '349bd2d0ef08d31bfb239407c209554fa19332f16729f280d67aa77ce770ae82', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '9', '2026-11-22 14:34:32.341016+00', '1', NULL, 'worker', '0', '0', NULL, '0', '0', NULL, NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.364542+00', '2026-11-22 14:34:32.368917+00'),
('b43eee94137c6335adf4b5b478fbff0c8d26be06e67b688b7771449363f2bc67', '32fb7de466eb83dcebeb12e78e13f7750cd741121f11123f9d8cf1e5122c092f', 'attack', 'funn', '{}', '7', '{"name": "glyphs", "test": 4, "train": 1, "attack": 4}', '0', 'e381b1a4f90f46de84e7620f69de712b7aad681fb4c4e4e937cbecd8a0cfad54', '{"attack": "fgsm", "settings": {"search": true, "epsilon": 1, "epsilons": 1000}}', 'waiting', 'e381b1a4f90f46de84e7620f69de712b7aad681fb4c4e4e937cbecd8a0cfad54', '0', NULL, '1a203ae1f02188f2', '1a203ae1f02188f2', '3', '2026-11-22 14:34:32.574231+00', '0', NULL, NULL, NULL, NULL, NULL, '0', '0', NULL, NULL, NULL, '2026-11-22 14:34:32.574231+00', NULL, NULL),
('cde2a3dd4eb60ae6a3f786fb446275e2a03f7fcb520aa1c0b9fd2e31b16c9b2f', '8659e490b96483901e62e102024e383b371bc6fc12501b7a1caae556c03febb6', 'initialise', 'funn', '{"noise": 16, "latent": 64, "filters": "32-64", "batchSize": 128, "lossScale": "mse", "initializer": "glorotUniform", "defenderInput": "attacked", "initialiseAttackerRate": 0.001, "initialiseDefenderRate": 0.0005}', '7', '{"name": "glyphs", "test": 1, "train": 100, "attack": 1}', '2', NULL, NULL, 'running', NULL, '0', NULL, '1a203ae1f02188f2', '1a203ae1f02188f2', '0', '2026-11-22 14:34:32.574231+00', '1', '2026-11-22 14:35:32.586221+00', 'worker that never came back', '1', '0', NULL, '0', '0', NULL, NULL, NULL, '2026-11-22 14:34:32.574231+00', '2026-11-22 14:34:32.586221+00', NULL),
('e381b1a4f90f46de84e7620f69de712b7aad681fb4c4e4e937cbecd8a0cfad54', 'fb3344413617f44050194e5d70038218f73d0f74e9a1515bae870825157d4f4f', 'classify', 'funn', '{"batchSize": 128, "initializer": "glorotUniform", "classifierRate": 0.001, "labelSmoothing": 0, "classifierUnits": 64}', '7', '{"name": "glyphs", "test": 20, "train": 100, "attack": 1}', '1', '1c856bba2d8a2646046fc1bffdda596a719eeb72b274f591be19bf7e92f53300', NULL, 'waiting', '1c856bba2d8a2646046fc1bffdda596a719eeb72b274f591be19bf7e92f53300', '0', NULL, '1a203ae1f02188f2', '1a203ae1f02188f2', '2', '2026-11-22 14:34:32.574231+00', '0', NULL, NULL, NULL, NULL, NULL, '0', '0', NULL, NULL, NULL, '2026-11-22 14:34:32.574231+00', NULL, NULL),
('e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', '19e6ea2705491324421455d6a1954d3a455554afe3e5a3ce33f1bdad8404bb8c', 'attack', 'funn', '{}', '0', '{"name": "glyphs", "test": 4, "train": 1, "attack": 4}', '0', '55f2c49664ff720a8ab3f9d13f991c8a63dffe25a789c8b23e2ef306217d484d', '{"attack": "fgsm", "settings": {"search": true, "epsilon": 1, "epsilons": 1000}}', 'completed', '55f2c49664ff720a8ab3f9d13f991c8a63dffe25a789c8b23e2ef306217d484d', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '3', '2026-11-22 14:34:32.19527+00', '1', NULL, 'worker', '0', '0', NULL, '0', '0', NULL, NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.205415+00', '2026-11-22 14:34:32.216182+00'),
('ec11fe30370b1758dd3ae486c3a54b8c56e957a08df0528aee3488a865cf1266', '915bc338955aab7cd7337e184a3b3e211ad294062661a996b90ed42dfa32f819', 'optimise', 'funn', '{"beta": 0.01, "gamma": 1, "hinge": "batch", "penalty": "constraint", "betaUnit": "loss", "batchSize": 128, "lossScale": "mse", "optimiseAttackerRate": 0.00001, "optimiseDefenderRate": 0.00001}', '1', '{"name": "glyphs", "test": 1, "train": 100, "attack": 1}', '3', '102900de030ee9512cc03525ed01631ead336dba987388bf1d1d800b75768853', NULL, 'completed', '102900de030ee9512cc03525ed01631ead336dba987388bf1d1d800b75768853', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '6', '2026-11-22 14:34:32.275493+00', '1', NULL, 'worker', '3', '0', NULL, '0', '0', 'dcfcd72952feb092800fe4e256c53d935cf3e91d0da7d3b843715b40986764ed', NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.285166+00', '2026-11-22 14:34:32.323505+00'),
('ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a', '48e6bcba1d0e977a2f3bc4bb193a8ddd9f92c8d3d9eba3c686214cc06b38a3cb', 'attack', 'funn', '{}', '1', '{"name": "glyphs", "test": 4, "train": 1, "attack": 4}', '0', '0118006d615d17736826c00ac5d112e0fd79ed96d6df383af33b36b1e9594d96', '{"attack": "gradient", "settings": {"epsilon": 1, "epsilons": 1000}}', 'completed', '0118006d615d17736826c00ac5d112e0fd79ed96d6df383af33b36b1e9594d96', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '17', '2026-11-22 14:34:32.535715+00', '1', NULL, 'worker', '0', '0', NULL, '0', '0', NULL, NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.556087+00', '2026-11-22 14:34:32.559618+00'),
('ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0', 'd47b3643ee44122c5f9989080d82cb81ac7165765231b798db05a7ba90c057ee', 'attack', 'funn', '{}', '0', '{"name": "glyphs", "test": 4, "train": 1, "attack": 4}', '0', '00ec4f78cea444ae92faec3a24353b054432c128293ead824dddba1735644eab', '{"attack": "gradient", "settings": {"epsilon": 1, "epsilons": 1000}}', 'completed', '00ec4f78cea444ae92faec3a24353b054432c128293ead824dddba1735644eab', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '13', '2026-11-22 14:34:32.434754+00', '1', NULL, 'worker', '0', '0', NULL, '0', '0', NULL, NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.458293+00', '2026-11-22 14:34:32.462368+00'),
('f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4', '8e90422afd397d917ec61f41d98d863ca5aab2b20dca4bcd560c76f7a808a64e', 'attack', 'funn', '{}', '0', '{"name": "glyphs", "test": 4, "train": 1, "attack": 4}', '0', '55f2c49664ff720a8ab3f9d13f991c8a63dffe25a789c8b23e2ef306217d484d', '{"attack": "gradient", "settings": {"epsilon": 1, "epsilons": 1000}}', 'completed', '55f2c49664ff720a8ab3f9d13f991c8a63dffe25a789c8b23e2ef306217d484d', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '4', '2026-11-22 14:34:32.19527+00', '1', NULL, 'worker', '0', '0', NULL, '0', '0', NULL, NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.23615+00', '2026-11-22 14:34:32.242951+00'),
('fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542', '462b5dbe968e657e5ccabb02461f6808a4408f2d8f5c903a9ff56cd563c2a79f', 'attack', 'funn', '{}', '1', '{"name": "glyphs", "test": 4, "train": 1, "attack": 4}', '0', '0118006d615d17736826c00ac5d112e0fd79ed96d6df383af33b36b1e9594d96', '{"attack": "fgsm", "settings": {"search": true, "epsilon": 1, "epsilons": 1000}}', 'completed', '0118006d615d17736826c00ac5d112e0fd79ed96d6df383af33b36b1e9594d96', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '16', '2026-11-22 14:34:32.535715+00', '1', NULL, 'worker', '0', '0', NULL, '0', '0', NULL, NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.542235+00', '2026-11-22 14:34:32.548289+00'),
('fc7987a5423b920222c85ef920463331dac847f26d496e25da0c7e15af925a56', '86e75ac1e5045d96c8b3253dcbd53628c62529e6a27244efa63600708d7aca73', 'optimise', 'funn', '{"beta": 0.01, "gamma": 2, "hinge": "batch", "penalty": "constraint", "betaUnit": "loss", "batchSize": 128, "lossScale": "mse", "optimiseAttackerRate": 0.00001, "optimiseDefenderRate": 0.00001}', '1', '{"name": "glyphs", "test": 1, "train": 100, "attack": 1}', '3', '102900de030ee9512cc03525ed01631ead336dba987388bf1d1d800b75768853', NULL, 'completed', '102900de030ee9512cc03525ed01631ead336dba987388bf1d1d800b75768853', '0', NULL, '1a203ae1cc89b1c6', '1a203ae1cc89b1c6', '14', '2026-11-22 14:34:32.275493+00', '1', NULL, 'worker', '3', '0', NULL, '0', '0', '27228a5aeb3e7bb894563b50580bb8814787deddab265046ad9af8f6c7e97740', NULL, NULL, '2026-11-22 14:34:31.987693+00', '2026-11-22 14:34:32.47492+00', '2026-11-22 14:34:32.511218+00');

INSERT INTO "sweep_stages" ("sweep_id", "stage_id", "position", "direct") VALUES
('1a203ae1cc89b1c6', '00ec4f78cea444ae92faec3a24353b054432c128293ead824dddba1735644eab', '11', 'true'),
('1a203ae1cc89b1c6', '0118006d615d17736826c00ac5d112e0fd79ed96d6df383af33b36b1e9594d96', '15', 'true'),
('1a203ae1cc89b1c6', '102900de030ee9512cc03525ed01631ead336dba987388bf1d1d800b75768853', '5', 'true'),
('1a203ae1cc89b1c6', '16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', '12', 'true'),
('1a203ae1cc89b1c6', '22b07f49d1c40bfada2c03913d5a648526cbb7bb9c05c9ebf892cbf410ccb669', '1', 'true'),
('1a203ae1cc89b1c6', '2b28680d43751886d1105dfa587cebaf563ee6a8693be6db1a8c693b83b7309d', '10', 'true'),
('1a203ae1cc89b1c6', '349bd2d0ef08d31bfb239407c209554fa19332f16729f280d67aa77ce770ae82', '7', 'true'),
('1a203ae1cc89b1c6', '54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b', '8', 'true'),
('1a203ae1cc89b1c6', '55f2c49664ff720a8ab3f9d13f991c8a63dffe25a789c8b23e2ef306217d484d', '2', 'true'),
('1a203ae1cc89b1c6', '5ac54d8838bcc7a8a865d2843f11f442c36c7aa5286b3450f9cdc9a9782cf71b', '0', 'true'),
('1a203ae1cc89b1c6', 'a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b', '9', 'true'),
('1a203ae1cc89b1c6', 'e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', '3', 'true'),
('1a203ae1cc89b1c6', 'ec11fe30370b1758dd3ae486c3a54b8c56e957a08df0528aee3488a865cf1266', '6', 'true'),
('1a203ae1cc89b1c6', 'ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a', '17', 'true'),
('1a203ae1cc89b1c6', 'ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0', '13', 'true'),
('1a203ae1cc89b1c6', 'f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4', '4', 'true'),
('1a203ae1cc89b1c6', 'fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542', '16', 'true'),
('1a203ae1cc89b1c6', 'fc7987a5423b920222c85ef920463331dac847f26d496e25da0c7e15af925a56', '14', 'true'),
('1a203ae1f02188f2', '1c856bba2d8a2646046fc1bffdda596a719eeb72b274f591be19bf7e92f53300', '1', 'true'),
('1a203ae1f02188f2', 'b43eee94137c6335adf4b5b478fbff0c8d26be06e67b688b7771449363f2bc67', '3', 'true'),
('1a203ae1f02188f2', 'cde2a3dd4eb60ae6a3f786fb446275e2a03f7fcb520aa1c0b9fd2e31b16c9b2f', '0', 'true'),
('1a203ae1f02188f2', 'e381b1a4f90f46de84e7620f69de712b7aad681fb4c4e4e937cbecd8a0cfad54', '2', 'true');

INSERT INTO "trial_stages" ("trial_id", "position", "stage_id") VALUES
('1a203ae1cc89b1c6-00000', '0', '5ac54d8838bcc7a8a865d2843f11f442c36c7aa5286b3450f9cdc9a9782cf71b'),
('1a203ae1cc89b1c6-00000', '1', '22b07f49d1c40bfada2c03913d5a648526cbb7bb9c05c9ebf892cbf410ccb669'),
('1a203ae1cc89b1c6-00000', '2', '55f2c49664ff720a8ab3f9d13f991c8a63dffe25a789c8b23e2ef306217d484d'),
('1a203ae1cc89b1c6-00000', '3', 'e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7'),
('1a203ae1cc89b1c6-00000', '4', 'f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4'),
('1a203ae1cc89b1c6-00001', '0', '102900de030ee9512cc03525ed01631ead336dba987388bf1d1d800b75768853'),
('1a203ae1cc89b1c6-00001', '1', 'ec11fe30370b1758dd3ae486c3a54b8c56e957a08df0528aee3488a865cf1266'),
('1a203ae1cc89b1c6-00001', '2', '349bd2d0ef08d31bfb239407c209554fa19332f16729f280d67aa77ce770ae82'),
('1a203ae1cc89b1c6-00001', '3', '54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b'),
('1a203ae1cc89b1c6-00001', '4', 'a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b'),
('1a203ae1cc89b1c6-00002', '0', '5ac54d8838bcc7a8a865d2843f11f442c36c7aa5286b3450f9cdc9a9782cf71b'),
('1a203ae1cc89b1c6-00002', '1', '2b28680d43751886d1105dfa587cebaf563ee6a8693be6db1a8c693b83b7309d'),
('1a203ae1cc89b1c6-00002', '2', '00ec4f78cea444ae92faec3a24353b054432c128293ead824dddba1735644eab'),
('1a203ae1cc89b1c6-00002', '3', '16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d'),
('1a203ae1cc89b1c6-00002', '4', 'ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0'),
('1a203ae1cc89b1c6-00003', '0', '102900de030ee9512cc03525ed01631ead336dba987388bf1d1d800b75768853'),
('1a203ae1cc89b1c6-00003', '1', 'fc7987a5423b920222c85ef920463331dac847f26d496e25da0c7e15af925a56'),
('1a203ae1cc89b1c6-00003', '2', '0118006d615d17736826c00ac5d112e0fd79ed96d6df383af33b36b1e9594d96'),
('1a203ae1cc89b1c6-00003', '3', 'fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542'),
('1a203ae1cc89b1c6-00003', '4', 'ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a'),
('1a203ae1f02188f2-00000', '0', 'cde2a3dd4eb60ae6a3f786fb446275e2a03f7fcb520aa1c0b9fd2e31b16c9b2f'),
('1a203ae1f02188f2-00000', '1', '1c856bba2d8a2646046fc1bffdda596a719eeb72b274f591be19bf7e92f53300'),
('1a203ae1f02188f2-00000', '2', 'e381b1a4f90f46de84e7620f69de712b7aad681fb4c4e4e937cbecd8a0cfad54'),
('1a203ae1f02188f2-00000', '3', 'b43eee94137c6335adf4b5b478fbff0c8d26be06e67b688b7771449363f2bc67');

INSERT INTO "sweep_counts" ("sweep_id", "slot", "subject", "count") VALUES
('1a203ae1cc89b1c6', '0', 'stage:attack:completed', '8'),
('1a203ae1cc89b1c6', '0', 'stage:attack:ready', '0'),
('1a203ae1cc89b1c6', '0', 'stage:attack:running', '0'),
('1a203ae1cc89b1c6', '0', 'stage:attack:waiting', '0'),
('1a203ae1cc89b1c6', '0', 'stage:classify:completed', '4'),
('1a203ae1cc89b1c6', '0', 'stage:classify:ready', '0'),
('1a203ae1cc89b1c6', '0', 'stage:classify:running', '0'),
('1a203ae1cc89b1c6', '0', 'stage:classify:waiting', '0'),
('1a203ae1cc89b1c6', '0', 'stage:initialise:completed', '2'),
('1a203ae1cc89b1c6', '0', 'stage:initialise:ready', '0'),
('1a203ae1cc89b1c6', '0', 'stage:initialise:running', '0'),
('1a203ae1cc89b1c6', '0', 'stage:optimise:completed', '4'),
('1a203ae1cc89b1c6', '0', 'stage:optimise:ready', '0'),
('1a203ae1cc89b1c6', '0', 'stage:optimise:running', '0'),
('1a203ae1cc89b1c6', '0', 'stage:optimise:waiting', '0'),
('1a203ae1cc89b1c6', '0', 'trained', '20'),
('1a203ae1cc89b1c6', '0', 'trial:completed', '4'),
('1a203ae1cc89b1c6', '0', 'trial:running', '0'),
('1a203ae1cc89b1c6', '0', 'trial:waiting', '0'),
('1a203ae1f02188f2', '0', 'stage:attack:waiting', '1'),
('1a203ae1f02188f2', '0', 'stage:classify:waiting', '1'),
('1a203ae1f02188f2', '0', 'stage:initialise:ready', '0'),
('1a203ae1f02188f2', '0', 'stage:initialise:running', '1'),
('1a203ae1f02188f2', '0', 'stage:optimise:waiting', '1'),
('1a203ae1f02188f2', '0', 'trained', '1'),
('1a203ae1f02188f2', '0', 'trial:running', '1'),
('1a203ae1f02188f2', '0', 'trial:waiting', '0');

INSERT INTO "attempts" ("stage_id", "lease_epoch", "worker_id", "started_at", "ended_at", "outcome", "epochs", "fenced", "mismatches", "backend", "device", "engine_version", "error_code", "error_message", "error_stack") VALUES
('00ec4f78cea444ae92faec3a24353b054432c128293ead824dddba1735644eab', '1', 'worker', '2026-11-22 14:34:32.424372+00', '2026-11-22 14:34:32.434754+00', 'completed', '1', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('0118006d615d17736826c00ac5d112e0fd79ed96d6df383af33b36b1e9594d96', '1', 'worker', '2026-11-22 14:34:32.516766+00', '2026-11-22 14:34:32.535715+00', 'completed', '1', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('102900de030ee9512cc03525ed01631ead336dba987388bf1d1d800b75768853', '1', 'worker', '2026-11-22 14:34:32.255385+00', '2026-11-22 14:34:32.275493+00', 'completed', '2', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', '1', 'worker', '2026-11-22 14:34:32.441556+00', '2026-11-22 14:34:32.44578+00', 'completed', '0', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('22b07f49d1c40bfada2c03913d5a648526cbb7bb9c05c9ebf892cbf410ccb669', '1', 'worker', '2026-11-22 14:34:32.136164+00', '2026-11-22 14:34:32.172583+00', 'completed', '3', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('2b28680d43751886d1105dfa587cebaf563ee6a8693be6db1a8c693b83b7309d', '1', 'worker', '2026-11-22 14:34:32.383096+00', '2026-11-22 14:34:32.415418+00', 'completed', '3', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('349bd2d0ef08d31bfb239407c209554fa19332f16729f280d67aa77ce770ae82', '1', 'worker', '2026-11-22 14:34:32.330395+00', '2026-11-22 14:34:32.341016+00', 'completed', '1', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b', '1', 'worker', '2026-11-22 14:34:32.348012+00', '2026-11-22 14:34:32.35234+00', 'completed', '0', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('55f2c49664ff720a8ab3f9d13f991c8a63dffe25a789c8b23e2ef306217d484d', '1', 'worker', '2026-11-22 14:34:32.180432+00', '2026-11-22 14:34:32.19527+00', 'completed', '1', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('5ac54d8838bcc7a8a865d2843f11f442c36c7aa5286b3450f9cdc9a9782cf71b', '1', 'worker', '2026-11-22 14:34:32.059552+00', '2026-11-22 14:34:32.117629+00', 'completed', '2', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b', '1', 'worker', '2026-11-22 14:34:32.364542+00', '2026-11-22 14:34:32.368917+00', 'completed', '0', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('cde2a3dd4eb60ae6a3f786fb446275e2a03f7fcb520aa1c0b9fd2e31b16c9b2f', '1', 'worker that never came back', '2026-11-22 14:34:32.586221+00', NULL, 'running', '1', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', '1', 'worker', '2026-11-22 14:34:32.205415+00', '2026-11-22 14:34:32.216182+00', 'completed', '0', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('ec11fe30370b1758dd3ae486c3a54b8c56e957a08df0528aee3488a865cf1266', '1', 'worker', '2026-11-22 14:34:32.285166+00', '2026-11-22 14:34:32.323505+00', 'completed', '3', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a', '1', 'worker', '2026-11-22 14:34:32.556087+00', '2026-11-22 14:34:32.559618+00', 'completed', '0', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0', '1', 'worker', '2026-11-22 14:34:32.458293+00', '2026-11-22 14:34:32.462368+00', 'completed', '0', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4', '1', 'worker', '2026-11-22 14:34:32.23615+00', '2026-11-22 14:34:32.242951+00', 'completed', '0', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542', '1', 'worker', '2026-11-22 14:34:32.542235+00', '2026-11-22 14:34:32.548289+00', 'completed', '0', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL),
('fc7987a5423b920222c85ef920463331dac847f26d496e25da0c7e15af925a56', '1', 'worker', '2026-11-22 14:34:32.47492+00', '2026-11-22 14:34:32.511218+00', 'completed', '3', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO "chains" ("id", "hash") VALUES
('1', 'e53972234e0154b965fdaaf80b92e3b37fc95c529d4a7863444499b3de866eff'),
('10', '27201a4f31ec60cd6f58ff8bc0d360d2ced2e1d2836c8255d70cb378043c023e'),
('11', '8659e490b96483901e62e102024e383b371bc6fc12501b7a1caae556c03febb6'),
('2', 'a6278ae70d95396ceece3b9b1e4765916d5750ac6d86efcf7d76d255fc61a97c'),
('3', '712839357452660f441cc5194e9aef89ff98cf2892271f58f453e0780fe2c84a'),
('4', '9b7a62afa3491e325a10cb82f0ea88ecd47296b7290130ecf71a41d6336e09a3'),
('5', '915bc338955aab7cd7337e184a3b3e211ad294062661a996b90ed42dfa32f819'),
('6', '6c167cb17376c35f50fd0829deecb88ab359edc1b8746ca1efcba9e3d3fa889a'),
('7', 'b7ab9a8ecf829f6a2728ba7e80ffb96a9cf8a0935540bc1436b41ed840b2bf32'),
('8', '9c290c02095587cfcba5d0bd7e1a5ef06524e0305831b91fbe4401cbfc465406'),
('9', '86e75ac1e5045d96c8b3253dcbd53628c62529e6a27244efa63600708d7aca73');

INSERT INTO "checkpoints" ("chain_id", "epoch", "step", "hash", "manifest", "continuable", "created_at") VALUES
('1', '1', '0', '2f1ce5571dc25c87ba0cfee34d9a49cba621682ed8dbd54a023584079d2fdb38', '{"moments": {"blob": "89dd374870da225b04fb0d14bf99dbdbd716b355e0e74bddaf56075f25b5f42e", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "ca333d17f6c13a6fca4225170e206c8d9f895d37483c96593f45b665a517f552", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 1}}', 'false', '2026-11-22 14:34:32.079211+00'),
('1', '2', '0', '077b203232a9a53075cd9170b55ef9ef3ba311a1384d11398dfa618024f33757', '{"moments": {"blob": "b78a04af7318932694cc3433136cd5ab24af6beee209f104a8ccc18ee8b37c9f", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "b9d66849b2002365faf08625795e930c78c77c411d4352f50561ef014b1c9826", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 2}}', 'true', '2026-11-22 14:34:32.105191+00'),
('10', '1', '0', '5b9307b752b76645de1c9500d2e4bd26d43724e0345a679d822f4076ce396b93', '{"moments": {"blob": "a046ea7ba66c7c361beea7a0b77d78fd4e4479fff0588ecd8ed0f89f119e7c55", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "87fc242008e55b2837cb5113f7fe0ebd3469039691b84da61ff8871688f06c18", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 1}}', 'true', '2026-11-22 14:34:32.530159+00'),
('11', '1', '0', '0416cedcc9a5c3765228cc808083e67e49af666a040caccfb21e8973ba0e36a0', '{"moments": {"blob": "96d36d4dad34cf04c7f205e68a53cb3e68734cf4390084fc6d09cadc123744b2", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "d2cecf44da7abe18f1d21f385dd2f066f5b77fef40ac29512484d1a9fa9f3524", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 1}}', 'true', '2026-11-22 14:34:32.591956+00'),
('2', '1', '0', '2e16910f7dc0e7cd7b4c0daeb4435073c1b065f7dfe5b5a4776401ee42e988d0', '{"moments": {"blob": "1966f2f6129ab5c916312a5dc976c0340d9767d746b79d1f90156b76f8931d30", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "65de58ff023dfbc18729c01d4590ef834e7acb7b4fa1f86f88dceb32c5971888", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 1}}', 'false', '2026-11-22 14:34:32.145723+00'),
('2', '2', '0', '6c2274d233e0b9d019c2a0a1dd95da41376c760e4ca8236f6a0b1b751e5d8df8', '{"moments": {"blob": "96bf077ce5b5c36fa1c0377dc14c9c4e45ee33e7be35552e65db093bb9cbd524", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "4604e37a294d00c295d8f07566c094d0a248458b6ae82c6f6730344aa8c71204", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 2}}', 'false', '2026-11-22 14:34:32.155051+00'),
('2', '3', '0', '7bd8f3cff785d547e6aa49c4fe007c79ab7c3ccd665b2624b8ae7ad0077e1d16', '{"moments": {"blob": "220f780112b946a2d932fa86818ca73a7cffed4e5f806bce6b6ff99f603d82d0", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "e826405049f62c9e9c941c0e365d3d327143eeae5d91fae9e91fe17956a287c8", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 3}}', 'true', '2026-11-22 14:34:32.164492+00'),
('3', '1', '0', '97374bf81519e72d746e7dadbdac49b750bde17d714431e8d7a43819aad14651', '{"moments": {"blob": "01af08f864586707050c2dd2b820adaabcc42588a7003c6ce7ed46a94fb5744c", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "cab2ff63ad681c05331755d347407ed0843920da83906f6f08fd59ceab00e546", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 1}}', 'true', '2026-11-22 14:34:32.186901+00'),
('4', '1', '0', '593a6fc6eff3e5a9d8a92f2d4b81c195b8808dbc76d305924be40cddbefc596f', '{"moments": {"blob": "fc659bdee8897ac841f41bad5b5b541a6567d1b5794fb0e88df030d9d9d9cccd", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "a48d5e836a885ca203b070247644fd7c12cbf5b7a09431fa070459c02a922d15", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 1}}', 'false', '2026-11-22 14:34:32.261565+00'),
('4', '2', '0', '366f7065d4be1f538cdc3e5df5eb6a877831a89c8b869268754b6e76c832471c', '{"moments": {"blob": "7b86cca71f480ce84b4a77870690844f77a8c8fcbcac66c61c990a4783eaf60e", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "00b04b77405a5b91c86e79ddd9f45f0e3fbb9d79e6da9e03f0cdc9be2d9cdefe", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 2}}', 'true', '2026-11-22 14:34:32.268818+00'),
('5', '1', '0', '46d98c240f3c098e3f3522cc886ac3132222aa8f548aa96c36474a42ea37c90d', '{"moments": {"blob": "0daf633e0279d6b1ec2b2b4d859deb4dc855d56b718d94aab5edd1a0658cf878", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "afa02cb9cb3eb15ad2175ebc14be95f7498c4b520f7f8e0d7c0dd94effa244cc", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 1}}', 'false', '2026-11-22 14:34:32.292016+00'),
('5', '2', '0', '6c391dfc2188b73aaa485eb66c63c87fe915337d6d0a3766e6471ab2e7894dc1', '{"moments": {"blob": "a719f59c45a8a70bcbf21ee45f7056d88a5d06c3fef37d081647e1afc487fd3c", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "4582af9532fd9a4e6f081c76f844ecd14060c74a978e139de615bfd562f511a9", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 2}}', 'false', '2026-11-22 14:34:32.306422+00'),
('5', '3', '0', 'dcfcd72952feb092800fe4e256c53d935cf3e91d0da7d3b843715b40986764ed', '{"moments": {"blob": "d3c681ba577ca059024efab8cdcfa81793fbdd3ebd7b0f5c4d0c6f26c38ff5cf", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "2166f99e881b2116a5a2d52b39757931b9ac0464bca2259761f404e0d2d74caf", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 3}}', 'true', '2026-11-22 14:34:32.313047+00'),
('6', '1', '0', 'e2c0da98f7d940cdf6a608b46af0aa47483d88960866b78dec5c725285c08ce6', '{"moments": {"blob": "091f4fa4032604de280b0d8345e5d32c5988b52c6764b1709a01ffc91cb47473", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "55aad1c8580d93e140091a2e9d3deb56bfecf08301761afb8541a5b7b14b90af", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 1}}', 'true', '2026-11-22 14:34:32.334891+00'),
('7', '1', '0', '839625fb4ca51935ad52e0546a30f258d7a2844b00d1257902c2bb85a5d40f1d', '{"moments": {"blob": "5ef50d90300ba4461d033e2fd77942bd0b8b96058f2752c8f45d336c06f41295", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "9c146f041095fb2f8ec4fb4f1895b6e58c7dd01ae162ce793b67e204025cef21", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 1}}', 'false', '2026-11-22 14:34:32.387238+00'),
('7', '2', '0', '20db07e36aaad38c9baf1ff38c7810a761aeffb4971569e491feafbb46f44616', '{"moments": {"blob": "f7ddbe660f9e0251dd3a677b720cbe7e6c7edd4fc24ba0b5fea18ebf7dacfefa", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "6a03a197ce5439205b37e5f6b1a6a8e7f3a266fef5acac62155e74ae9acc25f4", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 2}}', 'false', '2026-11-22 14:34:32.393792+00'),
('7', '3', '0', '099695b0dfd73310e59d95472f1b6210f0b1d250097c9b9229c5e2c032a28e5e', '{"moments": {"blob": "d12635b53a688b084a8c9f20756f07444355f7b53e7eed9dbb2e7cf297d746d3", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "3de2bd701451045238b8cd9465d42ae8fc3c2844aa7d30d021691df93dde0620", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 3}}', 'true', '2026-11-22 14:34:32.407758+00'),
('8', '1', '0', '980e3c3d5b4d405a4e1f69dd76dfba8db084e65ef8c3e4539a2cf3ae117e879f', '{"moments": {"blob": "7836344197eb29d598e71c46eed4fa82aa90a31ee9facfb18d65fe0435a636d6", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "a2be1a8429f5f9e701fbdbe1c72ed6491e8a62960de4af1339694661f641a985", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 1}}', 'true', '2026-11-22 14:34:32.428967+00'),
('9', '1', '0', '7f8e4e5a77174a1a0fecb6ac9213e110024731d435352ca16e9bde9ad43f8b7b', '{"moments": {"blob": "3e2a99c7780ae4ee78bf13b8c197258de215f90cf6adee2f80e703f6de65ca19", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "a330ce200b909a1f36e2abc0988b5309e55e105dbbe93fbb0514cc6ae8b49e59", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 1}}', 'false', '2026-11-22 14:34:32.478996+00'),
('9', '2', '0', '64983d942ada2d09b655ae3714981a542a8497a3695c623b76577f8f529f8974', '{"moments": {"blob": "214df7bf2ec4c8ce98f1ad19e11653d6f951baedad3f4f9bfd82e4f61d858a73", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "14240044757ff41654c8fd80a70d3f1d7155aa6c7ef451c3fc23201b82601d9d", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 2}}', 'false', '2026-11-22 14:34:32.484231+00'),
('9', '3', '0', '27228a5aeb3e7bb894563b50580bb8814787deddab265046ad9af8f6c7e97740', '{"moments": {"blob": "14be86900325418c0d41c0446bf0e6fdae367f6652f90566eac9f873d9be076a", "tensors": [{"name": "m", "shape": [1]}]}, "scalars": {"floor": 0.01}, "networks": {"encoder": {"blob": "c8a55f67c9c64a9a537b1afd4804143d76db67dc75d64ab6808cdae01f505196", "weights": [{"name": "w", "shape": [1]}], "topology": {"layers": 1}}}, "position": {"step": 0, "epoch": 3}}', 'true', '2026-11-22 14:34:32.493034+00');

INSERT INTO "checkpoint_blobs" ("chain_id", "epoch", "step", "sha256") VALUES
('1', '1', '0', 'ca333d17f6c13a6fca4225170e206c8d9f895d37483c96593f45b665a517f552'),
('1', '2', '0', 'b78a04af7318932694cc3433136cd5ab24af6beee209f104a8ccc18ee8b37c9f'),
('1', '2', '0', 'b9d66849b2002365faf08625795e930c78c77c411d4352f50561ef014b1c9826'),
('10', '1', '0', '87fc242008e55b2837cb5113f7fe0ebd3469039691b84da61ff8871688f06c18'),
('10', '1', '0', 'a046ea7ba66c7c361beea7a0b77d78fd4e4479fff0588ecd8ed0f89f119e7c55'),
('11', '1', '0', '96d36d4dad34cf04c7f205e68a53cb3e68734cf4390084fc6d09cadc123744b2'),
('11', '1', '0', 'd2cecf44da7abe18f1d21f385dd2f066f5b77fef40ac29512484d1a9fa9f3524'),
('2', '1', '0', '65de58ff023dfbc18729c01d4590ef834e7acb7b4fa1f86f88dceb32c5971888'),
('2', '2', '0', '4604e37a294d00c295d8f07566c094d0a248458b6ae82c6f6730344aa8c71204'),
('2', '3', '0', '220f780112b946a2d932fa86818ca73a7cffed4e5f806bce6b6ff99f603d82d0'),
('2', '3', '0', 'e826405049f62c9e9c941c0e365d3d327143eeae5d91fae9e91fe17956a287c8'),
('3', '1', '0', '01af08f864586707050c2dd2b820adaabcc42588a7003c6ce7ed46a94fb5744c'),
('3', '1', '0', 'cab2ff63ad681c05331755d347407ed0843920da83906f6f08fd59ceab00e546'),
('4', '1', '0', 'a48d5e836a885ca203b070247644fd7c12cbf5b7a09431fa070459c02a922d15'),
('4', '2', '0', '00b04b77405a5b91c86e79ddd9f45f0e3fbb9d79e6da9e03f0cdc9be2d9cdefe'),
('4', '2', '0', '7b86cca71f480ce84b4a77870690844f77a8c8fcbcac66c61c990a4783eaf60e'),
('5', '1', '0', 'afa02cb9cb3eb15ad2175ebc14be95f7498c4b520f7f8e0d7c0dd94effa244cc'),
('5', '2', '0', '4582af9532fd9a4e6f081c76f844ecd14060c74a978e139de615bfd562f511a9'),
('5', '3', '0', '2166f99e881b2116a5a2d52b39757931b9ac0464bca2259761f404e0d2d74caf'),
('5', '3', '0', 'd3c681ba577ca059024efab8cdcfa81793fbdd3ebd7b0f5c4d0c6f26c38ff5cf'),
('6', '1', '0', '091f4fa4032604de280b0d8345e5d32c5988b52c6764b1709a01ffc91cb47473'),
('6', '1', '0', '55aad1c8580d93e140091a2e9d3deb56bfecf08301761afb8541a5b7b14b90af'),
('7', '1', '0', '9c146f041095fb2f8ec4fb4f1895b6e58c7dd01ae162ce793b67e204025cef21'),
('7', '2', '0', '6a03a197ce5439205b37e5f6b1a6a8e7f3a266fef5acac62155e74ae9acc25f4'),
('7', '3', '0', '3de2bd701451045238b8cd9465d42ae8fc3c2844aa7d30d021691df93dde0620'),
('7', '3', '0', 'd12635b53a688b084a8c9f20756f07444355f7b53e7eed9dbb2e7cf297d746d3'),
('8', '1', '0', '7836344197eb29d598e71c46eed4fa82aa90a31ee9facfb18d65fe0435a636d6'),
('8', '1', '0', 'a2be1a8429f5f9e701fbdbe1c72ed6491e8a62960de4af1339694661f641a985'),
('9', '1', '0', 'a330ce200b909a1f36e2abc0988b5309e55e105dbbe93fbb0514cc6ae8b49e59'),
('9', '2', '0', '14240044757ff41654c8fd80a70d3f1d7155aa6c7ef451c3fc23201b82601d9d'),
('9', '3', '0', '14be86900325418c0d41c0446bf0e6fdae367f6652f90566eac9f873d9be076a'),
('9', '3', '0', 'c8a55f67c9c64a9a537b1afd4804143d76db67dc75d64ab6808cdae01f505196');

INSERT INTO "metrics" ("chain_id", "name", "epoch", "value") VALUES
('1', 'attackerLoss', '1', '1'),
('1', 'attackerLoss', '2', '0.5'),
('1', 'defenderLoss', '1', '2'),
('1', 'defenderLoss', '2', '1'),
('10', 'classifierLoss', '1', '1'),
('10', 'cleanAccuracy', '1', '0.9'),
('11', 'attackerLoss', '1', '1'),
('11', 'defenderLoss', '1', '2'),
('2', 'attackerLoss', '1', '1'),
('2', 'attackerLoss', '2', '0.5'),
('2', 'attackerLoss', '3', '0.3333333333333333'),
('2', 'defenderLoss', '1', '2'),
('2', 'defenderLoss', '2', '1'),
('2', 'defenderLoss', '3', '0.6666666666666666'),
('3', 'classifierLoss', '1', '1'),
('3', 'cleanAccuracy', '1', '0.9'),
('4', 'attackerLoss', '1', '1'),
('4', 'attackerLoss', '2', '0.5'),
('4', 'defenderLoss', '1', '2'),
('4', 'defenderLoss', '2', '1'),
('5', 'attackerLoss', '1', '1'),
('5', 'attackerLoss', '2', '0.5'),
('5', 'attackerLoss', '3', '0.3333333333333333'),
('5', 'defenderLoss', '1', '2'),
('5', 'defenderLoss', '2', '1'),
('5', 'defenderLoss', '3', '0.6666666666666666'),
('6', 'classifierLoss', '1', '1'),
('6', 'cleanAccuracy', '1', '0.9'),
('7', 'attackerLoss', '1', '1'),
('7', 'attackerLoss', '2', '0.5'),
('7', 'attackerLoss', '3', '0.3333333333333333'),
('7', 'defenderLoss', '1', '2'),
('7', 'defenderLoss', '2', '1'),
('7', 'defenderLoss', '3', '0.6666666666666666'),
('8', 'classifierLoss', '1', '1'),
('8', 'cleanAccuracy', '1', '0.9'),
('9', 'attackerLoss', '1', '1'),
('9', 'attackerLoss', '2', '0.5'),
('9', 'attackerLoss', '3', '0.3333333333333333'),
('9', 'defenderLoss', '1', '2'),
('9', 'defenderLoss', '2', '1'),
('9', 'defenderLoss', '3', '0.6666666666666666');

INSERT INTO "evaluations" ("stage_id", "attack", "settings", "summary", "verdict", "diagnostics", "index", "label", "correct", "predicted", "success", "l2", "linf", "l0", "steps", "queries", "fooled", "gallery_shape", "gallery_index", "gallery_original", "gallery_attacked", "created_at") VALUES
('16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', 'fgsm', '{"search": true, "epsilon": 1, "epsilons": 1000}', '{"images": 4, "medianL0": 3, "medianL2": 1, "attempted": 4, "meanSteps": 1, "successes": 1, "medianLinf": 1, "noiseLevel": 0.5, "meanQueries": 2, "successRate": 0.25, "cleanAccuracy": 1, "cleanInterval": [0.9, 1], "noiseLevelAll": 0.5, "robustAccuracy": 0.75, "robustInterval": [0, 1], "medianL2Success": 0.5, "successInterval": [0, 1], "meanSquaredError": 0.01}', 'ok', '[]', '{0,1,2,3}', '{0,1,2,3}', '{t,t,t,t}', '{1,2,3,4}', '{t,f,f,f}', '{0.5,NULL,NULL,NULL}', '{0.25,NULL,NULL,NULL}', '{3,NULL,NULL,NULL}', '{1,1,1,1}', '{2,2,2,2}', '1000', '{2,2,1}', '{0}', E'\\x00010203', E'\\x09080706', '2026-11-22 14:34:32.44578+00'),
('54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b', 'fgsm', '{"search": true, "epsilon": 1, "epsilons": 1000}', '{"images": 4, "medianL0": 3, "medianL2": 1, "attempted": 4, "meanSteps": 1, "successes": 1, "medianLinf": 1, "noiseLevel": 0.5, "meanQueries": 2, "successRate": 0.25, "cleanAccuracy": 1, "cleanInterval": [0.9, 1], "noiseLevelAll": 0.5, "robustAccuracy": 0.75, "robustInterval": [0, 1], "medianL2Success": 0.5, "successInterval": [0, 1], "meanSquaredError": 0.01}', 'ok', '[]', '{0,1,2,3}', '{0,1,2,3}', '{t,t,t,t}', '{1,2,3,4}', '{t,f,f,f}', '{0.5,NULL,NULL,NULL}', '{0.25,NULL,NULL,NULL}', '{3,NULL,NULL,NULL}', '{1,1,1,1}', '{2,2,2,2}', '1000', '{2,2,1}', '{0}', E'\\x00010203', E'\\x09080706', '2026-11-22 14:34:32.35234+00'),
('a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b', 'gradient', '{"epsilon": 1, "epsilons": 1000}', '{"images": 4, "medianL0": 3, "medianL2": 1, "attempted": 4, "meanSteps": 1, "successes": 2, "medianLinf": 1, "noiseLevel": 0.5, "meanQueries": 2, "successRate": 0.5, "cleanAccuracy": 1, "cleanInterval": [0.9, 1], "noiseLevelAll": 0.5, "robustAccuracy": 0.5, "robustInterval": [0, 1], "medianL2Success": 0.5, "successInterval": [0, 1], "meanSquaredError": 0.01}', 'masked', '[{"id": "H10", "value": 1, "detail": "Gradients vanish on every image", "verdict": "masked", "threshold": 0.5}]', '{0,1,2,3}', '{0,1,2,3}', '{t,t,t,t}', '{1,2,3,4}', '{f,t,t,f}', '{NULL,0.5,0.5,NULL}', '{NULL,0.25,0.25,NULL}', '{NULL,3,3,NULL}', '{1,1,1,1}', '{2,2,2,2}', '0110', '{2,2,1}', '{0}', E'\\x00010203', E'\\x09080706', '2026-11-22 14:34:32.368917+00'),
('e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', 'fgsm', '{"search": true, "epsilon": 1, "epsilons": 1000}', '{"images": 4, "medianL0": 3, "medianL2": 1, "attempted": 4, "meanSteps": 1, "successes": 1, "medianLinf": 1, "noiseLevel": 0.5, "meanQueries": 2, "successRate": 0.25, "cleanAccuracy": 1, "cleanInterval": [0.9, 1], "noiseLevelAll": 0.5, "robustAccuracy": 0.75, "robustInterval": [0, 1], "medianL2Success": 0.5, "successInterval": [0, 1], "meanSquaredError": 0.01}', 'ok', '[]', '{0,1,2,3}', '{0,1,2,3}', '{t,t,t,t}', '{1,2,3,4}', '{t,f,f,f}', '{0.5,NULL,NULL,NULL}', '{0.25,NULL,NULL,NULL}', '{3,NULL,NULL,NULL}', '{1,1,1,1}', '{2,2,2,2}', '1000', '{2,2,1}', '{0}', E'\\x00010203', E'\\x09080706', '2026-11-22 14:34:32.216182+00'),
('ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a', 'gradient', '{"epsilon": 1, "epsilons": 1000}', '{"images": 4, "medianL0": 3, "medianL2": 1, "attempted": 4, "meanSteps": 1, "successes": 2, "medianLinf": 1, "noiseLevel": 0.5, "meanQueries": 2, "successRate": 0.5, "cleanAccuracy": 1, "cleanInterval": [0.9, 1], "noiseLevelAll": 0.5, "robustAccuracy": 0.5, "robustInterval": [0, 1], "medianL2Success": 0.5, "successInterval": [0, 1], "meanSquaredError": 0.01}', 'masked', '[{"id": "H10", "value": 1, "detail": "Gradients vanish on every image", "verdict": "masked", "threshold": 0.5}]', '{0,1,2,3}', '{0,1,2,3}', '{t,t,t,t}', '{1,2,3,4}', '{f,t,t,f}', '{NULL,0.5,0.5,NULL}', '{NULL,0.25,0.25,NULL}', '{NULL,3,3,NULL}', '{1,1,1,1}', '{2,2,2,2}', '0110', '{2,2,1}', '{0}', E'\\x00010203', E'\\x09080706', '2026-11-22 14:34:32.559618+00'),
('ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0', 'gradient', '{"epsilon": 1, "epsilons": 1000}', '{"images": 4, "medianL0": 3, "medianL2": 1, "attempted": 4, "meanSteps": 1, "successes": 1, "medianLinf": 1, "noiseLevel": 0.5, "meanQueries": 2, "successRate": 0.25, "cleanAccuracy": 1, "cleanInterval": [0.9, 1], "noiseLevelAll": 0.5, "robustAccuracy": 0.75, "robustInterval": [0, 1], "medianL2Success": 0.5, "successInterval": [0, 1], "meanSquaredError": 0.01}', 'ok', '[]', '{0,1,2,3}', '{0,1,2,3}', '{t,t,t,t}', '{1,2,3,4}', '{f,t,f,f}', '{NULL,0.5,NULL,NULL}', '{NULL,0.25,NULL,NULL}', '{NULL,3,NULL,NULL}', '{1,1,1,1}', '{2,2,2,2}', '0100', '{2,2,1}', '{0}', E'\\x00010203', E'\\x09080706', '2026-11-22 14:34:32.462368+00'),
('f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4', 'gradient', '{"epsilon": 1, "epsilons": 1000}', '{"images": 4, "medianL0": 3, "medianL2": 1, "attempted": 4, "meanSteps": 1, "successes": 1, "medianLinf": 1, "noiseLevel": 0.5, "meanQueries": 2, "successRate": 0.25, "cleanAccuracy": 1, "cleanInterval": [0.9, 1], "noiseLevelAll": 0.5, "robustAccuracy": 0.75, "robustInterval": [0, 1], "medianL2Success": 0.5, "successInterval": [0, 1], "meanSquaredError": 0.01}', 'ok', '[]', '{0,1,2,3}', '{0,1,2,3}', '{t,t,t,t}', '{1,2,3,4}', '{f,t,f,f}', '{NULL,0.5,NULL,NULL}', '{NULL,0.25,NULL,NULL}', '{NULL,3,NULL,NULL}', '{1,1,1,1}', '{2,2,2,2}', '0100', '{2,2,1}', '{0}', E'\\x00010203', E'\\x09080706', '2026-11-22 14:34:32.242951+00'),
('fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542', 'fgsm', '{"search": true, "epsilon": 1, "epsilons": 1000}', '{"images": 4, "medianL0": 3, "medianL2": 1, "attempted": 4, "meanSteps": 1, "successes": 1, "medianLinf": 1, "noiseLevel": 0.5, "meanQueries": 2, "successRate": 0.25, "cleanAccuracy": 1, "cleanInterval": [0.9, 1], "noiseLevelAll": 0.5, "robustAccuracy": 0.75, "robustInterval": [0, 1], "medianL2Success": 0.5, "successInterval": [0, 1], "meanSquaredError": 0.01}', 'ok', '[]', '{0,1,2,3}', '{0,1,2,3}', '{t,t,t,t}', '{1,2,3,4}', '{t,f,f,f}', '{0.5,NULL,NULL,NULL}', '{0.25,NULL,NULL,NULL}', '{3,NULL,NULL,NULL}', '{1,1,1,1}', '{2,2,2,2}', '1000', '{2,2,1}', '{0}', E'\\x00010203', E'\\x09080706', '2026-11-22 14:34:32.548289+00');

INSERT INTO "scores" ("trial_id", "stage_id", "metric", "sweep_id", "position", "attack", "value", "merit", "configuration_index", "masked") VALUES
('1a203ae1cc89b1c6-00000', 'e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', 'cleanAccuracy', '1a203ae1cc89b1c6', '-1', '', '1', '1', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', 'cleanAccuracy', '1a203ae1cc89b1c6', '3', 'fgsm', '1', '1', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', 'medianL2', '1a203ae1cc89b1c6', '-1', '', '1', '1', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', 'medianL2', '1a203ae1cc89b1c6', '3', 'fgsm', '1', '1', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', 'medianLinf', '1a203ae1cc89b1c6', '-1', '', '1', '1', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', 'medianLinf', '1a203ae1cc89b1c6', '3', 'fgsm', '1', '1', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', 'noiseLevel', '1a203ae1cc89b1c6', '-1', '', '0.5', '0.5', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', 'noiseLevel', '1a203ae1cc89b1c6', '3', 'fgsm', '0.5', '0.5', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', 'robustAccuracy', '1a203ae1cc89b1c6', '-1', '', '0.5', '0.5', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', 'robustAccuracy', '1a203ae1cc89b1c6', '3', 'fgsm', '0.75', '0.75', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', 'successRate', '1a203ae1cc89b1c6', '-1', '', '0.5', '-0.5', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7', 'successRate', '1a203ae1cc89b1c6', '3', 'fgsm', '0.25', '-0.25', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4', 'cleanAccuracy', '1a203ae1cc89b1c6', '4', 'gradient', '1', '1', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4', 'medianL2', '1a203ae1cc89b1c6', '4', 'gradient', '1', '1', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4', 'medianLinf', '1a203ae1cc89b1c6', '4', 'gradient', '1', '1', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4', 'noiseLevel', '1a203ae1cc89b1c6', '4', 'gradient', '0.5', '0.5', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4', 'robustAccuracy', '1a203ae1cc89b1c6', '4', 'gradient', '0.75', '0.75', '0', 'false'),
('1a203ae1cc89b1c6-00000', 'f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4', 'successRate', '1a203ae1cc89b1c6', '4', 'gradient', '0.25', '-0.25', '0', 'false'),
('1a203ae1cc89b1c6-00001', '54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b', 'cleanAccuracy', '1a203ae1cc89b1c6', '-1', '', '1', '1', '0', 'true'),
('1a203ae1cc89b1c6-00001', '54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b', 'cleanAccuracy', '1a203ae1cc89b1c6', '3', 'fgsm', '1', '1', '0', 'true'),
('1a203ae1cc89b1c6-00001', '54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b', 'medianL2', '1a203ae1cc89b1c6', '-1', '', '1', '1', '0', 'true'),
('1a203ae1cc89b1c6-00001', '54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b', 'medianL2', '1a203ae1cc89b1c6', '3', 'fgsm', '1', '1', '0', 'true'),
('1a203ae1cc89b1c6-00001', '54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b', 'medianLinf', '1a203ae1cc89b1c6', '-1', '', '1', '1', '0', 'true'),
('1a203ae1cc89b1c6-00001', '54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b', 'medianLinf', '1a203ae1cc89b1c6', '3', 'fgsm', '1', '1', '0', 'true'),
('1a203ae1cc89b1c6-00001', '54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b', 'noiseLevel', '1a203ae1cc89b1c6', '-1', '', '0.5', '0.5', '0', 'true'),
('1a203ae1cc89b1c6-00001', '54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b', 'noiseLevel', '1a203ae1cc89b1c6', '3', 'fgsm', '0.5', '0.5', '0', 'true'),
('1a203ae1cc89b1c6-00001', '54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b', 'robustAccuracy', '1a203ae1cc89b1c6', '3', 'fgsm', '0.75', '0.75', '0', 'true'),
('1a203ae1cc89b1c6-00001', '54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b', 'successRate', '1a203ae1cc89b1c6', '3', 'fgsm', '0.25', '-0.25', '0', 'true'),
('1a203ae1cc89b1c6-00001', 'a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b', 'cleanAccuracy', '1a203ae1cc89b1c6', '4', 'gradient', '1', '1', '0', 'true'),
('1a203ae1cc89b1c6-00001', 'a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b', 'medianL2', '1a203ae1cc89b1c6', '4', 'gradient', '1', '1', '0', 'true'),
('1a203ae1cc89b1c6-00001', 'a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b', 'medianLinf', '1a203ae1cc89b1c6', '4', 'gradient', '1', '1', '0', 'true'),
('1a203ae1cc89b1c6-00001', 'a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b', 'noiseLevel', '1a203ae1cc89b1c6', '4', 'gradient', '0.5', '0.5', '0', 'true'),
('1a203ae1cc89b1c6-00001', 'a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b', 'robustAccuracy', '1a203ae1cc89b1c6', '-1', '', '0.25', '0.25', '0', 'true'),
('1a203ae1cc89b1c6-00001', 'a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b', 'robustAccuracy', '1a203ae1cc89b1c6', '4', 'gradient', '0.5', '0.5', '0', 'true'),
('1a203ae1cc89b1c6-00001', 'a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b', 'successRate', '1a203ae1cc89b1c6', '-1', '', '0.75', '-0.75', '0', 'true'),
('1a203ae1cc89b1c6-00001', 'a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b', 'successRate', '1a203ae1cc89b1c6', '4', 'gradient', '0.5', '-0.5', '0', 'true'),
('1a203ae1cc89b1c6-00002', '16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', 'cleanAccuracy', '1a203ae1cc89b1c6', '-1', '', '1', '1', '1', 'false'),
('1a203ae1cc89b1c6-00002', '16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', 'cleanAccuracy', '1a203ae1cc89b1c6', '3', 'fgsm', '1', '1', '1', 'false'),
('1a203ae1cc89b1c6-00002', '16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', 'medianL2', '1a203ae1cc89b1c6', '-1', '', '1', '1', '1', 'false'),
('1a203ae1cc89b1c6-00002', '16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', 'medianL2', '1a203ae1cc89b1c6', '3', 'fgsm', '1', '1', '1', 'false'),
('1a203ae1cc89b1c6-00002', '16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', 'medianLinf', '1a203ae1cc89b1c6', '-1', '', '1', '1', '1', 'false'),
('1a203ae1cc89b1c6-00002', '16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', 'medianLinf', '1a203ae1cc89b1c6', '3', 'fgsm', '1', '1', '1', 'false'),
('1a203ae1cc89b1c6-00002', '16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', 'noiseLevel', '1a203ae1cc89b1c6', '-1', '', '0.5', '0.5', '1', 'false'),
('1a203ae1cc89b1c6-00002', '16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', 'noiseLevel', '1a203ae1cc89b1c6', '3', 'fgsm', '0.5', '0.5', '1', 'false'),
('1a203ae1cc89b1c6-00002', '16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', 'robustAccuracy', '1a203ae1cc89b1c6', '-1', '', '0.5', '0.5', '1', 'false'),
('1a203ae1cc89b1c6-00002', '16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', 'robustAccuracy', '1a203ae1cc89b1c6', '3', 'fgsm', '0.75', '0.75', '1', 'false'),
('1a203ae1cc89b1c6-00002', '16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', 'successRate', '1a203ae1cc89b1c6', '-1', '', '0.5', '-0.5', '1', 'false'),
('1a203ae1cc89b1c6-00002', '16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d', 'successRate', '1a203ae1cc89b1c6', '3', 'fgsm', '0.25', '-0.25', '1', 'false'),
('1a203ae1cc89b1c6-00002', 'ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0', 'cleanAccuracy', '1a203ae1cc89b1c6', '4', 'gradient', '1', '1', '1', 'false'),
('1a203ae1cc89b1c6-00002', 'ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0', 'medianL2', '1a203ae1cc89b1c6', '4', 'gradient', '1', '1', '1', 'false'),
('1a203ae1cc89b1c6-00002', 'ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0', 'medianLinf', '1a203ae1cc89b1c6', '4', 'gradient', '1', '1', '1', 'false'),
('1a203ae1cc89b1c6-00002', 'ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0', 'noiseLevel', '1a203ae1cc89b1c6', '4', 'gradient', '0.5', '0.5', '1', 'false'),
('1a203ae1cc89b1c6-00002', 'ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0', 'robustAccuracy', '1a203ae1cc89b1c6', '4', 'gradient', '0.75', '0.75', '1', 'false'),
('1a203ae1cc89b1c6-00002', 'ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0', 'successRate', '1a203ae1cc89b1c6', '4', 'gradient', '0.25', '-0.25', '1', 'false'),
('1a203ae1cc89b1c6-00003', 'ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a', 'cleanAccuracy', '1a203ae1cc89b1c6', '4', 'gradient', '1', '1', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a', 'medianL2', '1a203ae1cc89b1c6', '4', 'gradient', '1', '1', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a', 'medianLinf', '1a203ae1cc89b1c6', '4', 'gradient', '1', '1', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a', 'noiseLevel', '1a203ae1cc89b1c6', '4', 'gradient', '0.5', '0.5', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a', 'robustAccuracy', '1a203ae1cc89b1c6', '-1', '', '0.25', '0.25', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a', 'robustAccuracy', '1a203ae1cc89b1c6', '4', 'gradient', '0.5', '0.5', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a', 'successRate', '1a203ae1cc89b1c6', '-1', '', '0.75', '-0.75', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a', 'successRate', '1a203ae1cc89b1c6', '4', 'gradient', '0.5', '-0.5', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542', 'cleanAccuracy', '1a203ae1cc89b1c6', '-1', '', '1', '1', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542', 'cleanAccuracy', '1a203ae1cc89b1c6', '3', 'fgsm', '1', '1', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542', 'medianL2', '1a203ae1cc89b1c6', '-1', '', '1', '1', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542', 'medianL2', '1a203ae1cc89b1c6', '3', 'fgsm', '1', '1', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542', 'medianLinf', '1a203ae1cc89b1c6', '-1', '', '1', '1', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542', 'medianLinf', '1a203ae1cc89b1c6', '3', 'fgsm', '1', '1', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542', 'noiseLevel', '1a203ae1cc89b1c6', '-1', '', '0.5', '0.5', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542', 'noiseLevel', '1a203ae1cc89b1c6', '3', 'fgsm', '0.5', '0.5', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542', 'robustAccuracy', '1a203ae1cc89b1c6', '3', 'fgsm', '0.75', '0.75', '1', 'true'),
('1a203ae1cc89b1c6-00003', 'fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542', 'successRate', '1a203ae1cc89b1c6', '3', 'fgsm', '0.25', '-0.25', '1', 'true');

INSERT INTO "events" ("id", "sweep_id", "at", "xid", "payload") VALUES
('1', '1a203ae1cc89b1c6', '2026-11-22 14:34:31.987693+00', '758', '{"type": "sweep", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('10', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.117629+00', '762', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00000"}'),
('100', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.484231+00', '805', '{"kind": "optimise", "type": "epoch", "stage": "fc7987a5423b920222c85ef920463331dac847f26d496e25da0c7e15af925a56", "epochs": 3, "metrics": {"attackerLoss": 0.5, "defenderLoss": 1}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 2}}'),
('101', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.493034+00', '806', '{"kind": "optimise", "type": "epoch", "stage": "fc7987a5423b920222c85ef920463331dac847f26d496e25da0c7e15af925a56", "epochs": 3, "metrics": {"attackerLoss": 0.3333333333333333, "defenderLoss": 0.6666666666666666}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 3}}'),
('102', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.511218+00', '807', '{"kind": "optimise", "type": "stage", "stage": "fc7987a5423b920222c85ef920463331dac847f26d496e25da0c7e15af925a56", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('103', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.511218+00', '807', '{"kind": "classify", "type": "stage", "stage": "0118006d615d17736826c00ac5d112e0fd79ed96d6df383af33b36b1e9594d96", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('104', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.511218+00', '807', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00003"}'),
('105', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.516766+00', '808', '{"kind": "classify", "type": "stage", "stage": "0118006d615d17736826c00ac5d112e0fd79ed96d6df383af33b36b1e9594d96", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('106', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.516766+00', '808', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00003"}'),
('107', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.530159+00', '809', '{"kind": "classify", "type": "epoch", "stage": "0118006d615d17736826c00ac5d112e0fd79ed96d6df383af33b36b1e9594d96", "epochs": 1, "metrics": {"cleanAccuracy": 0.9, "classifierLoss": 1}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 1}}'),
('108', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.535715+00', '810', '{"kind": "classify", "type": "stage", "stage": "0118006d615d17736826c00ac5d112e0fd79ed96d6df383af33b36b1e9594d96", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('109', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.535715+00', '810', '{"kind": "attack", "type": "stage", "stage": "fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('11', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.117629+00', '762', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00002"}'),
('110', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.535715+00', '810', '{"kind": "attack", "type": "stage", "stage": "ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('111', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.535715+00', '810', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00003"}'),
('112', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.542235+00', '811', '{"kind": "attack", "type": "stage", "stage": "fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('113', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.542235+00', '811', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00003"}'),
('114', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.548289+00', '812', '{"type": "evaluation", "stage": "fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542", "attack": "fgsm", "sweepId": "1a203ae1cc89b1c6"}'),
('115', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.548289+00', '812', '{"kind": "attack", "type": "stage", "stage": "fb5d91dbe8c927c6c7f0385996b009645328baf7aca81b558c413da08d7a8542", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('116', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.548289+00', '812', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00003"}'),
('117', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.556087+00', '813', '{"kind": "attack", "type": "stage", "stage": "ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('118', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.556087+00', '813', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00003"}'),
('119', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.559618+00', '814', '{"type": "evaluation", "stage": "ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a", "attack": "gradient", "sweepId": "1a203ae1cc89b1c6"}'),
('12', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.136164+00', '763', '{"kind": "optimise", "type": "stage", "stage": "22b07f49d1c40bfada2c03913d5a648526cbb7bb9c05c9ebf892cbf410ccb669", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('120', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.559618+00', '814', '{"kind": "attack", "type": "stage", "stage": "ecf2df8335fd1c1daa8cceb329d96086eba9b5ebb0e6401a5334a4eb3a2eb27a", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('121', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.559618+00', '814', '{"type": "trial", "status": "completed", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00003"}'),
('122', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.559618+00', '814', '{"type": "sweep", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('123', '1a203ae1f02188f2', '2026-11-22 14:34:32.574231+00', '815', '{"type": "sweep", "status": "running", "sweepId": "1a203ae1f02188f2"}'),
('124', '1a203ae1f02188f2', '2026-11-22 14:34:32.586221+00', '816', '{"kind": "initialise", "type": "stage", "stage": "cde2a3dd4eb60ae6a3f786fb446275e2a03f7fcb520aa1c0b9fd2e31b16c9b2f", "status": "running", "sweepId": "1a203ae1f02188f2"}'),
('125', '1a203ae1f02188f2', '2026-11-22 14:34:32.586221+00', '816', '{"type": "trial", "status": "running", "sweepId": "1a203ae1f02188f2", "trialId": "1a203ae1f02188f2-00000"}'),
('126', '1a203ae1f02188f2', '2026-11-22 14:34:32.591956+00', '817', '{"kind": "initialise", "type": "epoch", "stage": "cde2a3dd4eb60ae6a3f786fb446275e2a03f7fcb520aa1c0b9fd2e31b16c9b2f", "epochs": 2, "metrics": {"attackerLoss": 1, "defenderLoss": 2}, "sweepId": "1a203ae1f02188f2", "position": {"step": 0, "epoch": 1}}'),
('13', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.136164+00', '763', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00000"}'),
('14', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.145723+00', '764', '{"kind": "optimise", "type": "epoch", "stage": "22b07f49d1c40bfada2c03913d5a648526cbb7bb9c05c9ebf892cbf410ccb669", "epochs": 3, "metrics": {"attackerLoss": 1, "defenderLoss": 2}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 1}}'),
('15', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.155051+00', '765', '{"kind": "optimise", "type": "epoch", "stage": "22b07f49d1c40bfada2c03913d5a648526cbb7bb9c05c9ebf892cbf410ccb669", "epochs": 3, "metrics": {"attackerLoss": 0.5, "defenderLoss": 1}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 2}}'),
('16', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.164492+00', '766', '{"kind": "optimise", "type": "epoch", "stage": "22b07f49d1c40bfada2c03913d5a648526cbb7bb9c05c9ebf892cbf410ccb669", "epochs": 3, "metrics": {"attackerLoss": 0.3333333333333333, "defenderLoss": 0.6666666666666666}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 3}}'),
('17', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.172583+00', '767', '{"kind": "optimise", "type": "stage", "stage": "22b07f49d1c40bfada2c03913d5a648526cbb7bb9c05c9ebf892cbf410ccb669", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('18', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.172583+00', '767', '{"kind": "classify", "type": "stage", "stage": "55f2c49664ff720a8ab3f9d13f991c8a63dffe25a789c8b23e2ef306217d484d", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('19', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.172583+00', '767', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00000"}'),
('2', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.059552+00', '759', '{"kind": "initialise", "type": "stage", "stage": "5ac54d8838bcc7a8a865d2843f11f442c36c7aa5286b3450f9cdc9a9782cf71b", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('20', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.180432+00', '768', '{"kind": "classify", "type": "stage", "stage": "55f2c49664ff720a8ab3f9d13f991c8a63dffe25a789c8b23e2ef306217d484d", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('21', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.180432+00', '768', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00000"}'),
('22', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.186901+00', '769', '{"kind": "classify", "type": "epoch", "stage": "55f2c49664ff720a8ab3f9d13f991c8a63dffe25a789c8b23e2ef306217d484d", "epochs": 1, "metrics": {"cleanAccuracy": 0.9, "classifierLoss": 1}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 1}}'),
('23', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.19527+00', '770', '{"kind": "classify", "type": "stage", "stage": "55f2c49664ff720a8ab3f9d13f991c8a63dffe25a789c8b23e2ef306217d484d", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('24', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.19527+00', '770', '{"kind": "attack", "type": "stage", "stage": "e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('25', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.19527+00', '770', '{"kind": "attack", "type": "stage", "stage": "f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('26', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.19527+00', '770', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00000"}'),
('27', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.205415+00', '771', '{"kind": "attack", "type": "stage", "stage": "e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('28', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.205415+00', '771', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00000"}'),
('29', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.216182+00', '772', '{"type": "evaluation", "stage": "e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7", "attack": "fgsm", "sweepId": "1a203ae1cc89b1c6"}'),
('3', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.059552+00', '759', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00000"}'),
('30', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.216182+00', '772', '{"kind": "attack", "type": "stage", "stage": "e3d8d472b93a38b4917927860f637d16db807f5f7053b3404729a83401ef42f7", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('31', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.216182+00', '772', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00000"}'),
('32', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.23615+00', '773', '{"kind": "attack", "type": "stage", "stage": "f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('33', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.23615+00', '773', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00000"}'),
('34', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.242951+00', '774', '{"type": "evaluation", "stage": "f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4", "attack": "gradient", "sweepId": "1a203ae1cc89b1c6"}'),
('35', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.242951+00', '774', '{"kind": "attack", "type": "stage", "stage": "f23bf46025c95435cb62f51ef33bc208f0d6a8ed8614adbff7e9cffcd9561bc4", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('36', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.242951+00', '774', '{"type": "trial", "status": "completed", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00000"}'),
('37', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.255385+00', '775', '{"kind": "initialise", "type": "stage", "stage": "102900de030ee9512cc03525ed01631ead336dba987388bf1d1d800b75768853", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('38', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.255385+00', '775', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00001"}'),
('39', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.255385+00', '775', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00003"}'),
('4', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.059552+00', '759', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00002"}'),
('40', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.261565+00', '776', '{"kind": "initialise", "type": "epoch", "stage": "102900de030ee9512cc03525ed01631ead336dba987388bf1d1d800b75768853", "epochs": 2, "metrics": {"attackerLoss": 1, "defenderLoss": 2}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 1}}'),
('41', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.268818+00', '777', '{"kind": "initialise", "type": "epoch", "stage": "102900de030ee9512cc03525ed01631ead336dba987388bf1d1d800b75768853", "epochs": 2, "metrics": {"attackerLoss": 0.5, "defenderLoss": 1}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 2}}'),
('42', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.275493+00', '778', '{"kind": "initialise", "type": "stage", "stage": "102900de030ee9512cc03525ed01631ead336dba987388bf1d1d800b75768853", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('43', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.275493+00', '778', '{"kind": "optimise", "type": "stage", "stage": "ec11fe30370b1758dd3ae486c3a54b8c56e957a08df0528aee3488a865cf1266", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('44', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.275493+00', '778', '{"kind": "optimise", "type": "stage", "stage": "fc7987a5423b920222c85ef920463331dac847f26d496e25da0c7e15af925a56", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('45', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.275493+00', '778', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00001"}'),
('46', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.275493+00', '778', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00003"}'),
('47', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.285166+00', '779', '{"kind": "optimise", "type": "stage", "stage": "ec11fe30370b1758dd3ae486c3a54b8c56e957a08df0528aee3488a865cf1266", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('48', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.285166+00', '779', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00001"}'),
('49', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.292016+00', '780', '{"kind": "optimise", "type": "epoch", "stage": "ec11fe30370b1758dd3ae486c3a54b8c56e957a08df0528aee3488a865cf1266", "epochs": 3, "metrics": {"attackerLoss": 1, "defenderLoss": 2}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 1}}'),
('5', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.079211+00', '760', '{"kind": "initialise", "type": "epoch", "stage": "5ac54d8838bcc7a8a865d2843f11f442c36c7aa5286b3450f9cdc9a9782cf71b", "epochs": 2, "metrics": {"attackerLoss": 1, "defenderLoss": 2}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 1}}'),
('50', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.306422+00', '781', '{"kind": "optimise", "type": "epoch", "stage": "ec11fe30370b1758dd3ae486c3a54b8c56e957a08df0528aee3488a865cf1266", "epochs": 3, "metrics": {"attackerLoss": 0.5, "defenderLoss": 1}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 2}}'),
('51', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.313047+00', '782', '{"kind": "optimise", "type": "epoch", "stage": "ec11fe30370b1758dd3ae486c3a54b8c56e957a08df0528aee3488a865cf1266", "epochs": 3, "metrics": {"attackerLoss": 0.3333333333333333, "defenderLoss": 0.6666666666666666}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 3}}'),
('52', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.323505+00', '783', '{"kind": "optimise", "type": "stage", "stage": "ec11fe30370b1758dd3ae486c3a54b8c56e957a08df0528aee3488a865cf1266", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('53', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.323505+00', '783', '{"kind": "classify", "type": "stage", "stage": "349bd2d0ef08d31bfb239407c209554fa19332f16729f280d67aa77ce770ae82", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('54', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.323505+00', '783', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00001"}'),
('55', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.330395+00', '784', '{"kind": "classify", "type": "stage", "stage": "349bd2d0ef08d31bfb239407c209554fa19332f16729f280d67aa77ce770ae82", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('56', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.330395+00', '784', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00001"}'),
('57', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.334891+00', '785', '{"kind": "classify", "type": "epoch", "stage": "349bd2d0ef08d31bfb239407c209554fa19332f16729f280d67aa77ce770ae82", "epochs": 1, "metrics": {"cleanAccuracy": 0.9, "classifierLoss": 1}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 1}}'),
('58', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.341016+00', '786', '{"kind": "classify", "type": "stage", "stage": "349bd2d0ef08d31bfb239407c209554fa19332f16729f280d67aa77ce770ae82", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('59', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.341016+00', '786', '{"kind": "attack", "type": "stage", "stage": "54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('6', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.105191+00', '761', '{"kind": "initialise", "type": "epoch", "stage": "5ac54d8838bcc7a8a865d2843f11f442c36c7aa5286b3450f9cdc9a9782cf71b", "epochs": 2, "metrics": {"attackerLoss": 0.5, "defenderLoss": 1}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 2}}'),
('60', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.341016+00', '786', '{"kind": "attack", "type": "stage", "stage": "a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('61', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.341016+00', '786', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00001"}'),
('62', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.348012+00', '787', '{"kind": "attack", "type": "stage", "stage": "54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('63', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.348012+00', '787', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00001"}'),
('64', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.35234+00', '788', '{"type": "evaluation", "stage": "54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b", "attack": "fgsm", "sweepId": "1a203ae1cc89b1c6"}'),
('65', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.35234+00', '788', '{"kind": "attack", "type": "stage", "stage": "54eefb43df0710a44f557ec5aa9f60d16c48586d191701318210baceb7833e4b", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('66', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.35234+00', '788', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00001"}'),
('67', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.364542+00', '789', '{"kind": "attack", "type": "stage", "stage": "a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('68', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.364542+00', '789', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00001"}'),
('69', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.368917+00', '790', '{"type": "evaluation", "stage": "a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b", "attack": "gradient", "sweepId": "1a203ae1cc89b1c6"}'),
('7', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.117629+00', '762', '{"kind": "initialise", "type": "stage", "stage": "5ac54d8838bcc7a8a865d2843f11f442c36c7aa5286b3450f9cdc9a9782cf71b", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('70', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.368917+00', '790', '{"kind": "attack", "type": "stage", "stage": "a592fafd9c633739b097a550e23804f594266bba20af3641bcd250e25b442d5b", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('71', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.368917+00', '790', '{"type": "trial", "status": "completed", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00001"}'),
('72', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.383096+00', '791', '{"kind": "optimise", "type": "stage", "stage": "2b28680d43751886d1105dfa587cebaf563ee6a8693be6db1a8c693b83b7309d", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('73', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.383096+00', '791', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00002"}'),
('74', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.387238+00', '792', '{"kind": "optimise", "type": "epoch", "stage": "2b28680d43751886d1105dfa587cebaf563ee6a8693be6db1a8c693b83b7309d", "epochs": 3, "metrics": {"attackerLoss": 1, "defenderLoss": 2}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 1}}'),
('75', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.393792+00', '793', '{"kind": "optimise", "type": "epoch", "stage": "2b28680d43751886d1105dfa587cebaf563ee6a8693be6db1a8c693b83b7309d", "epochs": 3, "metrics": {"attackerLoss": 0.5, "defenderLoss": 1}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 2}}'),
('76', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.407758+00', '794', '{"kind": "optimise", "type": "epoch", "stage": "2b28680d43751886d1105dfa587cebaf563ee6a8693be6db1a8c693b83b7309d", "epochs": 3, "metrics": {"attackerLoss": 0.3333333333333333, "defenderLoss": 0.6666666666666666}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 3}}'),
('77', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.415418+00', '795', '{"kind": "optimise", "type": "stage", "stage": "2b28680d43751886d1105dfa587cebaf563ee6a8693be6db1a8c693b83b7309d", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('78', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.415418+00', '795', '{"kind": "classify", "type": "stage", "stage": "00ec4f78cea444ae92faec3a24353b054432c128293ead824dddba1735644eab", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('79', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.415418+00', '795', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00002"}'),
('8', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.117629+00', '762', '{"kind": "optimise", "type": "stage", "stage": "22b07f49d1c40bfada2c03913d5a648526cbb7bb9c05c9ebf892cbf410ccb669", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('80', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.424372+00', '796', '{"kind": "classify", "type": "stage", "stage": "00ec4f78cea444ae92faec3a24353b054432c128293ead824dddba1735644eab", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('81', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.424372+00', '796', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00002"}'),
('82', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.428967+00', '797', '{"kind": "classify", "type": "epoch", "stage": "00ec4f78cea444ae92faec3a24353b054432c128293ead824dddba1735644eab", "epochs": 1, "metrics": {"cleanAccuracy": 0.9, "classifierLoss": 1}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 1}}'),
('83', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.434754+00', '798', '{"kind": "classify", "type": "stage", "stage": "00ec4f78cea444ae92faec3a24353b054432c128293ead824dddba1735644eab", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('84', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.434754+00', '798', '{"kind": "attack", "type": "stage", "stage": "16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('85', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.434754+00', '798', '{"kind": "attack", "type": "stage", "stage": "ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('86', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.434754+00', '798', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00002"}'),
('87', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.441556+00', '799', '{"kind": "attack", "type": "stage", "stage": "16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('88', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.441556+00', '799', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00002"}'),
('89', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.44578+00', '800', '{"type": "evaluation", "stage": "16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d", "attack": "fgsm", "sweepId": "1a203ae1cc89b1c6"}'),
('9', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.117629+00', '762', '{"kind": "optimise", "type": "stage", "stage": "2b28680d43751886d1105dfa587cebaf563ee6a8693be6db1a8c693b83b7309d", "status": "ready", "sweepId": "1a203ae1cc89b1c6"}'),
('90', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.44578+00', '800', '{"kind": "attack", "type": "stage", "stage": "16ff9a5ed76d073ec7a2935781fb305474fd98e47bb78fe0129c0e7c1aba972d", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('91', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.44578+00', '800', '{"type": "trial", "status": "waiting", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00002"}'),
('92', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.458293+00', '801', '{"kind": "attack", "type": "stage", "stage": "ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('93', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.458293+00', '801', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00002"}'),
('94', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.462368+00', '802', '{"type": "evaluation", "stage": "ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0", "attack": "gradient", "sweepId": "1a203ae1cc89b1c6"}'),
('95', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.462368+00', '802', '{"kind": "attack", "type": "stage", "stage": "ed1cc98e6415eeb10caafb4649196fa74580b4c850400bb8f8cf2a08a110c8a0", "status": "completed", "sweepId": "1a203ae1cc89b1c6"}'),
('96', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.462368+00', '802', '{"type": "trial", "status": "completed", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00002"}'),
('97', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.47492+00', '803', '{"kind": "optimise", "type": "stage", "stage": "fc7987a5423b920222c85ef920463331dac847f26d496e25da0c7e15af925a56", "status": "running", "sweepId": "1a203ae1cc89b1c6"}'),
('98', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.47492+00', '803', '{"type": "trial", "status": "running", "sweepId": "1a203ae1cc89b1c6", "trialId": "1a203ae1cc89b1c6-00003"}'),
('99', '1a203ae1cc89b1c6', '2026-11-22 14:34:32.478996+00', '804', '{"kind": "optimise", "type": "epoch", "stage": "fc7987a5423b920222c85ef920463331dac847f26d496e25da0c7e15af925a56", "epochs": 3, "metrics": {"attackerLoss": 1, "defenderLoss": 2}, "sweepId": "1a203ae1cc89b1c6", "position": {"step": 0, "epoch": 1}}');

INSERT INTO "tokens" ("id", "name", "role", "hash", "created_at", "last_used_at", "revoked_at") VALUES
('6ba069e6-b714-426e-876c-57a1a8dcedf3', 'golden', 'read', 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', '2026-11-22 14:34:32.981+00', NULL, NULL);

INSERT INTO "audit_log" ("id", "at", "actor", "action", "subject", "details", "address") VALUES
('1', '2026-11-22 14:34:33.034369+00', 'cli', 'createToken', 'golden', '{}', NULL);

SELECT setval('"audit_log_id_seq"', (SELECT coalesce(max("id"), 0) + 1 FROM "audit_log"), false);
SELECT setval('"chains_id_seq"', (SELECT coalesce(max("id"), 0) + 1 FROM "chains"), false);
SELECT setval('"events_id_seq"', (SELECT coalesce(max("id"), 0) + 1 FROM "events"), false);
