/** Tensors to blobs and back, and the hash that names a checkpoint. */
import { createHash } from 'node:crypto';
import {
  type CheckpointManifest,
  canonicalJson,
  type NetworkManifest,
  type TensorSpec,
} from '@funnel/contracts';
import { weightSpecs } from './models/architecture.ts';
import { createNetwork, type Network, readWeights } from './models/network.ts';
import { architectureOf, topologyOf } from './models/topology.ts';

/** Blobs by the sha-256 of their bytes. */
export type Blobs = ReadonlyMap<string, Uint8Array>;

export type Checkpoint = {
  readonly manifest: CheckpointManifest;
  /** Every blob that the manifest names and that training did not start from. */
  readonly blobs: Blobs;
};

/** A manifest and at least those of its blobs that are to be read. */
export type Stored = { readonly manifest: CheckpointManifest; readonly blobs: Blobs };

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** The name of a checkpoint: equal states have equal names, whoever trained them. */
export const hashManifest = (manifest: CheckpointManifest): string => sha256(canonicalJson(manifest));

/** Float32, little-endian as every processor that Node runs tfjs on, one tensor after the other. */
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

/** The tensors of a blob, copied. Throws when the blob has another size than `specs` say. */
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

/** A network as a checkpoint stores it. Downloads its weights. */
export const storeNetwork = async (
  network: Network,
): Promise<{ readonly manifest: NetworkManifest; readonly bytes: Uint8Array; readonly finite: boolean }> => {
  const values = await readWeights(network);
  const { blob, bytes } = packTensors(values);
  const weights = weightSpecs(network.architecture).map(({ name, shape }) => ({ name, shape: [...shape] }));
  const finite = values.every((tensor) => tensor.every(Number.isFinite));
  return { manifest: { topology: topologyOf(network.architecture), weights, blob }, bytes, finite };
};

/** The network `name` of a checkpoint, on the device. Throws when the checkpoint has none of that name. */
export const loadNetwork = ({ manifest, blobs }: Stored, name: string): Network => {
  const stored = manifest.networks[name];
  if (stored === undefined)
    throw new Error(
      `Expected a checkpoint with a network ${name}, but it has ${Object.keys(manifest.networks).join(', ') || 'none'}`,
    );
  const values = unpackTensors(blobOf(blobs, stored.blob, name), stored.weights);
  return createNetwork(architectureOf(stored.topology), values);
};

/** Adam's moments of a checkpoint, in the order in which they were stored, or null where they were not kept. */
export const loadMoments = ({ manifest, blobs }: Stored): Float32Array[] | null =>
  manifest.moments &&
  unpackTensors(blobOf(blobs, manifest.moments.blob, 'the moments'), manifest.moments.tensors);
