import { useEffect, useRef } from 'react';
import './pixels.css';

/** Decodes an image of the API (bytes 0–255 in base64) into values in [0, 1]. */
export const decodePixels = (base64: string): Float32Array => {
  const binary = atob(base64);
  const pixels = new Float32Array(binary.length);
  for (let i = 0; i < binary.length; i++) pixels[i] = binary.charCodeAt(i) / 255;
  return pixels;
};

/** Attacked minus original, pixel by pixel. */
export const difference = (attacked: Float32Array, original: Float32Array): Float32Array =>
  attacked.map((value, i) => value - original[i]!);

/** L2 and L∞ norm of a change. */
export const normsOf = (change: Float32Array): { readonly l2: number; readonly linf: number } => {
  let [square, linf] = [0, 0];
  for (const value of change) {
    square += value * value;
    linf = Math.max(linf, Math.abs(value));
  }
  return { l2: Math.sqrt(square), linf };
};

type Mode = 'gray' | 'difference';

/** Okabe–Ito blue for darker pixels, orange for brighter ones. */
const darker = [0, 114, 178] as const;
const brighter = [230, 159, 0] as const;

/**
 * Paints pixels in grey (or colour), or a signed difference whose largest change has full strength. A difference of colours has the strength
 * of the channel that changed most, and the tone of the sum over the channels.
 */
export const paint = (data: Uint8ClampedArray, pixels: Float32Array, channels: number, mode: Mode): void => {
  const maxSize = mode === 'difference' ? pixels.reduce((max, v) => Math.max(max, Math.abs(v)), 1e-9) : 1;
  for (let p = 0; p < data.length / 4; p++) {
    const at = (c: number) => pixels[p * channels + Math.min(c, channels - 1)]!;
    if (mode === 'gray') data.set([255 * at(0), 255 * at(1), 255 * at(2), 255], 4 * p);
    else {
      const change = pixels.subarray(p * channels, (p + 1) * channels);
      const tone = change.reduce((sum, v) => sum + v, 0) < 0 ? darker : brighter;
      const size = change.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
      data.set([...tone, (255 * size) / maxSize], 4 * p);
    }
  }
};

/**
 * An image of values in [0, 1], or a difference in [−1, 1]. Every pixel is a sharp square. `size`: its longer side, in CSS pixels.
 */
export const PixelImage = (props: {
  readonly pixels: Float32Array;
  readonly shape: readonly number[];
  readonly size: number;
  readonly mode?: Mode;
  readonly label: string;
}) => {
  const { pixels, shape, size, mode = 'gray', label } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [height = 28, width = 28, channels = 1] = shape;
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const image = context.createImageData(width, height);
    paint(image.data, pixels, channels, mode);
    context.putImageData(image, 0, 0);
  }, [pixels, width, height, channels, mode]);
  return (
    <canvas
      ref={canvas}
      className="pixels"
      width={width}
      height={height}
      style={{
        width: (size * width) / Math.max(width, height),
        height: (size * height) / Math.max(width, height),
      }}
      role="img"
      aria-label={label}
    />
  );
};

/** Images of values in [0, 1] side by side in one picture, row by row. Every pixel is a sharp square. */
export const Sprite = (props: {
  readonly images: readonly Float32Array[];
  readonly shape: readonly number[];
  readonly columns: number;
  readonly label: string;
}) => {
  const { images, shape, columns, label } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [height = 28, width = 28, channels = 1] = shape;
  const rows = Math.max(1, Math.ceil(images.length / columns));
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    for (const [i, pixels] of images.entries()) {
      const image = context.createImageData(width, height);
      paint(image.data, pixels, channels, 'gray');
      context.putImageData(image, width * (i % columns), height * Math.floor(i / columns));
    }
  }, [images, width, height, channels, columns]);
  return (
    <canvas
      ref={canvas}
      className="sprite"
      width={columns * width}
      height={rows * height}
      role="img"
      aria-label={label}
    />
  );
};
