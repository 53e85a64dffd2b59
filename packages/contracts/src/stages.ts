/**
 * Stages: their kinds, their specification, and the statuses of stages, trials and sweeps. `packages/db/src/lifecycle/transitions.ts` lists
 * which status may follow which.
 */
import { z } from 'zod';
import { AttackName } from './attacks.ts';
import { Sha256 } from './checkpoint.ts';
import { DatasetSpec } from './datasets.ts';
import { HyperparameterValue } from './hyperparameters.ts';
import { RecipeName } from './recipes.ts';

/**
 * waiting (for the stages that it depends on) → ready → running → one of the others, which are final. `diverged` (a loss is not finite) and
 * `collapsed` (an auto-encoder ignores its input) are results, not errors: the same inputs give the same end. `skipped`: a stage that it
 * depends on ended without a usable result.
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

/** The status of a trial follows from its stages. */
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

/** `completed`: every trial has ended, successfully or not. */
export const SweepStatus = z.enum(['running', 'paused', 'completed', 'cancelled']);
export type SweepStatus = z.infer<typeof SweepStatus>;

export const StageKind = z.enum(['initialise', 'optimise', 'classify', 'attack']);
export type StageKind = z.infer<typeof StageKind>;

/** An attack with all of its settings. */
export const AttackRun = z.strictObject({ attack: AttackName, settings: z.record(z.string(), z.unknown()) });
export type AttackRun = z.infer<typeof AttackRun>;

/**
 * The specification of a stage: everything that its result depends on, and nothing else.
 *
 * `chain` is the hash of everything except the length; `id` is the hash of chain and length. The stages (chain, 11 epochs) and (chain, 31
 * epochs) are points of one training run: the checkpoint at epoch 11 is the same whether or not training continues.
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
  /** The stage whose networks this one starts from (null: from scratch); part of the chain. */
  parent: z.string().nullable(),
  attack: AttackRun.nullable(),
  /** Ids, sorted, of the stages on whose classifiers a transfer attack makes its images; empty for other attacks. Part of the chain. */
  surrogates: z.array(z.string()),
});
export type StageSpec = z.infer<typeof StageSpec>;
