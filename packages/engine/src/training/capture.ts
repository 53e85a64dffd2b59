/** The state of training as a checkpoint, and what of a checkpoint's scalars training goes on with. */
import type { CheckpointManifest, Position } from '@funnel/contracts';
import { type Checkpoint, packTensors, storeNetwork } from '../checkpoint.ts';
import { readTensors } from '../models/network.ts';
import type { StageStart, Training } from './stage.ts';

type Scalars = Readonly<Record<string, number>>;

/** Sums of the running epoch carry this prefix in a manifest, beside scalars that later stages read. */
const prefix = 'sum.';

const renamed = (scalars: Scalars, keep: (name: string) => string | null): Record<string, number> =>
  Object.fromEntries(
    Object.entries(scalars).flatMap(([name, value]) => {
      const kept = keep(name);
      return kept === null ? [] : [[kept, value]];
    }),
  );

/** Sums of the epoch that the start stands in; none where it only is what training builds on. */
export const sumsOf = (start: StageStart | null): Record<string, number> =>
  start?.sameChain
    ? renamed(start.manifest.scalars, (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : null))
    : {};

/** Scalars that go from checkpoint to checkpoint. */
export const carriedOf = (start: StageStart | null): Record<string, number> =>
  renamed(start?.manifest.scalars ?? {}, (name) => (name.startsWith(prefix) ? null : name));

/** Answers null where a weight is not a finite number: such a state is no checkpoint. */
export const capture = async (
  training: Training,
  position: Position,
  carried: Scalars,
  sums: Scalars,
): Promise<Checkpoint | null> => {
  const blobs = new Map<string, Uint8Array>();
  const networks: CheckpointManifest['networks'] = { ...training.frozen };
  for (const [name, network] of Object.entries(training.networks)) {
    const stored = await storeNetwork(network);
    if (!stored.finite) return null;
    networks[name] = stored.manifest;
    blobs.set(stored.manifest.blob, stored.bytes);
  }
  const players = Object.entries(training.players);
  const moments = packTensors(await readTensors(players.flatMap(([, player]) => player.moments)));
  blobs.set(moments.blob, moments.bytes);
  const tensors = players.flatMap(([name, player]) =>
    player.moments.map((moment, i) => ({
      name: `${name}/${Math.floor(i / 2)}/${i % 2 === 0 ? 'm' : 'v'}`,
      shape: [...moment.shape],
    })),
  );
  const scalars = { ...carried, ...renamed(sums, (name) => prefix + name) };
  return { manifest: { position, networks, moments: { tensors, blob: moments.blob }, scalars }, blobs };
};
