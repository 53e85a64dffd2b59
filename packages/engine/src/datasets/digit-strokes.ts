/**
 * Draws digits that look as if drawn by hand. The code takes one of a few ways to write a digit (`strokesOfDigits`), moves every point a
 * little (`jittered`), slants, scales and bends the whole digit (`warp`), and draws it with a round pen (`depthOf`).
 */
import type { Random } from '../random.ts';

/** x to the right, y downwards. */
type Point = readonly [x: number, y: number];
/** A smooth curve (Catmull–Rom) through points. A point that is given twice makes a corner. */
type Stroke = readonly Point[];

export type DrawnDigit = {
  /** [size · size]: 0 beside the line, 1 in its middle, between them at its edge. */
  readonly depth: Float64Array;
  /** How much the ink covers the paper in the middle of the line, in (0, 1]. */
  readonly ink: number;
};

/** Draws a digit in a square of `size` pixels. */
export const drawDigit = (random: Random, digit: number, size: number): DrawnDigit => {
  const ways = strokesOfDigits[digit]!;
  const way = ways[random.below(ways.length)]!;
  const slip = uniformBetween(random, 0.008, 0.026);
  const place = warp(random, size);
  const strokes = way.map((stroke) => jittered(random, stroke, slip).map(place));
  const scale = size / usualSize;
  const radius = scale * uniformBetween(random, 0.75, 1.7);
  const ink = uniformBetween(random, 0.8, 1);
  const softness = scale * uniformBetween(random, 0.6, 1.1);
  return { depth: depthOf(strokes, { size, radius, softness }), ink };
};

/** An amount of ink that falls off towards the edge of the line without a kink: `amount` at depth 1, 0 at depth 0. */
export const fading = (amount: number, depth: number): number => amount * depth * depth * (3 - 2 * depth);

/** The size of a picture, in pixels, for which the widths of lines and the like are given. */
const usualSize = 28;

const uniformBetween = (random: Random, low: number, high: number): number =>
  low + (high - low) * random.uniform();

/** A random map from the unit square to pixels: slant, tilt, size, proportions, place, and a gentle bend of the whole paper. */
const warp = (random: Random, size: number): ((point: Point) => Point) => {
  const scale = size / usualSize;
  const tilt = 0.1 * random.normal();
  const slant = 0.12 + 0.15 * random.normal();
  const height = scale * uniformBetween(random, 16.5, 21.5);
  const width = height * uniformBetween(random, 0.72, 1.12);
  const [cx, cy] = [size / 2 + scale * random.normal(), size / 2 + scale * random.normal()];
  const bend = [1, 2].map((waves) => ({
    waves,
    dx: (0.022 * random.normal()) / waves,
    dy: (0.022 * random.normal()) / waves,
    px: uniformBetween(random, 0, 2 * Math.PI),
    py: uniformBetween(random, 0, 2 * Math.PI),
  }));
  const [cos, sin] = [Math.cos(tilt), Math.sin(tilt)];
  return ([x, y]) => {
    let [u, v] = [x - 0.5, y - 0.5];
    for (const { waves, dx, dy, px, py } of bend) {
      u += dx * Math.sin(2 * Math.PI * waves * y + px);
      v += dy * Math.sin(2 * Math.PI * waves * x + py);
    }
    u -= slant * v;
    return [cx + width * (cos * u - sin * v), cy + height * (sin * u + cos * v)];
  };
};

/** Moves every point by normal noise with the standard deviation `by`. */
const jittered = (random: Random, stroke: Stroke, by: number): Stroke => {
  const moved: Point[] = [];
  for (const [i, [x, y]] of stroke.entries()) {
    const twin = i > 0 && stroke[i - 1]![0] === x && stroke[i - 1]![1] === y; // both points of a corner move alike
    moved.push(twin ? moved[i - 1]! : [x + by * random.normal(), y + by * random.normal()]);
  }
  return moved;
};

type Pen = {
  /** Pixels along one side of the square image. */
  readonly size: number;
  /** Half the width of the line, in pixels. */
  readonly radius: number;
  /** Half the width of the fading edge, in pixels. */
  readonly softness: number;
};

const piecesPerSpan = 5;

/** The Catmull–Rom curve through all points, as a polyline. */
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

/** The squared distance of the point (px, py) from the line segment a–b. */
const squaredDistance = (px: number, py: number, [ax, ay]: Point, [bx, by]: Point): number => {
  const [dx, dy] = [bx - ax, by - ay];
  const along = dx * dx + dy * dy;
  const t = along === 0 ? 0 : Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / along));
  const [ex, ey] = [px - ax - t * dx, py - ay - t * dy];
  return ex * ex + ey * ey;
};

