/**
 * Checkpoints: a manifest, whose hash is the checkpoint's name, and blobs with the weights and moments. `contracts` declares the manifest;
 * `training/train.ts` makes checkpoints.
 */
import { createHash } from 'node:crypto';
import {
  type CheckpointManifest,
  canonicalJson,
  type NetworkManifest,
  type TensorSpec,
} from '@funnel/contracts';
import { weightSpecs } from './models/architecture.ts';
import { createNetwork, type Network, readWeights } from './models/network.ts';
import { architectureOf } from './models/read-topology.ts';
import { topologyOf } from './models/topology.ts';

/** Blobs by the SHA-256 of their bytes. */
export type Blobs = ReadonlyMap<string, Uint8Array>;

export type Checkpoint = {
  readonly manifest: CheckpointManifest;
  /** The blobs that the manifest names, except for the blobs of the start. */
  readonly blobs: Blobs;
};

/** A stored checkpoint: its manifest, and at least the blobs that the caller reads. */
export type Stored = { readonly manifest: CheckpointManifest; readonly blobs: Blobs };

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** The name of a checkpoint: the SHA-256 of its canonical JSON. Equal states have equal names on every machine. */
export const hashManifest = (manifest: CheckpointManifest): string => sha256(canonicalJson(manifest));

/** One blob of tensors, one after the other: float32, little-endian (as on every processor on which Node runs tfjs). */
export const packTensors = (
  tensors: readonly Float32Array[],
): { readonly blob: string; readonly bytes: Uint8Array } => {
  const values = new Float32Array(tensors.reduce((sum, tensor) => sum + tensor.length, 0));
  let at = 0;
  for (const tensor of tensors) {
    values.set(tensor, at);
    at += tensor.length;
  }
  const bytes = new Uint8Array(values.buffer);
  return { blob: sha256(bytes), bytes };
};

/** The tensors of a blob, copied. Throws when the size of the blob differs from the size that `specs` gives. */
export const unpackTensors = (bytes: Uint8Array, specs: readonly TensorSpec[]): Float32Array[] => {
  const lengths = specs.map((spec) => spec.shape.reduce((a, b) => a * b, 1));
  const expected = 4 * lengths.reduce((a, b) => a + b, 0);
  if (bytes.length !== expected)
    throw new Error(`Expected a blob of ${expected} bytes, but got ${bytes.length}`);
  const values = new Float32Array(bytes.slice().buffer);
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return values.slice(at - length, at);
  });
};

const blobOf = (blobs: Blobs, hash: string, what: string): Uint8Array => {
  const bytes = blobs.get(hash);
  if (bytes === undefined)
    throw new Error(`Expected the blob ${hash} of ${what} beside its manifest, but it is not there`);
  return bytes;
};

/** A network in the form of a checkpoint. Reads its weights from the device. `finite`: whether all weights are finite. */
export const storeNetwork = async (
  network: Network,
): Promise<{ readonly manifest: NetworkManifest; readonly bytes: Uint8Array; readonly finite: boolean }> => {
  const values = await readWeights(network);
  const { blob, bytes } = packTensors(values);
  const weights = weightSpecs(network.architecture).map(({ name, shape }) => ({ name, shape: [...shape] }));
  const finite = values.every((tensor) => tensor.every(Number.isFinite));
  return { manifest: { topology: topologyOf(network.architecture), weights, blob }, bytes, finite };
};

/** Loads the network `name` of a checkpoint onto the device. Throws when the checkpoint has no such network. */
export const loadNetwork = ({ manifest, blobs }: Stored, name: string): Network => {
  const stored = manifest.networks[name];
  if (stored === undefined)
    throw new Error(
      `Expected a checkpoint with a network ${name}, but it has ${Object.keys(manifest.networks).join(', ') || 'none'}`,
    );
  const values = unpackTensors(blobOf(blobs, stored.blob, name), stored.weights);
  return createNetwork(architectureOf(stored.topology), values);
};

/** The moments of Adam in a checkpoint, in the order in which they were stored, or null where they were not kept. */
export const loadMoments = ({ manifest, blobs }: Stored): Float32Array[] | null =>
  manifest.moments &&
  unpackTensors(blobOf(blobs, manifest.moments.blob, 'the moments'), manifest.moments.tensors);
