/**
 * The proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name, for every request of the command line. Node's own `fetch` does not read these
 * variables before Node 24. Requests to this machine never go through a proxy.
 */
import { Exit, exitCodes } from './exit.ts';

const loopback = ['localhost', '127.0.0.1', '[::1]', '::1'];

const variableOf = (variables: NodeJS.ProcessEnv, name: string): string | undefined =>
  variables[name.toLowerCase()] || variables[name] || undefined;

/** Returns true when a variable names a proxy. */
export const hasProxy = (variables: NodeJS.ProcessEnv): boolean =>
  ['HTTPS_PROXY', 'HTTP_PROXY'].some((name) => variableOf(variables, name) !== undefined);

/** The proxy that a variable names. Throws Exit for an address that is none. */
const proxyOf = (variables: NodeJS.ProcessEnv, name: string): string | undefined => {
  const proxy = variableOf(variables, name);
  if (proxy === undefined || (URL.canParse(proxy) && /^https?:/.test(proxy))) return proxy;
  throw new Exit(
    exitCodes.usage,
    `Expected the address of a proxy in ${name}, such as http://proxy:3128, but got ${proxy}`,
  );
};

/** Makes the global `fetch` use the proxy. Throws Exit for a proxy whose address is none. */
export const useProxy = async (variables: NodeJS.ProcessEnv): Promise<void> => {
  // Loaded only when needed: undici is large, and few machines have a proxy.
  const { EnvHttpProxyAgent, fetch, setGlobalDispatcher } = await import('undici');
  const noProxy = [variableOf(variables, 'NO_PROXY'), ...loopback]
    .filter((part) => part !== undefined)
    .join(',');
  setGlobalDispatcher(
    new EnvHttpProxyAgent({
      httpProxy: proxyOf(variables, 'HTTP_PROXY'),
      httpsProxy: proxyOf(variables, 'HTTPS_PROXY'),
      noProxy,
      proxyTunnel: false, // for http only: many proxies refuse a tunnel to another port than 443
    }),
  );
  globalThis.fetch = fetch as typeof globalThis.fetch; // undici's own types describe the same function
};
