/** The small problem that every backend solves before it is trusted. All numbers are exact in single precision. */

/** Shapes, channels last; odd sizes, so that padding is on both sides. */
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
/** So confident that softmax minus one-hot is far below single precision's epsilon: losses must start from logits. */
export const confident = { logits: [20, 0, -1], label: 0 } as const;

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Numbers in [−1, 1] / `range`, a multiple of 1/512 each, from a linear congruence. */
function numbers(shape: readonly number[], seed: number, range = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: size(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 16) % 513) / 256 / range - 1 / range;
  });
}

/** Weights of the auto-encoder, in the order of the golden gradients, then those of the logits. */
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

/** Every value that a backend is checked on, by the name of the op that an error blames. */
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
