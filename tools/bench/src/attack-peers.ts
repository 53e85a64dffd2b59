/** `bench attack --peers`: the CPU time of attacks beside the original AutoAttack's and Foolbox's in PyTorch, in turns. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type EvaluateAttackOptions, evaluateAttack, loadClassifier } from '@funnel/attacks';
import type { AttackInput, DatasetName } from '@funnel/contracts';
import { openBackend } from '@funnel/engine';
import { z } from 'zod';
import { readOptions } from './options.ts';
import { isSingleThreaded, rerunSingleThreaded } from './processes.ts';
import { median } from './timing.ts';

type Norm = 'linf' | 'l2';
type Budgets = Readonly<Record<Norm, number>>;

/** The models, each with budgets that fool about half of the images. */
const targets = [
  { model: 'mnist-conv', dataset: 'mnist', budgets: { linf: 0.075, l2: 1.1 } },
  { model: 'fashion-conv', dataset: 'fashion-mnist', budgets: { linf: 0.05, l2: 0.75 } },
] as const satisfies readonly { model: string; dataset: z.output<typeof DatasetName>; budgets: Budgets }[];

type PeerCase = {
  readonly norms: readonly Norm[];
  /** Settings of the attack, and options of `peers/attack_torch.py` of the same names. */
  readonly settings: (epsilon: number, effort: Effort) => Readonly<Record<string, number>>;
};

/** AutoAttack's own are 9 targets and 5,000 queries. */
type Effort = { readonly targets: number; readonly queries: number };

const norms = ['linf', 'l2'] as const;

/** By names of attacks that `peers/attack_torch.py` knows too. Here a norm follows them. */
const cases = {
  'apgd-ce': { norms, settings: (epsilon) => ({ epsilon, steps: 100 }) },
  'apgd-t': { norms, settings: (epsilon, { targets }) => ({ epsilon, steps: 100, targets }) },
  'fab-t': { norms, settings: (epsilon, { targets }) => ({ epsilon, steps: 100, targets }) },
  pgd: { norms, settings: (epsilon) => ({ epsilon, steps: 40 }) },
  fmn: { norms, settings: () => ({ steps: 100 }) },
  cw: { norms: ['l2'], settings: () => ({ steps: 200, searchSteps: 3, initialConstant: 1 }) },
  square: { norms, settings: (epsilon, { queries }) => ({ epsilon, queries }) },
} as const satisfies Readonly<Record<string, PeerCase>>;

const peerCaseNames = Object.keys(cases) as [PeerCaseName, ...PeerCaseName[]]; // the keys of `cases`
type PeerCaseName = keyof typeof cases;

const Options = z.strictObject({
  python: z.string().default('python3'),
  rounds: z.coerce.number().pipe(z.int().min(1)).default(3),
  targets: z.coerce.number().pipe(z.int().min(1).max(9)).default(1),
  queries: z.coerce.number().pipe(z.int().min(1)).default(500),
  only: z
    .string()
    .transform((names) => names.split(','))
    .pipe(z.array(z.enum(peerCaseNames)))
    .default([...peerCaseNames]),
  json: z.boolean().default(false),
});

/** The first `count` test images in a folder of IDX files, which start with 16 bytes (images) or 8 bytes (labels) that we skip. */
const firstImages = async (folder: string, count: number) => {
  const read = async (name: string, header: number): Promise<Uint8Array> =>
    (await promisify<Uint8Array, Buffer>(gunzip)(await readFile(`${folder}/t10k-${name}-ubyte.gz`))).subarray(
      header,
    );
  const pixels = await read('images-idx3', 16);
  const labels = await read('labels-idx1', 8);
  return {
    images: Float32Array.from(pixels.subarray(0, count * 28 * 28), (value) => value / 255),
    labels: Int32Array.from(labels.subarray(0, count)),
  };
};

export const attackPeersUsage = `attack --peers [--python python3] [--rounds 3] [--targets 1] [--queries 500] [--only ${peerCaseNames.join(',')}] [--json]
  Times attacks on mnist-conv and fashion-conv (fixtures/oracle), test images 0–199, in turns with AutoAttack and Foolbox 3.3.4 in PyTorch. --python: a
  Python with the packages of tools/bench/peers/requirements.txt. --targets of APGD-T and FAB-T, --queries of Square (AutoAttack: 9 and 5000).`;

