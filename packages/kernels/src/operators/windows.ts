/**
 * The windows that pooling and convolution move over images [batch, height, width, channels] or volumes [batch, depth, height, width,
 * channels]. An image is a volume of depth 1.
 */
import type * as tf from '@tensorflow/tfjs';

type Size = readonly [depth: number, height: number, width: number];

export interface Windows {
  readonly batch: number;
  readonly image: Size;
  /** One position for each window. */
  readonly map: Size;
  readonly taps: Size;
  readonly stride: Size;
  readonly dilation: Size;
  /** Pixels before the first of the image. */
  readonly padding: Size;
  readonly channels: number;
  readonly mapChannels: number;
}

/** What TensorFlow.js computes from shapes, strides and paddings, for two axes and for three. */
type Info = tf.backend_util.Conv2DInfo | tf.backend_util.Conv3DInfo;

export function windowsOf(info: Info): Windows {
  const volume = 'inDepth' in info ? info : undefined;
  const { padInfo } = info;
  return {
    batch: info.batchSize,
    image: [volume?.inDepth ?? 1, info.inHeight, info.inWidth],
    map: [volume?.outDepth ?? 1, info.outHeight, info.outWidth],
    taps: [volume?.filterDepth ?? 1, info.filterHeight, info.filterWidth],
    stride: [volume?.strideDepth ?? 1, info.strideHeight, info.strideWidth],
    dilation: [volume?.dilationDepth ?? 1, info.dilationHeight, info.dilationWidth],
    padding: ['front' in padInfo ? padInfo.front : 0, padInfo.top, padInfo.left],
    channels: info.inChannels,
    mapChannels: info.outChannels,
  };
}

/**
 * Calls `visit` for each position of the map, in order, with the part of its window that lies within the image: `count` pairs of a pixel of
 * the image and a tap of the filter, in order. Positions, pixels and taps are indices without the channel.
 */
export function forEachWindow(
  { batch, image, map, taps, stride, dilation, padding }: Windows,
  visit: (position: number, count: number, pixels: Int32Array, tapOf: Int32Array) => void,
): void {
  const [depth, height, width] = image;
  const size = taps[0] * taps[1] * taps[2];
  const pixels = new Int32Array(size);
  const tapOf = new Int32Array(size);
  let position = 0;
  for (let b = 0; b < batch; b++)
    for (let d = 0; d < map[0]; d++)
      for (let h = 0; h < map[1]; h++)
        for (let w = 0; w < map[2]; w++, position++) {
          const [front, top, left] = [
            d * stride[0] - padding[0],
            h * stride[1] - padding[1],
            w * stride[2] - padding[2],
          ];
          let count = 0;
          for (let i = 0, z = front; i < taps[0]; i++, z += dilation[0]) {
            if (z < 0 || z >= depth) continue;
            for (let j = 0, y = top; j < taps[1]; j++, y += dilation[1]) {
              if (y < 0 || y >= height) continue;
              const row = ((b * depth + z) * height + y) * width;
              const tap = (i * taps[1] + j) * taps[2];
              for (let k = 0, x = left; k < taps[2]; k++, x += dilation[2]) {
                if (x < 0 || x >= width) continue;
                pixels[count] = row + x;
                tapOf[count++] = tap + k;
              }
            }
          }
          visit(position, count, pixels, tapOf);
        }
}
