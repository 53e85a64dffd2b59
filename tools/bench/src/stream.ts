/**
 * `bench stream`: trains on a data set that is too large for memory, and on the first images of the same data set, which are held in memory.
 * Every stage runs in a trainer process of its own, as in a worker.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DatasetContent,
  type DatasetSpec,
  datasetLayout,
  type RecipeName,
  type StageKind,
  usualBudgets,
} from '@funnel/contracts';
import { startTrainer, type Trainer } from '@funnel/worker';
import pino from 'pino';
import { z } from 'zod';
import { readOptions } from './options.ts';
import { untilInterrupted } from './processes.ts';
import { specOf } from './time-stage.ts';
import { median } from './timing.ts';

export const streamUsage = `stream [--images 200000] [--shape 64x64x3] [--batch 128] [--steps 100] [--filters 32-64] [--backend wasm]
      [--rows-only] [--json]
  Makes a data set in a temporary folder, and trains each stage of funn and classic on it: on all images, which a trainer reads by rows from
  the file, and on as many as it holds in memory. Prints the seconds of a step and the trainer's peak of resident memory (VmHWM).
  --rows-only: only on all images.`;

const Count = z.coerce.number().pipe(z.int().min(1));
const Options = z.strictObject({
  images: Count.default(200_000),
  shape: z
    .string()
    .regex(/^\d+x\d+x[1-4]$/, 'Expected height x width x channels, such as 64x64x3')
    .default('64x64x3'),
  batch: Count.default(128),
  steps: Count.default(100),
  filters: z.string().default('32-64'),
  backend: z.string().default('wasm'),
  'rows-only': z.boolean().default(false),
  json: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

const classes = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
/** Test images: as many as an attack takes. */
const testImages = 1000;
/** The most bytes that a trainer holds in memory (`canonical-file.ts` of the engine). */
const memoryBytes = 256 * 2 ** 20;

type Stored = { readonly digest: string; readonly content: DatasetContent };

/** Writes noisy images whose brightness depends on their label, to a file with the name that the cache of a worker gives it. */
const writeDataset = async (home: string, content: DatasetContent): Promise<Stored> => {
  const folder = join(home, 'cache', 'datasets');
  mkdirSync(folder, { recursive: true });
  const { header, imageBytes } = datasetLayout(content);
  const hash = createHash('sha256');
  const part = join(folder, 'part');
  const file = await open(part, 'w');
  const add = async (bytes: Uint8Array): Promise<void> => {
    hash.update(bytes);
    await file.writeFile(bytes);
  };
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
  await add(Buffer.from(header));
  for (const count of [content.train, content.test])
    await add(
      Uint8Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? (i >> 1) % classes.length : 0)),
    );
  for (const count of [content.train, content.test])
    for (let from = 0; from < count; from += 1000) {
      const bytes = new Uint8Array(Math.min(1000, count - from) * imageBytes);
      for (let p = 0; p < bytes.length; p++) {
        const label = (from + Math.floor(p / imageBytes)) % classes.length;
        bytes[p] = 8 + 19 * label + (next() >> 2);
      }
      await add(bytes);
    }
  await file.close();
  const digest = hash.digest('hex');
  renameSync(part, join(folder, `${digest}.bin`));
  return { digest, content };
};

const specDataset = ({ digest, content: { shape } }: Stored, train: number): DatasetSpec => ({
  ...{ name: 'stream', train, test: testImages, attack: testImages },
  content: { digest, shape, classCount: classes.length, budgets: usualBudgets(shape) },
});

type Checkpoint = Parameters<Parameters<Trainer['run']>[1]['onCheckpoint']>[0];

/** Bytes of the largest resident memory that a process has had. */
const peakOf = (pid: number): number =>
  1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

type Timed = { readonly secondsPerStep: number; readonly peakBytes: number; readonly checkpoint: Checkpoint };

const megabytes = ({ peakBytes }: Timed): number => Math.round(peakBytes / 2 ** 20);

/** Steps that are not timed: kernels are compiled and optimised during these. */
const warmUpSteps = 10;