/** What one run took and found. */
const Run = z.object({
  /** User and system time of the attack alone. */
  cpu_seconds: z.number(),
  /** Over all images. */
  robust_accuracy: z.number().nullable(),
  /** In the attack's norm, over the images that were fooled. */
  median_distance: z.number().nullable(),
});
type Run = z.infer<typeof Run>;

const imageCount = 200;
const warmUpImages = 32;
const fixture = (path: string): string =>
  fileURLToPath(new URL(`../../../fixtures/${path}`, import.meta.url));
const script = fileURLToPath(new URL('../peers/attack_torch.py', import.meta.url));

export const attackPeers = async (args: readonly string[]): Promise<void> => {
  const { python, rounds, only, json, ...effort } = readOptions(Options, args);
  if (!isSingleThreaded()) return rerunSingleThreaded();
  await openBackend('wasm');
  const peer = startPeer(python);
  if (!json)
    printRow(['model', 'attack', 'cpu s', 'peer cpu s', 'ratio', 'robust', 'peer', 'distance', 'peer']);
  for (const { model: name, dataset, budgets } of targets) {
    const model = await loadClassifier(fixture(`oracle/${name}`));
    const images = await firstImages(fixture(`data/${dataset}`), imageCount);
    const warming = await firstImages(fixture(`data/${dataset}`), warmUpImages);
    for (const attack of only)
      for (const norm of cases[attack].norms) {
        const settings = cases[attack].settings(budgets[norm], effort);
        const input = { attack: `${attack}-${norm}`, settings } as AttackInput; // evaluateAttack checks it
        const folders = { model: fixture(`oracle/${name}`), data: fixture(`data/${dataset}`) };
        const ours: Run[] = [];
        const theirs: Run[] = [];
        for (let round = 0; round < rounds; round++) {
          const warmUp = round === 0 ? warmUpImages : 0;
          if (warmUp > 0) await evaluateAttack({ model, ...warming, attack: input });
          ours.push(await timeAttack({ model, ...images, attack: input }, norm));
          theirs.push(await peer.time({ ...folders, images: imageCount, warmUp, attack, norm, ...settings }));
        }
        const [own, other] = [summarise(ours), summarise(theirs)];
        const ratio = own.cpu_seconds / other.cpu_seconds;
        if (json) console.log(JSON.stringify({ model: name, attack, norm, ratio, own, peer: other }));
        else
          printRow([
            ...[name, `${attack} ${norm}`, own.cpu_seconds.toFixed(2), other.cpu_seconds.toFixed(2)],
            ratio.toFixed(2),
            ...[own, other].map(({ robust_accuracy }) =>
              robust_accuracy === null ? '–' : `${(100 * robust_accuracy).toFixed(1)} %`,
            ),
            ...[own, other].map(({ median_distance }) => median_distance?.toFixed(3) ?? '–'),
          ]);
      }
  }
  peer.stop();
};

const timeAttack = async (options: EvaluateAttackOptions, norm: Norm): Promise<Run> => {
  const start = process.cpuUsage();
  const { summary, records } = await evaluateAttack(options);
  const { user, system } = process.cpuUsage(start);
  const distances = records[norm].filter((distance) => distance !== null);
  return {
    cpu_seconds: (user + system) / 1e6,
    robust_accuracy: summary.robustAccuracy,
    median_distance: distances.length > 0 ? median(distances) : null,
  };
};

type PeerOptions = Readonly<Record<string, string | number>>;

/** Starts `peers/attack_torch.py`, which takes attacks one after the other. */
const startPeer = (python: string) => {
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`Expected ${python} to run ${script}, but it ended with ${code}`)),
    );
  });
  failed.catch(() => {}); // whoever waits for an answer gets the error
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    time: async (options: PeerOptions): Promise<Run> => {
      const words = Object.entries(options).map(
        ([name, value]) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${value}`,
      );
      child.stdin.write(`${words.join(' ')}\n`);
      const { value } = await Promise.race([answers.next(), failed]);
      return Run.parse(JSON.parse(value ?? 'null'));
    },
    stop: () => child.kill(),
  };
};

/** The median time, and what every run found: each has the same seed. */
const summarise = (runs: readonly Run[]): Run => ({
  ...runs[0]!,
  cpu_seconds: median(runs.map(({ cpu_seconds }) => cpu_seconds)),
});

const printRow = (cells: readonly string[]): void =>
  console.log(cells.map((cell, i) => (i < 2 ? cell.padEnd(14) : cell.padStart(11))).join(''));
