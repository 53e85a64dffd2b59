/**
 * Protection against other people's web pages. Every page in a browser on this machine can send requests to a service on loopback. Two
 * headers tell such requests apart: Host shows a name that was rebound to this address, and Origin shows another site's form or script.
 */
import { AppError, type RouteName } from '@funnel/contracts';
import type { FastifyRequest } from 'fastify';

/** The names of loopback in the form of the Host header: an IPv6 address is in brackets. */
const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/** Whether only this machine can reach a server that listens here. */
export const isLoopback = (host: string): boolean =>
  loopbackNames.includes(host) || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

const asHost = (address: string): string =>
  address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;

const withoutPort = (host: string): string => host.toLowerCase().replace(/:\d+$/, '');

export type HostRules = {
  /** Allowed names in Host. Null: any name. */
  readonly names: readonly string[] | null;
  /** Routes that accept any name: probes call a container by its address. */
  readonly exempt: readonly RouteName[];
};

/**
 * On loopback, Host may have the names of loopback and those in `allowed`. On other addresses, where callers need tokens, Host may have any
 * name; where `allowed` is not empty, only the same names as on loopback.
 */
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

/** Throws HOST_NOT_ALLOWED, and INVALID_REQUEST for HTTP/1.1 without Host. */
export const checkHost = (
  { names, exempt }: HostRules,
  { headers, raw, routeOptions }: FastifyRequest,
): void => {
  if (headers.host === undefined && raw.httpVersion === '1.1')
    throw new AppError('INVALID_REQUEST', 'Expected a Host header, but got none');
  const { routeName } = routeOptions.config;
  const host = withoutPort(headers.host ?? '');
  if (names === null || names.includes(host) || (routeName && exempt.includes(routeName))) return;
  throw new AppError(
    'HOST_NOT_ALLOWED',
    `Expected one of ${names.join(', ')} as Host, but got ${JSON.stringify(host.slice(0, 100))}`,
  );
};

/** Throws CROSS_ORIGIN if a browser sends a change for another site's page. */
export const checkOrigin = ({ method, headers }: FastifyRequest): void => {
  const { origin, host } = headers;
  if (method === 'GET' || method === 'HEAD' || origin === undefined) return;
  const sent = URL.canParse(origin) ? new URL(origin).host : origin;
  if (sent !== host?.toLowerCase())
    throw new AppError(
      'CROSS_ORIGIN',
      `Expected the origin ${host}, but got ${JSON.stringify(origin.slice(0, 100))}`,
    );
};
