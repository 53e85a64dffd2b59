/**
 * The self-test of a backend: a small training step, all its gradients and a step of DeepFool, compared with values in
 * self-test-golden.json, which `test/backends/reference.ts` computes in double precision. The inputs are exact in single precision.
 */
import { adamStep, conv2d, conv2dTranspose, dense } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import { softmaxCrossEntropy } from '../losses.ts';
import { messageOf } from './backend.ts';
import golden from './self-test-golden.json' with { type: 'json' };

/** Shapes with channels last. The sizes are odd, so that padding is on both sides. */
export const shapes = {
  image: [3, 7, 7, 1],
  conv: { filter: [3, 3, 1, 4], bias: [4] },
  code: { kernel: [64, 5], bias: [5] },
  expand: { kernel: [5, 64], bias: [64] },
  map: [3, 4, 4, 4],
  deconv: { filter: [3, 3, 1, 4], bias: [1] },
  logits: { kernel: [64, 3], bias: [3] },
} as const;

export const batch = 3;
export const adam = { beta1: 0.9, beta2: 0.999, rate: 0.01, epsilon: 1e-7, steps: 2 } as const;
/**
 * At this prediction, the probabilities of the wrong classes are below the epsilon of single precision. A loss that is computed from
 * probabilities loses them; a loss that is computed from logits keeps them.
 */
export const confident = { logits: [20, 0, -1], label: 0 } as const;

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Numbers from −1/`range` to 1/`range`, all multiples of 1/(256 · `range`), from a linear congruential generator. */
function numbers(shape: readonly number[], seed: number, range = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: size(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 16) % 513) / 256 / range - 1 / range;
  });
}

/** The weights of the auto-encoder, in the order of the golden gradients. */
export const weightNames = [
  ...['conv filter', 'conv bias', 'code kernel', 'code bias'],
  ...['expand kernel', 'expand bias', 'deconv filter', 'deconv bias'],
] as const;

export const inputs = {
  image: numbers(shapes.image, 1).map((value) => (value + 1) / 2),
  'conv filter': numbers(shapes.conv.filter, 2),
  'conv bias': numbers(shapes.conv.bias, 3, 2),
  'code kernel': numbers(shapes.code.kernel, 4, 4),
  'code bias': numbers(shapes.code.bias, 5, 4),
  'expand kernel': numbers(shapes.expand.kernel, 6, 2),
  'expand bias': numbers(shapes.expand.bias, 7, 2),
  'deconv filter': numbers(shapes.deconv.filter, 8, 2),
  'deconv bias': numbers(shapes.deconv.bias, 9, 4),
  'logits kernel': numbers(shapes.logits.kernel, 10, 4),
  'logits bias': numbers(shapes.logits.bias, 11, 4),
} as const;

/** The operations that are checked. An error names one of these. */
export const checkNames = [
  'conv2d with ReLU',
  'dense, linear',
  'dense with ReLU',
  'conv2dTranspose with (1 + tanh)/2',
  'mean squared error',
  ...weightNames.map((name) => `gradient of ${name}` as const),
  'gradient of image',
  'Adam',
  'softmax cross-entropy, gradient of confident logits',
  'DeepFool step',
] as const;
export type CheckName = (typeof checkNames)[number];

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

const imageSize: readonly [number, number] = [shapes.image[1], shapes.image[2]];
const flat = (map: tf.Tensor): tf.Tensor => tf.reshape(map, [batch, -1]);
const asMap = (units: tf.Tensor): tf.Tensor => tf.reshape(units, [...shapes.map]);

/** The outputs of the layers of the auto-encoder. */
function layers(image: tf.Tensor, weights: readonly tf.Tensor[]) {
  const [filter, bias, codeKernel, codeBias, expandKernel, expandBias, deconv, deconvBias] = weights;
  const map = conv2d(image, filter!, bias!, 'relu'); // [batch, 4, 4, 4]
  const code = dense(flat(map), codeKernel!, codeBias!, 'linear'); // [batch, 5]
  const expanded = dense(code, expandKernel!, expandBias!, 'relu'); // [batch, 64]
  const rebuilt = conv2dTranspose(asMap(expanded), deconv!, deconvBias!, imageSize, 'unitTanh'); // [batch, 7, 7, 1]
  return { map, code, expanded, rebuilt };
}

/** One iteration of DeepFool in L2 without overshoot (Moosavi-Dezfooli et al. 2016, algorithm 2): [batch, …image] → [batch, pixels]. */
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
  const square = tf.add(tf.sum(tf.square(w), 2), own); // the own class gets 1, because its w is 0 and `square` is a divisor
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
 * Computes every check on the current backend and calls `report` for each in order. A check uses the results of earlier checks only. Call
 * this function inside a tidy.
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
    conv2dTranspose(asMap(expanded), deconv, deconvBias, imageSize, 'unitTanh'),
  );
  report('mean squared error', () => tf.losses.meanSquaredError(image, rebuilt));

  const target = constant('image', shapes.image); // a tensor of its own, so that the gradient of the image leaves the target out
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

export interface CheckResult {
  readonly name: CheckName;
  /** The largest difference from the golden values, relative to the largest of them. Infinity where a value is not finite or missing. */
  readonly error: number;
  /** The message of the error that the operation threw. */
  readonly message?: string;
}

export interface SelfTest {
  readonly passed: boolean;
  readonly tolerance: number;
  readonly checks: readonly CheckResult[];
  /** The first check that failed, or the one with the largest error where none failed. */
  readonly worst: CheckResult;
}

/** The largest allowed relative error. It leaves room for single precision and for sums in any order. */
const tolerance = 1e-4;

function errorOf(values: ArrayLike<number>, expected: readonly number[]): number {
  if (values.length !== expected.length) return Number.POSITIVE_INFINITY;
  const scale = Math.max(...expected.map(Math.abs));
  const worst = Math.max(...expected.map((value, i) => Math.abs(value - values[i]!)));
  return Number.isFinite(worst) ? worst / scale : Number.POSITIVE_INFINITY;
}

/**
 * Tests the backend that tfjs runs on. Stops at the first operation that throws, because the rest needs its result.
 */
export async function runSelfTest(): Promise<SelfTest> {
  const computed: { name: CheckName; tensor: tf.Tensor }[] = [];
  let thrown: CheckResult | undefined;
  tf.engine().startScope();
  try {
    let current: CheckName = 'conv2d with ReLU';
    try {
      solveChecks((name, compute) => {
        current = name;
        const tensor = compute();
        computed.push({ name, tensor });
        return tensor;
      });
    } catch (error) {
      thrown = { name: current, error: Number.POSITIVE_INFINITY, message: messageOf(error) };
    }
    const checks: CheckResult[] = [];
    for (const { name, tensor } of computed)
      checks.push({ name, error: errorOf(await tensor.data(), golden[name]) });
    if (thrown) checks.push(thrown);
    const failed = checks.find(({ error }) => !(error <= tolerance));
    const worst = failed ?? checks.reduce((max, check) => (check.error > max.error ? check : max));
    return { passed: failed === undefined, tolerance, checks, worst };
  } finally {
    tf.engine().endScope();
  }
}
