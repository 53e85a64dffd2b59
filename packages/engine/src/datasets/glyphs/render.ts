/** Draws smooth strokes with a round pen onto a grid of bytes. */
import type { Point, Stroke } from './strokes.ts';

export type Pen = {
  /** Pixels along one side of the square image. */
  readonly size: number;
  /** Half the width of the line, in pixels. */
  readonly radius: number;
  /** Darkness at the middle of the line, in (0, 1]. */
  readonly ink: number;
  /** Over how many pixels the edge fades. */
  readonly softness: number;
};

const piecesPerSpan = 5;

/** Catmull–Rom through all points, as a polyline. */
const smooth = (stroke: Stroke): readonly Point[] => {
  const line: Point[] = [stroke[0]!];
  for (let i = 0; i + 1 < stroke.length; i++) {
    const [p1, p2] = [stroke[i]!, stroke[i + 1]!];
    if (p1[0] === p2[0] && p1[1] === p2[1]) continue; // a corner
    const p0 = stroke[i - 1] ?? p1;
    const p3 = stroke[i + 2] ?? p2;
    for (let k = 1; k <= piecesPerSpan; k++) {
      const t = k / piecesPerSpan;
      const at = (axis: 0 | 1): number => {
        const [a, b, c, d] = [p0[axis], p1[axis], p2[axis], p3[axis]];
        return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
      };
      line.push([at(0), at(1)]);
    }
  }
  return line;
};

const squaredDistance = (px: number, py: number, [ax, ay]: Point, [bx, by]: Point): number => {
  const [dx, dy] = [bx - ax, by - ay];
  const along = dx * dx + dy * dy;
  const t = along === 0 ? 0 : Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / along));
  const [ex, ey] = [px - ax - t * dx, py - ay - t * dy];
  return ex * ex + ey * ey;
};

/** Writes the image of `strokes` (points in pixels) over `into`, size × size bytes. */
export const renderStrokes = (
  strokes: readonly Stroke[],
  { size, radius, ink, softness }: Pen,
  into: Uint8Array,
): void => {
  const reach = radius + softness;
  const nearest = new Float64Array(size * size).fill(reach * reach);
  for (const stroke of strokes) {
    const line = smooth(stroke);
    for (let i = 0; i + 1 < line.length; i++) {
      const [a, b] = [line[i]!, line[i + 1]!];
      const lowest = (axis: 0 | 1) => Math.max(0, Math.floor(Math.min(a[axis], b[axis]) - reach));
      const highest = (axis: 0 | 1) => Math.min(size - 1, Math.ceil(Math.max(a[axis], b[axis]) + reach));
      for (let y = lowest(1); y <= highest(1); y++)
        for (let x = lowest(0); x <= highest(0); x++) {
          const distance = squaredDistance(x + 0.5, y + 0.5, a, b);
          if (distance < nearest[y * size + x]!) nearest[y * size + x] = distance;
        }
    }
  }
  for (let p = 0; p < into.length; p++) {
    const inside = Math.min(1, Math.max(0, (reach - Math.sqrt(nearest[p]!)) / (2 * softness)));
    into[p] = Math.round(255 * ink * inside * inside * (3 - 2 * inside));
  }
};
