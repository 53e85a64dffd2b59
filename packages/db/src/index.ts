export { type Change, listAudit, writeAudit } from './audit.ts';
export { getBlobs, missingBlobs } from './blobs.ts';
export { cancelSweep } from './cancel-sweep.ts';
export { getCheckpoint } from './checkpoints.ts';
export { claimStage } from './claim-stage.ts';
export { type CollectOptions, collectGarbage } from './collect-garbage.ts';
export { completeStage } from './complete-stage.ts';
export { createDb, type Db, type DbOptions } from './db.ts';
export { deleteSweep } from './delete-sweep.ts';
export { type EmbeddedDatabase, type EmbeddedOptions, startEmbedded } from './embedded/start-embedded.ts';
export { endStage } from './end-stage.ts';
export { heartbeat } from './heartbeat.ts';
export { knownChains } from './known-chains.ts';
export { checkSchema, migrate } from './migrate.ts';
export { pauseSweep, resumeSweep } from './pause-sweep.ts';
export { type QueueAddress, queueAddress } from './queue-address.ts';
export { type EvaluationImages, getEvaluation, getImages } from './reads/evaluations.ts';
export { type EventsQuery, eventsAfter, isEventAfter, lastEventId, onEvents } from './reads/events.ts';
export { leaderboard } from './reads/leaderboard.ts';
export { readStageLog } from './reads/stage-log.ts';
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
export { listWorkers } from './reads/workers.ts';
export { type ReconcileOptions, reconcile } from './reconcile.ts';
export { recordCheckpoint } from './record-checkpoint.ts';
export { failAttempt, handBack } from './release-stage.ts';
export { retrySweep } from './retry-sweep.ts';
export { attemptBounds, pingDatabase, readServiceCounts, type ServiceCounts } from './service-counts.ts';
export { submitSweep } from './submit-sweep.ts';
export { anyToken, findToken, listTokens, revokeToken, saveToken, type TokenInfo } from './tokens.ts';
export type * from './types.ts';
export { registerWorker, retireWorker } from './workers.ts';
