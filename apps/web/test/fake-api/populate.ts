import type { SweepInput } from '@funnel/contracts';
import type { World } from './world.ts';

const dataset = { name: 'mnist', train: 10_000, test: 2000, attack: 200 } as const;

export const smallSweep: SweepInput = {
  name: 'γ against β, two seeds',
  description: 'Where does the penalty start to bite?',
  dataset,
  recipes: ['funn', 'classic'],
  space: { gamma: [0.5, 1, 5, 10, 50], beta: [0.001, 0.005, 0.02, 0.05], optimiseEpochs: [11, 31] },
  seeds: 2,
  attacks: { preset: 'quick' },
};

/** Two recipes that reject images and two that do not, with a transfer attack. */
export const defenceSweep: SweepInput = {
  name: 'Defences',
  dataset,
  recipes: ['classic', 'distillation', 'magnet', 'detector'],
  seeds: 2,
  attacks: [{ attack: 'pgd-linf', epsilon: 0.1 }, 'deepfool-l2', { attack: 'transfer-linf', epsilon: 0.1 }],
};

/** 2,000 trials. */
export const largeSweep: SweepInput = {
  name: 'Two thousand trials',
  dataset,
  recipes: ['funn'],
  space: {
    gamma: { min: 0.1, max: 100, count: 10, scale: 'log' },
    beta: { min: 0.001, max: 0.1, count: 10, scale: 'log' },
    latent: [32, 64],
    classifierRate: [0.0005, 0.001],
    optimiseEpochs: [11, 31, 61, 101, 201],
  },
  seeds: 1,
  attacks: [{ attack: 'pgd-linf', epsilon: 0.3 }, 'deepfool-l2'],
};

const names = [
  'learning rates',
  'noise units',
  'latent size',
  'β below the floor',
  'printed penalty',
  'batch size',
  'classifier width',
  'all of Table 2',
];

/** A few sweeps in every status. */
export const populate = (world: World): void => {
  const at = (minutesAgo: number) => new Date(Date.now() - minutesAgo * 60_000).toISOString();
  world.addSweep(smallSweep, { id: 'live', done: 0.55, createdAt: at(48) });
  world.addSweep(
    { ...smallSweep, name: 'γ against β, finished' },
    { id: 'done', done: 1, createdAt: at(60 * 26) },
  );
  world.addSweep(defenceSweep, { id: 'defences', done: 1, createdAt: at(60 * 27) });
  world.addSweep(largeSweep, { id: 'large', done: 0.97, createdAt: at(60 * 5) });
  for (const [i, name] of names.entries()) {
    const sweep = world.addSweep(
      { name, dataset, space: { latent: [16, 32, 64] }, seeds: 3 },
      { id: `more-${i}`, done: (i % 4) / 3, createdAt: at(60 * (30 + 17 * i)) },
    );
    if (i === 5) sweep.status = 'paused';
    if (i === 7) sweep.status = 'cancelled';
    if (i === 4) sweep.waitsFor = ['waits for a worker with mnist'];
  }
};

/** Many sweeps for the list, all with the same plan. */
export const addManySweeps = (world: World, count: number): void => {
  for (let i = 0; i < count; i++)
    world.addSweep(
      { name: `Sweep ${i}: ${names[i % names.length]}`, dataset, space: { gamma: [1, 5] }, seeds: 2 },
      {
        id: `many-${i}`,
        done: (i % 5) / 4,
        createdAt: new Date(Date.parse('2026-11-01T00:00:00Z') + i * 600_000).toISOString(),
      },
    );
};
