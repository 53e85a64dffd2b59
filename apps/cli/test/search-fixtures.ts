/** Answers of the API about a search, which the schemas accept. */
import { PlannedSearch, SearchDecision, SearchProgress, SearchState } from '@funnel/contracts';

export const sweepId = '0123456789abcdef';

export const state = (changes: Partial<SearchState> = {}): SearchState =>
  SearchState.parse({
    sweepId,
    ended: null,
    configurations: 27,
    proposed: 3,
    decisions: 4,
    rungs: [
      { epochs: 1, units: 3, ended: 2 },
      { epochs: 3, units: 1, ended: 1 },
    ],
    objectives: [
      { title: 'Robust accuracy (pgd-linf)', attack: 'pgd-linf', metric: 'robustAccuracy', direction: 'max' },
    ],
    earlier: 0,
    waitingPoints: [],
    best: { decision: 3, values: [0.4312] },
    front: [],
    hypervolume: null,
    ...changes,
  });

export const two: Partial<SearchState> = {
  objectives: [
    { title: 'Clean accuracy', attack: null, metric: 'cleanAccuracy', direction: 'max' },
    { title: 'Median L2 (deepfool-l2)', attack: 'deepfool-l2', metric: 'medianL2', direction: 'max' },
  ],
  best: null,
  front: [
    { decision: 1, values: [0.97, 1.5] },
    { decision: 2, values: [0.9, 'Infinity'] },
  ],
  hypervolume: {
    reference: [0.5, 0.2],
    overDecisions: [
      { decision: 1, value: 0.611 },
      { decision: 2, value: 0.75 },
    ],
  },
};

const decision = (changes: Partial<SearchDecision>): SearchDecision =>
  SearchDecision.parse({
    number: 0,
    source: 'start',
    configuration: 0,
    point: { latent: 32, gamma: 5, beta: 0.012345678 },
    rung: 0,
    epochs: 1,
    trials: ['0123456789abcdef-0'],
    outcome: { status: 'pending', values: [], reason: null },
    promoted: null,
    note: null,
    decidedAt: '2026-11-29T08:00:00.000Z',
    ...changes,
  });

export const decisions: readonly SearchDecision[] = [
  decision({
    outcome: { status: 'measured', values: [0.4], reason: null },
    promoted: true,
    note: 'One of the first points. 1st of 2 at rung 0; the best 1 went on.',
  }),
  decision({
    number: 1,
    configuration: 1,
    point: { latent: 32, gamma: 1, beta: 0.1 },
    outcome: { status: 'bad', values: [null], reason: 'the trial diverged' },
    promoted: false,
  }),
  decision({ number: 2, configuration: 2, source: 'hand', point: { gamma: 2, beta: 0.02 } }),
  decision({
    number: 3,
    source: 'promotion',
    rung: 1,
    epochs: 3,
    outcome: { status: 'measured', values: [0.4312], reason: null },
  }),
  decision({
    number: 4,
    source: 'empty',
    configuration: null,
    point: null,
    rung: null,
    epochs: null,
    outcome: { status: 'bad', values: [], reason: null },
    note: 'The place stays empty.',
  }),
];

export const progress: SearchProgress = SearchProgress.parse({
  ended: null,
  configurations: 27,
  proposed: 3,
  trialsToCome: 24,
});

export const sweep = {
  id: sweepId,
  name: 'searched',
  status: 'running',
  createdAt: '2026-11-29T08:00:00.000Z',
  finishedAt: null,
  trials: { completed: 1 },
  plan: {
    trials: 38,
    stages: {},
    epochs: { needed: 45, cached: 0, unshared: 81 },
    sharing: 1,
    search: PlannedSearch.parse({
      configurations: 27,
      decisions: 39,
      rungs: [
        { epochs: 1, units: 27 },
        { epochs: 3, units: 9 },
      ],
      epochsAtMost: 45,
      epochsWithoutPromotion: 81,
      notes: ['The last bracket is cut short, so it promotes nothing.'],
    }),
  },
  search: progress,
  epochsTrained: 0,
  progress: 0.1,
  etaSeconds: null,
  priority: 50,
  action: null,
  stages: [{ kind: 'attack', status: 'completed', count: 1 }],
  waitsFor: [],
  definition: {
    attacks: { preset: 'quick' },
    dataset: { name: 'glyphs', train: 100, test: 50, attack: 20 },
    recipes: ['funn'],
    space: {},
    search: { strategy: 'hyperband' },
  },
};

export const trial = {
  id: `${sweepId}-00003`,
  sweepId,
  number: 3,
  recipe: 'funn',
  dataset: 'glyphs',
  seed: 0,
  hyperparameters: { gamma: 5 },
  decision: 3,
  rung: 1,
  status: 'completed',
  cleanAccuracy: 0.9,
  verdict: null,
  evaluations: [],
  worstCase: null,
  warnings: [],
  stages: [],
};
