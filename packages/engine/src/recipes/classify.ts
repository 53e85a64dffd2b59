import type * as tf from '@tensorflow/tfjs';
import { encodeAll, rightAt, shareOf, targetsAt } from '../batches.ts';
import type { Split } from '../datasets/split.ts';
import { smoothed, softmaxCrossEntropy } from '../losses.ts';
import { joined } from '../models/architecture.ts';
import { classifierHead, encoder, parseFilters } from '../models/auto-encoders.ts';
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

/** What recipes share that train encoder and classifier together on labelled images, without an auto-encoder under them. */

type Sizes = {
  readonly filters: string;
  readonly latent: number;
  readonly classifierUnits: number;
  readonly classifierRate: number;
};

/** The defender's encoder and the classifier on it, from fresh weights or the chain's own, and the optimiser over both. */
export const classifierOf = ({
  hyperparameters,
  image,
  classes,
  network,
  player,
}: Pick<Setup<Sizes>, 'hyperparameters' | 'image' | 'classes' | 'network' | 'player'>): {
  readonly classifier: Network;
  readonly networks: Readonly<Record<string, Network>>;
  readonly learner: Adam;
} => {
  const E = network(
    'defender-encoder',
    encoder(image, { filters: parseFilters(hyperparameters.filters), latent: hyperparameters.latent }),
  );
  const head = network('head', classifierHead(E.architecture, hyperparameters.classifierUnits, classes));
  const classifier = networkOver(joined(E.architecture, head.architecture), [...E.weights, ...head.weights]);
  const learner = player('classifier', [E, head], hyperparameters.classifierRate);
  return { classifier, networks: { 'defender-encoder': E, head, classifier }, learner };
};

/** An update on the images as they are: softmax cross-entropy from logits. */
export const plainStep =
  (classifier: Network, learner: Adam, train: Split, classes: number): Training['step'] =>
  (batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const { labels, oneHot } = targetsAt(train, batch.rows, classes); // [batch], [batch, 10]
    const { classifierLoss, logits } = descend([learner], batch.update, () => {
      const logits = classifier.apply(x) as tf.Tensor2D; // [batch, 10]
      const loss = softmaxCrossEntropy(logits, oneHot);
      return { loss, logits, classifierLoss: loss };
    });
    return { classifierLoss, trainAccuracy: accuracyOf(logits, labels) };
  };

/** The classifier (§3.3, §4.1): dense ReLU and logits on the codes of the frozen encoder, softmax cross-entropy, unattacked images. */
export const classify: StageRecipe<StageHyperparameters<'funn' | 'classic', 'classify'>> = async ({
  hyperparameters,
  train,
  test,
  classes,
  network,
  frozen,
  player,
  signal,
}) => {
  const E = network('defender-encoder');
  const head = network('head', classifierHead(E.architecture, hyperparameters.classifierUnits, classes));
  const learner = player('head', [head], hyperparameters.classifierRate);
  const codes = await encodeAll(E, train, signal);
  const tested = await test();
  const testCodes = await encodeAll(E, tested, signal);

  const step = (batch: Batch) => {
    const z = codes(batch.rows); // [batch, 64]
    const { labels, oneHot } = targetsAt(train, batch.rows, classes); // [batch], [batch, 10]
    const { classifierLoss, logits } = descend([learner], batch.update, () => {
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
    players: { head: learner },
    step,
    afterEpoch: async () => ({
      cleanAccuracy: shareOf(await rightAt((rows) => head.apply(testCodes(rows)), tested)),
    }),
    standsOn: ['defender'],
    makes: [],
  };
};
