import { type PointerEvent, useRef } from 'react';
import { centerDrawing } from '../../model/center-drawing.ts';

/** Pixels of the drawing along a side, and half the width of the pen. */
const side = 112;
const pen = 4.6;

/** A place to draw on by mouse, pen or finger: white on black, as the images are. */
export const DrawPad = (props: {
  readonly shape: readonly [number, number, number];
  readonly onDraw: (pixels: Float32Array | null) => void;
}) => {
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<{ readonly x: number; readonly y: number } | null>(null);

  const place = (event: PointerEvent<HTMLCanvasElement>) => {
    const frame = event.currentTarget.getBoundingClientRect();
    return {
      x: ((event.clientX - frame.left) * side) / frame.width,
      y: ((event.clientY - frame.top) * side) / frame.height,
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
      .getImageData(0, 0, side, side);
    const ink = Float32Array.from({ length: side * side }, (_, i) => data[4 * i + 3]! / 255);
    const pixels = centerDrawing(ink, side, side);
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
    canvas.current!.getContext('2d')!.clearRect(0, 0, side, side);
    props.onDraw(null);
  };
  return (
    <div className="draw">
      <canvas
        ref={canvas}
        className="draw-pad"
        width={side}
        height={side}
        role="img"
        aria-label="Drawing pad. Without a pointer, choose a test image below instead."
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
        Wipe
      </button>
    </div>
  );
};
