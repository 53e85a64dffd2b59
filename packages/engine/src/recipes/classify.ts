/** Trains classifiers: a head on a frozen encoder (funn, classic), or encoder and head together (all other recipes). */
import type * as tf from '@tensorflow/tfjs';
import { cleanMeasures, correctAt, encodeAll, targetsAt } from '../batches.ts';
import type { Split } from '../datasets/split.ts';
import { smoothed, softmaxCrossEntropy } from '../losses.ts';
import { joined } from '../models/architecture.ts';
import type { NetworkSizes } from '../models/architectures/blocks.ts';
import { classifierHead, encoder } from '../models/auto-encoders.ts';
import { type Network, networkOver } from '../models/network.ts';
import { accuracyOf } from '../training/measure.ts';
import {
  type Adam,
  type Batch,
  descend,
  type Setup,
  type StageHyperparameters,
  type StageRecipe,
  type Training,
} from '../training/stage.ts';

/**
 * The classifier of the paper (§3.3, §4.1): a dense layer with ReLU and a dense layer to logits, on the codes of the frozen encoder of the
 * defender. It descends the softmax cross-entropy of clean images.
 */
export const classify: StageRecipe<StageHyperparameters<'funn' | 'classic', 'classify'>> = async ({
  hyperparameters,
  train,
  test,
  classes,
  network,
  frozen,
  optimiser,
  signal,
  outputsOf,
}) => {
  const E = network('defender-encoder');
  const head = network('head', classifierHead(E.architecture, hyperparameters.classifierUnits, classes));
  const adam = optimiser('head', [head], hyperparameters.classifierRate);
  const codesOf = await outputsOf(E);
  const testSplit = await test();
  const testCodes = await encodeAll(E, testSplit, signal);

  const step = (batch: Batch) => {
    const z = codesOf(batch); // [batch, 64]
    const { labels, oneHot } = targetsAt(train, batch.indices, classes); // [batch], [batch, 10]
    const { classifierLoss, logits } = descend([adam], batch.update, () => {
      const logits = head.apply(z) as tf.Tensor2D; // [batch, 10]
      const loss = softmaxCrossEntropy(logits, smoothed(oneHot, hyperparameters.labelSmoothing));
      return { loss, logits, classifierLoss: loss };
    });
    return { classifierLoss, trainAccuracy: accuracyOf(logits, labels) };
  };

  return {
    networks: {
      head,
      classifier: networkOver(joined(E.architecture, head.architecture), [...E.weights, ...head.weights]),
    },
    frozen: frozen('defender-encoder'),
    optimisers: { head: adam },
    step,
    afterEpoch: async () => {
      const correct = await correctAt((indices) => head.apply(testCodes(indices)), testSplit);
      return cleanMeasures(correct, testSplit, classes);
    },
    dependsOnAutoEncoders: ['defender'],
  };
};

type Sizes = NetworkSizes & {
  readonly classifierUnits: number;
  readonly classifierRate: number;
};

/** The defender's encoder and a head on it as one classifier, and an optimiser over both. The weights come from the stage's start, or are new. */
export const trainableClassifier = ({
  hyperparameters,
  image,
  classes,
  network,
  optimiser,
}: Pick<Setup<Sizes>, 'hyperparameters' | 'image' | 'classes' | 'network' | 'optimiser'>): {
  readonly classifier: Network;
  readonly networks: Readonly<Record<string, Network>>;
  readonly adam: Adam;
} => {
  const E = network('defender-encoder', encoder(image, hyperparameters));
  const head = network('head', classifierHead(E.architecture, hyperparameters.classifierUnits, classes));
  const classifier = networkOver(joined(E.architecture, head.architecture), [...E.weights, ...head.weights]);
  const adam = optimiser('classifier', [E, head], hyperparameters.classifierRate);
  return { classifier, networks: { 'defender-encoder': E, head, classifier }, adam };
};

/** An update on clean images: the classifier descends the softmax cross-entropy. */
export const plainStep =
  (classifier: Network, adam: Adam, train: Split, classes: number): Training['step'] =>
  (batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const { labels, oneHot } = targetsAt(train, batch.indices, classes); // [batch], [batch, 10]
    const { classifierLoss, logits } = descend([adam], batch.update, () => {
      const logits = classifier.apply(x) as tf.Tensor2D; // [batch, 10]
      const loss = softmaxCrossEntropy(logits, oneHot);
      return { loss, logits, classifierLoss: loss };
    });
    return { classifierLoss, trainAccuracy: accuracyOf(logits, labels) };
  };