/** Draws `strokes`, whose points are in pixels: [size · size], see `DrawnDigit`. */
const depthOf = (strokes: readonly Stroke[], { size, radius, softness }: Pen): Float64Array => {
  const outer = radius + softness;
  const nearest = new Float64Array(size * size).fill(outer * outer);
  for (const stroke of strokes) {
    const line = smooth(stroke);
    for (let i = 0; i + 1 < line.length; i++) {
      const [a, b] = [line[i]!, line[i + 1]!];
      const lowest = (axis: 0 | 1) => Math.max(0, Math.floor(Math.min(a[axis], b[axis]) - outer));
      const highest = (axis: 0 | 1) => Math.min(size - 1, Math.ceil(Math.max(a[axis], b[axis]) + outer));
      for (let y = lowest(1); y <= highest(1); y++)
        for (let x = lowest(0); x <= highest(0); x++) {
          const distance = squaredDistance(x + 0.5, y + 0.5, a, b);
          if (distance < nearest[y * size + x]!) nearest[y * size + x] = distance;
        }
    }
  }
  for (let p = 0; p < nearest.length; p++)
    nearest[p] = Math.min(1, Math.max(0, (outer - Math.sqrt(nearest[p]!)) / (2 * softness)));
  return nearest;
};

/** '50 8, 50 92' → the points (0.5, 0.08) and (0.5, 0.92). */
const path = (points: string): Stroke =>
  points.split(', ').map((point) => {
    const [x, y] = point.split(' ');
    return [Number(x) / 100, Number(y) / 100];
  });

/** The ways to write each digit, 0 … 9, as `[digit][way][stroke][point]` in the unit square. */
const strokesOfDigits: readonly (readonly (readonly Stroke[])[])[] = [
  [
    [path('55 8, 28 20, 20 52, 32 86, 55 92, 76 76, 80 42, 68 14, 50 8')],
    [path('50 10, 22 32, 22 68, 50 90, 78 68, 78 32, 50 10, 38 14')],
  ],
  [
    [path('50 8, 50 50, 50 92')],
    [path('34 28, 54 8, 54 8, 53 50, 52 92')],
    [path('32 28, 52 8, 52 8, 52 92'), path('30 92, 52 92, 74 92')],
  ],
  [
    [path('24 30, 36 10, 62 10, 74 32, 56 60, 22 90, 22 90, 50 90, 80 88')],
    [path('26 26, 44 8, 70 18, 68 46, 40 80, 24 88, 24 76, 42 78, 62 92, 82 84')],
  ],
  [
    [path('26 20, 46 8, 70 18, 68 38, 44 48, 44 48, 74 58, 74 82, 48 93, 22 82')],
    [path('26 10, 74 10, 74 10, 46 42, 46 42, 74 56, 74 80, 48 93, 22 80')],
  ],
  [
    [path('62 8, 42 34, 20 64, 20 64, 50 64, 82 62'), path('64 36, 62 64, 60 94')],
    [path('26 8, 24 34, 30 52, 52 54, 74 46'), path('74 8, 74 50, 70 94')],
    [path('64 94, 66 50, 68 6, 68 6, 42 36, 18 66, 18 66, 50 66, 84 66')],
  ],
  [
    [path('72 10, 50 10, 30 10, 30 10, 28 28, 26 46, 26 46, 52 40, 74 54, 74 80, 48 93, 22 84')],
    [path('32 10, 28 46, 28 46, 54 40, 76 60, 66 88, 40 93, 22 82'), path('32 10, 54 12, 78 8')],
  ],
  [
    [path('66 8, 42 24, 26 56, 30 84, 52 93, 74 80, 70 58, 48 52, 28 68')],
    [path('46 6, 30 34, 24 66, 36 90, 62 90, 74 70, 58 54, 34 62, 28 74')],
  ],
  [
    [path('22 12, 50 12, 78 10, 78 10, 60 46, 44 93')],
    [path('22 14, 50 10, 78 12, 78 12, 58 50, 46 93'), path('36 52, 54 50, 74 50')],
    [path('22 26, 24 12, 24 12, 78 10, 78 10, 64 50, 58 93')],
  ],
  [
    [path('68 20, 46 8, 28 22, 42 42, 66 58, 74 80, 50 93, 26 80, 36 58, 62 40, 70 20, 56 10')],
    [path('50 47, 30 30, 48 8, 70 26, 50 47, 26 70, 50 93, 74 70, 50 47')],
  ],
  [
    [path('72 32, 54 46, 30 36, 34 14, 56 8, 72 26, 72 26, 72 56, 64 94')],
    [path('74 20, 50 8, 28 24, 36 44, 60 44, 74 22, 74 22, 74 64, 56 92, 30 88')],
  ],
];
