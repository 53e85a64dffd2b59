/**
 * Twenty small sweeps that together use every recipe, every way to write a dimension, both searches, presets, transfer attacks and
 * stages shared between sweeps. All on generated digits, so that they run anywhere.
 */
const dataset = { name: 'glyphs', train: 256, test: 128, attack: 20 };
/** Small networks and few epochs, as far as some recipe of the sweep reads them. */
const network = { filters: '8-16', latent: 8, batchSize: 32 };
const funn = {
  ...network,
  noise: 4,
  initialiseEpochs: 1,
  optimiseEpochs: 1,
  initialiseDefenderRate: 2e-3,
  initialiseAttackerRate: 2e-3,
  classifierEpochs: 2,
  classifierUnits: 16,
};
const supervised = { ...network, classifierEpochs: 2, classifierUnits: 16 };
const fgsm = { attack: 'fgsm', search: false, epsilon: 0.1 };

const sweep = (name, rest) => ({
  name,
  dataset,
  attacks: [fgsm],
  ...rest,
  space: { ...((rest.recipes ?? ['funn']).includes('funn') ? funn : supervised), ...rest.space },
});

export const sweeps = [
  sweep('one trial of the paper', { attacks: ['fgsm', { attack: 'deepfool-l2', steps: 20 }] }),
  sweep('gamma against beta', {
    space: { gamma: [1, 5], beta: { min: 0.01, max: 0.1, count: 2, scale: 'log' } },
  }),
  sweep('epochs share a line', { space: { optimiseEpochs: [1, 2, 3] } }),
  sweep('a longer run of the same', { space: { optimiseEpochs: 4 } }),
  sweep('units of beta', {
    space: { betaUnit: ['loss', 'floor'], beta: 2, hinge: ['batch', 'image'], penalty: 'printed' },
  }),
  sweep('classic, two seeds', { recipes: 'classic', seeds: 2, attacks: { preset: 'quick' } }),
  sweep('adversarial training over epsilon', {
    recipes: 'adversarial-training',
    space: { trainingEpsilon: { min: 0.1, max: 0.3, count: 3 }, trainingSteps: 2, warmupEpochs: 1 },
    attacks: [fgsm, { attack: 'pgd-linf', epsilon: 0.1, steps: 5 }],
  }),
  sweep('trades', {
    recipes: 'trades',
    space: { tradesBeta: [1, 6], trainingSteps: 2, trainingEpsilon: 0.1 },
  }),
  sweep('distillation over temperature', {
    recipes: 'distillation',
    space: { temperature: { min: 1, max: 100, count: 3, scale: 'log' } },
  }),
  sweep('magnet', {
    recipes: 'magnet',
    space: { dropRate: [0.01, 0.1] },
    attacks: [fgsm, { attack: 'cw-l2', steps: 10, searchSteps: 2 }],
  }),
  sweep('detector, both adversaries', {
    recipes: 'detector',
    // The detector reads no classifier epochs; JSON leaves out an undefined value.
    space: {
      classifierEpochs: undefined,
      initialiseEpochs: 1,
      detectorEpochs: 1,
      trainingSteps: 2,
      detectorAdversary: ['static', 'dynamic'],
    },
  }),
  sweep('random over whole numbers', {
    search: { strategy: 'random', trials: 4, seed: 3 },
    space: { latent: { min: 4, max: 12 } },
  }),
  sweep('random over a log range', {
    recipes: 'classic',
    search: { strategy: 'random', trials: 4, seed: 11 },
    space: {
      classifierRate: { min: 1e-4, max: 1e-2, scale: 'log' },
      initializer: ['glorotUniform', 'heNormal'],
    },
  }),
  sweep('a walk by steps', {
    recipes: 'classic',
    space: { labelSmoothing: { min: 0, max: 0.2, step: 0.1 } },
  }),
  sweep('several recipes', {
    recipes: ['funn', 'classic', 'trades'],
    space: { trainingSteps: 2, gamma: [1, 5] },
  }),
  sweep('transfer', {
    recipes: ['classic', 'funn'],
    attacks: [fgsm, { attack: 'transfer-linf', epsilon: 0.1, steps: 5 }],
  }),
  sweep('an objective of distance', {
    recipes: 'classic',
    seeds: [5],
    attacks: [
      { attack: 'deepfool-linf', steps: 20 },
      { attack: 'fmn-l2', steps: 20 },
    ],
    objective: { attack: 'fmn-l2', metric: 'medianL2' },
  }),
  sweep('black boxes', {
    recipes: 'classic',
    attacks: [
      { attack: 'square-linf', epsilon: 0.1, queries: 50 },
      'single-pixel',
      { attack: 'local-search', steps: 3 },
    ],
  }),
  sweep('loss scales', {
    space: { lossScale: ['mse', 'half-mse', 'norm'], defenderInput: ['attacked', 'clean'] },
  }),
  sweep('known all along', {
    space: { gamma: [1, 5], beta: { min: 0.01, max: 0.1, count: 2, scale: 'log' } },
  }),
];
