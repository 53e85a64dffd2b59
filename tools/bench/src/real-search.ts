/** `bench real-search`: a search with promotion beside random search, on Fashion-MNIST with real training. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SweepInput } from '@funnel/contracts';
import { z } from 'zod';
import { type EndedTrial, measureRealSearch } from './measure-real-search.ts';
import { readOptions } from './options.ts';
import { type Arm, type Curve, drawSearches, summarise } from './search-figure.ts';

export const realSearchUsage = `real-search --folder FOLDER [--arms hyperband,random] [--seeds 3] [--hyperband-trials 34] [--random-trials 22] [--slots 2] [--data FOLDER]
  Adversarial training on 3,000 images of Fashion-MNIST: hyperband with tpe, and random search whose trials all train as long as hyperband's highest
  rung. Writes each run to FOLDER/ARM-SEED.json, and skips runs that are there. Then draws FOLDER/search-hyperband.svg: the best robust accuracy over
  the CPU seconds of the trainers. --data: the folder with the data set.`;

const count = (defaultValue: number) =>
  z.coerce.number().pipe(z.int().min(1).max(1000)).default(defaultValue);

const Options = z.strictObject({
  folder: z.string(),
  arms: z
    .string()
    .default('hyperband,random')
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum(['hyperband', 'random']))),
  seeds: count(3),
  'hyperband-trials': count(34),
  'random-trials': count(22),
  slots: count(2),
  data: z.string().optional(),
});
type Options = z.output<typeof Options>;

const fidelity = { hyperparameter: 'classifierEpochs', min: 1, max: 9 } as const;

/** Every seed has its own networks: the runs are independent. */
const sweepOf = (arm: Arm, seed: number, options: Options): SweepInput => ({
  name: `${arm} ${seed}`,
  recipes: ['adversarial-training'],
  dataset: { name: 'fashion-mnist', train: 3000, test: 1000, attack: 100 },
  space: {
    filters: ['4-8', '8-16', '16-32'],
    latent: 32,
    batchSize: [32, 64, 128],
    classifierUnits: { min: 16, max: 256, scale: 'log' },
    classifierRate: { min: 1e-4, max: 1e-2, scale: 'log' },
    trainingEpsilon: { min: 0, max: 0.2 },
    trainingSteps: { min: 1, max: 7 },
    warmupEpochs: 0,
    ...(arm === 'random' ? { classifierEpochs: fidelity.max } : {}),
  },
  search:
    arm === 'random'
      ? { strategy: 'random', trials: options['random-trials'], seed }
      : {
          strategy: 'hyperband',
          sampler: 'tpe',
          trials: options['hyperband-trials'],
          fidelity,
          eta: 3,
          seed,
        },
  seeds: [seed],
  attacks: [{ attack: 'pgd-linf', epsilon: 0.1, steps: 20 }],
  objective: { attack: 'pgd-linf', metric: 'robustAccuracy' },
});

const percent = (value: number | null): string => (value === null ? '–' : `${(100 * value).toFixed(1)} %`);

export const realSearch = async (args: readonly string[]): Promise<void> => {
  const options = readOptions(Options, args);
  const { folder, arms, seeds, slots, data } = options;
  mkdirSync(folder, { recursive: true });
  const curves: Curve[] = [];
  for (let seed = 0; seed < seeds; seed++)
    for (const arm of arms) {
      const file = join(folder, `${arm}-${seed}.json`);
      if (!existsSync(file)) {
        const definition = sweepOf(arm, seed, options);
        const onTrial = ({ seconds, epochs, value }: EndedTrial): void =>
          console.error(`${arm} ${seed}: ${seconds.toFixed(0)} s, ${epochs} epochs, ${percent(value)}`);
        const trials = await measureRealSearch({ definition, data, slots }, onTrial);
        writeFileSync(file, `${JSON.stringify({ definition, trials })}\n`);
      }
      const { trials } = JSON.parse(readFileSync(file, 'utf8')) as { trials: EndedTrial[] }; // written above
      curves.push({ arm, trials });
    }
  writeFileSync(join(folder, 'search-hyperband.svg'), drawSearches(curves));
  for (const { arm, seconds, median, least, greatest } of summarise(curves))
    console.log(
      `${arm.padEnd(10)} ${seconds.toFixed(0).padStart(6)} s  median ${percent(median)}, from ${percent(least)} to ${percent(greatest)}`,
    );
};
