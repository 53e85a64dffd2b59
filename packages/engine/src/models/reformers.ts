/** MagNet's two auto-encoders for MNIST (Meng & Chen 2017, table 2): 3×3 convolutions with σ throughout, as large as the image. */
import type { Architecture, Layer } from './architecture.ts';

/** Maps of every hidden convolution. */
const hidden = 3;

const convolution = (number: number, filters: number): Layer => ({
  kind: 'conv2dSame',
  name: `conv${number}`,
  filters,
});

/** I: detector and reformer. It must drop detail on the way: the middle is half as large. Images of even sizes. */
export const firstReformer = (image: readonly number[]): Architecture => ({
  input: image,
  layers: [
    convolution(1, hidden),
    { kind: 'averagePool', name: 'pool' },
    convolution(2, hidden),
    convolution(3, hidden),
    { kind: 'upSample', name: 'widen' },
    convolution(4, hidden),
    convolution(5, image.at(-1)!),
  ],
});

/** II: detector alone. */
export const secondReformer = (image: readonly number[]): Architecture => ({
  input: image,
  layers: [convolution(1, hidden), convolution(2, hidden), convolution(3, image.at(-1)!)],
});
