/** The types of route handlers, derived from the routes' declarations: a handler that takes or answers something else does not compile. */
import type { Readable } from 'node:stream';
import type { Role, Route, RouteName, routes } from '@funnel/contracts';
import type { Db, Relay } from '@funnel/db';
import type { StageQueue } from '@funnel/queue';
import type { Tracer } from '@funnel/tracing';
import type { FastifyBaseLogger } from 'fastify';
import type { z } from 'zod';
import type { EventHub } from '../events/event-hub.ts';
import type { ServiceMetrics } from '../metrics.ts';
import type { OpenApiDocument } from '../openapi.ts';
import type { OffLoopPlanning } from '../planning/planning.ts';

type Routes = typeof routes;
type Parsed<R, Part extends string> = R extends { readonly [P in Part]: infer S extends z.ZodType }
  ? z.output<S>
  : undefined;

/** Who calls: a token's name and role, or `local` with every role where no token is needed. */
export type Caller = { readonly name: string; readonly role: Role };

/** Whoever calls where no token is needed. */
export const localCaller: Caller = { name: 'local', role: 'admin' };

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

/** What handlers work with. */
export type Context = {
  readonly db: Db;
  readonly queue: StageQueue;
  readonly hub: EventHub;
  readonly metrics: ServiceMetrics;
  readonly document: OpenApiDocument;
  /** Tells workers of ready stages; never fails, since the reconciler rings again. */
  readonly relay: Relay;
  readonly engineVersion: string;
  readonly planning: Pick<OffLoopPlanning, 'plan' | 'submit'>;
  readonly tracer: Tracer;
};

export const isStream = (route: Route): boolean => route.produces === 'text/event-stream';
