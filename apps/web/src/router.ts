/**
 * Addresses of pages. They live in the hash, so that any server for files can serve the pages: `#/sweeps/abc/results?objective=…`.
 * wouter matches the paths. Its own hash location puts the query before the hash, so this file has another one.
 */
import { useMemo, useSyncExternalStore } from 'react';

/** The parameters of a page's path. */
export type ViewProps = { readonly params: Readonly<Record<string, string | undefined>> };

const currentAddress = (): string => window.location.hash.slice(1) || '/';

export const parseAddress = (address: string): { readonly path: string; readonly query: URLSearchParams } => {
  const [path = '', query = ''] = address.split('?', 2);
  return { path: path === '' ? '/' : path, query: new URLSearchParams(query) };
};

/** The address of a page, for links. Empty and undefined query values are left out. */
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

const subscribe = (listener: () => void) => {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
};

/** The location hook for wouter's `Router`. */
export const useHashPath = (): [string, typeof navigate] => [
  parseAddress(useSyncExternalStore(subscribe, currentAddress)).path,
  navigate,
];

/** A part of a path. A part that is no encoded text, such as `100%`, stands for itself: its page says that it finds nothing. */
const decodePart = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

/** Decodes the parts of a path, which wouter decodes only in part. */
export const decodeParams = (params: ViewProps['params']): ViewProps['params'] =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [name, value && decodePart(value)]));

export const useAddressQuery = (): URLSearchParams => {
  const address = useSyncExternalStore(subscribe, currentAddress);
  return useMemo(() => parseAddress(address).query, [address]);
};

/** One value of the query as state. The choices on a page are part of its address, so that a link shows the same page. */
export const useQueryValue = (
  name: string,
): readonly [string | undefined, (value: string | undefined) => void] => {
  const query = useAddressQuery();
  const set = (value: string | undefined) => {
    const now = parseAddress(currentAddress());
    const path = now.path.split('/').filter((part) => part !== '');
    const next = { ...Object.fromEntries(now.query), [name]: value };
    navigate(href(path.map(decodePart), next), { replace: true });
  };
  return [query.get(name) ?? undefined, set];
};
