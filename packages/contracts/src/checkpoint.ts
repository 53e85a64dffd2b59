/** The content of a checkpoint. Its hash is the SHA-256 of the canonical JSON of its manifest; every blob is content-addressed. */
import { z } from 'zod';

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const TensorSpec = z.strictObject({ name: z.string(), shape: z.array(z.int()) });
export type TensorSpec = z.infer<typeof TensorSpec>;

/** One network. Its weights are one blob, float32 little-endian, in the order of `weights`. */
export const NetworkManifest = z.strictObject({
  /** Keras-style topology that `tf.loadLayersModel` opens (JSON of `model.toJSON(null, false)`). */
  topology: z.record(z.string(), z.unknown()),
  weights: z.array(TensorSpec),
  blob: Sha256,
});
export type NetworkManifest = z.infer<typeof NetworkManifest>;

/** The progress of training: `epoch` complete epochs, and `step` steps of the next epoch. */
export const Position = z.strictObject({ epoch: z.int().min(0), step: z.int().min(0) });
export type Position = z.infer<typeof Position>;

/**
 * The state of a chain at a position. It names every network that a later stage may need; a frozen network keeps its blob. `moments` are
 * Adam's, float32. Training cannot continue from a checkpoint without them, but attacks and later stages can use it.
 */
export const CheckpointManifest = z.strictObject({
  position: Position,
  networks: z.record(z.string(), NetworkManifest),
  moments: z.strictObject({ tensors: z.array(TensorSpec), blob: Sha256 }).nullable(),
  /** Numbers that training continues with: sums of the running epoch, the floor of β, … */
  scalars: z.record(z.string(), z.number()),
});
export type CheckpointManifest = z.infer<typeof CheckpointManifest>;
