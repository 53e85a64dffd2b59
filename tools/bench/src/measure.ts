/** Times the training steps of Funnel and, in turns with them, those of its peer: PyTorch, eager and compiled. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Checkpoint } from '@funnel/engine';
import { z } from 'zod';
import {
  type BenchStage,
  benchStages,
  countParameters,
  measureGemm,
  operationsPerImage,
  type Sizes,
} from './arithmetic.ts';
import { type Clock, syntheticDataset, type TimedStage, timeStage } from './time-stage.ts';
import { median } from './timing.ts';

const peerModes = ['eager', 'compiled'] as const;
type PeerMode = (typeof peerModes)[number];

/** A line of `train_torch.py`. */
const PeerLine = z.object({
  stage: z.enum(benchStages),
  mode: z.enum(peerModes),
  ms_per_step: z.number(),
  images_per_s: z.number(),
  threads: z.int(),
  parameters: z.int(),
  torch: z.string(),
});
type PeerLine = z.infer<typeof PeerLine>;

export type Peer = {
  /** PyTorch's version. */
  readonly version: string;
  readonly run: (mode: PeerMode, flags: readonly string[]) => Promise<readonly PeerLine[]>;
};

const script = fileURLToPath(new URL('../peers/train_torch.py', import.meta.url));

/** The peer, run by the Python at this path, or the reason why it cannot run. */
export const findPeer = async (python: string): Promise<Peer | { readonly missing: string }> => {
  const version = await promisify(execFile)(python, ['-c', 'import torch; print(torch.__version__)']).catch(
    () => null,
  );
  if (version === null)
    return {
      missing: `${python} cannot import torch. Install tools/bench/peers/requirements.txt in a virtual environment, and name its Python with --python`,
    };
  return {
    version: version.stdout.trim(),
    run: async (mode, flags) => {
      const modeFlags = mode === 'compiled' ? ['--compile'] : [];
      const { stdout } = await promisify(execFile)(python, [script, ...flags, ...modeFlags]);
      return stdout
        .trim()
        .split('\n')
        .map((line) => PeerLine.parse(JSON.parse(line)));
    },
  };
};

export type MeasureOptions = {
  readonly sizes: Sizes;
  readonly batch: number;
  readonly steps: number;
  readonly rounds: number;
  readonly clock: Clock;
  readonly peer: Peer | undefined;
  readonly peerDevice: string;
};

export type StageResult = {
  readonly stage: BenchStage;
  /** The time of one step: the median over the rounds. */
  readonly milliseconds: number;
  /** The same for the peer; null without a peer. */
  readonly peerMilliseconds: Readonly<Record<PeerMode, number>> | null;
  /** Floating-point operations of one step, and the time that they take at the speed of a matrix product. */
  readonly operations: number;
  readonly floorMilliseconds: number;
  /** Resident bytes before and after the last round. */
  readonly memory: readonly [number, number];
};

export type Measured = {
  readonly stages: readonly StageResult[];
  /** Operations per second of a matrix product, the best of all rounds. */
  readonly gemm: number;
  readonly parameters: number;
};

/** Long epochs, so that their ends are not timed. */
const stepsPerEpoch = 200;

/** Times every stage once. *optimise* starts from the checkpoint of *initialise*. */
export const timeStages = async (
  { sizes, batch, steps, clock }: MeasureOptions,
  profile = false,
): Promise<Record<BenchStage, TimedStage>> => {
  const { filters, latent, noise, side, channels } = sizes;
  const hyperparameters = { filters: filters.join('-'), latent, noise, batchSize: batch };
  const dataset = syntheticDataset(batch * stepsPerEpoch, 1, [side, side, channels]);
  const time = (stage: BenchStage, start: Checkpoint | null) =>
    timeStage(stage, { hyperparameters, dataset, steps, start, profile, clock });
  const initialise = await time('initialise', null);
  const optimise = await time('optimise', initialise.checkpoint);
  return { initialise, optimise, classic: await time('classic', null) };
};

const peerFlags = ({ sizes, batch, steps, clock, peerDevice }: MeasureOptions): readonly string[] =>
  Object.entries({
    ...{ filters: sizes.filters.join(','), latent: sizes.latent, noise: sizes.noise },
    ...{ size: sizes.side, channels: sizes.channels, batch, steps, clock, device: peerDevice, threads: 1 },
  }).flatMap(([name, value]) => [`--${name}`, String(value)]);

/** In each round Funnel, PyTorch and compiled PyTorch run one after the other, since the speed of a machine drifts. */
export const measure = async (options: MeasureOptions): Promise<Measured> => {
  const { sizes, batch, peer } = options;
  const own: Record<BenchStage, TimedStage>[] = [];
  const peerLines: PeerLine[] = [];
  const gemm: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    gemm.push(await measureGemm());
    own.push(await timeStages(options));
    if (peer) for (const mode of peerModes) peerLines.push(...(await peer.run(mode, peerFlags(options))));
  }
  const bestGemm = Math.max(...gemm);
  const peerMedian = (stage: BenchStage, mode: PeerMode): number =>
    median(
      peerLines.filter((line) => line.stage === stage && line.mode === mode).map((line) => line.ms_per_step),
    );
  const stages = benchStages.map((stage): StageResult => {
    const operations = batch * operationsPerImage(stage, sizes);
    return {
      stage,
      milliseconds: median(own.map((round) => round[stage].millisecondsPerStep)),
      peerMilliseconds: peer
        ? { eager: peerMedian(stage, 'eager'), compiled: peerMedian(stage, 'compiled') }
        : null,
      operations,
      floorMilliseconds: (1000 * operations) / bestGemm,
      memory: own.at(-1)![stage].memory,
    };
  });
  return { stages, gemm: bestGemm, parameters: countParameters(sizes) };
};
