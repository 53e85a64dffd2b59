/** What a worker is handed, and what it hands back. */
import { z } from 'zod';
import { AttackName } from './attacks.ts';
import { Sha256 } from './checkpoint.ts';
import { DatasetSpec } from './datasets.ts';
import { HyperparameterValue } from './hyperparameters.ts';
import { RecipeName } from './recipes.ts';
import { StageKind } from './statuses.ts';

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
