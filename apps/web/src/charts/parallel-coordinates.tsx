/** Every trial as a line over its hyperparameters and results. Brushes on the axes say which trials the other pictures and the table show. */
import { type PointerEvent, type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import { useWidth } from '../components/use-width.ts';
import { useColours } from './colours.ts';
import { type AxisSpec, type Brushes, createAxis } from './parallel/axes.ts';
import { AxisBrush, wrapTitle } from './parallel/axis-brush.tsx';
import {
  drawLines,
  drawMarked,
  drawShadow,
  type Layout,
  nearestRow,
  type Picture,
  rowPlaces,
} from './parallel/draw.ts';
import './parallel/parallel.css';

const span = 232;
/** Room for one line of an axis title, and below the axes for rows without a value. */
const titleLine = 14;
const below = 26;
/** Axes never come closer than this; a narrow page scrolls. */
const minGap = 104;
/** On the right, the labels of the last axis stand beside it. */
const edges = { left: 34, right: 56 };

const layoutOf = (available: number, titles: readonly string[]): Layout => {
  const count = titles.length;
  const top = 20 + titleLine * Math.max(1, ...titles.map((title) => wrapTitle(title).length));
  const width = Math.max(available, edges.left + edges.right + minGap * (count - 1));
  const gap = count > 1 ? (width - edges.left - edges.right) / (count - 1) : 0;
  const bottom = top + span;
  return {
    width,
    height: bottom + below,
    top,
    bottom,
    x: Array.from({ length: count }, (_, a) => edges.left + a * gap),
  };
};

/** Draws at the next frame, in the screen's own pixels. */
const paintOn = (
  canvas: RefObject<HTMLCanvasElement | null>,
  layout: Layout,
  paint: (context: CanvasRenderingContext2D) => void,
): (() => void) => {
  const frame = requestAnimationFrame(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const scale = window.devicePixelRatio;
    const [width, height] = [Math.round(layout.width * scale), Math.round(layout.height * scale)];
    if (context.canvas.width !== width || context.canvas.height !== height) {
      context.canvas.width = width;
      context.canvas.height = height;
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    paint(context);
  });
  return () => cancelAnimationFrame(frame);
};

export const ParallelCoordinates = (props: {
  readonly specs: readonly AxisSpec[];
  readonly active: Uint8Array;
  readonly shade: Float32Array;
  readonly brushes: Brushes;
  readonly chosen: readonly number[];
  readonly rowLabel: (row: number) => string;
  readonly onBrush: (key: string, brush: readonly [number, number] | null) => void;
  readonly onPick: (row: number) => void;
}) => {
  const { specs, active, shade, brushes, chosen } = props;
  const box = useRef<HTMLDivElement>(null);
  const shadow = useRef<HTMLCanvasElement>(null);
  const lines = useRef<HTMLCanvasElement>(null);
  const marked = useRef<HTMLCanvasElement>(null);
  const available = useWidth(box, 900);
  const colours = useColours();
  const [hover, setHover] = useState<{ readonly row: number; readonly x: number; readonly y: number } | null>(
    null,
  );

  const layout = useMemo(
    () =>
      layoutOf(
        available,
        specs.map(({ title }) => title),
      ),
    [available, specs],
  );
  const { height, top, bottom } = layout;
  const axes = useMemo(() => specs.map(createAxis), [specs]);
  const places = useMemo(() => rowPlaces(axes, specs, layout), [axes, specs, layout]);
  const picture = useMemo<Picture>(
    () => ({ places, layout, active, shade }),
    [places, layout, active, shade],
  );
  const hovered = hover !== null && hover.row < active.length ? hover.row : null;
  const chosenKey = chosen.join('.');

  // Three layers, each drawn only when what it shows has changed.
  useEffect(
    () => paintOn(shadow, layout, (context) => drawShadow(context, picture, colours)),
    [places, layout, colours],
  );
  useEffect(
    () => paintOn(lines, layout, (context) => drawLines(context, picture, colours)),
    [picture, layout, colours],
  );
  useEffect(
    () => paintOn(marked, layout, (context) => drawMarked(context, picture, chosen, hovered, colours)),
    [places, layout, chosenKey, hovered, colours],
  );

  const point = (event: PointerEvent<HTMLElement>) => {
    const frame = lines.current!.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    const row = event.buttons === 0 ? nearestRow(picture, x, y) : null;
    if (row !== hover?.row) setHover(row === null ? null : { row, x, y });
  };

  return (
    <div ref={box} className="parallel">
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: by keyboard trials are chosen in the table */}
      <section
        className="parallel-scroll"
        onPointerMove={point}
        onPointerLeave={() => setHover(null)}
        onClick={() => hovered !== null && props.onPick(hovered)}
        aria-label={`Parallel coordinates of ${active.length} trials over ${specs.map((spec) => spec.title).join(', ')}`}
      >
        <div style={{ position: 'relative', width: layout.width, height }}>
          <canvas ref={shadow} style={{ width: layout.width, height }} />
          <canvas ref={lines} style={{ width: layout.width, height }} />
          <canvas ref={marked} style={{ width: layout.width, height }} />
          <svg width={layout.width} height={height}>
            <title>Axes with brushes</title>
            {axes.map((axis, a) => (
              <AxisBrush
                key={axis.key}
                axis={axis}
                x={layout.x[a]!}
                top={top}
                bottom={bottom}
                place={a === 0 ? 'first' : a === axes.length - 1 ? 'last' : 'middle'}
                brush={brushes.get(axis.key)}
                onBrush={(brush) => props.onBrush(axis.key, brush)}
              />
            ))}
          </svg>
          {hover !== null && hovered !== null ? (
            <div
              className="chart-tip"
              style={{ left: Math.min(hover.x + 14, layout.width - 190), top: Math.max(0, hover.y - 12) }}
            >
              {props.rowLabel(hovered)}
            </div>
          ) : null}
        </div>
      </section>
    </div>
  );
};
