import * as tf from '@tensorflow/tfjs';
import { breathe } from '../breathe.ts';
import { encodeAll, range } from '../codes.ts';
import { descend } from '../descend.ts';
import { smoothed, softmaxCrossEntropy } from '../losses.ts';
import { joined } from '../models/architecture.ts';
import { classifierHead } from '../models/auto-encoder.ts';
import { networkOver } from '../models/network.ts';
import type { Batch, StageRecipe } from '../stage.ts';
import type { Knobs } from './knobs.ts';

const chunk = 1000;

/** The classifier (§3.3, §4.1): dense ReLU and logits on the codes of the frozen encoder, softmax cross-entropy, unattacked images. */
export const classify: StageRecipe<Knobs<'funn' | 'classic', 'classify'>> = async ({
  knobs,
  train,
  test,
  classes,
  network,
  frozen,
  player,
  signal,
}) => {
  const E = network('defender-encoder');
  const head = network('head', classifierHead(E.architecture, knobs.classifierUnits, classes));
  const learner = player('head', [head], knobs.classifierRate);
  const codes = await encodeAll(E, train, signal);
  const tested = await test();
  const testCodes = await encodeAll(E, tested, signal);
  const labelsAt = ({ rows }: Batch): tf.Tensor1D =>
    tf.tensor1d(
      Int32Array.from(rows, (row) => train.labels[row]!),
      'int32',
    );

  const step = (batch: Batch) => {
    const z = codes(batch.rows); // [batch, 64]
    const labels = labelsAt(batch); // [batch]
    const oneHot = tf.oneHot(labels, classes).toFloat() as tf.Tensor2D; // [batch, 10]
    const { classifierLoss, logits } = descend([learner], batch.update, () => {
      const logits = head.apply(z) as tf.Tensor2D; // [batch, 10]
      const loss = softmaxCrossEntropy(logits, smoothed(oneHot, knobs.labelSmoothing));
      return { loss, logits, classifierLoss: loss };
    });
    const trainAccuracy = tf.mean(tf.equal(tf.argMax(logits, 1), labels).toFloat());
    return { classifierLoss, trainAccuracy };
  };

  const cleanAccuracy = async (): Promise<number> => {
    let right = 0;
    for (let from = 0; from < tested.count; from += chunk) {
      const rows = range(from, Math.min(from + chunk, tested.count));
      const predicted = tf.tidy(() => tf.argMax(head.apply(testCodes(rows)), 1));
      const classesOf = await predicted.data();
      predicted.dispose();
      right += rows.reduce((sum, row, i) => sum + Number(classesOf[i] === tested.labels[row]), 0);
      await breathe();
    }
    return right / tested.count;
  };

  return {
    networks: {
      head,
      classifier: networkOver(joined(E.architecture, head.architecture), [...E.weights, ...head.weights]),
    },
    frozen: frozen('defender-encoder'),
    players: { head: learner },
    step,
    afterEpoch: async () => ({ cleanAccuracy: await cleanAccuracy() }),
    standsOn: ['defender'],
    makes: [],
  };
};
