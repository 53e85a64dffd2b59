import type * as tf from '@tensorflow/tfjs';
import { encodeAll } from '../codes.ts';
import { targetsAt } from '../datasets/rows.ts';
import { smoothed, softmaxCrossEntropy } from '../losses.ts';
import { joined } from '../models/architecture.ts';
import { classifierHead } from '../models/auto-encoder.ts';
import { networkOver } from '../models/network.ts';
import { descend } from '../training/descend.ts';
import type { Batch, StageRecipe } from '../training/stage.ts';
import { accuracyOf, rightAt, shareOf } from './measures.ts';
import type { StageHyperparameters } from './stage-hyperparameters.ts';

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
