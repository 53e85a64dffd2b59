/** A detector of perturbations (Metzen et al. 2017): a binary side network on a feature map of a classifier. The classifier does not change. */
import * as tf from '@tensorflow/tfjs';
import { cleanMeasures, correctOf, eachImage, shareOf, targetsAt } from '../batches.ts';
import { areaUnderCurve, holdOut, thresholdNames, thresholdOf } from '../classifier.ts';
import { sliceSplit } from '../datasets/split.ts';
import { softmaxCrossEntropy } from '../losses.ts';
import {
  type Architecture,
  joined,
  type Layer,
  outputShape,
  untilFirstFeatures,
  weightSpecs,
} from '../models/architecture.ts';
import { networkOver } from '../models/network.ts';
import { perturbAlong, signOfGradient } from '../perturb.ts';
import { type Batch, descend, type StageHyperparameters, type StageRecipe } from '../training/stage.ts';
import { plainStep, trainableClassifier } from './classify.ts';

/** The classifier: encoder and head, trained on clean images. */
export const initialise: StageRecipe<StageHyperparameters<'detector', 'initialise'>> = async (setup) => {
  const { train, classes } = setup;
  const { classifier, networks, adam } = trainableClassifier(setup);

  return {
    networks,
    frozen: {},
    optimisers: { classifier: adam },
    step: plainStep(classifier, adam, train, classes),
  };
};

const convolvedFeatures = (channels: number): readonly Layer[] => [
  { kind: 'conv2d', name: 'side', filters: 2 * channels, kernel: 3, stride: 2, activation: 'relu' },
  { kind: 'flatten', name: 'side_features' },
];

/**
 * First features of a classifier → the logit of "perturbed": for a feature map a convolution with twice the channels, then a dense layer
 * with ReLU and a dense layer.
 */
const sideNetwork = (features: readonly number[], units: number): Architecture => ({
  input: features,
  layers: [
    ...(features.length === 1 ? [] : convolvedFeatures(features.at(-1)!)),
    { kind: 'dense', name: 'side_hidden', units, activation: 'relu' },
    { kind: 'dense', name: 'suspicion', units: 1, activation: 'linear' },
  ],
});

/** At most this many test images are perturbed to measure detection. */
const maxPerturbed = 1000;

/**
 * The side network learns to tell clean x from perturbed x′, half of each. *Static*: x′ ascends the cross-entropy of the classifier (BIM).
 * *Dynamic*: the adversary knows the detector, and each step goes along (1 − σ)·sign ∇CE + σ·sign ∇(loss of the detector), with σ uniform in
 * [0, 1) for each image (eq. 2).
 */
export const classify: StageRecipe<StageHyperparameters<'detector', 'classify'>> = async ({
  hyperparameters,
  train,
  test,
  classes,
  network,
  frozen,
  optimiser,
}) => {
  const [E, classifier] = [network('defender-encoder'), network('classifier')];
  const firstLayer = untilFirstFeatures(E.architecture);
  const side = network(
    'detector-head',
    sideNetwork(outputShape(firstLayer), hyperparameters.classifierUnits),
  );
  const detector = networkOver(joined(firstLayer, side.architecture), [
    ...E.weights.slice(0, weightSpecs(firstLayer).length),
    ...side.weights,
  ]);
  const adam = optimiser('detector', [side], hyperparameters.classifierRate);
  const { heldOut, rest } = holdOut(train);
  const testSplit = await test();
  const attack = {
    epsilon: hyperparameters.trainingEpsilon,
    steps: hyperparameters.trainingSteps,
    pathLength: hyperparameters.trainingReach,
  };

  const againstClassifier = (oneHot: tf.Tensor2D) =>
    signOfGradient((images) => softmaxCrossEntropy(classifier.apply(images) as tf.Tensor2D, oneHot));
  const againstDetector = signOfGradient((images) => tf.neg(tf.sum(detector.apply(images))));
  /** Mean of −log of the probability that the detector gives to the true answer: logits [batch, 1] → []. */
  const lossOf = (logits: tf.Tensor, perturbed: boolean): tf.Scalar => {
    const pair = tf.concat([tf.zerosLike(logits), logits], 1) as tf.Tensor2D; // [batch, 2]
    const answers = tf.fill([logits.shape[0]!], perturbed ? 1 : 0, 'int32') as tf.Tensor1D;
    return softmaxCrossEntropy(pair, tf.oneHot(answers, 2).toFloat() as tf.Tensor2D);
  };

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const { oneHot } = targetsAt(rest, batch.indices, classes); // [batch, 10]
    const alongClassifier = againstClassifier(oneHot);
    const weight = tf.div(tf.add(batch.noise([1, 1, 1]), 1), 2); // σ: [batch, 1, 1, 1]
    const alongBoth = (images: tf.Tensor): tf.Tensor =>
      tf.add(tf.mul(tf.sub(1, weight), alongClassifier(images)), tf.mul(weight, againstDetector(images)));
    const direction = hyperparameters.detectorAdversary === 'dynamic' ? alongBoth : alongClassifier;
    const perturbed = perturbAlong(x, x, attack, direction); // [batch, 28, 28, 1]
    return descend([adam], batch.update, () => {
      const [ofClean, ofPerturbed] = [
        lossOf(detector.apply(x), false),
        lossOf(detector.apply(perturbed), true),
      ];
      const loss = tf.div<tf.Scalar>(tf.add(ofClean, ofPerturbed), 2);
      return { loss, detectorLoss: loss };
    });
  };

  /** [n, …shape] → [n], logits. */
  const suspicionOf = (images: tf.Tensor): tf.Tensor => tf.reshape(detector.apply(images), [-1]);
  const correct = await correctOf(classifier.apply, testSplit); // the classifier does not change
  const perturbedSplit = sliceSplit(testSplit, 0, Math.min(maxPerturbed, testSplit.count));
  let threshold = 0; // set at the end of every epoch
  return {
    networks: { detector, 'detector-head': side },
    frozen: frozen('classifier', 'defender-encoder', 'head'),
    optimisers: { detector: adam },
    split: rest,
    step,
    afterEpoch: async () => {
      threshold = thresholdOf(await eachImage(heldOut, suspicionOf), hyperparameters.falsePositiveRate);
      const clean = await eachImage(testSplit, suspicionOf);
      const perturbed = await eachImage(perturbedSplit, (images, indices) => {
        const { oneHot } = targetsAt(perturbedSplit, indices, classes);
        return suspicionOf(perturbAlong(images, images, attack, againstClassifier(oneHot)));
      });
      const rejected = clean.map((value) => Number(!(value < threshold))); // a NaN does not pass
      return {
        detectionArea: areaUnderCurve(clean, perturbed),
        detectionRate: shareOf(perturbed.map((value) => Number(!(value < threshold)))),
        rejectedShare: shareOf(rejected),
        ...cleanMeasures(
          correct.map((value, i) => value * (1 - rejected[i]!)),
          testSplit,
          classes,
        ),
      };
    },
    scalars: () => ({ [thresholdNames.detector]: threshold }),
  };
};
