/** Light, dark, or as the system says; kept in this browser. `public/theme.js` applies it before the first paint. */
import { useSyncExternalStore } from 'react';

export type ThemeChoice = 'system' | 'light' | 'dark';

const key = 'funnel-theme';
const listeners = new Set<() => void>();
const systemDark = window.matchMedia('(prefers-color-scheme: dark)');
const tell = () => {
  for (const listener of listeners) listener();
};
systemDark.addEventListener('change', tell);

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
    // Storage is off: the choice lasts as long as the page.
  }
  tell();
};

const watch = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useThemeChoice = (): ThemeChoice => useSyncExternalStore(watch, readChoice);

/** What is drawn now. Pictures on a canvas read their colours again when it changes. */
export const useTheme = (): 'light' | 'dark' => {
  const choice = useThemeChoice();
  const dark = useSyncExternalStore(watch, () => systemDark.matches);
  return choice === 'system' ? (dark ? 'dark' : 'light') : choice;
};
