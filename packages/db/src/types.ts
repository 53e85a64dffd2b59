/** What goes into and comes out of the operations of this package, beyond the resources of the contracts. */
import type {
  AttackRun,
  CheckpointManifest,
  Diagnostic,
  EvaluationRecords,
  EvaluationSummary,
  Known,
  Position,
  StageKind,
  StageSpec,
  SweepDefinition,
  SweepPlan,
  Verdict,
} from '@funnel/contracts';
import type { Wanted } from './submission/known-chains.ts';

/**
 * What every write of an attempt carries: refused when another attempt has the stage (STALE_LEASE, counted). `workerId`: and when another
 * worker has it. Attempts of a stage that was deleted and submitted anew are counted from 1 again.
 */
export type Lease = { readonly stageId: string; readonly fencingToken: number; readonly workerId?: string };

export type Submission = {
  readonly definition: SweepDefinition;
  /** Every stage that the sweep points at, parents before children: `settle` is told what is known of their chains. */
  readonly stages: readonly Wanted[];
  /** The planner's last step; runs inside the transaction, while no other submission can change what is known. Pure. */
  readonly buildPlan: (known: Known) => SweepPlan;
  /** The same key with the same body gives the same sweep; with another body, IDEMPOTENCY_CONFLICT. */
  readonly idempotency?: { readonly key: string; readonly bodyHash: string };
};

export type Submitted = {
  readonly sweepId: string;
  /** False: the idempotency key was known, and this is its sweep. */
  readonly created: boolean;
};

export type ClaimRequest = {
  readonly workerId: string;
  readonly leaseSeconds: number;
  /** (Default: every kind) */
  readonly kinds?: readonly StageKind[];
  /** Only stages on this sweep's account. */
  readonly sweep?: string;
  readonly backend?: string;
  readonly device?: string;
  readonly engineVersion?: string;
};

/**
 * Where training starts. `sameChain`: it goes on from `manifest.position` with its moments. Else the parent's final networks, and
 * `moments` is null.
 */
export type StageStart = { readonly manifest: CheckpointManifest; readonly sameChain: boolean };

export type ClaimedStage = Lease & {
  readonly spec: StageSpec;
  /** 1 for the first attempt that counts. */
  readonly attempt: number;
  readonly start: StageStart | null;
  /** Final states of the classifiers that a transfer attack makes its images on; those that diverged or collapsed are left out. */
  readonly surrogates: readonly CheckpointManifest[];
  readonly sweepIds: readonly string[];
};

export type CheckpointWrite = Lease & {
  readonly manifest: CheckpointManifest;
  /** The bytes of the blobs that the manifest names; those that the database has may be left out. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** Numbers of the epoch that the position ends; null in mid-epoch (`step` > 0). */
  readonly metrics: Readonly<Record<string, number | null>> | null;
};

export type CheckpointRecorded = {
  /** Of what is stored for this position, which is what came unless `matches` is false. */
  readonly hash: string;
  /** False: other bits had been recorded for this position before; they stay. */
  readonly matches: boolean;
};

/** Pictures of the first few records: `original` and `attacked` hold index.length × shape bytes, 0–255. */
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

export type Completion = Lease & { readonly evaluation?: EvaluationWrite };

/** An end that is a result: the same inputs would end so again. */
export type StageEnd = Lease & { readonly status: 'diverged' | 'collapsed'; readonly message: string };

export type Failure = Lease & {
  readonly code: string;
  readonly message: string;
  readonly stack?: string;
  readonly maxAttempts: number;
};

export type Progress = Lease & {
  readonly position: Position | null;
  readonly imagesPerSecond: number | null;
};

export type Heartbeat = {
  readonly workerId: string;
  readonly leases: readonly Progress[];
  readonly memoryBytes: number | null;
  readonly leaseSeconds: number;
};

export type HeartbeatAnswer = {
  /** Another attempt has them, or they ended: kill the trainer, write nothing. */
  readonly lost: readonly string[];
  /** `pause`: checkpoint, then `handBack`. `cancel`: end the trainer; nothing more is taken. */
  readonly stop: readonly { readonly stageId: string; readonly reason: 'cancel' | 'pause' }[];
};

export type WorkerRegistration = {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** Of Funnel. */
  readonly version: string;
  readonly backend: string;
  readonly device: string;
  readonly slots: number;
};

export type Reconciled = {
  /** Stages whose lease ran out. */
  readonly expired: readonly string[];
  /** Statuses that had to be put right; 0 unless there is a bug or a hand in the tables. */
  readonly repaired: number;
  /** False: another process is doing it, or has just done it. */
  readonly done: boolean;
};

export type Page<T> = { readonly items: readonly T[]; readonly next: string | null };
