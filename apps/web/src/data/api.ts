import { type Client, createClient, type Input, type Output } from '@funnel/client';
import type { RouteName } from '@funnel/contracts';

/** The access token, for servers that require one. Only this browser stores it. */
const storageKey = 'funnel-token';

export const readToken = (): string | null => {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null; // storage is off
  }
};

export const writeToken = (token: string): void => {
  if (token === '') localStorage.removeItem(storageKey);
  else localStorage.setItem(storageKey, token);
};

const unauthenticated = new Set<() => void>();

/** Calls the listener when the server answers that a token is missing or wrong. */
export const onUnauthenticated = (listener: () => void): (() => void) => {
  unauthenticated.add(listener);
  return () => unauthenticated.delete(listener);
};

/** Opens the token dialog. */
export const askForToken = (): void => {
  for (const listener of unauthenticated) listener();
};

type StreamWatcher = {
  readonly onOpen: () => void;
  readonly onAlive: () => void;
  readonly onEnd: () => void;
  /** The token is missing or wrong. */
  readonly onRefused: () => void;
};
const streamWatchers = new Set<StreamWatcher>();

/** Watches the connection of the event stream. The client reconnects silently, but the page shows whether it is live. */
export const watchStream = (watcher: StreamWatcher): (() => void) => {
  streamWatchers.add(watcher);
  return () => streamWatchers.delete(watcher);
};

const notifyWatchers = (event: keyof StreamWatcher) => {
  for (const watcher of streamWatchers) watcher[event]();
};

/** A copy of the response that tells the watchers when data arrives and when the stream ends. */
const withWatchers = (response: Response): Response => {
  notifyWatchers('onOpen');
  const reader = response.body!.getReader();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read();
        if (done) {
          notifyWatchers('onEnd');
          controller.close();
        } else {
          notifyWatchers('onAlive');
          controller.enqueue(value);
        }
      } catch (error) {
        notifyWatchers('onEnd');
        controller.error(error);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(body, { status: response.status, headers: response.headers });
};

const pageFetch: typeof fetch = async (input, init) => {
  const isStream = String(input).includes('/v1/events');
  try {
    const response = await fetch(input, init);
    if (response.status === 401) askForToken();
    if (isStream && !response.ok) notifyWatchers(response.status === 401 ? 'onRefused' : 'onEnd');
    return isStream && response.ok ? withWatchers(response) : response;
  } catch (error) {
    if (isStream) notifyWatchers('onEnd');
    throw error;
  }
};

/** The client of all pages. The address of the server is that of the page, with the prefix of a proxy. */
export const client: Client = createClient({
  url: new URL('.', document.baseURI).href,
  token: readToken() ?? undefined,
  fetch: pageFetch,
  retries: 2,
});

/** Calls a route by its name. Throws FunnelError. */
export const call = <Name extends Exclude<RouteName, 'events'>>(
  name: Name,
  input: Input<Name>,
  signal?: AbortSignal,
): Promise<Output<Name>> => {
  // The client declares one method per route. TypeScript cannot follow that through an index.
  const method = client[name] as unknown as (input: Input<Name>, options: object) => Promise<Output<Name>>;
  return method(input, { signal });
};
