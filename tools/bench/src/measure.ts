import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
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
import { syntheticDataset, type TimedStage, timeStage } from './time-stage.ts';
import { median } from './timing.ts';

export type MeasureOptions = {
  readonly sizes: Sizes;
  readonly batch: number;
  readonly steps: number;
  readonly rounds: number;
  /** PyTorch's side, run in turns with ours. */
  readonly torch: Torch | undefined;
  readonly torchDevice: string;
};

export type StageResult = {
  readonly stage: BenchStage;
  /** Medians over the rounds, of one step. */
  readonly milliseconds: number;
  readonly pytorchMilliseconds: number | null;
  /** Floating-point operations of one step, and how long they take at the speed of a matrix product. */
  readonly operations: number;
  readonly floorMilliseconds: number;
  readonly memory: readonly [number, number];
};

export type Measured = {
  readonly stages: readonly StageResult[];
  /** Operations per second of a matrix product, the best of all rounds. */
  readonly gemm: number;
  readonly parameters: number;
};

/** Times every stage once, *optimise* from what *initialise* left. */
export const timeStages = async (
  { sizes, batch, steps }: MeasureOptions,
  profile = false,
): Promise<Record<BenchStage, TimedStage>> => {
  const { filters, latent, noise } = sizes;
  const hyperparameters = { filters: filters.join('-'), latent, noise, batchSize: batch };
  const dataset = syntheticDataset(batch * 200); // long epochs: their ends are not what is timed
  const time = (stage: BenchStage, start: Checkpoint | null) =>
    timeStage(stage, { hyperparameters, dataset, steps, start, profile });
  const initialise = await time('initialise', null);
  const optimise = await time('optimise', initialise.checkpoint);
  return { initialise, optimise, classic: await time('classic', null) };
};

export const measure = async (options: MeasureOptions): Promise<Measured> => {
  const { sizes, batch, torch } = options;
  const flags = {
    ...{ filters: sizes.filters.join(','), latent: sizes.latent, noise: sizes.noise },
    ...{ batch, steps: options.steps, device: options.torchDevice, threads: 1 },
  };
  const ours: Record<BenchStage, TimedStage>[] = [];
  const theirs: { readonly stage: BenchStage; readonly ms_per_step: number }[] = [];
  const gemm: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    gemm.push(await measureGemm());
    ours.push(await timeStages(options));
    if (torch)
      theirs.push(
        ...(await torch.run(Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]))),
      );
  }
  const best = Math.max(...gemm);
  const stages = benchStages.map((stage): StageResult => {
    const operations = batch * operationsPerImage(stage, sizes);
    const pytorch = theirs.filter((line) => line.stage === stage).map((line) => line.ms_per_step);
    return {
      stage,
      milliseconds: median(ours.map((round) => round[stage].millisecondsPerStep)),
      pytorchMilliseconds: pytorch.length > 0 ? median(pytorch) : null,
      operations,
      floorMilliseconds: (1000 * operations) / best,
      memory: ours.at(-1)![stage].memory,
    };
  });
  return { stages, gemm: best, parameters: countParameters(sizes) };
};

/** PyTorch doing the same training steps, where it is installed. */

const Line = z.object({
  stage: z.enum(benchStages),
  ms_per_step: z.number(),
  images_per_s: z.number(),
  threads: z.int(),
  parameters: z.int(),
});
export type TorchLine = z.infer<typeof Line>;

/** Beside the repository, unless given. */
const usualScript = fileURLToPath(new URL('../../../../shared/bench/train_torch.py', import.meta.url));
/** Debian's python3-torch belongs to the system's interpreter. */
const python = '/usr/bin/python3';

export type Torch = { readonly run: (flags: readonly string[]) => Promise<readonly TorchLine[]> };

/** PyTorch's side of the benchmark, or why there is none. */
export const findTorch = async (script = usualScript): Promise<Torch | { readonly missing: string }> => {
  if (!existsSync(script))
    return { missing: `its script ${script} is not there (--torch names another place)` };
  try {
    await promisify(execFile)(python, ['-c', 'import torch']);
  } catch {
    return { missing: 'Debian’s python3-torch, python3-numpy and libopenblas0-pthread are not installed' };
  }
  const run = async (flags: readonly string[]): Promise<readonly TorchLine[]> => {
    const { stdout } = await promisify(execFile)(python, [script, ...flags]);
    return stdout
      .trim()
      .split('\n')
      .map((line) => Line.parse(JSON.parse(line)));
  };
  return { run };
};
