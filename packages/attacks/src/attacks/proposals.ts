import type { Random } from '../random.ts';
import type { PixelGrid } from './pixel-grid.ts';

/** How one norm starts, and changes, an image. All write into `to`, a row of pixels in [0, 1]. */
export type Proposals = {
  readonly start: (
    to: Float32Array,
    image: Float32Array,
    grid: PixelGrid,
    epsilon: number,
    random: Random,
  ) => void;
  readonly propose: (
    to: Float32Array,
    image: Float32Array,
    best: Float32Array,
    grid: PixelGrid,
    epsilon: number,
    area: number,
    random: Random,
  ) => void;
};
