/**
 * A service on loopback is open to every page of every browser on the machine, unless it looks at whom the page believes to speak to:
 * a rebound name shows in Host, another site's form or script in Origin.
 */
import { AppError, type RouteName } from '@funnel/contracts';
import type { FastifyRequest } from 'fastify';

/** As they stand in Host: a numeric IPv6 address in brackets. */
const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/** Whether only this machine can reach a server that listens here. */
export const isLoopback = (host: string): boolean =>
  loopbackNames.includes(host) || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

const asHost = (address: string): string =>
  address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;

const withoutPort = (host: string): string => host.toLowerCase().replace(/:\d+$/, '');

export type HostRules = {
  /** Names by which it may be called; null: any. */
  readonly names: readonly string[] | null;
  /** Routes that answer to any name: probes call a container by its address. */
  readonly exempt: readonly RouteName[];
};

/** On loopback, loopback's names and those allowed; elsewhere, where tokens guard it, only what is allowed, if anything is said. */
export const hostRules = (listening: string, allowed: readonly string[]): HostRules => {
  if (isLoopback(listening))
    return {
      names: [...new Set([...loopbackNames, asHost(listening), ...allowed])],
      exempt: ['health', 'ready'],
    };
  return {
    names: allowed.length > 0 ? [...loopbackNames, ...allowed] : null,
    exempt: ['health', 'ready', 'getServiceMetrics'],
  };
};

/** Throws HOST_NOT_ALLOWED. */
export const checkHost = ({ names, exempt }: HostRules, { headers, routeOptions }: FastifyRequest): void => {
  const { routeName } = routeOptions.config;
  const host = withoutPort(headers.host ?? '');
  if (names === null || names.includes(host) || (routeName && exempt.includes(routeName))) return;
  throw new AppError(
    'HOST_NOT_ALLOWED',
    `Expected one of ${names.join(', ')} as Host, but got ${JSON.stringify(host.slice(0, 100))}`,
  );
};

/** Throws CROSS_ORIGIN where a browser says that another site's page is asking for a change. */
export const checkOrigin = ({ method, headers }: FastifyRequest): void => {
  const { origin, host } = headers;
  if (method === 'GET' || method === 'HEAD' || origin === undefined) return;
  const sent = URL.canParse(origin) ? new URL(origin).host : origin;
  if (sent !== host?.toLowerCase())
    throw new AppError(
      'CROSS_ORIGIN',
      `Expected the origin of ${host} itself, but got ${JSON.stringify(origin.slice(0, 100))}`,
    );
};
