/** Solves the problem of the self-test in double precision, with plain loops and without tfjs. */
import {
  adam,
  batch,
  type CheckName,
  confident,
  inputs,
  shapes,
  weightNames,
} from '../../src/backends/self-test.ts';

type Numbers = Float64Array;

const zeros = (length: number): Numbers => new Float64Array(length);
const [, height, width] = shapes.image;
const [, mapHeight, mapWidth, channels] = shapes.map;
const pixels = height * width;
const units = mapHeight * mapWidth * channels;
/** The 'same' padding on each side, for an odd size, a kernel of 3 and a stride of 2. */
const padding = 1;

/** Every (image, map position, pixel, tap) that a 3×3 stride-2 convolution connects. */
function connections(visit: (image: number, position: number, pixel: number, tap: number) => void): void {
  for (let b = 0; b < batch; b++)
    for (let y = 0; y < mapHeight; y++)
      for (let x = 0; x < mapWidth; x++)
        for (let ky = 0; ky < 3; ky++)
          for (let kx = 0; kx < 3; kx++) {
            const [row, column] = [2 * y + ky - padding, 2 * x + kx - padding];
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            visit(b, (b * mapHeight + y) * mapWidth + x, (b * height + row) * width + column, ky * 3 + kx);
          }
}

/** image [batch, h, w, 1], filter [3, 3, 1, channels] → map */
function convolve(image: Numbers, filter: Numbers, bias: Numbers): Numbers {
  const map = Float64Array.from({ length: batch * units }, (_, i) => bias[i % channels]!);
  connections((_, position, pixel, tap) => {
    for (let c = 0; c < channels; c++)
      map[position * channels + c]! += image[pixel]! * filter[tap * channels + c]!;
  });
  return map;
}

/** The transpose: map → image */
function spread(map: Numbers, filter: Numbers, bias: number): Numbers {
  const image = zeros(batch * pixels).fill(bias);
  connections((_, position, pixel, tap) => {
    for (let c = 0; c < channels; c++)
      image[pixel]! += map[position * channels + c]! * filter[tap * channels + c]!;
  });
  return image;
}

/** Gradient of the filter that connects image and map. */
function correlate(image: Numbers, map: Numbers): Numbers {
  const filter = zeros(9 * channels);
  connections((_, position, pixel, tap) => {
    for (let c = 0; c < channels; c++)
      filter[tap * channels + c]! += image[pixel]! * map[position * channels + c]!;
  });
  return filter;
}

/** x [batch, depth] · kernel [depth, to] + bias */
function dense(x: Numbers, kernel: Numbers, bias: Numbers): Numbers {
  const to = bias.length;
  const depth = kernel.length / to;
  return Float64Array.from({ length: batch * to }, (_, i) => {
    let sum = bias[i % to]!;
    for (let k = 0; k < depth; k++) sum += x[Math.floor(i / to) * depth + k]! * kernel[k * to + (i % to)]!;
    return sum;
  });
}

/** Gradients of `dense` with respect to x, kernel and bias. */
function denseBack(x: Numbers, kernel: Numbers, dy: Numbers): { x: Numbers; kernel: Numbers; bias: Numbers } {
  const to = dy.length / batch;
  const depth = x.length / batch;
  const back = { x: zeros(x.length), kernel: zeros(kernel.length), bias: zeros(to) };
  for (let b = 0; b < batch; b++)
    for (let n = 0; n < to; n++) {
      back.bias[n]! += dy[b * to + n]!;
      for (let k = 0; k < depth; k++) {
        back.x[b * depth + k]! += dy[b * to + n]! * kernel[k * to + n]!;
        back.kernel[k * to + n]! += dy[b * to + n]! * x[b * depth + k]!;
      }
    }
  return back;
}

const relu = (z: Numbers): Numbers => {
  const nearest = Math.min(...z.map(Math.abs));
  if (nearest < 1e-4)
    throw new Error(`The problem is ill-posed: a ReLU's input is ${nearest}, too close to its kink at 0.`);
  return z.map((value) => Math.max(0, value));
};
const reluBack = (dy: Numbers, y: Numbers): Numbers => dy.map((value, i) => (y[i]! > 0 ? value : 0));
const channelSums = (map: Numbers): Numbers => {
  const sums = zeros(channels);
  for (const [i, value] of map.entries()) sums[i % channels]! += value;
  return sums;
};

const weight = Object.fromEntries(
  Object.entries(inputs).map(([name, values]) => [name, Float64Array.from(values)]),
) as Record<keyof typeof inputs, Numbers>;

