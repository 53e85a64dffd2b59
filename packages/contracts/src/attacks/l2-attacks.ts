/** The attacks that exist in L2 only: Carlini & Wagner, and HopSkipJump. */
import { z } from 'zod';
import { defineAttack, largestSetting, setting } from './define-attack.ts';

/** The largest weight of the margin in Carlini & Wagner: the square of a gradient with a larger weight may overflow float32. */
export const largestConstant = 1e14;

/** The largest constant of the last search step. Of ten or more steps the last one is at most at 1e10, as in Foolbox 3. */
export const lastConstantLimit = ({ searchSteps }: { readonly searchSteps: number }): number =>
  searchSteps >= 10 ? 1e10 : largestConstant;

/**
 * Since version 3 no constant is above `largestConstant`, and an image without a hit of the given confidence keeps a misclassified
 * iterate. Before, Adam stood still under larger constants.
 */
const carliniWagnerVersion = ({
  initialConstant,
  searchSteps,
  confidence,
}: {
  readonly initialConstant: number;
  readonly searchSteps: number;
  readonly confidence: number;
}): number => (confidence > 0 || initialConstant * 10 ** (searchSteps - 1) > largestConstant ? 3 : 2);

export const carliniWagner = defineAttack({
  title: 'Carlini & Wagner L2',
  description: 'Adam on distance plus margin in tanh space, with a search over the weight between the two.',
  citation: 'Carlini & Wagner 2017, Towards evaluating the robustness of neural networks',
  family: 'minimisation',
  norm: 'l2',
  access: 'gradient',
  version: 2,
  versionFor: carliniWagnerVersion,
  queries: ({ steps, searchSteps, confidence }) => searchSteps * steps * (confidence > 0 ? 3 : 2),
  settings: z.strictObject({
    steps: setting.steps(1000, 'Adam steps per constant.'),
    searchSteps: z.int().min(1).max(100).default(9).meta({
      title: 'Search steps',
      description: 'The number of constants that the attack tries per image.',
    }),
    learningRate: z
      .number()
      .gt(0)
      .max(10)
      .default(0.01)
      .meta({ title: 'Learning rate', description: 'Learning rate of Adam.' }),
    initialConstant: z
      .number()
      .gt(0)
      .max(largestSetting)
      .default(0.001)
      .meta({ title: 'First constant', description: 'Weight of the margin in the first search step.' }),
    confidence: z.number().min(0).max(largestSetting).default(0).meta({
      title: 'Confidence',
      description:
        'Margin κ by which the wrong class must win. An image on which no class wins by κ keeps its nearest misclassified iterate.',
    }),
  }),
});

/** The start of HopSkipJump, and the halvings of one step: along the normal, and back to the boundary of an image of a million values. */
const hopSkipJumpStart = 250;
const hopSkipJumpHalvings = 30;

const hopSkipJumpQueries = ({
  steps,
  initialEvaluations,
  maxEvaluations,
}: {
  readonly steps: number;
  readonly initialEvaluations: number;
  readonly maxEvaluations: number;
}): number =>
  Array.from({ length: steps }, (_, step) =>
    Math.floor(Math.min(initialEvaluations * Math.sqrt(step + 1), maxEvaluations)),
  ).reduce(
    (sum, evaluations) => sum + evaluations + 2 * hopSkipJumpHalvings,
    hopSkipJumpStart + hopSkipJumpHalvings,
  );

export const hopSkipJump = defineAttack({
  title: 'HopSkipJump L2',
  description:
    'Walks along the boundary and sees only the predicted class. It needs thousands of queries per image.',
  citation: 'Chen et al. 2020, HopSkipJumpAttack',
  family: 'minimisation',
  norm: 'l2',
  access: 'decision',
  version: 2,
  queries: hopSkipJumpQueries,
  settings: z.strictObject({
    steps: setting.steps(64),
    initialEvaluations: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(100)
      .meta({ title: 'First evaluations', description: 'Queries of the first gradient estimate.' }),
    maxEvaluations: z.int().min(1).max(1_000_000).default(10_000).meta({
      title: 'Maximum evaluations',
      description: 'Maximum number of queries per gradient estimate.',
    }),
    gamma: z
      .number()
      .gt(0)
      .max(largestSetting)
      .default(1)
      .meta({ title: 'γ', description: 'Scale of the tolerance of the boundary search.' }),
  }),
});
