/** `bench train`: the time of Funnel's training steps, beside PyTorch's and the floor. */
import { formatProfile, openBackend } from '@funnel/engine';
import { z } from 'zod';
import { benchStages } from './arithmetic.ts';
import { findPeer, type Measured, type MeasureOptions, measure, timeStages } from './measure.ts';
import { readOptions, WrongOption } from './options.ts';
import { isSingleThreaded, rerunSingleThreaded } from './processes.ts';
import { clocks } from './time-stage.ts';
import { compareTrainers } from './trainers.ts';

export const trainUsage = `train [--backend auto|cuda|tensorflow|webgpu|wasm|cpu] [--shape 28x28x1] [--filters 32,64] [--latent 64] [--noise 16]
      [--batch 128] [--steps 20] [--rounds 3] [--clock wall|cpu] [--python python3] [--device cpu|cuda] [--no-torch] [--trainers 1]
      [--profile] [--json]
  Times one training step of each stage, in turns with PyTorch, eager and compiled. --shape: square images, such as 32x32x3. --clock cpu:
  processor time, for a machine that does other work too. --python: a Python with the packages of tools/bench/peers/requirements.txt.
  --device: PyTorch's device. --trainers: times that many trainers of a worker side by side and each alone, in turns, instead, on glyphs.
  --profile: the time of each kernel.`;

const Count = z.coerce.number().pipe(z.int().min(1));
const Size = z.coerce.number().pipe(z.int().min(0));
const usualShape = '28x28x1';
const maxSide = 512;
const Shape = z
  .string()
  .regex(/^(\d{1,3})x\1x[1-4]$/, 'Expected a square shape, such as 32x32x3')
  .transform((text) => text.split('x').map(Number) as [number, number, number])
  .refine(([side]) => side >= 1 && side <= maxSide, `Expected a side of 1 to ${maxSide} pixels`);
const Options = z.strictObject({
  shape: Shape.prefault(usualShape),
  filters: z
    .string()
    .regex(/^\d+(,\d+)*$/, 'Expected filter counts joined by ","')
    .default('32,64'),
  latent: Size.default(64),
  noise: Size.default(16),
  batch: Count.default(128),
  steps: Count.default(20),
  rounds: Count.default(3),
  clock: z.enum(clocks).default('wall'),
  backend: z.enum(['auto', 'cuda', 'tensorflow', 'webgpu', 'wasm', 'cpu']).default('auto'),
  device: z.enum(['cpu', 'cuda']).default('cpu'),
  python: z.string().default('python3'),
  'no-torch': z.boolean().default(false),
  trainers: Count.default(1),
  json: z.boolean().default(false),
  profile: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

export const train = async (args: readonly string[]): Promise<void> => {
  const options = readOptions(Options, args);
  if (!isSingleThreaded()) return rerunSingleThreaded();
  if (options.trainers > 1 && options.shape.join('x') !== usualShape)
    throw new WrongOption('--shape: Expected no shape beside --trainers, which trains on glyphs');
  if (options.trainers > 1) return printTrainers(options);
  const { batch, latent, noise, steps, rounds, json } = options;
  const [side, , channels] = options.shape;
  const filters = options.filters.split(',').map(Number);
  const backend = await openBackend(options.backend);
  const peer = options['no-torch'] ? { missing: '--no-torch' } : await findPeer(options.python);
  const measureOptions: MeasureOptions = {
    ...{ sizes: { side, channels, filters, latent, noise }, batch, steps, rounds, clock: options.clock },
    peer: 'missing' in peer ? undefined : peer,
    peerDevice: options.device,
  };
  const measured = await measure(measureOptions);
  if (json) for (const line of jsonLines(measured, batch, backend.name)) console.log(line);
  else {
    const gflops = (measured.gemm / 1e9).toFixed(1);
    console.log(`${backend.name}: ${backend.device}; a matrix product runs at ${gflops} GFLOP/s.`);
    console.log(
      `Batch ${batch} of ${options.shape.join('×')}, filters ${options.filters}, latent ${latent}, noise ${noise}: ${measured.parameters} parameters.`,
    );
    const what = 'missing' in peer ? '' : ` PyTorch ${peer.version}, one thread, too.`;
    const clock = options.clock === 'cpu' ? ', processor time' : '';
    console.log(`Medians of ${rounds} rounds of ${steps} steps, one thread${clock}.${what}`);
    if ('missing' in peer) console.log(`Without PyTorch: ${peer.missing}.`);
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

const threads = 1;
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** One line for each stage: the keys of `train_torch.py`, then more. */
const jsonLines = (
  { stages, gemm, parameters }: Measured,
  batch: number,
  backend: string,
): readonly string[] =>
  stages.map(({ stage, milliseconds, peerMilliseconds, operations, floorMilliseconds, memory }) =>
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
      ...(peerMilliseconds && {
        pytorch_ms_per_step: rounded(peerMilliseconds.eager, 2),
        pytorch_compiled_ms_per_step: rounded(peerMilliseconds.compiled, 2),
        ratio: rounded(peerMilliseconds.eager / milliseconds, 2),
        compiled_ratio: rounded(peerMilliseconds.compiled / milliseconds, 2),
      }),
    }),
  );

const table = ({ stages }: Measured, batch: number): readonly string[] => {
  const row = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(12) : cell.padStart(13))).join('');
  const peerCells = (milliseconds: number, peer: number | undefined): readonly string[] =>
    peer === undefined ? ['–', '–'] : [peer.toFixed(1), (peer / milliseconds).toFixed(2)];
  return [
    row([
      ...['stage', 'ms/step', 'images/s', 'floor ms'],
      ...['PyTorch ms', 'ratio', 'compiled ms', 'ratio', 'RSS MiB'],
    ]),
    ...stages.map(({ stage, milliseconds, peerMilliseconds, floorMilliseconds, memory }) =>
      row([
        stage,
        milliseconds.toFixed(1),
        Math.round((1000 * batch) / milliseconds).toString(),
        floorMilliseconds.toFixed(1),
        ...peerCells(milliseconds, peerMilliseconds?.eager),
        ...peerCells(milliseconds, peerMilliseconds?.compiled),
        memory.map(megabytes).join('→'),
      ]),
    ),
  ];
};

/** One trainer alone and several at once, in turns, since the speed of a machine drifts. */
const printTrainers = async (options: Options): Promise<void> => {
  const { trainers, rounds, backend, latent, noise, batch: batchSize } = options;
  const hyperparameters = { filters: options.filters.replaceAll(',', '-'), latent, noise, batchSize };
  const results = compareTrainers({ hyperparameters, backend, trainers, rounds });
  for await (const { stage, imagesPerSecond, times, turns } of results) {
    const images = Math.round(imagesPerSecond);
    const each = turns.map((turn) => rounded(turn, 2));
    console.log(
      options.json
        ? JSON.stringify({ trainers, stage, images_per_s: images, times: rounded(times, 2), turns: each })
        : `${trainers} trainers, ${stage}: ${images} images/s, ${times.toFixed(2)} × one (${each.join(', ')})`,
    );
  }
};
