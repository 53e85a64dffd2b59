/**
 * The theme that the user chose, which this browser stores, and its colours for canvases. `public/theme.js` applies it before the first
 * paint.
 */
import { useMemo, useSyncExternalStore } from 'react';

export type ThemeChoice = 'system' | 'light' | 'dark';

const key = 'funnel-theme';
const listeners = new Set<() => void>();
const systemDark = window.matchMedia('(prefers-color-scheme: dark)');
const notifyListeners = () => {
  for (const listener of listeners) listener();
};
systemDark.addEventListener('change', notifyListeners);

const readChoice = (): ThemeChoice => {
  const chosen = document.documentElement.dataset.theme;
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
};

export const setTheme = (choice: ThemeChoice): void => {
  if (choice === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  try {
    if (choice === 'system') localStorage.removeItem(key);
    else localStorage.setItem(key, choice);
  } catch {
    // Storage is off: the choice lasts until the page is closed.
  }
  notifyListeners();
};

const watch = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useThemeChoice = (): ThemeChoice => useSyncExternalStore(watch, readChoice);

/** The current theme. Canvases read their colours again when it changes. */
const useTheme = (): 'light' | 'dark' => {
  const choice = useThemeChoice();
  const dark = useSyncExternalStore(watch, () => systemDark.matches);
  return choice === 'system' ? (dark ? 'dark' : 'light') : choice;
};

/** The colours of `styles/base.css`, for canvases. */
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

// The colours depend on the theme.
export const useColours = (): Colours => {
  const theme = useTheme();
  return useMemo(readColours, [theme]);
};

const channels = (hex: string): readonly [number, number, number] => {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
};

/** The colour of the ramp at t in [0, 1]. Its lightness is monotone, so that people with any colour vision can read it. */
export const rampColour = (ramp: Colours['ramp'], t: number): string => {
  const [from, to, u] = t < 0.5 ? [ramp[0], ramp[1], 2 * t] : [ramp[1], ramp[2], 2 * t - 1];
  const [a, b] = [channels(from), channels(to)];
  return `rgb(${a.map((value, i) => Math.round(value + u * (b[i]! - value))).join(' ')})`;
};
