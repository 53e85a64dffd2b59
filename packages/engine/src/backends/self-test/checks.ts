import { adamStep, conv2d, conv2dTranspose, dense } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import { softmaxCrossEntropy } from '../../losses.ts';
import { adam, batch, type CheckName, confident, inputs, shapes, weightNames } from './problem.ts';

type Name = keyof typeof inputs;
const constant = (name: Name, shape: readonly number[]): tf.Tensor => tf.tensor(inputs[name], [...shape]);

const weightShapes: Record<(typeof weightNames)[number], readonly number[]> = {
  'conv filter': shapes.conv.filter,
  'conv bias': shapes.conv.bias,
  'code kernel': shapes.code.kernel,
  'code bias': shapes.code.bias,
  'expand kernel': shapes.expand.kernel,
  'expand bias': shapes.expand.bias,
  'deconv filter': shapes.deconv.filter,
  'deconv bias': shapes.deconv.bias,
};

const size: readonly [number, number] = [shapes.image[1], shapes.image[2]];
const flat = (map: tf.Tensor): tf.Tensor => tf.reshape(map, [batch, -1]);
const asMap = (units: tf.Tensor): tf.Tensor => tf.reshape(units, [...shapes.map]);

/** The auto-encoder's layers, each on what the one before gives. */
function layers(image: tf.Tensor, weights: readonly tf.Tensor[]) {
  const [filter, bias, codeKernel, codeBias, expandKernel, expandBias, deconv, deconvBias] = weights;
  const map = conv2d(image, filter!, bias!, 'relu'); // [batch, 4, 4, 4]
  const code = dense(flat(map), codeKernel!, codeBias!, 'linear'); // [batch, 5]
  const expanded = dense(code, expandKernel!, expandBias!, 'relu'); // [batch, 64]
  const rebuilt = conv2dTranspose(asMap(expanded), deconv!, deconvBias!, size, 'unitTanh'); // [batch, 7, 7, 1]
  return { map, code, expanded, rebuilt };
}

/** One iteration of DeepFool in L2 without overshoot: see the reference for the formula. */
function deepFoolStep(image: tf.Tensor, filter: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const [kernel, logitsBias] = [
    constant('logits kernel', shapes.logits.kernel),
    constant('logits bias', shapes.logits.bias),
  ];
  const classes = shapes.logits.bias[0];
  const logitsOf = (x: tf.Tensor): tf.Tensor =>
    dense(flat(conv2d(x, filter, bias, 'relu')), kernel, logitsBias, 'linear');
  const logits = logitsOf(image); // [batch, classes]
  const slopes = Array.from({ length: classes }, (_, k) => {
    const logit = (x: tf.Tensor) => tf.sum(tf.slice(logitsOf(x), [0, k], [batch, 1]));
    return flat(tf.grad(logit)(image)); // [batch, pixels]
  });
  const all = tf.stack(slopes, 1); // [batch, classes, pixels]
  const own = tf.oneHot(tf.argMax(logits, 1), classes).toFloat() as tf.Tensor2D; // [batch, classes]
  const slope = tf.sum(tf.mul(all, tf.expandDims(own, 2)), 1, true); // [batch, 1, pixels]
  const w = tf.sub(all, slope); // [batch, classes, pixels]
  const gap = tf.abs(tf.sub(logits, tf.sum(tf.mul(logits, own), 1, true))); // [batch, classes]
  const square = tf.add(tf.sum(tf.square(w), 2), own); // its own class: not 0, so that nothing is divided by 0
  const distance = tf.add(tf.div(gap, tf.sqrt(square)), tf.mul(own, 1e9)); // [batch, classes]
  const nearest = tf.oneHot(tf.argMin(distance, 1), classes).toFloat(); // [batch, classes]
  const scale = tf.mul(tf.div(gap, square), nearest); // [batch, classes]
  return tf.sum(tf.mul(w, tf.expandDims(scale, 2)), 1); // [batch, pixels]
}

function adamSteps(start: tf.Tensor, gradient: tf.Tensor): tf.Tensor {
  const [weight, first, second] = [start, tf.zerosLike(start), tf.zerosLike(start)].map((tensor) =>
    tf.variable(tensor),
  );
  for (let t = 1; t <= adam.steps; t++) {
    const rate = (adam.rate * Math.sqrt(1 - adam.beta2 ** t)) / (1 - adam.beta1 ** t);
    adamStep(weight!, gradient, [first!, second!], { ...adam, rate });
  }
  const stepped = tf.clone(weight!);
  tf.dispose([weight!, first!, second!]);
  return stepped;
}

/**
 * Solves the problem on the backend that tfjs runs on, in an order in which each check needs only those before it. Called within a
 * tidy; `report` gets every check's values as soon as they are there.
 */
export function solveChecks(report: (name: CheckName, compute: () => tf.Tensor) => tf.Tensor): void {
  const image = constant('image', shapes.image);
  const weights = weightNames.map((name) => constant(name, weightShapes[name]));
  const [filter, bias, codeKernel, codeBias, expandKernel, expandBias, deconv, deconvBias] = weights as [
    ...[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor],
  ];
  const map = report('conv2d with ReLU', () => conv2d(image, filter, bias, 'relu'));
  const code = report('dense, linear', () => dense(flat(map), codeKernel, codeBias, 'linear'));
  const expanded = report('dense with ReLU', () => dense(code, expandKernel, expandBias, 'relu'));
  const rebuilt = report('conv2dTranspose with (1 + tanh)/2', () =>
    conv2dTranspose(asMap(expanded), deconv, deconvBias, size, 'unitTanh'),
  );
  report('mean squared error', () => tf.losses.meanSquaredError(image, rebuilt));

  const target = constant('image', shapes.image); // another tensor: the gradient of the image must not come through it
  const loss = (x: tf.Tensor, ...rest: tf.Tensor[]) =>
    tf.mean<tf.Scalar>(tf.square(tf.sub(layers(x, rest).rebuilt, target)));
  let gradients: tf.Tensor[] | undefined;
  const gradientOf = (i: number): tf.Tensor => {
    gradients ??= tf.grads(loss)([image, ...weights]);
    return gradients[i]!;
  };
  for (const [i, name] of weightNames.entries()) report(`gradient of ${name}`, () => gradientOf(i + 1));
  report('gradient of image', () => gradientOf(0));
  report('Adam', () => adamSteps(filter, gradientOf(1)));
  report('softmax cross-entropy, gradient of confident logits', () => {
    const logits = tf.tensor2d([...confident.logits], [1, confident.logits.length]);
    const oneHot = tf.oneHot([confident.label], confident.logits.length).toFloat() as tf.Tensor2D;
    const gradient = tf.grad((z: tf.Tensor) => softmaxCrossEntropy(z as tf.Tensor2D, oneHot))(logits);
    return tf.mul(gradient, tf.sub(1, oneHot));
  });
  report('DeepFool step', () => deepFoolStep(image, filter, bias));
}
