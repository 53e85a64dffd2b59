/** The page's colours for pictures that are drawn on a canvas: read from the same tokens as everything else. */
import { useMemo } from 'react';
import { useTheme } from '../theme.ts';

export type Colours = {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly surface: string;
  readonly sunken: string;
  readonly accent: string;
  readonly danger: string;
  readonly font: string;
  /** Okabe–Ito, in the order in which trials are chosen. */
  readonly series: readonly string[];
  readonly ramp: readonly [string, string, string];
  readonly status: (name: string) => string;
};

const readColours = (): Colours => {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: read('text'),
    muted: read('muted'),
    line: read('line'),
    lineStrong: read('line-strong'),
    surface: read('surface'),
    sunken: read('sunken'),
    accent: read('accent'),
    danger: read('failed'),
    font: read('font'),
    series: [1, 2, 3, 4, 5, 6].map((n) => read(`series-${n}`)),
    ramp: [read('ramp-low'), read('ramp-middle'), read('ramp-high')],
    status: read,
  };
};

// The theme decides what the tokens say.
export const useColours = (): Colours => {
  const theme = useTheme();
  return useMemo(readColours, [theme]);
};

/** A chosen trial keeps one colour and one dash in every picture: two that look alike to some eyes still differ. */
export const dashes: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [5, 2], [1, 4]];

const channels = (hex: string): readonly [number, number, number] => {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
};

/** The ramp at t in [0, 1]: low is pale, high stands out on either ground. Monotone in lightness, so it survives any colour vision. */
export const rampColour = (ramp: Colours['ramp'], t: number): string => {
  const [from, to, u] = t < 0.5 ? [ramp[0], ramp[1], 2 * t] : [ramp[1], ramp[2], 2 * t - 1];
  const [a, b] = [channels(from), channels(to)];
  return `rgb(${a.map((value, i) => Math.round(value + u * (b[i]! - value))).join(' ')})`;
};
