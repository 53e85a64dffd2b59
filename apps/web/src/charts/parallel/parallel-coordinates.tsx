/** Parallel coordinates: every trial is a line over its hyperparameters and results. Brushes on the axes filter the trials. */

import {
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useWidth } from '../../components/hooks.ts';
import { plural } from '../../format.ts';
import { useColours } from '../../theme.ts';
import { type Axis, type AxisSpec, type Brushes, createAxis } from './axes.ts';
import {
  drawLines,
  drawMarked,
  drawShadow,
  missingGap,
  nearestRow,
  type Picture,
  rowPlaces,
} from './draw.ts';
import { type Layout, layoutOf, titleLine } from './layout.ts';
import '../charts.css';

type Brush = readonly [number, number];
const whole: Brush = [0, 1];
/** The step of an arrow key as a share of the axis; with Shift, five steps. */
const keyStep = 0.02;

const clamp = (value: number) => Math.max(0, Math.min(1, value));

/** The titles of the outer axes are shifted inwards. */
const titlePlaces = {
  first: { anchor: 'start', shift: -30 },
  middle: { anchor: 'middle', shift: 0 },
  last: { anchor: 'end', shift: 50 },
} as const;

/** One axis with its two handles, which a pointer drags and arrow keys move. Each handle is a slider for screen readers. */
const AxisBrush = (props: {
  readonly axis: Axis;
  readonly x: number;
  readonly top: number;
  readonly bottom: number;
  readonly place: keyof typeof titlePlaces;
  readonly title: readonly string[];
  readonly brush: Brush | undefined;
  readonly onBrush: (brush: Brush | null) => void;
}) => {
  const { axis, x, top, bottom } = props;
  const span = bottom - top;
  const brush = props.brush ?? whole;
  const drag = useRef<{ readonly from: number; readonly end: 0 | 1 | null; readonly brush: Brush } | null>(
    null,
  );
  const y = (at: number) => bottom - span * at;

  const place = (event: PointerEvent<SVGElement>) => {
    const frame = event.currentTarget.ownerSVGElement!.getBoundingClientRect();
    return clamp((bottom - (event.clientY - frame.top)) / span);
  };
  const grab = (end: 0 | 1 | null) => (event: PointerEvent<SVGElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    event.stopPropagation();
    drag.current = { from: place(event), end, brush };
  };
  const move = (event: PointerEvent<SVGElement>) => {
    if (!drag.current) return;
    const at = place(event);
    const { from, end, brush: start } = drag.current;
    const ends = end === null ? [from, at] : end === 0 ? [at, start[1]] : [start[0], at];
    if (end !== null || Math.abs(at - from) > 0.01) props.onBrush([Math.min(...ends), Math.max(...ends)]);
  };
  const release = (event: PointerEvent<SVGElement>) => {
    const started = drag.current;
    drag.current = null;
    // A click on the axis without a drag removes its brush.
    if (started?.end === null && Math.abs(place(event) - started.from) <= 0.01) props.onBrush(null);
  };
  const key = (end: 0 | 1) => (event: KeyboardEvent) => {
    const step = event.shiftKey ? 5 * keyStep : keyStep;
    const by = { ArrowUp: step, ArrowRight: step, ArrowDown: -step, ArrowLeft: -step }[event.key];
    if (event.key === 'Delete' || event.key === 'Backspace' || event.key === 'Escape') props.onBrush(null);
    else if (by === undefined) return;
    else {
      const moved = clamp(brush[end] + by);
      const next: Brush =
        end === 0 ? [Math.min(moved, brush[1]), brush[1]] : [brush[0], Math.max(moved, brush[0])];
      props.onBrush(next[0] <= 0 && next[1] >= 1 ? null : next);
    }
    event.preventDefault();
  };

  const lines = props.title;
  const { anchor, shift } = titlePlaces[props.place];
  return (
    <g>
      <text className="axis-title" y={top - 14 - titleLine * (lines.length - 1)} textAnchor={anchor}>
        {lines.map((line, i) => (
          <tspan key={line} x={x + shift} dy={i === 0 ? 0 : titleLine}>
            {line}
          </tspan>
        ))}
      </text>
      <line x1={x} x2={x} y1={top} y2={bottom} className="axis-line" />
      {axis.ticks.map(({ at, label }) => (
        <text key={label} className="axis-tick" x={x + 13} y={y(at) + 4}>
          {label}
        </text>
      ))}
      {axis.gaps ? (
        <text className="axis-tick axis-none" x={x + 13} y={bottom + missingGap + 4}>
          none
        </text>
      ) : null}
      <rect
        className="axis-grab"
        x={x - 12}
        y={top - 4}
        width={24}
        height={span + 8}
        onPointerDown={grab(null)}
        onPointerMove={move}
        onPointerUp={release}
      />
      {props.brush ? (
        <rect
          className="axis-brush"
          x={x - 6}
          y={y(brush[1])}
          width={12}
          height={Math.max(1, y(brush[0]) - y(brush[1]))}
        />
      ) : null}
      {([0, 1] as const).map((end) => (
        <rect
          key={end}
          className="axis-handle"
          data-set={props.brush ? '' : undefined}
          x={x - 9}
          y={y(brush[end]) - (end === 1 ? 6 : 0)}
          width={18}
          height={6}
          rx={2}
          role="slider"
          tabIndex={0}
          aria-label={`${axis.title}, ${end === 0 ? 'lowest' : 'highest'}`}
          aria-orientation="vertical"
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(100 * brush[end])}
          aria-valuetext={axis.labelAt(brush[end])}
          onPointerDown={grab(end)}
          onPointerMove={move}
          onPointerUp={release}
          onKeyDown={key(end)}
        />
      ))}
    </g>
  );
};

/** Draws in the next frame, at the resolution of the screen. */
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

  // Each of the three layers is redrawn only when its content changes.
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
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: with a keyboard, trials are chosen in the table */}
      <section
        className="parallel-scroll"
        onPointerMove={point}
        onPointerLeave={() => setHover(null)}
        onClick={() => hovered !== null && props.onPick(hovered)}
        aria-label={`Parallel coordinates of ${plural(active.length, 'trial')} over ${specs.map((spec) => spec.title).join(', ')}`}
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
                title={layout.titles[a]!}
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
      {layout.width > available ? (
        <p className="muted small">
          The chart is wider than the page: scroll it sideways to see all {axes.length} axes.
        </p>
      ) : null}
    </div>
  );
};
