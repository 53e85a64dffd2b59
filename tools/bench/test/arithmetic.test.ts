import { expect, test } from 'vitest';
import { countParameters, operationsPerImage } from '../src/arithmetic.ts';

const grey = { side: 28, channels: 1 };
const usual = { ...grey, filters: [32, 64], latent: 64, noise: 16 };
const convolutional = { ...grey, filters: [16, 32, 64], latent: 0, noise: 16 };

test('the number of parameters is that of the same networks in PyTorch', () => {
  expect(countParameters(usual)).toBe(934_530);
  expect(countParameters(convolutional)).toBe(97_666);
  expect(countParameters({ ...usual, side: 32, channels: 3 })).toBe(1_199_878);
});

test('operations of one convolution and a dense code, by hand', () => {
  // 28 → 14 with 2 filters: 14² · 9 · 2; 392 → 3 and 3 → 392; the first layer needs no gradient of its input.
  const [conv, code] = [14 ** 2 * 9 * 2, 14 ** 2 * 2 * 3];
  const sizes = { ...grey, filters: [2], latent: 3, noise: 0 };
  expect(operationsPerImage('classic', sizes)).toBe(2 * (3 * (2 * conv + 2 * code) - conv));
  expect(operationsPerImage('initialise', sizes)).toBe(2 * operationsPerImage('classic', sizes));
  // G_a without the gradient of the codes, E_d whole, G_d without the gradients of its weights.
  const optimise = 3 * (code + conv) - code + 3 * (conv + code) + 2 * (code + conv);
  expect(operationsPerImage('optimise', sizes)).toBe(2 * optimise);
});
