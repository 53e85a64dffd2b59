/**
 * Addresses live in the hash, so that any server that can serve files can serve the pages: `#/sweeps/abc/results?objective=…`.
 */
import { useMemo, useSyncExternalStore } from 'react';

export type Location = {
  /** Segments of the path, decoded: `['sweeps', 'abc', 'results']`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
};

const current = (): string => window.location.hash.slice(1) || '/';

export const parseLocation = (hash: string): Location => {
  const [path = '', query = ''] = hash.split('?', 2);
  const segments = path.split('/').filter((segment) => segment !== '');
  return { path: segments.map(decodeURIComponent), query: new URLSearchParams(query) };
};

/** The address of a page, for links. Query values that are undefined or empty are left out. */
export const href = (
  path: readonly string[],
  query: Readonly<Record<string, string | undefined>> = {},
): string => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') search.set(name, value);
  const text = search.toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
};

export const navigate = (address: string, options: { readonly replace?: boolean } = {}): void => {
  if (options.replace) {
    history.replaceState(null, '', address);
    window.dispatchEvent(new HashChangeEvent('hashchange'));
  } else window.location.hash = address;
};

const watch = (listener: () => void) => {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
};

export const useLocation = (): Location => {
  const hash = useSyncExternalStore(watch, current);
  return useMemo(() => parseLocation(hash), [hash]);
};

/** One value of the query as state: what is chosen on a page is in its address, so it can be sent to a colleague. */
export const useQueryValue = (
  name: string,
): readonly [string | undefined, (value: string | undefined) => void] => {
  const { query } = useLocation();
  const set = (value: string | undefined) => {
    const { path, query: now } = parseLocation(current());
    navigate(href(path, { ...Object.fromEntries(now), [name]: value }), { replace: true });
  };
  return [query.get(name) ?? undefined, set];
};

/** What every view is given: the parts of its address behind its name. */
export type ViewProps = { readonly params: readonly string[] };
