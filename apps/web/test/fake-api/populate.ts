import type { Submission, SweepInput, TrialStatus } from '@funnel/contracts';
import type { FakeSweep, World } from './world.ts';

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

/** Coloured images of 32×32 pixels. */
export const colourSweep: SweepInput = {
  name: 'Coloured glyphs',
  dataset: { name: 'glyphs-colour', train: 10_000, test: 2000, attack: 200 },
  recipes: ['funn', 'classic'],
  space: { architecture: ['convolutional', 'residual'] },
  attacks: { preset: 'quick' },
};

/** 43 classes. */
export const signsSweep: SweepInput = {
  name: 'Street signs',
  dataset: { name: 'street-signs' },
  recipes: ['classic'],
  attacks: ['fgsm'],
};

const searchSpace = {
  gamma: { min: 0.1, max: 100, scale: 'log' },
  beta: { min: 0.001, max: 0.1, scale: 'log' },
  latent: [16, 32, 64],
} satisfies SweepInput['space'];

/** A search with one objective, and two recipes. */
export const searchSweep: SweepInput = {
  name: 'TPE over γ and β',
  dataset,
  recipes: ['funn', 'classic'],
  space: searchSpace,
  search: { strategy: 'tpe', trials: 60, seed: 3, constraints: ['cleanAccuracy >= 0.95'] },
  attacks: [{ attack: 'pgd-linf', epsilon: 0.1 }],
};

/** A search with rungs, and two seeds. */
export const rungSweep: SweepInput = {
  name: 'Hyperband over γ and β',
  dataset,
  space: searchSpace,
  search: {
    strategy: 'hyperband',
    trials: 46,
    fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 27 },
  },
  seeds: 2,
  attacks: [{ attack: 'pgd-linf', epsilon: 0.1 }],
};

/** A search with two objectives. */
export const frontSweep: SweepInput = {
  name: 'Clean against robust accuracy',
  dataset,
  space: { ...searchSpace, classifierRate: { min: 0.0001, max: 0.01, scale: 'log' } },
  search: { strategy: 'nsga2', trials: 80 },
  objective: [{ metric: 'cleanAccuracy' }, { attack: 'pgd-linf', metric: 'robustAccuracy' }],
  attacks: [{ attack: 'pgd-linf', epsilon: 0.1 }],
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

/** Sweeps in every status, by id. Each has nine trials. */
const everyStatus: readonly {
  readonly name: string;
  readonly done: number;
  readonly end?: TrialStatus;
  readonly change?: Partial<Pick<FakeSweep, 'status' | 'waitsFor' | 'action'>>;
}[] = [
  { name: 'waiting for data', done: 0, change: { waitsFor: ['waits for a worker with mnist'] } },
  { name: 'pausing', done: 1 / 3, change: { status: 'pausing' } },
  { name: 'paused', done: 1 / 3, change: { status: 'paused' } },
  {
    name: 'cancelling',
    done: 2 / 3,
    change: { status: 'cancelling', action: { name: 'cancel', done: 12_000, total: 60_001 } },
  },
  { name: 'cancelled', done: 2 / 3, change: { status: 'cancelled' } },
  {
    name: 'deleting',
    done: 2 / 3,
    change: { status: 'deleting', action: { name: 'delete', done: 40, total: 81 } },
  },
  { name: 'failed', done: 1, end: 'failed' },
  { name: 'collapsed', done: 1, end: 'collapsed' },
];

const longName =
  'A name as long as a name may be: every hyperparameter of FUNN against every attack of the paper, three seeds each, on all images';

const submission: Submission = {
  ...{ id: 'first', name: longName, status: 'running', ahead: 0, sweepId: null, problem: null },
  ...{ createdAt: '2026-11-22T09:00:00Z', startedAt: '2026-11-22T09:00:06Z', finishedAt: null },
};

const cancelUnended = (status: TrialStatus): TrialStatus =>
  status === 'waiting' || status === 'running' ? 'cancelled' : status;

/** Sweeps in every status, and submissions that wait, run and were refused. `at`: when they were created. */
export const addEveryStatus = (world: World, at: (index: number) => string): void => {
  for (const [i, { name, done, end, change }] of everyStatus.entries()) {
    const sweep = world.addSweep(
      { name, dataset, space: { latent: [16, 32, 64] }, seeds: 3 },
      { id: name.replaceAll(' ', '-'), done, ...(end && { end }), createdAt: at(i) },
    );
    Object.assign(sweep, change);
    if (sweep.status === 'cancelled' || sweep.status === 'deleting')
      sweep.statuses.splice(0, sweep.statuses.length, ...sweep.statuses.map(cancelUnended));
  }
  world.submissions.push(
    submission,
    { ...submission, id: 'second', name: 'γ over a hundred thousand values', status: 'waiting', ahead: 1 },
    {
      ...{ ...submission, id: 'third', name: 'too large', status: 'refused' },
      problem: {
        ...{ type: '/errors/SWEEP_TOO_LARGE', code: 'SWEEP_TOO_LARGE', status: 400 },
        title: 'The sweep is too large',
        detail:
          'space.filters: Expected networks that need at most 4 GiB of memory for each trainer (FUNNEL_MAX_TRAINER_BYTES), but 9999-9999-9999 needs 104 GiB',
        hint: 'Reduce the search space, or raise the limit.',
      },
    },
  );
};

/** A few sweeps in every status. */
export const populate = (world: World): void => {
  const at = (minutesAgo: number) => new Date(Date.now() - minutesAgo * 60_000).toISOString();
  world.addSweep(smallSweep, { id: 'live', done: 0.55, createdAt: at(48) });
  world.addSweep(
    { ...smallSweep, name: 'γ against β, finished' },
    { id: 'done', done: 1, createdAt: at(60 * 26) },
  );
  world.addSweep(defenceSweep, { id: 'defences', done: 1, createdAt: at(60 * 27) });
  world.addSweep(colourSweep, { id: 'colour', done: 1, createdAt: at(60 * 28) });
  world.addSweep(signsSweep, { id: 'signs', done: 1, createdAt: at(60 * 29) });
  world.addSweep(searchSweep, { id: 'tpe', done: 0.6, createdAt: at(60) });
  world.addSweep(rungSweep, { id: 'rungs', done: 0.8, createdAt: at(90) });
  world.addSweep(frontSweep, { id: 'front', done: 1, createdAt: at(120) });
  world.addSweep(largeSweep, { id: 'large', done: 0.97, createdAt: at(60 * 5) });
  addEveryStatus(world, (i) => at(60 * (30 + 17 * i)));
};

const topics = ['learning rates', 'noise units', 'latent size', 'printed penalty', 'all of Table 2'];

/** Many sweeps for the list, all with the same plan. */
export const addManySweeps = (world: World, count: number): void => {
  for (let i = 0; i < count; i++)
    world.addSweep(
      { name: `Sweep ${i}: ${topics[i % topics.length]}`, dataset, space: { gamma: [1, 5] }, seeds: 2 },
      {
        id: `many-${i}`,
        done: (i % 5) / 4,
        createdAt: new Date(Date.parse('2026-11-01T00:00:00Z') + i * 600_000).toISOString(),
      },
    );
};
