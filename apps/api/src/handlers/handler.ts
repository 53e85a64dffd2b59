/**
 * The types of route handlers. They derive from the declared routes, so a handler that takes or returns something else does not compile.
 */
import type { Readable } from 'node:stream';
import {
  clientWithToken,
  type Role,
  type Route,
  type RouteName,
  type routes,
  type ServiceLimits,
} from '@funnel/contracts';
import type { Author, Db, Rounds } from '@funnel/db';
import type { StageQueue } from '@funnel/queue';
import type { Tracer } from '@funnel/tracing';
import type { FastifyBaseLogger } from 'fastify';
import type { z } from 'zod';
import type { DatasetChecks } from '../datasets/dataset-checks.ts';
import type { EventHub } from '../events/event-hub.ts';
import type { ServiceMetrics } from '../metrics.ts';
import type { OpenApiDocument } from '../openapi.ts';
import type { Planning } from '../planning/planning.ts';
import type { Submissions } from '../planning/submissions.ts';

type Routes = typeof routes;
type Parsed<R, Part extends string> = R extends { readonly [P in Part]: infer S extends z.ZodType }
  ? z.output<S>
  : undefined;

type BodyOf<R> = R extends { readonly isStreamed: true }
  ? AsyncIterable<Uint8Array>
  : R extends { readonly bytes: number }
    ? Uint8Array
    : Parsed<R, 'body'>;

/** Who calls: the name and role of a token, or `localCaller`. */
export type Caller = { readonly name: string; readonly role: Role };

/** The caller of every request while no token is needed. */
export const localCaller: Caller = { name: 'local', role: 'admin' };

/** Under which name limits and submissions count the sender of a request. */
export const clientOf = ({ caller, ip }: { readonly caller: Caller; readonly ip: string }): string =>
  caller === localCaller ? ip : clientWithToken(caller.name);

export type RouteRequest<K extends RouteName> = {
  readonly params: Parsed<Routes[K], 'params'>;
  readonly query: Parsed<Routes[K], 'query'>;
  readonly headers: Parsed<Routes[K], 'headers'>;
  readonly body: BodyOf<Routes[K]>;
  readonly caller: Caller;
  /** The author of the changes that this request makes (`actingAs`). */
  readonly author: Author;
  /** The client whose share of the service this request uses up. A client is a token, or an address while no token is needed. */
  readonly client: string;
  /** Aborts when the client has gone, and for a request with a body also at the end of the time for a plan. */
  readonly signal: AbortSignal;
  readonly log: FastifyBaseLogger;
};

/** Sets the parts of the answer besides its body. */
export type RouteReply = {
  readonly status: (status: 200 | 201 | 202) => void;
  readonly header: (name: string, value: string) => void;
};

/** For content with its hash as the address, which never changes. `private`, because the request may have needed a token. */
export const keepForever = (reply: RouteReply): void =>
  reply.header('cache-control', 'private, max-age=31536000, immutable');

/** Handlers may return readonly values. */
type ReadonlyDeep<T> = T extends object ? { readonly [K in keyof T]: ReadonlyDeep<T[K]> } : T;

type AcceptedAnswer<R> = R extends { readonly accepted: infer S extends z.ZodType }
  ? ReadonlyDeep<z.output<S>>
  : never;

/**
 * A handler returns the declared response, with or without its defaults. A route with status 204 returns nothing. Other routes return
 * text, bytes or a stream.
 */
export type RouteAnswer<K extends RouteName> = Routes[K] extends {
  readonly response: infer S extends z.ZodType;
}
  ? ReadonlyDeep<z.input<S>> | ReadonlyDeep<z.output<S>> | AcceptedAnswer<Routes[K]>
  : Routes[K] extends { readonly produces: string }
    ? string | Uint8Array | Readable
    : undefined;

export type Handler<K extends RouteName> = (
  request: RouteRequest<K>,
  reply: RouteReply,
) => Promise<RouteAnswer<K>> | RouteAnswer<K>;

/** Exactly one handler for every declared route. */
export type Handlers = { readonly [K in RouteName]: Handler<K> };

/** The parts of the service that handlers use. */
export type Context = {
  readonly db: Db;
  readonly queue: StageQueue;
  readonly hub: EventHub;
  readonly metrics: ServiceMetrics;
  readonly document: OpenApiDocument;
  /** Notifies the queue of ready stages. */
  readonly relay: Rounds;
  /** Decides for searches. */
  readonly proposer: Rounds;
  readonly engineVersion: string;
  readonly limits: ServiceLimits;
  readonly planning: Pick<Planning, 'plan' | 'plansOf'>;
  readonly submissions: Pick<Submissions, 'submit'>;
  /** Continues actions on large sweeps now. */
  readonly wakeActions: () => void;
  readonly tracer: Tracer;
  readonly datasetChecks: DatasetChecks;
};

export const isStream = (route: Route): boolean => route.produces === 'text/event-stream';
