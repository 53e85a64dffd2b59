import { type Client, createClient, type Input, type Output } from '@funnel/client';
import type { RouteName } from '@funnel/contracts';

/** The access token of a server that asks for one. Kept in this browser only. */
const key = 'funnel-token';

export const readToken = (): string | null => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is off
  }
};

export const writeToken = (token: string): void => {
  if (token === '') localStorage.removeItem(key);
  else localStorage.setItem(key, token);
};

/** The one client of the page. The server is where the page came from, whatever prefix a proxy put before it. */
const unauthenticated = new Set<() => void>();

/** Calls back when the server wants a token that it did not get. */
export const onUnauthenticated = (listener: () => void): (() => void) => {
  unauthenticated.add(listener);
  return () => unauthenticated.delete(listener);
};

export type StreamWatcher = {
  readonly onOpen: () => void;
  readonly onAlive: () => void;
  readonly onEnd: () => void;
};
const streamWatchers = new Set<StreamWatcher>();

/** Says when the event stream is heard: the client comes back by itself and tells nobody, but a page shows whether it is live. */
export const watchStream = (watcher: StreamWatcher): (() => void) => {
  streamWatchers.add(watcher);
  return () => streamWatchers.delete(watcher);
};

const tell = (what: keyof StreamWatcher) => {
  for (const watcher of streamWatchers) watcher[what]();
};

/** The answer with its body looked at as it passes. */
const watched = (response: Response): Response => {
  tell('onOpen');
  const reader = response.body!.getReader();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read();
        if (done) {
          tell('onEnd');
          controller.close();
        } else {
          tell('onAlive');
          controller.enqueue(value);
        }
      } catch (error) {
        tell('onEnd');
        controller.error(error);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(body, { status: response.status, headers: response.headers });
};

const pageFetch: typeof fetch = async (input, init) => {
  const streams = String(input).includes('/v1/events');
  try {
    const response = await fetch(input, init);
    if (response.status === 401) for (const listener of unauthenticated) listener();
    if (streams && !response.ok) tell('onEnd');
    return streams && response.ok ? watched(response) : response;
  } catch (error) {
    if (streams) tell('onEnd');
    throw error;
  }
};

const base = new URL('.', document.baseURI).href;

export const client: Client = createClient({
  url: base,
  token: readToken() ?? undefined,
  fetch: pageFetch,
  retries: 2,
});

/** One call by the name of its route. Throws FunnelError. */
export const call = <Name extends Exclude<RouteName, 'events'>>(
  name: Name,
  input: Input<Name>,
  signal?: AbortSignal,
): Promise<Output<Name>> => {
  // One method per route takes that route's input: the client's own declaration, which an indexed call cannot follow.
  const method = client[name] as unknown as (input: Input<Name>, options: object) => Promise<Output<Name>>;
  return method(input, { signal });
};