/** DeepFool (Moosavi-Dezfooli et al. 2016, algorithm 2), one iteration in L2 without overshoot: |f'| / ‖w'‖² · w' */
function deepFoolStep(image: Numbers): Numbers {
  const map = relu(convolve(image, weight['conv filter'], weight['conv bias']));
  const logits = dense(map, weight['logits kernel'], weight['logits bias']);
  const classes = shapes.logits.bias[0];
  const slopes = Array.from({ length: classes }, (_, k) => {
    const dy = Float64Array.from({ length: batch * classes }, (_, i) => Number(i % classes === k));
    const back = reluBack(denseBack(map, weight['logits kernel'], dy).x, map);
    return spread(back, weight['conv filter'], 0);
  });
  const moves = zeros(image.length);
  for (let b = 0; b < batch; b++) {
    const own = logits.subarray(b * classes, (b + 1) * classes);
    const label = own.indexOf(Math.max(...own));
    const steps = slopes.flatMap((slope, k) => {
      if (k === label) return [];
      const w = slope
        .subarray(b * pixels, (b + 1) * pixels)
        .map((v, i) => v - slopes[label]![b * pixels + i]!);
      const square = w.reduce((sum, value) => sum + value * value, 0);
      const gap = Math.abs(own[k]! - own[label]!);
      return [{ distance: gap / Math.sqrt(square), w, scale: gap / square }];
    });
    const nearest = steps.reduce((best, step) => (step.distance < best.distance ? step : best));
    for (const [i, value] of nearest.w.entries()) moves[b * pixels + i] = nearest.scale * value;
  }
  return moves;
}

/** Adam on the conv filter, with the same gradient in every step. */
function adamSteps(start: Numbers, gradient: Numbers): Numbers {
  const [w, m, v] = [Float64Array.from(start), zeros(start.length), zeros(start.length)];
  for (let t = 1; t <= adam.steps; t++)
    for (const [i, g] of gradient.entries()) {
      m[i] = adam.beta1 * m[i]! + (1 - adam.beta1) * g;
      v[i] = adam.beta2 * v[i]! + (1 - adam.beta2) * g * g;
      const rate = (adam.rate * Math.sqrt(1 - adam.beta2 ** t)) / (1 - adam.beta1 ** t);
      w[i]! -= (rate * m[i]!) / (Math.sqrt(v[i]!) + adam.epsilon);
    }
  return w;
}

/** The softmax of each class, but 0 at the label: the self-test does not compare the value there. */
function confidentGradient(): Numbers {
  const { label } = confident;
  const logits: readonly number[] = confident.logits;
  const total = logits.reduce((sum, z) => sum + Math.exp(z), 0);
  return Float64Array.from(logits, (z, k) => (k === label ? 0 : Math.exp(z) / total));
}

export function solve(): Record<CheckName, Numbers> {
  const image = weight.image;
  const map = relu(convolve(image, weight['conv filter'], weight['conv bias']));
  const code = dense(map, weight['code kernel'], weight['code bias']);
  const expanded = relu(dense(code, weight['expand kernel'], weight['expand bias']));
  const z = spread(expanded, weight['deconv filter'], weight['deconv bias'][0]!);
  const y = z.map((value) => (1 + Math.tanh(value)) / 2);
  const loss = y.reduce((sum, value, i) => sum + (value - image[i]!) ** 2, 0) / y.length;

  const dy = y.map((value, i) => (2 * (value - image[i]!)) / y.length);
  const dz = dy.map((value, i) => value * 2 * y[i]! * (1 - y[i]!));
  const dExpanded = reluBack(convolve(dz, weight['deconv filter'], zeros(channels)), expanded);
  const expandBack = denseBack(code, weight['expand kernel'], dExpanded);
  const codeBack = denseBack(map, weight['code kernel'], expandBack.x);
  const dMap = reluBack(codeBack.x, map);
  const filterGradient = correlate(image, dMap);
  const gradients: Record<(typeof weightNames)[number], Numbers> = {
    'conv filter': filterGradient,
    'conv bias': channelSums(dMap),
    'code kernel': codeBack.kernel,
    'code bias': codeBack.bias,
    'expand kernel': expandBack.kernel,
    'expand bias': expandBack.bias,
    'deconv filter': correlate(dz, expanded),
    'deconv bias': Float64Array.of(dz.reduce((sum, value) => sum + value, 0)),
  };
  return {
    'conv2d with ReLU': map,
    'dense, linear': code,
    'dense with ReLU': expanded,
    'conv2dTranspose with (1 + tanh)/2': y,
    'mean squared error': Float64Array.of(loss),
    ...(Object.fromEntries(weightNames.map((name) => [`gradient of ${name}`, gradients[name]])) as Record<
      `gradient of ${(typeof weightNames)[number]}`,
      Numbers
    >),
    // The target is constant: the gradient goes through the auto-encoder alone.
    'gradient of image': spread(dMap, weight['conv filter'], 0),
    Adam: adamSteps(weight['conv filter'], filterGradient),
    'softmax cross-entropy, gradient of confident logits': confidentGradient(),
    'DeepFool step': deepFoolStep(image),
  };
}
