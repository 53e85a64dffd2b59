export {
  anyToken,
  environmentAuthor,
  findToken,
  listAudit,
  listTokens,
  revokeToken,
  saveToken,
  type TokenInfo,
} from './access.ts';
export { announceAbilities } from './attempts/abilities.ts';
export { claimStage } from './attempts/claim-stage.ts';
export { completeStage, endStage, failAttempt, releaseStage } from './attempts/end-attempt.ts';
export { handBackStage } from './attempts/hand-back.ts';
export { recordCheckpoint } from './attempts/record-checkpoint.ts';
export { restoreWorker } from './attempts/set-aside.ts';
export { heartbeat, registerWorker, retireWorker } from './attempts/workers.ts';
export { getBlobs, getCheckpoint, missingBlobs, readBlob } from './checkpoints/checkpoints.ts';
export { type CollectOptions, collectGarbage } from './checkpoints/collect-garbage.ts';
export { type QueueAddress, queueAddress } from './connection/addresses.ts';
export { databaseError, isTransient } from './connection/database-errors.ts';
export { type Author, actingAs, createDb, type Db, type DbOptions } from './connection/db.ts';
export { refusePooler } from './connection/pooler.ts';
export { retryUntilAdmitted, retryUntilReachable } from './connection/retry.ts';
export { addDataset, removeDataset } from './datasets/add-dataset.ts';
export { datasetBytesOf, datasetNamesOf } from './datasets/admit-dataset.ts';
export { checkDataset } from './datasets/check-dataset.ts';
export { type ChunkWrite, getDatasetChunk, putDatasetChunk } from './datasets/dataset-chunks.ts';
export {
  findDataset,
  getDatasetImages,
  listDatasetNames,
  type StoredDataset,
} from './datasets/find-dataset.ts';
export { countWorkersWith, getDataset, listDatasets } from './datasets/list-datasets.ts';
export { type StoreRequest, storeDataset } from './datasets/store-dataset.ts';
export { listUnfinished } from './datasets/unfinished.ts';
export { wantedDatasets } from './datasets/wanted-datasets.ts';
export { type EmbeddedDatabase, type EmbeddedOptions, startEmbedded } from './embedded/start-embedded.ts';
export { continuePropagation, startPropagation } from './lifecycle/continue-propagations.ts';
export { type FailingBatch, listFailingBatches } from './lifecycle/failing-batches.ts';
export { startRelay } from './lifecycle/outbox.ts';
export { type Rounds, startRounds } from './lifecycle/rounds.ts';
export { checkSchema, migrate, pendingMigrations } from './migrate.ts';
export { readStageLog, readWorkerLog } from './reads/attempt-log.ts';
export { type EvaluationImages, getEvaluation, getImages } from './reads/evaluations.ts';
export { type EventsQuery, eventsAfter, isEventAfter, lastEventId, onEvents } from './reads/events.ts';
export { leaderboard } from './reads/leaderboard.ts';
export { isNumber, pageOf, readCursor } from './reads/pages.ts';
export { readSpeeds } from './reads/speeds.ts';
export { getStage, listStages } from './reads/stages.ts';
export { getSweep, listSweeps, type SweepsQuery } from './reads/sweeps.ts';
export {
  type Comparison,
  compareTrials,
  getMetrics,
  getTrial,
  listTrials,
  type TrialsQuery,
} from './reads/trials.ts';
export { readTurn } from './reads/turns.ts';
export { unitEvidence } from './reads/unit-evidence.ts';
export { getWorker, listWorkers } from './reads/workers.ts';
export { addDecision } from './searches/add-decision.ts';
export { releaseSearch, takeDueSearch } from './searches/due-searches.ts';
export { readEarlier } from './searches/read-earlier.ts';
export { readSearch } from './searches/read-search.ts';
export { resolveSweeps } from './searches/resolve-sweeps.ts';
export { addHandPoint, endSearch, extendSearch } from './searches/steer-search.ts';
export { type ClientUse, readClientUse } from './submission/client-use.ts';
export { knownChains, statusesOf } from './submission/known-chains.ts';
export {
  getSubmission,
  listSubmissions,
  postponeSubmission,
  type Refusal,
  refuseSubmission,
  renewSubmission,
  type SubmissionSize,
  type SubmissionState,
  storeSubmission,
  type TakenSubmission,
  takeSubmission,
  withdrawSubmission,
} from './submission/stored-submissions.ts';
export { submitSweep } from './submission/submit-sweep.ts';
export { annotateSweep } from './sweeps/annotate-sweep.ts';
export { cancelSweep, deleteSweep, pauseSweep, resumeSweep, retrySweep } from './sweeps/steer-sweep.ts';
export { continueActions } from './sweeps/sweep-actions.ts';
export type * from './types.ts';
export { type ReconcileOptions, reconcile } from './upkeep/reconcile.ts';
export {
  attemptBounds,
  pingDatabase,
  pingSchema,
  readServiceCounts,
  type ServiceCounts,
} from './upkeep/service-counts.ts';
