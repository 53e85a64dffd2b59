/** Workers of unequal ability, and a sweep that not every one of them can run. */
import { datasets, type SweepInput } from '@funnel/contracts';
import type { WorkerProcessOptions } from './worker-process.ts';

/** Small and large networks on MNIST: 2 sizes × 5 γ × lengths {2, 4} × seeds. The large ones need at least 1.3 GB by the planner's estimate. */
export const unequalSweep = (trials: number): SweepInput => ({
  name: 'chaos, unequal workers',
  dataset: { name: 'mnist', train: 100, test: 20, attack: 20 },
  space: {
    filters: ['4-8', '64-512'],
    batchSize: 4096,
    gamma: [1, 2, 3, 4, 5],
    initialiseEpochs: 2,
    optimiseEpochs: [2, 4],
    classifierEpochs: 2,
  },
  seeds: Math.max(1, Math.ceil(trials / 20)),
  attacks: ['fgsm', 'transfer-linf'],
});

type Variant = Pick<WorkerProcessOptions, 'abilities' | 'simulation'>;

const gigabyte = 2 ** 30;
const mnist = { digest: datasets.mnist.digest, images: 1000, stamp: '' };

/** What the workers of a fleet have, in turns. Only the first and the last kind can run everything, and the last one fails at everything. */
export const variants = (stepMilliseconds: number): readonly Variant[] => {
  const whole = { trainerBytes: 4 * gigabyte, datasets: [mnist] };
  const simulation = { stepMilliseconds };
  return [
    { abilities: whole, simulation },
    { abilities: { ...whole, datasets: [] }, simulation },
    { abilities: { ...whole, trainerBytes: gigabyte }, simulation },
    // Says that it has the data, and learns from its first stage that it has not.
    { abilities: whole, simulation: { ...simulation, faults: [{ fault: 'data' }] } },
    { abilities: whole, simulation: { ...simulation, faults: [{ fault: 'throw' }] } },
  ];
};
