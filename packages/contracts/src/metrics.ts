/** Every metric that Funnel records or ranks by, each with direction, unit and one line of description. */
import { z } from 'zod';

export type Metric = {
  readonly title: string;
  readonly description: string;
  /** Whether a larger or a smaller value is better. */
  readonly direction: 'max' | 'min';
  readonly unit: 'fraction' | 'loss' | 'L2' | 'Linf' | 'count';
  /** The images, or other things, that the number is about. */
  readonly over: string;
  /** True for a mean over the images that an attack fooled: other models fall on other images, so no value is the best. (Default: false) */
  readonly isOverSuccesses?: boolean;
};

/** Recorded once per epoch by a training stage. */
export const trainingMetrics = {
  attackerLoss: {
    title: 'Attacker loss',
    description: 'L(Att(x), x), mean over the epoch (eq. 3).',
    direction: 'min',
    unit: 'loss',
    over: 'the training images',
  },
  defenderLoss: {
    title: 'Defender loss',
    description: 'L(x, Def(Att(x))), mean over the epoch (eq. 4); L(x, Def(x)) for `classic`.',
    direction: 'min',
    unit: 'loss',
    over: 'the training images',
  },
  hingeActive: {
    title: 'Hinge active',
    description: 'Share of steps with a penalty above zero; 0 means that the constraint of β always held.',
    direction: 'max',
    unit: 'fraction',
    over: 'the updates of the epoch',
  },
  classifierLoss: {
    title: 'Classifier loss',
    description: 'Softmax cross-entropy from logits, mean over the epoch.',
    direction: 'min',
    unit: 'loss',
    over: 'the training images',
  },
  trainAccuracy: {
    title: 'Training accuracy',
    description: 'Share of training images classified right during the epoch.',
    direction: 'max',
    unit: 'fraction',
    over: 'the training images',
  },
  attackedAccuracy: {
    title: 'Attacked training accuracy',
    description: 'Share of training images classified right under the attack of the training.',
    direction: 'max',
    unit: 'fraction',
    over: 'the training images, attacked',
  },
  divergenceLoss: {
    title: 'Divergence',
    description: 'KL(p(x) ‖ p(x′)) of the images and their perturbed versions, mean over the epoch (TRADES).',
    direction: 'min',
    unit: 'loss',
    over: 'the training images, clean and attacked',
  },
  cleanAccuracy: {
    title: 'Clean accuracy',
    description: 'Share of unattacked test images classified right, and not rejected.',
    direction: 'max',
    unit: 'fraction',
    over: 'all test images',
  },
  bareAccuracy: {
    title: 'Accuracy without the defence',
    description: 'Share of unattacked test images that MagNet’s classifier alone classifies right.',
    direction: 'max',
    unit: 'fraction',
    over: 'all test images',
  },
  rejectedShare: {
    title: 'Rejected clean images',
    description: 'Share of unattacked test images that the defence rejects.',
    direction: 'min',
    unit: 'fraction',
    over: 'all test images',
  },
  reformerLoss: {
    title: 'Reformer loss',
    description: 'Mean squared error of MagNet’s auto-encoder I (detects and reforms), mean over the epoch.',
    direction: 'min',
    unit: 'loss',
    over: 'the training images',
  },
  secondReformerLoss: {
    title: 'Second reformer loss',
    description: 'Mean squared error of MagNet’s auto-encoder II (only detects), mean over the epoch.',
    direction: 'min',
    unit: 'loss',
    over: 'the training images',
  },
  detectorLoss: {
    title: 'Detector loss',
    description: 'Cross-entropy over clean and perturbed images in equal numbers, mean over the epoch.',
    direction: 'min',
    unit: 'loss',
    over: 'the training images, clean and attacked',
  },
  detectionArea: {
    title: 'Detection AUC',
    description: 'Probability that the detector scores a perturbed test image higher than a clean one.',
    direction: 'max',
    unit: 'fraction',
    over: 'the first 1,000 test images, clean and attacked',
  },
  detectionRate: {
    title: 'Detection rate',
    description: 'Share of perturbed test images that the detector rejects at its false-positive rate.',
    direction: 'max',
    unit: 'fraction',
    over: 'the first 1,000 test images, attacked',
  },
} as const satisfies Record<string, Metric>;
export type TrainingMetricName = keyof typeof trainingMetrics;

/** The metrics of an evaluation, which the leaderboard ranks by. Infinity is the largest value; a missing value has no rank. */
export const evaluationMetrics = {
  robustAccuracy: {
    title: 'Robust accuracy',
    description:
      'Share of all images that are classified right and that the attack did not fool within its fixed ε; none without attacked images.',
    direction: 'max',
    unit: 'fraction',
    over: 'the images of the attack, also those that are misclassified without it',
  },
  successRate: {
    title: 'Attack success',
    description:
      'Share of correctly classified images that the attack fooled; none where there are no such images.',
    direction: 'min',
    unit: 'fraction',
    over: 'the correctly classified images of the attack',
  },
  medianL2: {
    title: 'Median L2',
    description:
      'Median over the correctly classified images of the smallest L2 distance that fools; ∞ where at least half of them withstand.',
    direction: 'max',
    unit: 'L2',
    over: 'the correctly classified images of the attack',
  },
  medianLinf: {
    title: 'Median L∞',
    description:
      'Median over the correctly classified images of the smallest L∞ distance that fools; ∞ where at least half of them withstand.',
    direction: 'max',
    unit: 'Linf',
    over: 'the correctly classified images of the attack',
  },
  noiseLevel: {
    title: 'Noise level',
    description:
      "Mean true L2 norm of the successful changes: the paper's noise level. Each run has other images in it, so it says little between runs.",
    direction: 'max',
    unit: 'L2',
    over: 'the images that the attack fooled',
    isOverSuccesses: true,
  },
  cleanAccuracy: {
    title: 'Clean accuracy',
    description:
      'Share of images classified right without an attack. In a ranking: of the images of the attack; elsewhere: of all test images.',
    direction: 'max',
    unit: 'fraction',
    over: 'the images of the attack',
  },
} as const satisfies Record<string, Metric>;
export type EvaluationMetricName = keyof typeof evaluationMetrics;
export const evaluationMetricNames = Object.keys(evaluationMetrics) as EvaluationMetricName[];
export const EvaluationMetricName = z.enum(
  evaluationMetricNames as [EvaluationMetricName, ...EvaluationMetricName[]],
);

/** The title of a metric in a ranking. A trial has another clean accuracy too: that on all test images. */
export const rankedTitle = (metric: EvaluationMetricName): string =>
  metric === 'cleanAccuracy' ? 'Clean accuracy of the attack images' : evaluationMetrics[metric].title;

/**
 * Which value of a metric is better, as the end of a sentence about a ranking. A mean over the images that fell is about other images for each
 * run, so neither is.
 */
export const betterText = (metric: EvaluationMetricName): string => {
  const { direction, isOverSuccesses }: Metric = evaluationMetrics[metric];
  if (isOverSuccesses) return 'each run has other images in it, so no value is the best';
  return `${direction === 'max' ? 'higher' : 'lower'} is better`;
};

/** The metrics that are distances: their intervals need the distance of every image. */
export const distanceMetrics = ['medianL2', 'medianLinf', 'noiseLevel'] as const;
export const DistanceMetricName = z.enum(distanceMetrics);
export type DistanceMetricName = z.infer<typeof DistanceMetricName>;

export const isDistance = (metric: EvaluationMetricName): metric is DistanceMetricName =>
  distanceMetrics.some((distance) => distance === metric);
