/** `bench train`: the product's training steps, beside PyTorch's and the floor. */
import { parseArgs } from 'node:util';
import type { Checkpoint } from '@funnel/engine';
import { formatProfile, openBackend, profileKernels } from '@funnel/engine';
import { z } from 'zod';
import {
  type BenchStage,
  benchStages,
  countParameters,
  measureGemm,
  operationsPerImage,
  type Sizes,
} from './arithmetic.ts';
import { syntheticDataset } from './images.ts';
import { timeStage } from './time-stage.ts';
import { findTorch } from './torch.ts';

const Count = z.coerce.number().pipe(z.int().min(1));
const Options = z.strictObject({
  filters: z
    .string()
    .regex(/^\d+(,\d+)*$/, 'Expected filter counts joined by ","')
    .default('32,64'),
  latent: z.coerce.number().pipe(z.int().min(0)).default(64),
  noise: z.coerce.number().pipe(z.int().min(0)).default(16),
  batch: Count.default(128),
  steps: Count.default(20),
  rounds: Count.default(3),
  backend: z.enum(['auto', 'cuda', 'tensorflow', 'webgpu', 'wasm', 'cpu']).default('auto'),
  device: z.enum(['cpu', 'cuda']).default('cpu'),
  torch: z.string().optional(),
  json: z.boolean().default(false),
  profile: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

export const trainUsage = `train [--backend auto|cuda|tensorflow|webgpu|wasm|cpu] [--filters 32,64] [--latent 64] [--noise 16] [--batch 128]
      [--steps 20] [--rounds 3] [--device cpu|cuda] [--torch path/of/train_torch.py] [--profile] [--json]
  Times one training step of each stage; PyTorch, if it is there, in turns with it (--device: PyTorch's).`;

const string = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

const parse = (args: readonly string[]): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ filters: string, latent: string, noise: string, batch: string, steps: string, rounds: string },
      ...{ backend: string, device: string, torch: string, json: flag, profile: flag },
    },
  });
  return Options.parse(values);
};

type Times = Record<BenchStage, number[]>;
const noTimes = (): Times => ({ initialise: [], optimise: [], classic: [] });
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Times every stage once, *optimise* from what *initialise* left. */
const timeStages = async (options: Options, times: Times): Promise<void> => {
  const { batch, steps, latent, noise } = options;
  const knobs = { filters: options.filters.replaceAll(',', '-'), latent, noise, batchSize: batch };
  const dataset = syntheticDataset(batch * 200);
  let initialised: Checkpoint | null = null;
  for (const stage of benchStages) {
    const start = stage === 'optimise' ? initialised : null;
    const { millisecondsPerStep, checkpoint } = await timeStage(stage, knobs, dataset, steps, start);
    times[stage].push(millisecondsPerStep);
    if (stage === 'initialise') initialised = checkpoint;
  }
};

export const train = async (args: readonly string[]): Promise<void> => {
  const options = parse(args);
  const { batch, latent, noise, json } = options;
  const sizes: Sizes = { filters: options.filters.split(',').map(Number), latent, noise };
  const backend = await openBackend(options.backend);
  const torch = await findTorch(options.torch);
  const torchFlags = ['filters', 'latent', 'noise', 'batch', 'steps', 'device'].flatMap((name) => [
    `--${name}`,
    String(options[name as keyof Options]),
  ]);

  const [ours, theirs] = [noTimes(), noTimes()];
  const gemm: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    gemm.push(await measureGemm());
    await timeStages(options, ours);
    if ('missing' in torch) continue;
    for (const line of await torch.run([...torchFlags, '--threads', '1']))
      theirs[line.stage].push(line.ms_per_step);
  }
  const peak = Math.max(...gemm); // operations per second

  const threads = 1;
  const parameters = countParameters(sizes);
  const rows = benchStages.map((stage) => {
    const milliseconds = median(ours[stage]);
    const operations = batch * operationsPerImage(stage, sizes);
    const pytorch = theirs[stage].length > 0 ? median(theirs[stage]) : null;
    return { stage, milliseconds, floor: (1000 * operations) / peak, operations, pytorch };
  });

  if (json) {
    for (const { stage, milliseconds, floor, operations, pytorch } of rows) {
      const line = (ms: number, engine: string) => ({
        stage,
        ms_per_step: Number(ms.toFixed(2)),
        images_per_s: Math.round((1000 * batch) / ms),
        threads,
        parameters,
        engine,
      });
      const floors = {
        floor_ms: Number(floor.toFixed(2)),
        gflop_per_step: Number((operations / 1e9).toFixed(3)),
        gemm_gflops: Number((peak / 1e9).toFixed(1)),
      };
      console.log(JSON.stringify({ ...line(milliseconds, `funnel/${backend.name}`), ...floors }));
      if (pytorch !== null)
        console.log(
          JSON.stringify({ ...line(pytorch, 'pytorch'), ratio: Number((pytorch / milliseconds).toFixed(2)) }),
        );
    }
  } else {
    console.log(
      `${backend.name}: ${backend.device}. Batch ${batch}, filters ${options.filters}, latent ${latent}, noise ${noise}, ${parameters} parameters.`,
    );
    console.log(
      `Matrix product: ${(peak / 1e9).toFixed(1)} GFLOP/s. Medians of ${options.rounds} rounds of ${options.steps} steps.`,
    );
    if ('missing' in torch) console.log(`No PyTorch beside it: ${torch.missing}.`);
    const print = (cells: readonly string[]) =>
      console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(12) : cell.padStart(12))).join(''));
    print(['stage', 'ms/step', 'images/s', 'floor ms', 'PyTorch ms', 'ratio']);
    for (const { stage, milliseconds, floor, pytorch } of rows)
      print([
        stage,
        milliseconds.toFixed(1),
        Math.round((1000 * batch) / milliseconds).toString(),
        floor.toFixed(1),
        pytorch?.toFixed(1) ?? '–',
        pytorch ? (pytorch / milliseconds).toFixed(2) : '–',
      ]);
  }

  if (options.profile) {
    const { profile } = await profileKernels(() => timeStages({ ...options }, noTimes()));
    console.error(formatProfile(profile));
  }
};
