import type { SweepInput } from '@funnel/contracts';

const steps = [1, 2, 3, 4, 5];
const optimiseEpochs = [2, 3, 4];
const most = steps.length * steps.length * optimiseEpochs.length;

/**
 * `trials` FUNN trials at least, two attacks each, one of them made on the networks of other trials: 5 γ × up to 5 β × epochs {2, 3, 4},
 * and as many seeds as it takes. 300 trials have 1,204 stages.
 */
export const simulatedSweep = (trials: number): SweepInput => ({
  name: 'chaos',
  dataset: { name: 'glyphs', train: 100, test: 20, attack: 20 },
  space: {
    gamma: steps,
    beta: steps.slice(0, Math.ceil(trials / (steps.length * optimiseEpochs.length))).map((n) => n / 100),
    initialiseEpochs: 2,
    optimiseEpochs,
    classifierEpochs: 2,
  },
  seeds: Math.max(1, Math.ceil(trials / most)),
  attacks: ['fgsm', 'transfer-linf'],
});

/** Small enough to train for real in a minute or two, with every kind of sharing in it, and long enough for every kind of fault. */
export const realSweep = (): SweepInput => ({
  name: 'chaos, trained',
  recipes: ['funn', 'classic'],
  dataset: { name: 'glyphs', train: 384, test: 60, attack: 20 },
  space: {
    filters: '4-8',
    latent: 8,
    noise: 4,
    gamma: [1, 5],
    initialiseEpochs: 2,
    optimiseEpochs: [1, 3],
    classifierEpochs: 3,
    optimiseAttackerRate: 1e-3,
    optimiseDefenderRate: 1e-3,
  },
  seeds: 2,
  attacks: ['fgsm', { attack: 'transfer-linf', steps: 5, surrogates: 2 }],
});

/**
 * Sweeps of one to eight trials that share stages with each other: the same chains to other epochs, the same networks under other attacks.
 * Classifiers of seed 1 are there to fail (see run-clients.ts).
 */
export const sharedSweeps = (): readonly SweepInput[] =>
  [1, 2, 3, 5].flatMap((optimiseEpochs) =>
    ([[1], [1, 2], [2, 3], [3, 4, 5], [5, 6], [6, 7, 8, 1]] as const).flatMap((gamma) =>
      ([[0], [0, 1]] as const).map(
        (seeds, i): SweepInput => ({
          name: `clients, ${gamma.length * seeds.length} trials of ${optimiseEpochs} epochs`,
          dataset: { name: 'glyphs', train: 100, test: 20, attack: 20 },
          space: { gamma: [...gamma], initialiseEpochs: 2, optimiseEpochs, classifierEpochs: 2 },
          seeds: [...seeds],
          attacks: ['fgsm', gamma.length + i === 2 ? 'transfer-linf' : 'gradient'],
          priority: 10 * (optimiseEpochs + gamma.length),
          ...(gamma.length > 2 && i === 1 ? { maxRunning: 2 } : {}),
        }),
      ),
    ),
  );
