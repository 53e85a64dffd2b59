/** A detector of perturbations (Metzen et al. 2017): a binary side network on a feature map of a classifier that stays as it is. */
import * as tf from '@tensorflow/tfjs';
import { eachImage, rightOf, shareOf, targetsAt } from '../batches.ts';
import { areaUnderCurve, holdOut, thresholdNames, thresholdOf } from '../classifier.ts';
import { between } from '../datasets/split.ts';
import { softmaxCrossEntropy } from '../losses.ts';
import { type Architecture, joined, outputShape } from '../models/architecture.ts';
import { networkOver } from '../models/network.ts';
import { perturbAlong, upwards } from '../perturb.ts';
import { type Batch, descend, type StageHyperparameters, type StageRecipe } from '../training/stage.ts';
import { classifierOf, plainStep } from './classify.ts';

/** The classifier: encoder and head, on clean images. */
export const initialise: StageRecipe<StageHyperparameters<'detector', 'initialise'>> = async (setup) => {
  const { train, classes } = setup;
  const { classifier, networks, learner } = classifierOf(setup);

  return {
    networks,
    frozen: {},
    players: { classifier: learner },
    step: plainStep(classifier, learner, train, classes),
    standsOn: [],
    makes: [],
  };
};

/** Feature map → one logit, "perturbed": a convolution with twice the channels, dense ReLU, dense. */
const sideNetwork = (map: readonly number[], units: number): Architecture => ({
  input: map,
  layers: [
    { kind: 'conv2d', name: 'side', filters: 2 * map.at(-1)!, activation: 'relu' },
    { kind: 'flatten', name: 'side_features' },
    { kind: 'dense', name: 'side_hidden', units, activation: 'relu' },
    { kind: 'dense', name: 'suspicion', units: 1, activation: 'linear' },
  ],
});

/** Test images that are perturbed to measure detection, at most. */
const maxPerturbed = 1000;

/**
 * The side network learns to tell x from x′, half of each. *Static*: x′ ascends the classifier's cross-entropy (BIM). *Dynamic*: each step
 * goes along (1 − σ)·sign ∇CE + σ·sign ∇(detector's loss), σ uniform in [0, 1) per image (eq. 2): the detector meets who knows it.
 */
export const classify: StageRecipe<StageHyperparameters<'detector', 'classify'>> = async ({
  hyperparameters,
  train,
  test,
  classes,
  network,
  frozen,
  player,
}) => {
  const [E, classifier] = [network('defender-encoder'), network('classifier')];
  const first: Architecture = { ...E.architecture, layers: E.architecture.layers.slice(0, 1) };
  const side = network('detector-head', sideNetwork(outputShape(first), hyperparameters.classifierUnits));
  const detector = networkOver(joined(first, side.architecture), [...E.weights.slice(0, 2), ...side.weights]);
  const learner = player('detector', [side], hyperparameters.classifierRate);
  const { held, rest } = holdOut(train);
  const tested = await test();
  const attack = {
    epsilon: hyperparameters.trainingEpsilon,
    steps: hyperparameters.trainingSteps,
    reach: hyperparameters.trainingReach,
  };

  const againstClassifier = (oneHot: tf.Tensor2D) =>
    upwards((images) => softmaxCrossEntropy(classifier.apply(images) as tf.Tensor2D, oneHot));
  const againstDetector = upwards((images) => tf.neg(tf.sum(detector.apply(images))));
  /** −log of the probability of the right answer, perturbed or not. */
  const lossOf = (logits: tf.Tensor, perturbed: boolean): tf.Scalar => {
    const pair = tf.concat([tf.zerosLike(logits), logits], 1) as tf.Tensor2D; // [batch, 2]
    const answers = tf.fill([logits.shape[0]!], perturbed ? 1 : 0, 'int32') as tf.Tensor1D;
    return softmaxCrossEntropy(pair, tf.oneHot(answers, 2).toFloat() as tf.Tensor2D);
  };

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const { oneHot } = targetsAt(rest, batch.rows, classes); // [batch, 10]
    const alongClassifier = againstClassifier(oneHot);
    const weight = tf.div(tf.add(batch.noise([1, 1, 1]), 1), 2); // σ: [batch, 1, 1, 1]
    const alongBoth = (images: tf.Tensor): tf.Tensor =>
      tf.add(tf.mul(tf.sub(1, weight), alongClassifier(images)), tf.mul(weight, againstDetector(images)));
    const direction = hyperparameters.detectorAdversary === 'dynamic' ? alongBoth : alongClassifier;
    const perturbed = perturbAlong(x, x, attack, direction); // [batch, 28, 28, 1]
    return descend([learner], batch.update, () => {
      const [ofClean, ofPerturbed] = [
        lossOf(detector.apply(x), false),
        lossOf(detector.apply(perturbed), true),
      ];
      const loss = tf.div<tf.Scalar>(tf.add(ofClean, ofPerturbed), 2);
      return { loss, detectorLoss: loss };
    });
  };

  const says = (images: tf.Tensor): tf.Tensor => tf.reshape(detector.apply(images), [-1]);
  const right = await rightOf(classifier.apply, tested); // it stays as it is
  const some = between(tested, 0, Math.min(maxPerturbed, tested.count));
  let threshold = 0; // as of the last epoch that ended
  return {
    networks: { detector, 'detector-head': side },
    frozen: frozen('classifier', 'defender-encoder', 'head'),
    players: { detector: learner },
    split: rest,
    step,
    afterEpoch: async () => {
      threshold = thresholdOf(await eachImage(held, says), hyperparameters.falsePositiveRate);
      const clean = await eachImage(tested, says);
      const perturbed = await eachImage(some, (images, rows) => {
        const { oneHot } = targetsAt(some, rows, classes);
        return says(perturbAlong(images, images, attack, againstClassifier(oneHot)));
      });
      const rejected = clean.map((value) => Number(!(value < threshold))); // a NaN does not pass
      return {
        detectionArea: areaUnderCurve(clean, perturbed),
        detectionRate: shareOf(perturbed.map((value) => Number(!(value < threshold)))),
        rejectedShare: shareOf(rejected),
        cleanAccuracy: shareOf(right.map((value, i) => value * (1 - rejected[i]!))),
      };
    },
    scalars: () => ({ [thresholdNames.detector]: threshold }),
    standsOn: [],
    makes: [],
  };
};
