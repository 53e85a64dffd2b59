import { type PointerEvent, useRef } from 'react';

/** The drawing pad, and the conversion of a drawing into an image like those of MNIST. */
const imageSide = 28;
const box = 20;

/**
 * Scales a drawing to 20×20 with its proportions and places its centre of mass in the centre of 28×28, as MNIST does (LeCun et al.
 * 1998). `ink` is [height × width] in [0, 1], row by row. Returns [28 × 28]; all zeros for an empty drawing.
 */
export const centerDrawing = (ink: Float32Array, width: number, height: number): Float32Array => {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (ink[y * width + x]! > 0.05) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
  const out = new Float32Array(imageSide * imageSide);
  if (right < 0) return out;

  const scale = Math.max(right - left + 1, bottom - top + 1) / box; // drawing pixels per image pixel
  const [centerX, centerY] = [(left + right + 1) / 2, (top + bottom + 1) / 2];
  /** The mean ink of the part of the drawing that pixel (x, y) of the image covers. */
  const sample = (x: number, y: number, shiftX: number, shiftY: number): number => {
    const x0 = centerX + (x - imageSide / 2 + shiftX) * scale;
    const y0 = centerY + (y - imageSide / 2 + shiftY) * scale;
    let sum = 0;
    let count = 0;
    for (let v = Math.floor(y0); v < Math.max(Math.floor(y0) + 1, y0 + scale); v++)
      for (let u = Math.floor(x0); u < Math.max(Math.floor(x0) + 1, x0 + scale); u++) {
        count += 1;
        if (u >= 0 && v >= 0 && u < width && v < height) sum += ink[v * width + u]!;
      }
    return sum / count;
  };
  const render = (shiftX: number, shiftY: number) => {
    for (let y = 0; y < imageSide; y++)
      for (let x = 0; x < imageSide; x++) out[y * imageSide + x] = sample(x, y, shiftX, shiftY);
  };
  render(0, 0);
  let [mass, massX, massY] = [0, 0, 0];
  for (let i = 0; i < out.length; i++) {
    mass += out[i]!;
    massX += out[i]! * ((i % imageSide) + 0.5);
    massY += out[i]! * (Math.floor(i / imageSide) + 0.5);
  }
  render(massX / mass - imageSide / 2, massY / mass - imageSide / 2);
  return out;
};

/** The side of the pad in pixels, and half the width of the pen. */
const padSide = 112;
const pen = 4.6;

/** A pad to draw on with mouse, pen or finger: white on black, like the images. */
export const DrawPad = (props: { readonly onDraw: (pixels: Float32Array | null) => void }) => {
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<{ readonly x: number; readonly y: number } | null>(null);

  const place = (event: PointerEvent<HTMLCanvasElement>) => {
    const frame = event.currentTarget.getBoundingClientRect();
    return {
      x: ((event.clientX - frame.left) * padSide) / frame.width,
      y: ((event.clientY - frame.top) * padSide) / frame.height,
    };
  };
  const line = (from: { x: number; y: number }, to: { x: number; y: number }) => {
    const context = canvas.current!.getContext('2d', { willReadFrequently: true })!;
    context.strokeStyle = '#fff';
    context.lineCap = 'round';
    context.lineWidth = 2 * pen;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y + 0.01);
    context.stroke();
  };
  const read = () => {
    const { data } = canvas
      .current!.getContext('2d', { willReadFrequently: true })!
      .getImageData(0, 0, padSide, padSide);
    const ink = Float32Array.from({ length: padSide * padSide }, (_, i) => data[4 * i + 3]! / 255);
    const pixels = centerDrawing(ink, padSide, padSide);
    props.onDraw(pixels.some((value) => value > 0) ? pixels : null);
  };
  const start = (event: PointerEvent<HTMLCanvasElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    last.current = place(event);
    line(last.current, last.current);
    read();
  };
  const move = (event: PointerEvent<HTMLCanvasElement>) => {
    if (last.current === null) return;
    const to = place(event);
    line(last.current, to);
    last.current = to;
    read();
  };
  const wipe = () => {
    canvas.current!.getContext('2d')!.clearRect(0, 0, padSide, padSide);
    props.onDraw(null);
  };
  return (
    <div className="draw">
      <canvas
        ref={canvas}
        className="draw-pad"
        width={padSide}
        height={padSide}
        role="img"
        aria-label="Drawing pad. Without a pointer, choose a test image below."
        onPointerDown={start}
        onPointerMove={move}
        onPointerUp={() => {
          last.current = null;
        }}
        onPointerCancel={() => {
          last.current = null;
        }}
      />
      <button type="button" className="button" onClick={wipe}>
        Clear
      </button>
    </div>
  );
};
