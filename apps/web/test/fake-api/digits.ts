/** Deterministic noise from the hash of a text, and ten digits drawn with it. */
export const hashOf = (text: string): number => {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/** Uniform in (0, 1). */
export const uniformOf = (text: string): number => (hashOf(text) + 0.5) / 4294967296;

/** Standard normal (Box–Muller). */
export const normalOf = (text: string): number =>
  Math.sqrt(-2 * Math.log(uniformOf(`${text}/r`))) * Math.cos(2 * Math.PI * uniformOf(`${text}/a`));

const side = 28;

// Corners of a seven-segment display: left/right × top/middle/bottom.
const corner = { tl: [8, 5], tr: [20, 5], ml: [8, 14], mr: [20, 14], bl: [8, 23], br: [20, 23] } as const;
type Corner = keyof typeof corner;
const segments: Record<string, readonly [Corner, Corner]> = {
  a: ['tl', 'tr'],
  b: ['tr', 'mr'],
  c: ['mr', 'br'],
  d: ['bl', 'br'],
  e: ['ml', 'bl'],
  f: ['tl', 'ml'],
  g: ['ml', 'mr'],
};
const lit = ['abcdef', 'bc', 'abged', 'abgcd', 'fgbc', 'afgcd', 'afgedc', 'abc', 'abcdefg', 'abcdfg'];

const distance = (x: number, y: number, [ax, ay]: readonly number[], [bx, by]: readonly number[]): number => {
  const [dx, dy] = [bx! - ax!, by! - ay!];
  const t = Math.max(0, Math.min(1, ((x - ax!) * dx + (y - ay!) * dy) / (dx * dx + dy * dy)));
  return Math.hypot(x - ax! - t * dx, y - ay! - t * dy);
};

/** A digit of straight strokes, [784] in [0, 1]. `variant` shifts, slants and thickens it a little. */
export const drawDigit = (digit: number, variant: string): Float32Array => {
  const u = (what: string) => uniformOf(`${variant}/${what}`) - 0.5;
  const [dx, dy, lean, pen] = [2.4 * u('x'), 2.4 * u('y'), 0.35 * u('lean'), 1.5 + u('pen')];
  const image = new Float32Array(side * side);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const px = x - dx + lean * (y - side / 2);
      const nearest = Math.min(
        ...[...lit[digit]!].map((name) => {
          const [from, to] = segments[name]!;
          return distance(px, y - dy, corner[from], corner[to]);
        }),
      );
      image[y * side + x] = Math.max(0, Math.min(1, pen + 0.7 - nearest));
    }
  return image;
};

export const toBase64 = (image: Float32Array): string =>
  Buffer.from(Uint8Array.from(image, (v) => Math.round(255 * Math.max(0, Math.min(1, v))))).toString(
    'base64',
  );
