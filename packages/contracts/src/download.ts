/**
 * Downloads with limits: https, bytes, seconds as a whole, and seconds without a byte. Everything that Funnel reads from an address that is
 * not its own service comes through this function.
 */
export type DownloadOptions = {
  /** The largest number of bytes, as they come after the encoding of the connection. */
  readonly maxBytes: number;
  /** Seconds for the whole download. */
  readonly seconds: number;
  /** Seconds without a byte, also before the first one. */
  readonly idleSeconds: number;
  /** Sent to the origin of `address`, and not to another one to which it leads. */
  readonly headers?: Readonly<Record<string, string>>;
  /** An origin that may use http although it is not this machine, such as that of the user's own service. */
  readonly trustedOrigin?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** `total`: bytes that the server announced, or null. */
  readonly onProgress?: (received: number, total: number | null) => void;
};

/** Why a download failed. The message of `fetch` is only "fetch failed"; its cause has the reason. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
};

const maxRedirects = 5;
const redirects = [301, 302, 303, 307, 308];

const isThisMachine = ({ hostname }: URL): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);

/** Throws if others on the way could read and change what comes from this address. */
const refusePlain = (url: URL, trustedOrigin: string | undefined): void => {
  if (url.protocol === 'https:') return;
  if (url.protocol === 'http:' && (isThisMachine(url) || url.origin === trustedOrigin)) return;
  throw new Error(
    `Expected an https address (http only for localhost), but got ${url.origin === 'null' ? url.protocol : url.origin}`,
  );
};

/** Follows redirections, each to an address that is allowed. A browser follows them itself, and shows the last address only. */
const open = async (address: string, signal: AbortSignal, options: DownloadOptions): Promise<Response> => {
  const { headers, trustedOrigin } = options;
  const first = new URL(address);
  let url = first;
  for (let followed = 0; followed <= maxRedirects; followed++) {
    refusePlain(url, trustedOrigin);
    const own = url.origin === first.origin ? headers : undefined;
    // Else the announced number of bytes would be that of a compressed answer.
    const init = { headers: { ...own, 'accept-encoding': 'identity' }, signal };
    const response = await fetch(url, { ...init, redirect: 'manual' });
    if (response.type === 'opaqueredirect') {
      const last = await fetch(url, init);
      refusePlain(new URL(last.url), trustedOrigin);
      return last;
    }
    const location = redirects.includes(response.status) ? response.headers.get('location') : null;
    if (location === null) return response;
    await response.body?.cancel();
    url = new URL(location, url);
  }
  throw new Error(`Expected at most ${maxRedirects} redirections, but got more`);
};

const joined = (parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> => {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

/**
 * The bytes at `address`. Throws an Error that says which limit was passed, what the server answered, or that the address is not https;
 * throws the reason of `signal` when it aborts.
 */
export const download = async (
  address: string,
  options: DownloadOptions,
): Promise<Uint8Array<ArrayBuffer>> => {
  const { maxBytes, seconds, idleSeconds, signal, onProgress } = options;
  const stop = new AbortController();
  const expire = (why: string) => () => stop.abort(new Error(why));
  const whole = setTimeout(expire(`not complete within ${seconds} s`), 1000 * seconds);
  const watchIdle = () => setTimeout(expire(`no answer within ${idleSeconds} s`), 1000 * idleSeconds);
  let idle = watchIdle();
  const stops = signal ? AbortSignal.any([stop.signal, signal]) : stop.signal;
  try {
    const response = await open(address, stops, options);
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
    const length = response.headers.get('content-length');
    const total = length === null ? null : Number(length);
    const refuseSize = (bytes: string): never => {
      throw new Error(`Expected at most ${maxBytes} bytes, but got ${bytes}`);
    };
    if (total !== null && total > maxBytes) refuseSize(`${total}`);
    const parts: Uint8Array[] = [];
    let received = 0;
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      clearTimeout(idle);
      idle = watchIdle();
      received += part.length;
      if (received > maxBytes) refuseSize('more');
      parts.push(part);
      onProgress?.(received, total);
    }
    return joined(parts, received);
  } finally {
    clearTimeout(whole);
    clearTimeout(idle);
    stop.abort(); // ends the connection of a download that was refused
  }
};
