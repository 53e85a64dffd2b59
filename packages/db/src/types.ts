/** The inputs and results of the operations of this package, besides the resources of the contracts. */
import type {
  AttackRun,
  AttackSpec,
  CheckpointManifest,
  CleanCounts,
  ClientLimits,
  DecisionSource,
  Diagnostic,
  EvaluationMetricName,
  EvaluationRecords,
  EvaluationSummary,
  HyperparameterValue,
  Known,
  Lack,
  Plan,
  Position,
  SearchEnd,
  SearchPoint,
  StageKind,
  StageSpec,
  StoredDefinition,
  StoredSweepStatus,
  SweepPlan,
  TrialStatus,
  TrialVerdict,
  Usage,
  Verdict,
  WorkerDataset,
} from '@funnel/contracts';
import type { Wanted } from './submission/known-chains.ts';

/**
 * Every write of an attempt carries its lease. The database refuses and counts the write (STALE_LEASE) if another attempt has the stage.
 * With `workerId` it also refuses if another worker has the stage: the tokens of a stage that was deleted and submitted again start again
 * at 1.
 */
export type Lease = { readonly stageId: string; readonly fencingToken: number; readonly workerId?: string };

/** A write of an attempt, with what its trainer has used of the machine so far. (Default: not measured) */
export type Report = Lease & { readonly usage?: Usage | null };

export type Submission = {
  readonly definition: StoredDefinition;
  /** Every stage that the sweep needs, parents before children. `buildPlan` gets the known parts of their chains. */
  readonly stages: readonly Wanted[];
  /** The last step of the planner. Pure. */
  readonly buildPlan: (known: Known) => SweepPlan;
  /** For one client: the same key with the same body returns the same sweep; the same key with another body is the error IDEMPOTENCY_CONFLICT. */
  readonly idempotency?: { readonly key: string; readonly bodyHash: string };
  /** The tags of the new sweep. (Default: none) */
  readonly tags?: readonly string[];
  /** The stored submission that this carries out: the same transaction completes it. (Default: none) */
  readonly ticket?: Ticket;
  /** The token or address that submits the sweep, and its limits. (Default: no client, no limits) */
  readonly share?: { readonly client: string; readonly limits: ClientLimits };
  /** For a search that decides one configuration after the other: `stages` and the trials of the plan are those of decision 0. */
  readonly search?: NewSearch;
};

export type NewSearch = {
  /** The largest number of configurations. */
  readonly configurations: number;
  /** The largest number of stages of one decision. */
  readonly stride: number;
  /** The hyperparameters whose values may differ between the trials, and `recipe` if there are several. */
  readonly varying: ReadonlySet<string>;
  /** Observations of other sweeps, as JSON. */
  readonly earlier: readonly unknown[];
  /** Decision 0. */
  readonly decision: NewDecision;
};

/** A decision of a search, as it is written. */
export type NewDecision = {
  /** 0, 1, … */
  readonly number: number;
  readonly source: DecisionSource;
  /** The number of the decision that proposed the configuration; null for an empty place. */
  readonly configuration: number | null;
  /** 0 for the shortest training; null for an empty place. */
  readonly rung: number | null;
  /** The value of the fidelity; null without promotion. */
  readonly epochs: number | null;
  readonly point: SearchPoint | null;
  /** Of a promotion: the place at the rung below, from 1, and the number of units there. */
  readonly place: number | null;
  readonly among: number | null;
  /** The epochs that the unit adds to the search. */
  readonly newEpochs: number;
};

/** What a decision makes: the trials of one configuration at a rung, one for each seed. */
export type NewUnit = Pick<Submission, 'stages' | 'buildPlan'>;

/** A value of a trial that a search reads. */
export type WantedValue = {
  /** Undefined: the worst case over the attacks; for the clean accuracy, all test images without an attack. */
  readonly attack: AttackSpec | undefined;
  readonly metric: EvaluationMetricName;
};

