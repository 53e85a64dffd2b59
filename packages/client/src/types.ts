/** The client's methods, typed from the declared routes: what may be sent, what comes back. */
import type { FunnelEventRow, RouteName, routes } from '@funnel/contracts';
import type { z } from 'zod';

type Routes = typeof routes;
type Sent<R, Part extends string> = R extends { readonly [P in Part]: infer S extends z.ZodType }
  ? z.input<S>
  : never;

/** A part that is not declared is left out; one in which nothing is required may be. */
type PartOf<R, Part extends string> = [Sent<R, Part>] extends [never]
  ? unknown
  : Record<string, never> extends Sent<R, Part>
    ? { readonly [P in Part]?: Sent<R, Part> }
    : { readonly [P in Part]: Sent<R, Part> };

export type Input<K extends RouteName> = PartOf<Routes[K], 'params'> &
  PartOf<Routes[K], 'query'> &
  PartOf<Routes[K], 'headers'> &
  PartOf<Routes[K], 'body'>;

export type Output<K extends RouteName> = Routes[K] extends { readonly response: infer S extends z.ZodType }
  ? z.output<S>
  : Routes[K] extends { readonly produces: 'application/octet-stream' }
    ? Uint8Array<ArrayBuffer>
    : Routes[K] extends { readonly produces: string }
      ? string
      : undefined;

export type CallOptions = {
  readonly signal?: AbortSignal;
};

type Method<K extends RouteName> =
  Record<string, never> extends Input<K>
    ? (input?: Input<K>, options?: CallOptions) => Promise<Output<K>>
    : (input: Input<K>, options?: CallOptions) => Promise<Output<K>>;

export type EventsOptions = {
  /** Only this sweep's events. */
  readonly sweep?: string;
  /** Begin after this event; without it, now. */
  readonly lastEventId?: string;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
};

export type Client = { readonly [K in Exclude<RouteName, 'events'>]: Method<K> } & {
  /** Events as they happen. Comes back by itself after a lost connection, and misses none. */
  readonly events: (options?: EventsOptions) => AsyncGenerator<FunnelEventRow, void, undefined>;
  /** The address that `path` (such as `/v1/checkpoints/…/model.json`) has. */
  readonly urlOf: (path: string) => string;
};
