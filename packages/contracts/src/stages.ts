/** The specification of a stage. */
import { z } from 'zod';
import { AttackName } from './attacks.ts';
import { Sha256 } from './checkpoint.ts';
import { DatasetSpec } from './dataset-spec.ts';
import { HyperparameterValue } from './hyperparameters.ts';
import { RecipeName } from './recipes.ts';
import { StageKind } from './statuses.ts';

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
  /** The stage from whose networks this stage starts; null: it starts from new networks. Part of the chain. */
  parent: z.string().nullable(),
  attack: AttackRun.nullable(),
  /** The sorted ids of the stages whose classifiers a transfer attack uses; empty for other attacks. Part of the chain. */
  surrogates: z.array(z.string()),
});
export type StageSpec = z.infer<typeof StageSpec>;