/** A trial as a search sees it. */
export type UnitTrial = {
  readonly id: string;
  readonly seed: number;
  readonly status: TrialStatus;
  readonly verdict: TrialVerdict | null;
  /** In the order of the wanted values; null: missing. */
  readonly values: readonly (number | null)[];
};

/** A decision that was made, and its trials by seed. */
export type RecordedDecision = NewDecision & {
  readonly decidedAt: string;
  readonly trials: readonly UnitTrial[];
};

export type SearchRecord = {
  readonly definition: StoredDefinition;
  readonly status: StoredSweepStatus;
  /** The time of the submission. */
  readonly createdAt: string;
  readonly configurations: number;
  readonly stride: number;
  readonly earlier: readonly unknown[];
  /** Points that users asked for and that the next proposals take, oldest first. */
  readonly handPoints: readonly SearchPoint[];
  /** Null: the search is open. */
  readonly ended: SearchEnd | null;
  /** In the order of their numbers, which may have gaps. */
  readonly decisions: readonly RecordedDecision[];
};

/** A search in the hands of one process, for a minute since its last decision. `marked`: what `releaseSearch` needs. */
export type TakenSearch = { readonly sweepId: string; readonly marked: number };

/** `taken`: the number has a decision. `closed`: the search has ended, or its sweep does not run, or an operation on it goes on. */
export type Decided = 'written' | 'taken' | 'closed';

export type Extension = {
  /** The number of configurations for which `plan` was made. A search that has another number by now is not extended. */
  readonly from: number;
  readonly to: number;
  /** The plan of the whole search with `to` configurations. */
  readonly plan: Plan;
  /** Those of the client that submitted the sweep. (Default: none) */
  readonly limits?: ClientLimits;
};

/** A configuration of an earlier sweep whose trials have all ended. */
export type EarlierConfiguration = {
  readonly sweepId: string;
  readonly recipe: string;
  readonly hyperparameters: Readonly<Record<string, HyperparameterValue>>;
  readonly trials: readonly UnitTrial[];
};

export type EarlierSweep = {
  readonly sweepId: string;
  readonly definition: StoredDefinition;
  /** Without configurations below the highest rung. */
  readonly configurations: readonly EarlierConfiguration[];
};

/** A stored submission in the hands of one process. Another attempt may take it when the lease of this one has run out. */
export type Ticket = { readonly id: string; readonly attempt: number };

export type Submitted = {
  readonly sweepId: string;
  /** False: this is the sweep of an earlier submission of the same client with the same idempotency key. */
  readonly created: boolean;
};

export type ClaimRequest = {
  readonly workerId: string;
  readonly leaseSeconds: number;
  /** (Default: every kind) */
  readonly kinds?: readonly StageKind[];
  /** Only stages that are scheduled for this sweep. (Default: stages of every sweep) */
  readonly sweep?: string;
  readonly backend?: string;
  readonly device?: string;
  readonly engineVersion?: string;
  /**
   * Give it after a claim that got no answer: all stages that the worker runs. The database may have committed that claim. A running stage of
   * this worker that is not among them is then the claimed one, and the call returns it instead of another.
   */
  readonly known?: readonly string[];
};

/**
 * The start of training. `sameChain` is true if the stage continues its own chain from `manifest.position`, with its moments. False: the
 * stage starts from the final networks of its parent, and `moments` is null.
 */
export type StageStart = { readonly manifest: CheckpointManifest; readonly sameChain: boolean };

export type ClaimedStage = Lease & {
  readonly spec: StageSpec;
  /** The number of this attempt, from 1. Attempts that were released or handed back do not count. */
  readonly attempt: number;
  /** Bytes of memory that the stage needs at least; 0: little. */
  readonly memoryBytes: number;
  readonly start: StageStart | null;
  /** Final states of the surrogates of a transfer attack, without surrogates that diverged or collapsed. */
  readonly surrogates: readonly CheckpointManifest[];
  readonly sweepIds: readonly string[];
};

