/** `bench train`: the product's training steps, beside PyTorch's and the floor. */
import { parseArgs } from 'node:util';
import { formatProfile, openBackend } from '@funnel/engine';
import { z } from 'zod';
import { benchStages } from './arithmetic.ts';
import { findTorch, type Measured, type MeasureOptions, measure, timeStages } from './measure.ts';
import { hasOneCore, repeatInOneCore } from './processes.ts';
import { compareTrainers } from './trainers.ts';

export const trainUsage = `train [--backend auto|cuda|tensorflow|webgpu|wasm|cpu] [--filters 32,64] [--latent 64] [--noise 16] [--batch 128]
      [--steps 20] [--rounds 3] [--device cpu|cuda] [--torch path/of/train_torch.py] [--no-torch] [--trainers 1] [--profile] [--json]
  Times one training step of each stage; PyTorch, if it is there, in turns with it (--device: PyTorch's). --trainers: instead,
  that many of a worker's trainers side by side and each alone, in turns. --profile: where the time goes, kernel by kernel.`;

const Count = z.coerce.number().pipe(z.int().min(1));
const Size = z.coerce.number().pipe(z.int().min(0));
const Options = z.strictObject({
  filters: z
    .string()
    .regex(/^\d+(,\d+)*$/, 'Expected filter counts joined by ","')
    .default('32,64'),
  latent: Size.default(64),
  noise: Size.default(16),
  batch: Count.default(128),
  steps: Count.default(20),
  rounds: Count.default(3),
  backend: z.enum(['auto', 'cuda', 'tensorflow', 'webgpu', 'wasm', 'cpu']).default('auto'),
  device: z.enum(['cpu', 'cuda']).default('cpu'),
  torch: z.string().optional(),
  'no-torch': z.boolean().default(false),
  trainers: Count.default(1),
  json: z.boolean().default(false),
  profile: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

const string = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

const parse = (args: readonly string[]): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ filters: string, latent: string, noise: string, batch: string, steps: string, rounds: string },
      ...{ backend: string, device: string, torch: string, 'no-torch': flag, trainers: string },
      ...{ json: flag, profile: flag },
    },
  });
  return Options.parse(values);
};

export const train = async (args: readonly string[]): Promise<void> => {
  const options = parse(args);
  if (!hasOneCore()) return repeatInOneCore();
  if (options.trainers > 1) return tellTrainers(options);
  const { batch, latent, noise, steps, rounds, json } = options;
  const filters = options.filters.split(',').map(Number);
  const backend = await openBackend(options.backend);
  const torch = options['no-torch'] ? { missing: 'not asked for' } : await findTorch(options.torch);
  const measureOptions: MeasureOptions = {
    ...{ sizes: { filters, latent, noise }, batch, steps, rounds },
    torch: 'missing' in torch ? undefined : torch,
    torchDevice: options.device,
  };
  const measured = await measure(measureOptions);
  if (json) for (const line of jsonLines(measured, batch, backend.name)) console.log(line);
  else {
    const gflops = (measured.gemm / 1e9).toFixed(1);
    console.log(`${backend.name}: ${backend.device}; a matrix product runs at ${gflops} GFLOP/s.`);
    console.log(
      `Batch ${batch}, filters ${options.filters}, latent ${latent}, noise ${noise}: ${measured.parameters} parameters.`,
    );
    console.log(
      `Medians of ${rounds} rounds of ${steps} steps. One thread${'missing' in torch ? '' : ', as PyTorch'}.`,
    );
    if ('missing' in torch) console.log(`No PyTorch beside it: ${torch.missing}.`);
    for (const line of table(measured, batch)) console.log(line);
  }
  if (options.profile) {
    const timed = await timeStages(measureOptions, true);
    for (const stage of benchStages) {
      const { steps, kernels } = timed[stage].profile!;
      console.error(`\n${stage}\n${formatProfile(kernels, steps)}`);
    }
  }
};

/** One trainer alone and several at once, in turns: a machine is not equally fast at all times. */
const tellTrainers = async (options: Options): Promise<void> => {
  const { trainers, rounds, backend, latent, noise, batch: batchSize } = options;
  const hyperparameters = { filters: options.filters.replaceAll(',', '-'), latent, noise, batchSize };
  for await (const { stage, imagesPerSecond, times, turns } of compareTrainers({
    hyperparameters,
    backend,
    trainers,
    rounds,
  })) {
    const images = Math.round(imagesPerSecond);
    const each = turns.map((turn) => Number(turn.toFixed(2)));
    console.log(
      options.json
        ? JSON.stringify({
            trainers,
            stage,
            images_per_s: images,
            times: Number(times.toFixed(2)),
            turns: each,
          })
        : `${trainers} trainers, ${stage}: ${images} images/s, ${times.toFixed(2)} × one (${each.join(', ')})`,
    );
  }
};

/** Run by one thread, as PyTorch beside it. */
const threads = 1;
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** One line for each stage: the keys of `train_torch.py`, then ours. */
export const jsonLines = (
  { stages, gemm, parameters }: Measured,
  batch: number,
  backend: string,
): readonly string[] =>
  stages.map(({ stage, milliseconds, pytorchMilliseconds, operations, floorMilliseconds, memory }) =>
    JSON.stringify({
      stage,
      ms_per_step: rounded(milliseconds, 2),
      images_per_s: Math.round((1000 * batch) / milliseconds),
      threads,
      parameters,
      backend,
      floor_ms: rounded(floorMilliseconds, 2),
      gflop_per_step: rounded(operations / 1e9, 3),
      gemm_gflops: rounded(gemm / 1e9, 1),
      rss_mb: memory.map(megabytes),
      ...(pytorchMilliseconds !== null && {
        pytorch_ms_per_step: rounded(pytorchMilliseconds, 2),
        pytorch_images_per_s: Math.round((1000 * batch) / pytorchMilliseconds),
        ratio: rounded(pytorchMilliseconds / milliseconds, 2),
      }),
    }),
  );

export const table = ({ stages }: Measured, batch: number): readonly string[] => {
  const row = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(12) : cell.padStart(12))).join('');
  return [
    row(['stage', 'ms/step', 'images/s', 'floor ms', 'PyTorch ms', 'ratio', 'RSS MB']),
    ...stages.map(({ stage, milliseconds, pytorchMilliseconds, floorMilliseconds, memory }) =>
      row([
        stage,
        milliseconds.toFixed(1),
        Math.round((1000 * batch) / milliseconds).toString(),
        floorMilliseconds.toFixed(1),
        pytorchMilliseconds?.toFixed(1) ?? '–',
        pytorchMilliseconds ? (pytorchMilliseconds / milliseconds).toFixed(2) : '–',
        memory.map(megabytes).join('→'),
      ]),
    ),
  ];
};
