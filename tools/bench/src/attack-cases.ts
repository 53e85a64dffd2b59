/** The attacks that `bench attack` times, with Foolbox's times for the same attacks and the minimum number of passes of the model. */
import type { AttackInput } from '@funnel/contracts';

type Spent = { readonly steps: number; readonly queries: number };
type PassCounts = { readonly forward: number; readonly backward: number };

export type AttackCase = {
  readonly name: string;
  readonly attack: AttackInput;
  /** Seconds per image on one core of a similar machine, on a small convolutional network for MNIST; null: not measured, or not in Foolbox. */
  readonly foolbox18: number | null;
  readonly foolbox3: number | null;
  /** The least speed that we want, in multiples of the speed of each version of Foolbox. */
  readonly target?: { readonly foolbox18?: number; readonly foolbox3?: number };
  /** The forward and backward passes per image, from the mean numbers of steps and queries. */
  readonly passes: (spent: Spent) => PassCounts;
  readonly maxImages: number;
  readonly warmUp: number;
};

/** A gradient at every step, and a forward pass at the end. */
const ascent = ({ steps, queries }: Spent): PassCounts => ({ forward: queries, backward: steps });
/** Nine differences of logits per step. */
const deepfool = ({ steps, queries }: Spent): PassCounts => ({ forward: queries, backward: 9 * steps });
const oneGradient = ({ queries }: Spent): PassCounts => ({ forward: queries, backward: 1 });
const forwardOnly = ({ queries }: Spent): PassCounts => ({ forward: queries, backward: 0 });

/** Foolbox 3.3.4 was timed on a batch of 500 images; Foolbox 1.8 takes images one by one, so fewer suffice. */
const asBatch = { maxImages: 500, warmUp: 128 };
const oneByOne = { maxImages: 100, warmUp: 32 };

export const attackCases = [
  {
    name: 'DeepFool L2',
    attack: { attack: 'deepfool-l2', steps: 50 },
    foolbox18: 0.144,
    foolbox3: 0.0156,
    target: { foolbox18: 10, foolbox3: 1 },
    passes: deepfool,
    ...asBatch,
  },
  {
    name: 'DeepFool Linf',
    attack: { attack: 'deepfool-linf', steps: 50 },
    foolbox18: 0.164,
    foolbox3: 0.007,
    target: { foolbox18: 10, foolbox3: 1 },
    passes: deepfool,
    ...asBatch,
  },
  {
    name: 'FGSM search',
    attack: { attack: 'fgsm', search: true },
    foolbox18: 0.043,
    foolbox3: null,
    passes: oneGradient,
    ...oneByOne,
  },
  {
    name: 'FGSM fixed',
    attack: { attack: 'fgsm', search: false, epsilon: 0.1 },
    foolbox18: null,
    foolbox3: 0.0002,
    passes: oneGradient,
    ...asBatch,
  },
  {
    name: 'BIM search',
    attack: { attack: 'bim', search: true },
    foolbox18: 0.279,
    foolbox3: null,
    passes: ascent,
    ...oneByOne,
  },
  {
    name: 'BIM fixed',
    attack: { attack: 'bim', search: false, epsilon: 0.05, stepSize: 0.01, steps: 10 },
    foolbox18: null,
    foolbox3: 0.001,
    passes: ascent,
    ...asBatch,
  },
  {
    name: 'PGD Linf',
    attack: { attack: 'pgd-linf', epsilon: 0.05, steps: 40 },
    foolbox18: null,
    foolbox3: 0.0043,
    target: { foolbox3: 1 },
    passes: ascent,
    ...asBatch,
  },
  {
    name: 'PGD L2',
    attack: { attack: 'pgd-l2', epsilon: 0.5, steps: 50 },
    foolbox18: null,
    foolbox3: 0.0062,
    target: { foolbox3: 1 },
    passes: ascent,
    ...asBatch,
  },
  {
    name: 'C&W L2 3x200',
    attack: { attack: 'cw-l2', steps: 200, searchSteps: 3 },
    foolbox18: null,
    foolbox3: 0.039,
    passes: ascent,
    ...asBatch,
  },
  {
    name: 'FMN L2',
    attack: { attack: 'fmn-l2', steps: 100 },
    foolbox18: null,
    foolbox3: 0.0136,
    target: { foolbox3: 1 },
    passes: ascent,
    ...asBatch,
  },
  {
    name: 'Single Pixel',
    attack: { attack: 'single-pixel' },
    foolbox18: 0.6,
    foolbox3: null,
    target: { foolbox18: 5 },
    passes: forwardOnly,
    ...oneByOne,
  },
  {
    name: 'LocalSearch',
    attack: { attack: 'local-search' },
    foolbox18: 1.61,
    foolbox3: null,
    target: { foolbox18: 1.5 },
    passes: forwardOnly,
    maxImages: 20,
    warmUp: 1,
  },
] as const satisfies readonly AttackCase[];

export const attackCaseNames = attackCases.map(({ name }) => name) as [AttackCaseName, ...AttackCaseName[]];
export type AttackCaseName = (typeof attackCases)[number]['name'];

type Anchors = Pick<AttackCase, 'foolbox18' | 'foolbox3'>;

/** True where the time per image meets the target for each tool. */
export const meets = (
  target: NonNullable<AttackCase['target']>,
  anchors: Anchors,
  seconds: number,
): boolean =>
  (['foolbox18', 'foolbox3'] as const).every(
    (tool) => target[tool] === undefined || (anchors[tool] ?? 0) / seconds >= target[tool],
  );
