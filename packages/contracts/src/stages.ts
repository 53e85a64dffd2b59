/** The statuses of sweeps, trials and stages. Which changes a stage may make stands in `packages/db/src/lifecycle/transitions.ts`. */
import { z } from 'zod';
import { AttackName } from './attacks.ts';
import { Sha256 } from './checkpoint.ts';
import { DatasetSpec } from './datasets.ts';
import { HyperparameterValue } from './hyperparameters.ts';
import { RecipeName } from './recipes.ts';

/**
 * waiting (for the stages that it depends on) → ready → running → an end. `diverged` (a loss that is not finite) and `collapsed` (an
 * auto-encoder that ignores its input) are results, not errors: the same inputs would end so again. `skipped`: a stage that it depends on
 * ended without a usable result.
 */
export const StageStatus = z.enum([
  'waiting',
  'ready',
  'running',
  'completed',
  'diverged',
  'collapsed',
  'failed',
  'skipped',
  'cancelled',
]);
export type StageStatus = z.infer<typeof StageStatus>;

/** A trial owns no work: its status is what its stages make it. */
export const TrialStatus = z.enum([
  'waiting',
  'running',
  'completed',
  'failed',
  'diverged',
  'collapsed',
  'cancelled',
]);
export type TrialStatus = z.infer<typeof TrialStatus>;

/** `completed`: every trial has ended, however it ended. */
export const SweepStatus = z.enum(['running', 'paused', 'completed', 'cancelled']);
export type SweepStatus = z.infer<typeof SweepStatus>;

export const StageKind = z.enum(['initialise', 'optimise', 'classify', 'attack']);
export type StageKind = z.infer<typeof StageKind>;

/** What a worker is handed, and what it hands back. */

/** An attack with all of its settings: an evaluation's key. */
export const AttackRun = z.strictObject({ attack: AttackName, settings: z.record(z.string(), z.unknown()) });
export type AttackRun = z.infer<typeof AttackRun>;

/**
 * The specification of a stage: everything that its result depends on, and nothing else.
 *
 * `chain` is the hash of all of it but the length; `id` of the chain and the length. So the stages (chain, 11) and (chain, 31) are
 * points on one line of training, and the state at 11 is the same whether or not training went on.
 */
export const StageSpec = z.strictObject({
  id: Sha256,
  chain: Sha256,
  kind: StageKind,
  recipe: RecipeName,
  /** The hyperparameters that this stage reads, by name. */
  hyperparameters: z.record(z.string(), HyperparameterValue),
  seed: z.int().min(0),
  dataset: DatasetSpec,
  /** Epochs of this kind of stage in its result; 0 for `attack`. */
  epochs: z.int().min(0),
  /** The stage whose networks this one starts from (null: from scratch); part of the chain's identity. */
  parent: z.string().nullable(),
  attack: AttackRun.nullable(),
  /** The stages, sorted, whose classifiers an attack makes its images on; empty where it needs none. Part of the chain's identity. */
  surrogates: z.array(z.string()),
});
export type StageSpec = z.infer<typeof StageSpec>;
