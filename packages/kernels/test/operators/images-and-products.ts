/**
 * Resizing of images, products of matrices, normalisation.
 */
import * as tf from '@tensorflow/tfjs';
import { as4D, type OperatorCase, use } from './use.ts';

const sizes: readonly (readonly [image: readonly number[], size: [number, number]])[] = [
  [
    [2, 3, 4, 2],
    [6, 8],
  ],
  [
    [1, 4, 3, 2],
    [7, 5],
  ],
  [
    [1, 7, 5, 1],
    [3, 4],
  ],
  [
    [1, 6, 6, 1],
    [3, 2],
  ],
  [
    [1, 5, 4, 2],
    [5, 4],
  ],
  [
    [1, 1, 3, 1],
    [4, 1],
  ],
];
export const images: readonly OperatorCase[] = [
  ...sizes.flatMap(([image, size]) =>
    (
      [
        ['', false, false],
        [', corners aligned', true, false],
        [', half-pixel centres', false, true],
      ] as const
    ).flatMap(([how, aligned, half]) => [
      use('ResizeBilinear', `${image} to ${size}${how}`, [image], (x) =>
        tf.image.resizeBilinear(as4D(x!), size, aligned, half),
      ),
      use('ResizeNearestNeighbor', `${image} to ${size}${how}`, [image], (x) =>
        tf.image.resizeNearestNeighbor(as4D(x!), size, aligned, half),
      ),
    ]),
  ),
  ...(['bilinear', 'nearest'] as const).map((method) =>
    use('CropAndResize', method, [[2, 5, 6, 2]], (x) =>
      tf.image.cropAndResize(
        as4D(x!),
        tf.tensor2d([
          [0.1, 0.1, 0.8, 0.9],
          [-0.2, 0.3, 0.7, 1.1],
          [0.9, 0.8, 0.2, 0.1],
        ]),
        tf.tensor1d([0, 1, 1], 'int32'),
        [3, 4],
        method,
        0.5,
      ),
    ),
  ),
  ...(['bilinear', 'nearest'] as const).flatMap((method) =>
    (['constant', 'reflect', 'wrap', 'nearest'] as const).map((fill) =>
      use('Transform', `${method}, ${fill}`, [[2, 4, 5, 2]], (x) =>
        tf.image.transform(
          as4D(x!),
          tf.tensor2d([[0.9, 0.2, -0.3, -0.15, 1.1, 0.4, 0.01, 0.02]]),
          method,
          fill,
          0.5,
          [5, 4],
        ),
      ),
    ),
  ),
];

const equations = [
  ['bij,bjk->bik', [2, 3, 4], [2, 4, 2]],
  ['ij,jk->ik', [3, 4], [4, 2]],
  ['abc,abd->dc', [2, 3, 2], [2, 3, 4]],
  ['bqhd,bkhd->bhqk', [1, 3, 2, 2], [1, 2, 2, 2]],
  ['ij->ji', [3, 4]],
  ['ij->j', [3, 4]],
  ['ij->', [3, 4]],
  ['i,j->ij', [3], [4]],
  ['ij,ij->i', [2, 3], [2, 3]],
] as const;

export const products: readonly OperatorCase[] = [
  ...[false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) =>
      use(
        'BatchMatMul',
        `transposed: ${transposeA}, ${transposeB}`,
        [transposeA ? [2, 4, 3] : [2, 3, 4], transposeB ? [2, 5, 4] : [2, 4, 5]],
        (a, b) => tf.matMul(a!, b!, transposeA, transposeB),
      ),
    ),
  ),
  use(
    'BatchMatMul',
    'one matrix for all',
    [
      [3, 2, 4],
      [1, 4, 2],
    ],
    (a, b) => tf.matMul(a!, b!),
  ),
  use(
    'BatchMatMul',
    'two axes of matrices',
    [
      [2, 2, 2, 3],
      [2, 1, 3, 2],
    ],
    (a, b) => tf.matMul(a!, b!),
  ),
  ...(['linear', 'relu', 'elu'] as const).map((activation) =>
    use('_FusedMatMul', `bias and ${activation}`, [[3, 4], [4, 5], [5]], (a, b, bias) =>
      tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias: bias!, activation }),
    ),
  ),
  ...equations.map(([equation, ...shapes]) =>
    use('Einsum', equation, shapes, (...x) => tf.einsum(equation, ...x)),
  ),
  ...[2, 3, 4].map((rank) =>
    use(
      'FusedBatchNorm',
      `${rank} axes`,
      [[2, 3, 2, 4].slice(4 - rank), [4], [4], [4], [4]],
      (x, mean, variance, offset, scale) =>
        tf.batchNorm(
          x!,
          mean as tf.Tensor1D,
          tf.add(variance!, 1.5) as tf.Tensor1D,
          offset as tf.Tensor1D,
          scale as tf.Tensor1D,
        ),
    ),
  ),
  ...([0.5, 0.75] as const).map((beta) =>
    use('LRN', `β = ${beta}`, [[1, 3, 2, 6]], (x) =>
      tf.localResponseNormalization(as4D(x!), 2, 1, 0.5, beta),
    ),
  ),
  use(
    'Complex',
    'of two parts',
    [
      [2, 3],
      [2, 3],
    ],
    (re, im) => tf.real(tf.complex(re!, im!)),
  ),
  use(
    'ComplexAbs',
    'of two parts',
    [
      [2, 3],
      [2, 3],
    ],
    (re, im) => tf.abs(tf.complex(re!, im!)),
  ),
  use('Real', 'of a complex number', [[2, 3]], (x) => tf.real(tf.complex(x!, x!))),
  use('Imag', 'of a complex number', [[2, 3]], (x) => tf.imag(tf.complex(x!, x!))),
  use('FFT', 'absolute values of the spectrum', [[2, 8]], (x) => tf.abs(tf.spectral.rfft(x!))),
  use('IFFT', 'real part', [[2, 8]], (x) => tf.real(tf.spectral.ifft(tf.complex(x!, x!)))),
];
