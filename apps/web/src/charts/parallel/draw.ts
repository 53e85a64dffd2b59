/** Draws the lines of parallel coordinates. Each stroke draws many lines, which is fast enough to follow a brush. */
import { type Colours, rampColour } from '../../theme.ts';
import { dashes } from '../marks.tsx';
import type { Axis, AxisSpec } from './axes.ts';
import type { Layout } from './layout.ts';

const buckets = 24;
/** Rows without a value are drawn this far below the axis. */
export const missingGap = 14;

/** The y coordinate of every row on every axis, [row × axis]. */
export const rowPlaces = (
  axes: readonly Axis[],
  specs: readonly AxisSpec[],
  layout: Layout,
): Float32Array => {
  const count = specs[0]?.values.length ?? 0;
  const places = new Float32Array(count * axes.length);
  const span = layout.bottom - layout.top;
  for (const [a, axis] of axes.entries()) {
    const spread = axis.discrete ? Math.min(0.022, 0.2 / Math.max(1, axis.ticks.length)) : 0;
    for (let i = 0; i < count; i++) {
      const at = axis.position(specs[a]!.values[i]!);
      // The golden ratio spreads neighbours evenly, and always puts a row at the same place.
      const jitter = spread * (((i * 0.618033988749895) % 1) - 0.5) * 2;
      places[i * axes.length + a] =
        at === null
          ? layout.bottom + missingGap
          : layout.bottom - span * Math.max(0, Math.min(1, at + jitter));
    }
  }
  return places;
};

const trace = (path: Path2D, places: Float32Array, row: number, x: readonly number[]): void => {
  const from = row * x.length;
  path.moveTo(x[0]!, places[from]!);
  for (let a = 1; a < x.length; a++) path.lineTo(x[a]!, places[from + a]!);
};

export type Picture = {
  readonly places: Float32Array;
  readonly layout: Layout;
  /** 1 for rows within all brushes, else 0. */
  readonly active: Uint8Array;
  /** Position of each row on the colour ramp, in [0, 1]; NaN without a value. */
  readonly shade: Float32Array;
};

/** Draws all rows faintly as a background. Needed once per layout, not for every move of a brush. */
export const drawShadow = (context: CanvasRenderingContext2D, picture: Picture, colours: Colours): void => {
  const { places, layout, active } = picture;
  context.clearRect(0, 0, layout.width, layout.height);
  const all = new Path2D();
  for (let row = 0; row < active.length; row++) trace(all, places, row, layout.x);
  context.lineJoin = 'round';
  context.globalAlpha = Math.max(0.12, Math.min(0.5, 8 / Math.sqrt(active.length + 1)));
  context.strokeStyle = colours.lineStrong;
  context.stroke(all);
  context.globalAlpha = 1;
};

/** Draws the rows within the brushes; better rows have stronger colours. */
export const drawLines = (context: CanvasRenderingContext2D, picture: Picture, colours: Colours): void => {
  const { places, layout, active, shade } = picture;
  const { x, width, height } = layout;
  context.clearRect(0, 0, width, height);
  context.lineJoin = 'round';
  context.lineWidth = 1;
  const unknown = new Path2D();
  const levels = Array.from({ length: buckets }, () => new Path2D());
  let count = 0;
  for (let row = 0; row < active.length; row++) {
    if (active[row] === 0) continue;
    const t = shade[row]!;
    count += 1;
    trace(
      Number.isNaN(t) ? unknown : levels[Math.min(buckets - 1, Math.floor(t * buckets))]!,
      places,
      row,
      x,
    );
  }
  const strength = Math.max(0.3, Math.min(0.9, 14 / Math.sqrt(count + 1)));
  context.globalAlpha = 0.5 * strength;
  context.strokeStyle = colours.lineStrong;
  context.stroke(unknown);
  context.globalAlpha = strength;
  for (const [level, path] of levels.entries()) {
    context.strokeStyle = rampColour(colours.ramp, level / (buckets - 1));
    context.stroke(path);
  }
  context.globalAlpha = 1;
};

/** Draws chosen and hovered rows on a separate layer, so that a moving pointer does not redraw thousands of lines. */
export const drawMarked = (
  context: CanvasRenderingContext2D,
  { places, layout }: Picture,
  chosen: readonly number[],
  hovered: number | null,
  colours: Colours,
): void => {
  context.clearRect(0, 0, layout.width, layout.height);
  for (const [i, row] of chosen.entries())
    strokeOne(context, places, row, layout.x, colours.series[i % 6]!, colours.surface, dashes[i % 6]!);
  if (hovered !== null) strokeOne(context, places, hovered, layout.x, colours.text, colours.surface, []);
};

const strokeOne = (
  context: CanvasRenderingContext2D,
  places: Float32Array,
  row: number,
  x: readonly number[],
  colour: string,
  halo: string,
  dash: readonly number[],
): void => {
  const path = new Path2D();
  trace(path, places, row, x);
  context.strokeStyle = halo;
  context.lineWidth = 5;
  context.stroke(path);
  context.strokeStyle = colour;
  context.lineWidth = 2.2;
  context.setLineDash([...dash]);
  context.stroke(path);
  context.setLineDash([]);
  context.lineWidth = 1;
};

/** The active row whose line is nearest to (px, py), within ten pixels; null without one. */
export const nearestRow = (picture: Picture, px: number, py: number): number | null => {
  const { places, active, layout } = picture;
  const { x } = layout;
  if (x.length < 2 || px < x[0]! - 10 || px > x.at(-1)! + 10) return null;
  let a = 0;
  while (a < x.length - 2 && px > x[a + 1]!) a += 1;
  const u = Math.max(0, Math.min(1, (px - x[a]!) / (x[a + 1]! - x[a]!)));
  let best: number | null = null;
  let minDistance = 10;
  for (let row = 0; row < active.length; row++) {
    if (active[row] === 0) continue;
    const from = row * x.length + a;
    const y = places[from]! + u * (places[from + 1]! - places[from]!);
    const distance = Math.abs(y - py);
    if (distance < minDistance) {
      minDistance = distance;
      best = row;
    }
  }
  return best;
};
