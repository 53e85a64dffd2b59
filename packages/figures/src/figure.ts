/**
 * Pieces of the figures that reports and benchmarks write: SVG texts with the same colours, which follow the light or dark scheme of the
 * reader. Lengths are pixels of the view box; y grows downwards.
 */

/** A figure beside a document. `alt` says in words what it shows. */
export type Figure = { readonly file: string; readonly alt: string; readonly svg: string };

/** Readable on white and on near-black. Blue and orange also differ for people who confuse red and green. */
const style = `<style>
svg { --paper: #ffffff; --ink: #1f2328; --muted: #59636e; --grid: #dddddd; --blue: #0b5fa5; --orange: #b4511d; --purple: #7b3fa0; --teal: #0f7b6c; --grey: #818b98; }
@media (prefers-color-scheme: dark) { svg { --paper: #0d1117; --ink: #e6edf3; --muted: #9198a1; --grid: #30363d; --blue: #58a6ff; --orange: #f0883e; --purple: #c297eb; --teal: #3fb9a5; --grey: #818b98; } }
text:not([fill]) { fill: var(--ink) }
</style>`;

export const escapeXml = (words: string): string =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Parts may use the variables of `style`, such as `fill="var(--blue)"`. */
export const drawing = (width: number, height: number, title: string, parts: readonly string[]): string =>
  `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    style,
    `<rect width="${width}" height="${height}" fill="var(--paper)"/>`,
    ...parts,
    '</svg>',
  ].join('\n')}\n`;

export const text = (x: number, y: number, words: string, attributes = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escapeXml(words)}</text>`;

/** A text along a vertical axis, read from below. */
export const uprightText = (x: number, y: number, words: string): string =>
  text(0, 0, words, `text-anchor="middle" transform="translate(${x} ${y}) rotate(-90)"`);

export const line = (
  [x, y]: readonly [number, number],
  [toX, toY]: readonly [number, number],
  attributes = 'stroke="var(--grid)"',
): string => `<path d="M${x.toFixed(1)} ${y.toFixed(1)}L${toX.toFixed(1)} ${toY.toFixed(1)}" ${attributes}/>`;

/** Multiples of 1, 2 or 5 times a power of ten: at most seven of them. */
export const ticksOf = (low: number, high: number): readonly number[] => {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough)!;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => (first + i) * step);
};

/** Maps [low, high] linearly to [from, to]. */
export const scaleOf =
  ([low, high]: readonly [number, number], [from, to]: readonly [number, number]) =>
  (value: number): number =>
    from + ((value - low) / (high - low)) * (to - from);
