/** Images as grids of pixels, for attacks that change pixels one by one. */
import { AppError } from '@funnel/contracts';

export type PixelGrid = {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly pixels: number;
};

/** Of shape `[height, width, channels]` or `[height, width]`. Throws ATTACK_INPUT for others: they have no neighbours. */
export const pixelGrid = (shape: readonly number[]): PixelGrid => {
  const [height, width, channels = 1] = shape;
  if (height === undefined || width === undefined || shape.length > 3)
    throw new AppError(
      'ATTACK_INPUT',
      `Expected images of shape [height, width, channels] for this attack, but got [${shape.join(', ')}]`,
    );
  return { height, width, channels, pixels: height * width };
};
