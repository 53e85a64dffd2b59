/** Sweeps to start from. Each fills in the form; the sizes are small enough for a machine without a GPU. */
import { SweepDefinition, type SweepInput } from '@funnel/contracts';
import { type Draft, definitionDraft } from './draft.ts';

const dataset = { name: 'glyphs', train: 2000, test: 1000, attack: 200 } as const;

/** Networks and learning rates that train in seconds per epoch. */
const small = {
  filters: '16-32',
  latent: 32,
  batchSize: 32,
  initialiseAttackerRate: 0.002,
  initialiseDefenderRate: 0.002,
  optimiseDefenderRate: 0.0001,
  initialiseEpochs: 5,
  optimiseEpochs: 4,
  classifierEpochs: 10,
} satisfies SweepInput['space'];

const pgd = { attack: 'pgd-linf', epsilon: 0.1 } as const;

export type Template = { readonly title: string; readonly input: SweepInput };

export const templates: readonly Template[] = [
  {
    title: 'First look',
    input: {
      name: 'First look',
      description: 'FUNN beside the classic auto-encoder, attacked by PGD.',
      ...{ dataset, recipes: ['funn', 'classic'], space: small, attacks: [pgd] },
    },
  },
  {
    title: 'γ against β',
    input: {
      name: 'γ against β',
      description: 'Where does the constraint of the attacker begin to matter?',
      ...{ dataset, recipes: ['funn'], seeds: 2, attacks: [pgd, { attack: 'deepfool-l2', steps: 50 }] },
      space: { ...small, gamma: [1, 5, 25], beta: [0.02, 0.05, 0.1] },
    },
  },
  {
    title: 'Search with TPE',
    input: {
      name: 'Search with TPE',
      description: 'Each configuration follows from the results of the earlier ones.',
      ...{ dataset, recipes: ['funn'], search: { strategy: 'tpe', trials: 20 }, attacks: [pgd] },
      space: {
        ...small,
        gamma: { min: 0.5, max: 50, scale: 'log' },
        beta: { min: 0.005, max: 0.2, scale: 'log' },
      },
    },
  },
  {
    title: 'Adversarial training',
    input: {
      name: 'Adversarial training',
      description: 'The baseline that a robust encoder must beat, at three strengths.',
      ...{ dataset, recipes: ['adversarial-training'], attacks: [pgd] },
      space: {
        ...{ filters: '16-32', latent: 32, batchSize: 32, classifierEpochs: 10 },
        trainingEpsilon: [0.05, 0.1, 0.2],
      },
    },
  },
];

export const templateDraft = ({ input }: Template): Draft => definitionDraft(SweepDefinition.parse(input));