/** Trains `steps` steps after the warm-up in a trainer of its own. */
const timeStage = async (
  { batch, steps, filters, backend }: Options,
  home: string,
  [recipe, kind, dataset]: readonly [RecipeName, StageKind, DatasetSpec],
  start: Checkpoint | null,
): Promise<Timed> => {
  const trainer = startTrainer({ folders: { home }, backend, simulation: null }, pino({ level: 'silent' }));
  await trainer.ready;
  try {
    const spec = specOf(recipe, kind, { batchSize: batch, filters }, dataset);
    const stepsPerEpoch = Math.ceil(dataset.train / batch);
    let checkpoint: Checkpoint | undefined;
    const reports: { readonly at: number; readonly step: number }[] = [];
    const end = await trainer.run(
      { spec, start: start && { ...start, sameChain: false }, surrogates: [] },
      {
        onCheckpoint: async (saved) => {
          checkpoint = saved;
        },
        onProgress: ({ position }) => {
          const step = position ? position.epoch * stepsPerEpoch + position.step : 0;
          if (step < warmUpSteps) return;
          reports.push({ at: performance.now(), step });
          if (step >= reports[0]!.step + steps) trainer.stop();
        },
      },
    );
    if (end.status !== 'stopped' || !checkpoint)
      throw new Error(
        `Expected ${kind} of ${recipe} to train until it was stopped, but it ended: ${JSON.stringify(end)}`,
      );
    const speeds = reports
      .slice(1)
      .map(({ at, step }, i) => (at - reports[i]!.at) / 1000 / (step - reports[i]!.step));
    const blobs = new Map([...(start?.blobs ?? []), ...checkpoint.blobs]);
    return {
      secondsPerStep: median(speeds),
      peakBytes: peakOf(trainer.pid),
      checkpoint: { manifest: checkpoint.manifest, blobs },
    };
  } finally {
    trainer.kill('SIGTERM');
    await trainer.gone;
  }
};

/** The stages, each with the one whose result it starts from. */
const stages = [
  ['funn', 'initialise', null],
  ['funn', 'optimise', 'funn initialise'],
  ['funn', 'classify', 'funn optimise'],
  ['classic', 'initialise', null],
  ['classic', 'classify', 'classic initialise'],
] as const satisfies readonly (readonly [RecipeName, StageKind, string | null])[];

export const stream = async (args: readonly string[]): Promise<void> => {
  const options = readOptions(Options, args);
  const shape = options.shape.split('x').map(Number) as [number, number, number];
  await untilInterrupted(async (onEnd) => {
    const home = mkdtempSync(join(tmpdir(), 'funnel-stream-'));
    onEnd(async () => rmSync(home, { recursive: true, force: true }));
    const stored = await writeDataset(home, { shape, classes, train: options.images, test: testImages });
    const inMemory = Math.min(options.images, Math.floor(memoryBytes / (shape[0] * shape[1] * shape[2])));
    const made = new Map<string, Checkpoint>();
    for (const [recipe, kind, parent] of stages) {
      const start = parent === null ? null : made.get(parent)!;
      const rows = await timeStage(options, home, [recipe, kind, specDataset(stored, options.images)], start);
      made.set(`${recipe} ${kind}`, rows.checkpoint);
      const memory = options['rows-only']
        ? null
        : await timeStage(options, home, [recipe, kind, specDataset(stored, inMemory)], start);
      const line = {
        recipe,
        stage: kind,
        secondsPerStep: Number(rows.secondsPerStep.toFixed(4)),
        peakMiB: megabytes(rows),
        ...(memory && {
          secondsFromMemory: Number(memory.secondsPerStep.toFixed(4)),
          ratio: Number((rows.secondsPerStep / memory.secondsPerStep).toFixed(3)),
          peakMiBFromMemory: megabytes(memory),
        }),
        load: Number(loadavg()[0]!.toFixed(1)),
      };
      console.log(
        options.json
          ? JSON.stringify(line)
          : Object.entries(line)
              .map(([name, value]) => `${name} ${value}`)
              .join('  '),
      );
    }
  });
};
