/** Where the axes of parallel coordinates stand, and how their titles are broken into lines. */

export type Layout = {
  readonly width: number;
  readonly height: number;
  /** The x coordinate of every axis. */
  readonly x: readonly number[];
  readonly top: number;
  readonly bottom: number;
  /** The lines of each axis title. */
  readonly titles: readonly (readonly string[])[];
};

/** The width of a character of a title, in pixels. */
const characterWidth = 7.4;

/**
 * Breaks a title between words into at most three lines, of about 15 characters, or fewer if these do not fit between its neighbours. `gap`:
 * the distance of axes.
 */
const wrapTitle = (title: string, gap: number): string[] => {
  const most = Math.min(15, Math.floor((gap - 12) / characterWidth));
  const lines: string[] = [];
  for (const word of title.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.slice(0, 3);
};

const span = 232;
/** The height of a line of an axis title, and the space below the axes for rows without a value. */
export const titleLine = 14;
const below = 26;
/** The smallest distance between axes; narrow pages scroll. */
const minGap = 104;
/** The right edge leaves space for the labels of the last axis. */
const edges = { left: 34, right: 56 };

export const layoutOf = (available: number, titles: readonly string[]): Layout => {
  const count = titles.length;
  const width = Math.max(available, edges.left + edges.right + minGap * (count - 1));
  const gap = count > 1 ? (width - edges.left - edges.right) / (count - 1) : 0;
  const lines = titles.map((title) => wrapTitle(title, count > 1 ? gap : width));
  const top = 20 + titleLine * Math.max(1, ...lines.map(({ length }) => length));
  const bottom = top + span;
  return {
    width,
    height: bottom + below,
    top,
    bottom,
    x: Array.from({ length: count }, (_, a) => edges.left + a * gap),
    titles: lines,
  };
};