export type CheckpointWrite = Report & {
  readonly manifest: CheckpointManifest;
  /** The bytes of the blobs that the manifest names, by their hash. Blobs that are already in the database may be left out. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** Metrics of the epoch that ends at the position; null in mid-epoch (`step` > 0). */
  readonly metrics: Readonly<Record<string, number | null>> | null;
  /** Of a classifier at the end of an epoch: the clean test images of each class. (Default: null) */
  readonly perClass?: CleanCounts | null;
};

export type CheckpointRecorded = {
  /** Hash of the stored checkpoint of this position. It is the hash of the written checkpoint unless `matches` is false. */
  readonly hash: string;
  /** False: a checkpoint with other bits was recorded for this position before, and stays. */
  readonly matches: boolean;
};

/** Images of the first few records: `original` and `attacked` hold index.length × shape bytes, 0–255. */
export type Gallery = {
  readonly shape: readonly number[];
  readonly index: readonly number[];
  readonly original: Uint8Array;
  readonly attacked: Uint8Array;
};

export type EvaluationWrite = AttackRun & {
  readonly summary: EvaluationSummary;
  readonly verdict: Verdict;
  readonly diagnostics: readonly Diagnostic[];
  readonly records: EvaluationRecords;
  readonly gallery: Gallery;
};

export type Completion = Report & { readonly evaluation?: EvaluationWrite };

/** An end that is a result: the same inputs would end in the same way again. */
export type StageEnd = Report & { readonly status: 'diverged' | 'collapsed'; readonly message: string };

export type Failure = Report & {
  readonly code: string;
  readonly message: string;
  readonly stack?: string;
  readonly maxAttempts: number;
};

/** Why a worker hands a stage back. `code` and `message` are those of the error that showed it. */
export type HandBack = Report & { readonly lack: Lack; readonly code: string; readonly message: string };

export type Progress = Lease & {
  readonly position: Position | null;
  readonly imagesPerSecond: number | null;
};

export type Heartbeat = {
  readonly workerId: string;
  readonly leases: readonly Progress[];
  /** Ids of stages whose trainers have not stopped yet, although the worker writes nothing more for them. (Default: none) */
  readonly stopping?: readonly string[];
  readonly memoryBytes: number | null;
  readonly leaseSeconds: number;
};

export type HeartbeatAnswer = {
  /** Whether the worker has a row. A worker that was silent for a day has lost its row: call `registerWorker` again. */
  readonly isRegistered: boolean;
  /** Stages that another attempt has, or that have ended: kill the trainer, write nothing. */
  readonly lost: readonly string[];
  /** `pause`: record a checkpoint, then `releaseStage`. `cancel`: end the trainer; every further write is refused. */
  readonly stop: readonly { readonly stageId: string; readonly reason: 'cancel' | 'pause' }[];
};

/** What a worker has. Null: unknown, so the worker takes every stage. */
export type Abilities = {
  /** The version of the engine's arithmetic. */
  readonly engineVersion: string | null;
  /** Bytes of memory that one trainer may use. */
  readonly trainerBytes: number | null;
  readonly datasets: readonly WorkerDataset[] | null;
};

export type WorkerRegistration = {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** The version of Funnel. */
  readonly version: string;
  readonly backend: string;
  readonly device: string;
  readonly slots: number;
  /** (Default: nothing known) */
  readonly abilities?: Abilities;
};

export type Reconciled = {
  /** Ids of the stages whose lease had run out. */
  readonly expired: readonly string[];
  /** The number of corrected statuses: 0 unless there is a bug or somebody has changed the tables. */
  readonly repaired: number;
  /** False: another process is reconciling or has just reconciled. */
  readonly done: boolean;
};

export type Page<T> = { readonly items: readonly T[]; readonly next: string | null };
