/** The types of route handlers, derived from the routes' declarations: a handler that takes or answers something else does not compile. */

import type { Readable } from 'node:stream';
import type { Role, RouteName, routes } from '@funnel/contracts';
import type { FastifyBaseLogger } from 'fastify';
import type { z } from 'zod';

type Routes = typeof routes;
type Parsed<R, Part extends string> = R extends { readonly [P in Part]: infer S extends z.ZodType }
  ? z.output<S>
  : undefined;

/** Who calls: a token's name and role, or `local` with every role where no token is needed. */
export type Caller = { readonly name: string; readonly role: Role };

export type RouteRequest<K extends RouteName> = {
  readonly params: Parsed<Routes[K], 'params'>;
  readonly query: Parsed<Routes[K], 'query'>;
  readonly headers: Parsed<Routes[K], 'headers'>;
  readonly body: Parsed<Routes[K], 'body'>;
  readonly caller: Caller;
  /** Who shares in the service as one: a token, or where none is needed an address. */
  readonly client: string;
  readonly log: FastifyBaseLogger;
};

/** Sets what is not in the body. */
export type RouteReply = {
  readonly status: (status: 200 | 201) => void;
  readonly header: (name: string, value: string) => void;
  /** What the audit log is to say of this change beyond who and when. */
  readonly note: (details: Readonly<Record<string, unknown>>) => void;
};

/** An answer is only read. */
type ReadonlyDeep<T> = T extends object ? { readonly [K in keyof T]: ReadonlyDeep<T[K]> } : T;

/** What a handler answers: the declared response (before its schema fills defaults), nothing for 204, else text, bytes or a stream. */
export type RouteAnswer<K extends RouteName> = Routes[K] extends {
  readonly response: infer S extends z.ZodType;
}
  ? ReadonlyDeep<z.input<S>> | ReadonlyDeep<z.output<S>>
  : Routes[K] extends { readonly produces: string }
    ? string | Uint8Array | Readable
    : undefined;

export type Handler<K extends RouteName> = (
  request: RouteRequest<K>,
  reply: RouteReply,
) => Promise<RouteAnswer<K>> | RouteAnswer<K>;

/** One handler for every declared route, no more and no less. */
export type Handlers = { readonly [K in RouteName]: Handler<K> };
